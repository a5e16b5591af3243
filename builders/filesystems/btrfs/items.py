"""Keys and items of btrfs' B-trees as bytes.

https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html; Linux,
include/uapi/linux/btrfs_tree.h.
"""

from __future__ import annotations

import struct
from functools import lru_cache

from builders.crc32c import crc32c

_ALL = 0xFFFFFFFF
_NAME_SEED = (_ALL - 1) ^ _ALL  # without the first inversion

# Objects: trees, and what has a number of its own.
ROOT_TREE, EXTENT_TREE, CHUNK_TREE, DEV_TREE, FS_TREE, ROOT_TREE_DIR = 1, 2, 3, 4, 5, 6
CSUM_TREE, UUID_TREE, FREE_SPACE_TREE = 7, 9, 10
DATA_RELOC_TREE = (1 << 64) - 9
EXTENT_CSUMS = (1 << 64) - 10
FIRST_FREE = FIRST_CHUNK = 256
DEVICE = DEV_ITEMS = 1
LAST = (1 << 64) - 1

# Types of keys.
INODE_ITEM, INODE_REF, INODE_EXTREF, XATTR_ITEM = 1, 12, 13, 24
DIR_ITEM, DIR_INDEX, EXTENT_DATA, EXTENT_CSUM = 84, 96, 108, 128
ROOT_ITEM, ROOT_BACKREF, ROOT_REF = 132, 144, 156
EXTENT_ITEM, METADATA_ITEM, TREE_BLOCK_REF, EXTENT_DATA_REF = 168, 169, 176, 178
BLOCK_GROUP_ITEM, FREE_SPACE_INFO, FREE_SPACE_EXTENT = 192, 198, 199
DEV_EXTENT, DEV_ITEM, CHUNK_ITEM, UUID_SUBVOLUME = 204, 216, 228, 251

# Types of directory entries.
FILE_TYPES = {"f": 1, "d": 2, "c": 3, "b": 4, "p": 5, "s": 6, "l": 7}
DIRECTORY, XATTR = 2, 8

ROOT_READ_ONLY = 1
_ROOT_ITEM_INIT = 1 << 31
_EXTENT_DATA, _EXTENT_TREE_BLOCK = 1, 2
INLINE, REGULAR = 0, 1

KEY = struct.Struct("<QBQ")
_INODE = struct.Struct("<5Q4I3Q32x48s")
_TIMES = struct.Struct("<" + "qI" * 4)
_DIR = struct.Struct("<QBQQHHB")
_ROOT = struct.Struct("<7QI17xxBQ16s16s16s4Q" + "QI" * 4 + "64x")
_REF = struct.Struct("<QH")
_INLINE = struct.Struct("<QQIB")
_REGULAR = struct.Struct("<QQIBQQQQ")
_DATA_EXTENT = struct.Struct("<QQQBQQQI")


Item = tuple[int, int, int, bytes]
"""One item of a tree: its key (object, type, offset) and its bytes."""


def name_hash(name: bytes) -> int:
    """Offset of the keys of directory entries and extended attributes: a CRC-32C that is not
    inverted."""
    return crc32c(_NAME_SEED, name) ^ _ALL


def extref_hash(parent: int, name: bytes) -> int:
    """Offset of the key of an INODE_EXTREF."""
    return crc32c(parent & _ALL ^ _ALL, name) ^ _ALL


def inode_item(
    mode: int,
    generation: int,
    uid: int = 0,
    gid: int = 0,
    mtime: int = 0,
    size: int = 0,
    nbytes: int = 0,
    links: int = 1,
    device: int = 0,
    flags: int = 0,
) -> bytes:
    """`mode` with the type, `mtime` in nanoseconds. Raises struct.error."""
    return _INODE.pack(
        *(generation, generation, size, nbytes, 0, links, uid, gid, mode, device, flags, 0),
        _times(mtime),
    )


@lru_cache(maxsize=4096)
def _times(mtime: int) -> bytes:
    """All four times of an inode."""
    s, ns = divmod(mtime, 1_000_000_000)
    return _TIMES.pack(s, ns, s, ns, s, ns, s, ns)


def dir_item(
    location: tuple[int, int, int], kind: int, name: bytes, generation: int, value: bytes = b""
) -> bytes:
    """An entry of a directory, or an extended attribute with its value."""
    return _DIR.pack(*location, generation, len(value), len(name), kind) + name + value


def inode_ref(index: int, name: bytes) -> bytes:
    return _REF.pack(index, len(name)) + name


def inode_extref(parent: int, index: int, name: bytes) -> bytes:
    return struct.pack("<QQH", parent, index, len(name)) + name


def root_ref(directory: int, index: int, name: bytes) -> bytes:
    """How a subvolume is in the tree above it: ROOT_REF and ROOT_BACKREF."""
    return struct.pack("<QQH", directory, index, len(name)) + name


def inline_extent(content: bytes, generation: int) -> bytes:
    return _INLINE.pack(generation, len(content), 0, INLINE) + content


def regular_extent(address: int, length: int, generation: int) -> bytes:
    return _REGULAR.pack(generation, length, 0, REGULAR, address, length, 0, length)


def data_extent_item(root: int, inode: int, offset: int, generation: int) -> bytes:
    """What the extent tree says of an extent that one file has, `offset` bytes from its start."""
    return _DATA_EXTENT.pack(1, generation, _EXTENT_DATA, EXTENT_DATA_REF, root, inode, offset, 1)


def tree_block_item(root: int, generation: int) -> bytes:
    return struct.pack("<QQQBQ", 1, generation, _EXTENT_TREE_BLOCK, TREE_BLOCK_REF, root)


def root_item(
    *,
    address: int,
    level: int,
    used: int,
    generation: int,
    nodesize: int,
    directory: int = 0,
    flags: int = 0,
    uuid: bytes = bytes(16),
    time: int = 0,
) -> bytes:
    """A tree: where its root is; `time` in seconds."""
    inode = inode_item(
        mode=0o40755,
        generation=1,
        size=3,
        nbytes=nodesize,
        flags=_ROOT_ITEM_INIT if directory else 0,
    )
    return inode + _ROOT.pack(
        *(generation, directory, address, 0, used, 0, flags, 1, level, generation),
        *(uuid, bytes(16), bytes(16)),
        *(generation if directory else 0, 0, 0, 0),
        *(time, 0, time, 0, 0, 0, 0, 0),
    )
