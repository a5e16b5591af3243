"""Images that are archives of a file tree: tarballs, containers, cpio archives."""
