from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import mtree
from builders.debian.deb import BadPackage, read_deb, unpack
from builders.tree import Content, Entry
from tests.builders.debian.mirror import ar, control_tar, deb, directory, fields, tar

FIELDS = fields("hello")
BIG = random.Random(2).randbytes(600_000)
TREE: list[tuple[str, dict[str, Any]]] = [
    directory("./"),
    directory("./usr/"),
    directory("./usr/bin/"),
    ("./usr/bin/hello", {"data": BIG, "mode": 0o4755, "uid": 5, "gid": 60, "mtime": 1234}),
    ("./usr/bin/ahoy", {"type": tarfile.LNKTYPE, "linkname": "./usr/bin/hello"}),
    ("./usr/bin/hi", {"type": tarfile.SYMTYPE, "linkname": "hello", "mode": 0o777}),
    ("./usr/bin/none", {"data": b""}),
    ("./dev/null", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3, "mode": 0o666}),
    ("./run/pipe", {"type": tarfile.FIFOTYPE, "mode": 0o600}),
]


def _unpack(data: bytes, tmp_path: Path, name: str = "item") -> tuple[list[Entry], bytes]:
    (tmp_path / "hello.deb").write_bytes(data)
    unpack(tmp_path / "hello.deb", tmp_path / name)
    return mtree.read_item(tmp_path / name, "I"), (tmp_path / name / "pack").read_bytes()


def _content(entry: Entry, pack: bytes) -> bytes:
    assert isinstance(entry.ref, Content)
    assert entry.ref.source == "I/pack"
    assert entry.ref.offset % 4096 == 0
    return pack[entry.ref.offset : entry.ref.offset + entry.size]


def test_a_package_becomes_a_manifest_and_a_pack(tmp_path: Path) -> None:
    entries, pack = _unpack(deb(FIELDS, tar(TREE)), tmp_path)
    by_path = {entry.path: entry for entry in entries}
    assert [entry.path for entry in entries] == [
        "", "dev/null", "run/pipe", "usr", "usr/bin", "usr/bin/ahoy", "usr/bin/hello",
        "usr/bin/hi", "usr/bin/none",
    ]  # fmt: skip
    # The first of a file's names holds it.
    ahoy = by_path["usr/bin/ahoy"]
    assert ahoy[:7] == ("usr/bin/ahoy", "f", 0o4755, 5, 60, 1234 * 10**9, len(BIG))
    assert _content(ahoy, pack) == BIG
    assert by_path["usr/bin/hello"].kind == "h"
    assert by_path["usr/bin/hello"].ref == "usr/bin/ahoy"
    assert by_path["usr/bin/hi"].ref == "hello"
    assert by_path["usr/bin/none"].size == 0
    assert by_path["dev/null"][1:3] == ("c", 0o666)
    assert by_path["dev/null"].ref == (1, 3)
    assert by_path["run/pipe"].kind == "p"
    assert len(pack) % 4096 == 0


def test_control_data_is_kept_as_text(tmp_path: Path) -> None:
    script = "#!/bin/sh\nexit 0\n"
    _unpack(deb(FIELDS, tar(TREE), postinst=script, conffiles="/etc/a\n"), tmp_path)
    data = json.loads((tmp_path / "item/control.json").read_text())
    assert data == {"fields": FIELDS, "members": {"postinst": script, "conffiles": "/etc/a\n"}}
    assert next(iter(data["fields"])) == "Package"


def test_the_same_package_gives_the_same_bytes(tmp_path: Path) -> None:
    package = deb(FIELDS, tar(TREE))
    _unpack(package, tmp_path, "one")
    _unpack(package, tmp_path, "two")
    for name in ("manifest", "pack", "control.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def _with(data: bytes, suffix: str) -> bytes:
    members = [("debian-binary", b"2.0\n"), (f"control.tar{suffix}", control_tar(FIELDS))]
    compressed = [(name, COMPRESSIONS[suffix](text)) for name, text in members[1:]]
    return ar([members[0], *compressed, (f"data.tar{suffix}", data)])


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_all_compressions_and_formats_give_the_same_tree(
    tmp_path: Path, suffix: str, format: int
) -> None:
    tree = [*TREE, ("./usr/" + "d/" * 60 + "x" * 90, {"data": b"deep"})]
    if format != tarfile.USTAR_FORMAT:
        tree.append(("./" + "y" * 200, {"type": tarfile.SYMTYPE, "linkname": "z" * 300}))
    expected, _ = _unpack(deb(FIELDS, tar(tree, tarfile.GNU_FORMAT)), tmp_path, "expected")
    entries, pack = _unpack(_with(COMPRESSIONS[suffix](tar(tree, format)), suffix), tmp_path)
    assert entries == expected
    assert BIG in pack


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_streams_after_each_other_are_one(tmp_path: Path, suffix: str) -> None:
    data = tar(TREE)
    halves = COMPRESSIONS[suffix](data[:5000]) + COMPRESSIONS[suffix](data[5000:])
    _, pack = _unpack(_with(halves, suffix), tmp_path)
    assert BIG in pack


def test_pax_headers_override(tmp_path: Path) -> None:
    info = {
        "data": b"x",
        "pax_headers": {
            "mtime": "12.5",
            "uid": "70000",
            "path": "./a b",
            "SCHILY.xattr.security.capability": "cap",
        },
    }
    (entry,), _ = _unpack(deb(FIELDS, tar([("./z", info)], tarfile.PAX_FORMAT)), tmp_path)
    assert (entry.path, entry.uid, entry.mtime) == ("a b", 70000, 12_500_000_000)
    assert entry.xattrs == {"security.capability": b"cap"}


def test_names_and_ids_that_are_odd_survive(tmp_path: Path) -> None:
    tree = [("./\udce9 \u20ac=*", {"data": b"x", "uid": 2**31, "mtime": 2**34})]
    (entry,), _ = _unpack(deb(FIELDS, tar(tree)), tmp_path)
    assert (entry.path, entry.uid, entry.mtime) == ("\udce9 \u20ac=*", 2**31, 2**34 * 10**9)


FILE = {"data": b"x"}
LINK = {"type": tarfile.SYMTYPE, "linkname": "/etc"}
HOSTILE: dict[str, tuple[list[tuple[str, dict[str, Any]]], str]] = {
    "absolute": ([("/etc/passwd", FILE)], "absolute path /etc/passwd"),
    "upwards": ([("./a/../../b", FILE)], r"path ./a/../../b, which leads out"),
    "through a link": (
        [("./lib", LINK), ("./lib/a/b", FILE)],
        "/lib/a/b, which goes through the symbolic link /lib",
    ),
    "through a later link": ([("./lib/a", FILE), ("./lib", LINK)], "/lib as a directory and"),
    "through a file": ([("./a", FILE), ("./a/b", FILE)], "/a/b, which goes through the file /a"),
    "two kinds": ([("./a", FILE), ("./a", LINK)], "/a twice, as different things"),
    "directory and file": ([directory("./a"), ("./a", FILE)], "/a twice"),
    "root as a file": ([("./", LINK)], "/ as a directory and"),
    "hard link out": (
        [("./a", {"type": tarfile.LNKTYPE, "linkname": "../../etc/shadow"})],
        "leads out",
    ),
    "hard link to nothing": (
        [("./a", {"type": tarfile.LNKTYPE, "linkname": "./b"})],
        "/a to /b, which is no file before it",
    ),
    "hard link to itself": (
        [("./a", FILE), ("./a", {"type": tarfile.LNKTYPE, "linkname": "./a"})],
        "twice",
    ),
    "line break": ([("./a\nb", FILE)], "line break"),
    "unknown type": ([("./a", {"type": b"V"})], "unknown tar type 'V'"),
    "empty link": ([("./a", {"type": tarfile.SYMTYPE, "linkname": ""})], "without a target"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_trees_are_refused_with_the_path(tmp_path: Path, case: str) -> None:
    tree, words = HOSTILE[case]
    with pytest.raises(BadPackage, match=r"^hello\.deb: has") as caught:
        _unpack(deb(FIELDS, tar(tree)), tmp_path)
    assert words in caught.value.reason


def _replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


_END = -(-len(tar(TREE).rstrip(b"\0")) // 512) * 512
GOOD = deb(FIELDS, tar(TREE))
PLAIN = _with(tar(TREE), "")
DAMAGED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "no ar archive"),
    "not ar": (b"PK" + GOOD, "no ar archive"),
    "no version": (ar([("control.tar", b"")]), "no debian-binary"),
    "future version": (ar([("debian-binary", b"3.0\n")]), "format version '3.0'"),
    "no control": (ar([("debian-binary", b"2.0\n")]), "has no control member"),
    "data first": (_with(b"", "").replace(b"control.tar", b"data.tar.gz"), "data.tar.gz where"),
    "cut in a member": (GOOD[:-100], "truncated: member data.tar.xz"),
    "cut in a header": (GOOD[:100], "garbage in place of a member"),
    "garbage behind": (GOOD + b"more" * 30, "garbage in place of a member"),
    "a member behind": (GOOD + ar([("evil", b"x" * 8)])[8:], "unexpected member evil"),
    "damaged xz": (GOOD[:-200] + b"x" * 100 + GOOD[-100:], "data.tar.xz: damaged"),
    "unknown compression": (GOOD.replace(b"data.tar.xz", b"data.tar.br"), "compression .br"),
    "short tar": (_with(tar(TREE)[:3000], ""), "truncated"),
    "tar without end": (_with(tar(TREE)[:_END] + bytes(512), ""), "end of its archive"),
    "tar with a tail": (_with(tar(TREE) + b"x" * 512, ""), "data after the end"),
    "damaged header": (_replaced(PLAIN, b"./usr/bin/hi", b"./usr/bin/ho"), "damaged header"),
    "short gzip": (_with(gzip.compress(tar(TREE))[:-9], ".gz"), "truncated"),
    "short zstd": (_with(COMPRESSIONS[".zst"](tar(TREE))[:-9], ".zst"), "truncated"),
    "no control file": (
        ar([("debian-binary", b"2.0\n"), ("control.tar", tar([("./x", FILE)]))]),
        "no control file",
    ),
    "folder in control": (
        ar([("debian-binary", b"2.0\n"), ("control.tar", tar([("./a/b", FILE)]))]),
        "a/b in its control archive",
    ),
    "no version field": (deb({"Package": "a"}, tar(TREE)), "no field Version"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_packages_are_refused_with_the_reason(tmp_path: Path, case: str) -> None:
    data, words = DAMAGED[case]
    with pytest.raises(BadPackage, match=r"^hello\.deb: ") as caught:
        _unpack(data, tmp_path)
    assert words in caught.value.reason


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_a_bomb_is_defused(tmp_path: Path, suffix: str) -> None:
    # Announces 12 KiB, holds a gigabyte of zeros.
    header = tarfile.TarInfo("./bomb")
    header.size = 1 << 30
    unit = COMPRESSIONS[suffix](bytes(1 << 24))
    bomb = COMPRESSIONS[suffix](header.tobuf()) + unit * 64
    with pytest.raises(BadPackage, match="far more than its Installed-Size"):
        _unpack(_with(bomb, suffix), tmp_path)


def test_members_for_others_are_passed_over(tmp_path: Path) -> None:
    version, rest = GOOD[:8], GOOD[8:]
    first = 60 + 4
    data = version + rest[:first] + ar([("_extra", b"abc")])[8:] + rest[first:]
    entries, _ = _unpack(data + ar([("_sign", b"x")])[8:], tmp_path)
    assert len(entries) == len(TREE)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_damage_is_refused_or_harmless(data: st.DataObject) -> None:
    """Whatever happens to bytes of a package, no other exception than BadPackage comes out."""
    package = bytearray(PLAIN if data.draw(st.booleans()) else GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        package[data.draw(st.integers(0, len(package) - 1))] = data.draw(st.integers(0, 255))
    package = package[: data.draw(st.integers(len(package) // 2, len(package)))]
    try:
        _, entries = read_deb(
            io.BytesIO(package), "x", lambda _path, chunks: Content("", sum(map(len, chunks)))
        )
    except BadPackage:
        return
    for entry in entries:
        assert not entry.path.startswith("/")
        assert ".." not in entry.path.split("/")


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is the judge")
def test_what_dpkg_deb_builds_is_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        "".join(f"{name}: {value}\n" for name, value in (FIELDS | {"Maintainer": "T"}).items())
    )
    (root / "usr/share/doc").mkdir(parents=True)
    (root / "usr/share/doc/long-".ljust(120, "x")).write_text("text")
    (root / "usr/share/doc/exec").write_bytes(BIG)
    (root / "usr/share/doc/exec").chmod(0o755)
    (root / "usr/share/doc/link").symlink_to("exec")
    for kind in ("gzip", "xz", "none"):
        package = tmp_path / f"{kind}.deb"
        command = ["dpkg-deb", f"-Z{kind}", "--root-owner-group", "-b", str(root), str(package)]
        subprocess.run(command, check=True, capture_output=True)
        unpack(package, tmp_path / kind)
        entries = {entry.path: entry for entry in mtree.read_item(tmp_path / kind, "I")}
        listed = subprocess.check_output(["dpkg-deb", "-c", str(package)], text=True)
        assert len(entries) == len(listed.splitlines())
        executable = entries["usr/share/doc/exec"]
        assert (executable.mode, executable.uid) == (0o755, 0)
        assert _content(executable, (tmp_path / kind / "pack").read_bytes()) == BIG
