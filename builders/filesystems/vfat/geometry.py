"""The sizes of a FAT file system. What kind it is follows from the number of clusters alone."""

from __future__ import annotations

from dataclasses import dataclass

SECTOR = 512
_ALIGNED = 8  # sectors: contents begin at multiples of 4 KiB, so that they can be shared

# The clusters that each kind may have, some away from the borders that drivers disagree about.
_CLUSTERS = {12: (1, 4068), 16: (4101, 65508), 32: (65541, 0x0FFFFFEF)}


_MOST_SECTORS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Geometry:
    """
    bits           12, 16 or 32
    sectors        of the file system
    per_cluster    sectors of a cluster
    reserved       sectors before the first FAT
    fat            sectors of a FAT; there are two
    root_entries   entries of the root directory of FAT12 and FAT16; 0 in FAT32
    clusters       numbered from 2
    """

    bits: int
    sectors: int
    per_cluster: int
    reserved: int
    fat: int
    root_entries: int
    clusters: int

    @property
    def cluster(self) -> int:
        """Bytes of a cluster."""
        return self.per_cluster * SECTOR

    @property
    def root(self) -> int:
        """Byte offset of what is behind the FATs: the root directory of FAT12 and FAT16."""
        return (self.reserved + 2 * self.fat) * SECTOR

    def offset(self, cluster: int) -> int:
        """Byte offset of a cluster."""
        return self.root + self.root_entries * 32 + (cluster - 2) * self.cluster


def geometry(
    size: int, bits: int, root_entries: int, per_cluster: int | None = None
) -> Geometry | None:
    """A geometry of this kind inside `size` bytes; None if there is none.

    Unless it is said how many sectors a cluster has, clusters of 4 KiB are preferred, then the
    smallest that will do.
    """
    if size // SECTOR > _MOST_SECTORS:
        return None
    for tried in (8, 1, 2, 4, 16, 32, 64, 128) if per_cluster is None else (per_cluster,):
        found = _geometry(size // SECTOR, bits, tried, 0 if bits == 32 else root_entries)
        least, most = _CLUSTERS[bits]
        if least <= found.clusters <= most:
            return found
    return None


def _geometry(sectors: int, bits: int, per_cluster: int, root_entries: int) -> Geometry:
    root = root_entries * 32 // SECTOR
    least = 32 if bits == 32 else 1
    fat = 1
    while (
        True
    ):  # only ever upwards: the number of clusters and the size of the FAT chase each other
        reserved = least + -(least + 2 * fat + root) % _ALIGNED
        clusters = (sectors - reserved - 2 * fat - root) // per_cluster
        needed = -(-(clusters + 2) * bits // (8 * SECTOR))
        if needed <= fat:
            return Geometry(bits, sectors, per_cluster, reserved, fat, root_entries, clusters)
        fat = needed


def usual_bits(size: int) -> int:
    """The kind that mkfs.fat chooses for a size."""
    if size < 4 << 20:
        return 12
    return 16 if size < 512 << 20 else 32
