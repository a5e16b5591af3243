"""Numbers of the format that several modules need (Linux, fs/erofs/erofs_fs.h)."""

from __future__ import annotations

import struct

BLOCK = 4096
SLOT = 32
"""Inodes begin at multiples of it and are numbered by them."""

INODE = struct.Struct("<HHHHQIIIIQII16x")

PLAIN, COMPRESSED, INLINE = 0, 1, 2
"""i_format: where the content is."""
