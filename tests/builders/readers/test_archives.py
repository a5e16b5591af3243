"""tar, cpio, container images and kernels: what was packed, by Kiln or others, is what is read."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import cpio
from builders.errors import BuilderError
from builders.formats import layers, tar
from builders.formats.container import Container, docker, write_oci
from builders.readers import open_file_system
from builders.readers.layers import of_directory
from builders.readers.source import DamagedImage, FileSource, NotReadable
from builders.readers.tar import fill
from builders.readers.wrappers import unwrap
from builders.sinks import raw
from builders.tree import Entry, content_reader
from tests.builders.bootloaders.test_uki import executable
from tests.builders.filesystems.judges import needs
from tests.builders.filesystems.trees import sources, trees
from tests.builders.readers.test_ext4 import compare, content, everything

Drawn = tuple[list[Entry], dict[str, bytes], bytes]


def packable(drawn: Drawn) -> Drawn:
    """Without sockets, which tar has not, and times before 1970, which the reader has not."""
    entries, contents, pool = drawn
    kept = [entry._replace(mtime=max(entry.mtime, 0)) for entry in entries if entry.kind != "s"]
    return kept, contents, pool


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees("pool").map(packable), method=st.sampled_from(["", "gz", "xz", "zst"]))
def test_any_tree_is_read_from_a_tar(tree: Drawn, method: str) -> None:
    entries, contents, pool = tree
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pool").write_bytes(pool)
        raw.write(tar.plan(entries), folder / "tar", sources(pool=folder / "pool"))
        data = (folder / "tar").read_bytes()
        packed = {
            "": lambda: data,
            "gz": lambda: gzip.compress(data[:700]) + gzip.compress(data[700:]),
            "xz": lambda: lzma.compress(data),
            "zst": lambda: zstandard.compress(data),
        }[method]()
        (folder / "image").write_bytes(packed)
        found = open_file_system(unwrap(FileSource(folder / "image")))
        assert found.kind == "tar"
        compare(found, entries, contents)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees("pool"))
def test_any_tree_is_read_from_a_cpio_archive(tree: Drawn) -> None:
    entries, contents, pool = tree
    entries = [
        entry._replace(xattrs=None, mtime=entry.mtime // 10**9 % 2**32 * 10**9)
        for entry in entries
        if entry.path  # whose attributes a cpio archive of Kiln leaves out
    ]
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pool").write_bytes(pool)
        read = content_reader(sources(pool=folder / "pool"))
        (folder / "image").write_bytes(b"".join(cpio.archive(entries, read)))
        found = open_file_system(FileSource(folder / "image"))
        compare(found, [found.root(), *entries], contents)


def test_archives_behind_each_other_are_an_initrd(tmp_path: Path) -> None:
    first = b"".join(cpio.archive([Entry("a", "f", 0o644, size=1, ref=b"1")]))
    second = b"".join(
        cpio.archive([Entry("a", "f", 0o600, size=1, ref=b"2"), Entry("b/c", "d", 0o755)])
    )
    image = tmp_path / "image"
    image.write_bytes(first + bytes(8) + gzip.compress(second))
    found = open_file_system(FileSource(image))
    assert [entry.path for entry in everything(found)] == ["a", "b", "b/c"]
    assert content(found, found.children("")[0]) == b"2"
    image.write_bytes(first + b"junk")
    with pytest.raises(DamagedImage, match="behind a cpio archive"):
        open_file_system(FileSource(image))


@needs("cpio")
def test_an_archive_of_gnu_cpio_is_read(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"content")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    command = ["cpio", "-o", "-H", "newc", "--quiet"]
    packed = subprocess.run(
        command, input=b"one\ntwo\n", cwd=tmp_path, capture_output=True, check=True
    ).stdout
    (tmp_path / "image").write_bytes(packed)
    found = open_file_system(FileSource(tmp_path / "image"))
    assert {entry.path: content(found, entry) for entry in found.children("")} == {
        "one": b"content",
        "two": b"content",
    }


def member(archive: tarfile.TarFile, name: str, data: bytes = b"", **attributes: object) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in attributes.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(data))


def layer(*members: tuple[str, bytes | None]) -> bytes:
    """A layer: names with contents; None: a directory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members:
            if data is None:
                member(archive, name, type=tarfile.DIRTYPE)
            else:
                member(archive, name, data)
    return buffer.getvalue()


LAYERS = (
    layer(("etc/name", b"1"), ("etc/gone", b"1"), ("var/a", b"1"), ("var/b", b"1"), ("x", b"1")),
    layer(("etc/name", b"2"), ("etc/.wh.gone", b""), ("var/.wh..wh..opq", b""), ("var/c", b"2")),
    layer(("x", None), ("x/y", b"3"), (".wh.absent", b"")),
)
MERGED = {"etc/name": b"2", "var/c": b"2", "x/y": b"3"}


def files_of(found: object) -> dict[str, bytes]:
    return {
        entry.path: content(found, entry)  # type: ignore[arg-type]
        for entry in everything(found)  # type: ignore[arg-type]
        if entry.kind == "f"
    }


def test_layers_take_away_what_they_say(tmp_path: Path) -> None:
    image = tmp_path / "image"
    names = [f"{number}/layer.tar" for number in range(len(LAYERS))]
    with tarfile.open(image, "w") as archive:
        for name, data in zip(names, LAYERS, strict=True):
            member(archive, name, data)
        member(archive, "manifest.json", json.dumps([{"Layers": names}]).encode())
    found = open_file_system(FileSource(image))
    assert found.kind == "docker"
    assert files_of(found) == MERGED


def test_an_oci_layout_with_an_index_in_its_index_is_read(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(data: bytes) -> dict[str, str]:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}"}

    stored = [put(LAYERS[0]), put(gzip.compress(LAYERS[1])), put(zstandard.compress(LAYERS[2]))]
    manifest = put(json.dumps({"layers": stored}).encode())
    inner = put(json.dumps({"manifests": [manifest]}).encode())
    (tmp_path / "index.json").write_text(json.dumps({"manifests": [inner]}))
    assert files_of(of_directory(tmp_path, fill)) == MERGED
    (blobs / stored[1]["digest"].partition(":")[2]).unlink()
    with pytest.raises(DamagedImage, match="lacks the content sha256:"):
        of_directory(tmp_path, fill)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees("pool").map(packable), most=st.integers(1, 4))
def test_any_tree_is_read_from_container_images_of_kiln(tree: Drawn, most: int) -> None:
    entries, contents, pool = tree
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pool").write_bytes(pool)
        real = sources(pool=folder / "pool")
        plans = [tar.plan(each) for each in layers.split(entries, most)]
        write_oci(Container("kiln"), plans, folder / "oci", real)
        compare(of_directory(folder / "oci", fill), entries, contents)
        with (folder / "image").open("wb") as file:
            file.writelines(docker(Container("kiln"), plans, real))
        compare(open_file_system(FileSource(folder / "image")), entries, contents)


def test_names_that_lead_out_of_an_archive_are_refused(tmp_path: Path) -> None:
    for name in ("../up", "a/../../up"):
        (tmp_path / "image").write_bytes(layer((name, b"x")))
        with pytest.raises(DamagedImage, match="the name b'\\.\\.'"):
            open_file_system(FileSource(tmp_path / "image"))
    (tmp_path / "image").write_bytes(layer(("/abs/./name", b"x")))
    assert files_of(open_file_system(FileSource(tmp_path / "image"))) == {"abs/name": b"x"}


def test_what_a_tar_cannot_mean_is_an_error(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(layer(("file", b"x"), ("file/below", b"y")))
    with pytest.raises(DamagedImage, match="/file is not a directory"):
        open_file_system(FileSource(image))
    with tarfile.open(image, "w") as archive:
        member(archive, "odd", type=b"M")
    with pytest.raises(NotReadable, match="/odd is of a type"):
        open_file_system(FileSource(image))
    with tarfile.open(image, "w") as archive:
        member(archive, "link", type=tarfile.LNKTYPE, linkname="nowhere")
    with pytest.raises(DamagedImage, match="further name of /nowhere"):
        open_file_system(FileSource(image))


def test_the_sections_of_a_program_are_files(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(executable(text=b"code"))
    found = open_file_system(FileSource(tmp_path / "image"))
    assert found.kind == "pe"
    assert files_of(found) == {".text": b"code"}


def test_compressed_damage_is_told(tmp_path: Path) -> None:
    image = tmp_path / "image"
    for packed in (gzip.compress(LAYERS[0]), lzma.compress(LAYERS[0])):
        image.write_bytes(packed[:-20])
        with pytest.raises(DamagedImage, match="compressed in the image is truncated"):
            unwrap(FileSource(image))
    data = LAYERS[0]
    for _ in range(6):
        data = gzip.compress(data)
    image.write_bytes(data)
    with pytest.raises(DamagedImage, match="around each other"):
        unwrap(FileSource(image))


@pytest.mark.parametrize("kind", ["tar", "cpio", "docker", "pe", "gz", "xz", "zst"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_is_an_error_of_its_own(kind: str, data: st.DataObject) -> None:
    good = bytearray(whole(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(good) - 1))
        good[place] = data.draw(st.sampled_from([0, 1, 0x2F, 0x30, 0x37, 0x7F, 0x80, 0xFF]))
    with TemporaryDirectory() as name:
        image = Path(name) / "image"
        image.write_bytes(good[: data.draw(st.sampled_from([None, len(good) // 2]))])
        file = FileSource(image)
        try:
            for entry in everything(found := open_file_system(unwrap(file))):
                if entry.kind == "f":
                    assert sum(len(part) for _, part in found.runs(entry.path)) <= 1 << 20
        except BuilderError:
            pass
        finally:
            file.close()


def whole(kind: str) -> bytes:
    if kind == "pe":
        return executable()
    if kind == "cpio":
        files = [Entry("d/a", "f", 0o644, size=3, ref=b"abc"), Entry("d/l", "l", 0o777, ref="a")]
        return b"".join(cpio.archive(files))
    if kind == "docker":
        return layer(("0", LAYERS[0]), ("manifest.json", b'[{"Layers": ["0"]}]'))
    packers = {"tar": bytes, "gz": gzip.compress, "xz": lzma.compress, "zst": zstandard.compress}
    return bytes(packers[kind](LAYERS[1]))  # type: ignore[operator]
