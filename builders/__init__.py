"""What runs on the host: derivations, the store, Debian's archive, trees, file systems, disks."""
