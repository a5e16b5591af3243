"""What runs on the host: derivations and the store, Debian's archive, trees, file systems, disks."""
