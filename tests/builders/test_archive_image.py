"""The builder "archive-image": tarballs, containers and cpio archives that other tools read."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from builders import archive_image, cpio, mtree
from builders.formats import container, wsl
from builders.pack import PackWriter
from builders.registry import Build
from builders.scan import scan
from builders.sinks import codecs, compress
from builders.tree import Entry

TREE = "/kiln/store/t-system"
MODE = 0o4755
TIME = 1_500_000_000_000_000_005


@pytest.fixture
def store(tmp_path: Path) -> Path:
    store = tmp_path / "store"
    sources = {}
    for name, size in (("a-small", 5000), ("b-large", 3_000_000)):
        (store / name).mkdir(parents=True)
        with PackWriter(store / name / "pack") as pack:
            content = pack.add([(name.encode() * size)[:size]])
        sources[name] = (content._replace(source=f"/kiln/store/{name}/pack"), size)
    tree = [
        Entry("", "d", 0o755, mtime=TIME),
        Entry("etc", "d", 0o755, mtime=TIME),
        Entry("etc/motd", "f", 0o644, 0, 4, TIME, 6, b"hello\n"),
        Entry("sbin", "l", 0o777, size=8, ref="usr/sbin", mtime=TIME),
        Entry("usr", "d", 0o755, mtime=TIME),
        Entry("usr/sbin", "d", 0o755, mtime=TIME),
        Entry("usr/sbin/init", "f", MODE, 0, 0, TIME, sources["b-large"][1], sources["b-large"][0]),
        Entry("usr/sbin/same", "h", 0, ref="usr/sbin/init"),
        Entry("usr/small", "f", 0o644, 7, 8, TIME, sources["a-small"][1], sources["a-small"][0]),
    ]
    (store / "t-system").mkdir()
    (store / "t-system" / "manifest").write_text(mtree.write(tree))
    return store


def built(store: Path, image_format: str, output: str = "image", **arguments: Any) -> Path:
    build = Build(
        name="image",
        arguments={"format": image_format, "tree": TREE, **arguments},
        output=store / output,
        scratch=store,
        store=store,
    )
    archive_image.archive_image(build)
    return build.output


VARIANTS = [
    ("tar", {}),
    ("tar", {"compression": "xz"}),
    ("wsl2", {"compression": "gzip", "level": 6}),
    ("docker", {"max_layers": 3}),
    ("docker", {"compression": "gzip"}),
    ("oci", {"compression": "zstd", "max_layers": 2}),
    ("oci", {}),
    ("cpio", {"compression": "zstd"}),
]


@pytest.mark.parametrize(("image_format", "arguments"), VARIANTS)
def test_the_same_tree_gives_the_same_bytes(
    store: Path, image_format: str, arguments: dict[str, Any]
) -> None:
    images = [built(store, image_format, name, **arguments) for name in ("one", "two")]
    digests = []
    for image in images:
        files = sorted(path for path in (image, *image.rglob("*")) if path.is_file())
        digests.append([(path.name, path.read_bytes()) for path in files if path != image])
        if image.is_file():
            digests[-1].append(("", image.read_bytes()))
    assert digests[0] == digests[1]


def test_a_tarball_holds_the_tree(store: Path) -> None:
    with tarfile.open(built(store, "tar", compression="gzip")) as archive:
        init = archive.getmember("usr/sbin/init")
        assert (init.mode, init.size) == (MODE, 3_000_000)
        assert archive.getmember("usr/sbin/same").linkname == "usr/sbin/init"
        motd = archive.extractfile("etc/motd")
        assert motd is not None
        assert motd.read() == b"hello\n"


def test_wsl_gets_its_configuration_unless_there_is_one(store: Path) -> None:
    with tarfile.open(built(store, "wsl2"), "r:") as archive:
        found = archive.extractfile(wsl.PATH)
        assert found is not None
        assert b"systemd=true" in found.read()
    own = [Entry("", "d", 0o755), Entry("etc", "d", 0o755), Entry(wsl.PATH, "f", 0o644)]
    assert wsl.configured(own, 1) == own


def test_a_cpio_archive_holds_the_tree(store: Path) -> None:
    if shutil.which("cpio") is None:
        pytest.skip("cpio is not installed")
    done = subprocess.run(
        ["cpio", "--list", "--quiet"],
        input=built(store, "cpio").read_bytes(),
        capture_output=True,
        check=True,
    )
    assert b"usr/sbin/init" in done.stdout.splitlines()
    assert len(done.stdout.splitlines()) == 8


def test_docker_finds_layers_and_a_configuration(store: Path) -> None:
    image = built(store, "docker", max_layers=2, name="kiln/test", tag="1.0")
    with tarfile.open(image) as archive:
        files = {member.name: archive.extractfile(member) for member in archive}
        contents = {name: file.read() for name, file in files.items() if file is not None}
        assert {member.mtime for member in archive} == {1}
    (manifest,) = json.loads(contents["manifest.json"])
    assert manifest["RepoTags"] == ["kiln/test:1.0"]
    config = contents[manifest["Config"]]
    assert manifest["Config"] == hashlib.sha256(config).hexdigest() + ".json"
    about = json.loads(config)
    assert about["config"]["Cmd"] == ["/sbin/init"]
    assert "Labels" not in about["config"]
    assert about["created"] == "1970-01-01T00:00:01Z"
    assert about["rootfs"]["diff_ids"] == [
        "sha256:" + hashlib.sha256(contents[layer]).hexdigest() for layer in manifest["Layers"]
    ]
    assert len(manifest["Layers"]) == 2


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_an_oci_layout_names_everything_by_its_hash(store: Path, compression: str | None) -> None:
    image = built(store, "oci", compression=compression, max_layers=3, tag="v1")
    blobs = image / "blobs" / "sha256"
    for blob in blobs.iterdir():
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    index = json.loads((image / "index.json").read_bytes())
    assert json.loads((image / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    (reference,) = index["manifests"]
    assert reference["annotations"] == {"org.opencontainers.image.ref.name": "v1"}
    manifest = json.loads((blobs / reference["digest"][7:]).read_bytes())
    config = json.loads((blobs / manifest["config"]["digest"][7:]).read_bytes())
    plain = []
    for layer in manifest["layers"]:
        data = (blobs / layer["digest"][7:]).read_bytes()
        assert len(data) == layer["size"]
        if compression == "gzip":
            data = gzip.decompress(data)
        elif compression == "zstd":
            with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as file:
                data = file.read()
        plain.append("sha256:" + hashlib.sha256(data).hexdigest())
        assert layer["mediaType"].endswith(f"tar{'+' + compression if compression else ''}")
    assert config["rootfs"]["diff_ids"] == plain
    assert len(plain) == 3
    assert len(list(blobs.iterdir())) == 5


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
@pytest.mark.parametrize(
    ("image_format", "arguments", "transport"),
    [
        ("docker", {"max_layers": 3}, "docker-archive:{}"),
        ("oci", {"max_layers": 2}, "oci:{}:latest"),
        ("oci", {"compression": "gzip"}, "oci:{}:latest"),
        ("oci", {"compression": "zstd"}, "oci:{}:latest"),
    ],
)
def test_skopeo_reads_and_copies_the_image(
    store: Path, image_format: str, arguments: dict[str, Any], transport: str
) -> None:
    source = transport.format(built(store, image_format, **arguments))
    shown = subprocess.run(["skopeo", "inspect", source], capture_output=True, check=True)
    about = json.loads(shown.stdout)
    assert about["Labels"] is None
    assert about["Created"] == "1970-01-01T00:00:01Z"
    copy = ["skopeo", "--insecure-policy", "copy", "--quiet", source, f"dir:{store / 'copy'}"]
    subprocess.run(copy, capture_output=True, check=True)


@pytest.mark.skipif(shutil.which("umoci") is None, reason="umoci is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_umoci_unpacks_the_tree(store: Path) -> None:
    image = built(store, "oci", compression="gzip", max_layers=3)
    bundle = store / "bundle"
    unpack = ["umoci", "unpack", "--image", f"{image}:latest", bundle]
    subprocess.run(unpack, capture_output=True, check=True)
    tree = mtree.read_item(store / "t-system", TREE)
    found = {entry.path: entry for entry in scan(bundle / "rootfs")}
    assert set(found) == {entry.path for entry in tree}
    for entry in tree:
        if entry.kind == "h":
            assert (bundle / "rootfs" / entry.path).stat().st_nlink == 2
        elif entry.path:  # umoci leaves a time of its own on the root
            assert found[entry.path][1:7] == entry[1:7]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"format": "rar"}, archive_image.BadArchive),
        ({"colour": 1}, archive_image.BadArchive),
        ({"max_layers": 0}, archive_image.BadArchive),
        ({"compression": "lz4"}, compress.UnknownCompression),
        ({"compression": "gzip", "level": 10}, codecs.BadLevel),
        ({"level": 1}, codecs.LevelWithoutCompression),
        ({"format": "oci", "compression": "xz"}, compress.UnknownCompression),
        ({"format": "docker", "name": "Not Good"}, container.BadReference),
        ({"format": "docker", "tag": "-x"}, container.BadReference),
    ],
)
def test_what_cannot_be_made_is_an_error(
    store: Path, arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        built(store, arguments.pop("format", "tar"), **arguments)
    assert not (store / "image").exists()


def test_what_cpio_cannot_hold_is_an_error_and_leaves_nothing(store: Path) -> None:
    entry = Entry("a", "f", 0o755, xattrs={"security.capability": b"x"})
    (store / "t-system" / "manifest").write_text(mtree.write([entry]))
    with pytest.raises(cpio.NotInCpio, match="/a"):
        built(store, "cpio")
    assert not (store / "image").exists()
    assert b"a\0" in built(store, "cpio", drop_xattrs=True).read_bytes()


@pytest.mark.parametrize("image_format", ["docker", "oci", "tar"])
def test_progress_rises_to_all_bytes(store: Path, image_format: str) -> None:
    seen: list[tuple[int, int]] = []
    build = Build(
        name="image",
        arguments={"format": image_format, "tree": TREE},
        output=store / "image",
        scratch=store,
        store=store,
        report=lambda message: seen.append((message[1], message[2])),
    )
    archive_image.archive_image(build)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1] > 3_000_000
