"""Types and options of `kiln image`; what is in the images, tests/matrix judges."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, RunKiln
from tests.kiln.test_image import need

pytestmark = pytest.mark.archive

EXAMPLE = ROOT / "examples/bare-bones.scm"
Build = Callable[[str], Path]


@pytest.fixture(scope="module")
def build(run_kiln: RunKiln) -> Build:
    """Builds the example as an image of a type."""
    return lambda kind: run_kiln("image", "-t", kind, EXAMPLE).result


def run(*words: str | Path) -> str:
    """The output of a judge that has to be content."""
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def types(run_kiln: RunKiln) -> list[str]:
    """The types that `kiln image --list-image-types` tells of."""
    ended = run_kiln("image", "--list-image-types")
    assert ended.status == 0, ended.err
    return [line.split()[0] for line in ended.out.splitlines()]


def test_all_types_are_listed_with_a_line_about_each(run_kiln: RunKiln) -> None:
    ended = run_kiln("image", "--list-image-types")
    assert len(ended.out.splitlines()) == 19
    assert all(len(line.split()) > 3 for line in ended.out.splitlines())
    assert {"mbr-raw", "efi-raw", "qcow2", "iso9660", "docker"} <= set(types(run_kiln))


def test_an_unknown_type_is_answered_with_those_there_are(run_kiln: RunKiln) -> None:
    ended = run_kiln("image", "-n", "-t", "floppy", EXAMPLE)
    assert ended.status == 2
    assert "no image type floppy" in ended.err
    assert "efi-raw" in ended.err


def test_a_type_of_the_files_own_is_chosen_by_its_name(run_kiln: RunKiln, tmp_path: Path) -> None:
    file = tmp_path / "own.scm"
    file.write_text(
        f"""(use-modules (gnu) (gnu image) (gnu system image))
(define board-image-type
  (image-type (name 'board) (constructor (lambda (os) (image-with-os efi-disk-image os)))))
(primitive-load "{EXAMPLE}")
"""
    )
    own, known = (run_kiln("image", "-d", "-t", kind, file).result for kind in ("board", "efi-raw"))
    assert own == known
    ended = run_kiln("image", "-d", "-t", "bord", file)
    assert (ended.status, "did you mean board?" in ended.err) == (2, True)


def _part(image: Path, partition: dict[str, int]) -> Path:
    """A copy of a partition, for judges that know no offset."""
    copy = Path("/var/tmp") / f"kiln-test-{image.name}.part"
    with open(image, "rb") as reader, open(copy, "wb") as writer:
        reader.seek(partition["start"] * 512)
        writer.write(reader.read(partition["size"] * 512))
    return copy


def test_the_root_is_where_the_type_says(build: Build) -> None:
    need("sfdisk")
    dump = json.loads(run("sfdisk", "-J", build("raw-with-offset")))
    assert dump["partitiontable"]["partitions"][0]["start"] * 512 == 9 << 20


@pytest.mark.parametrize("kind", ["iso9660", "uncompressed-iso9660"])
def test_an_iso_has_what_four_ways_of_booting_need(build: Build, kind: str) -> None:
    need("xorriso")
    image = build(kind)
    report = run("xorriso", "-indev", image, "-report_el_torito", "plain")
    assert "El Torito boot img :   1  BIOS" in report
    assert "El Torito boot img :   2  UEFI" in report
    names = run("xorriso", "-indev", image, "-find", "/")
    assert "/live/root.squashfs" in names
    assert "/boot/grub/grub.cfg" in names


@pytest.mark.parametrize("kind", ["tarball", "wsl2"])
def test_a_tarball_has_the_system_with_its_owners(build: Build, kind: str) -> None:
    with tarfile.open(build(kind)) as archive:
        names = {member.name.removeprefix("./"): member for member in archive}
    assert names["etc/shadow"].gid == 42
    assert names["etc/shadow"].mode == 0o640
    assert names["usr/bin/tmux"].isreg()
    assert not any(name.startswith("boot/vmlinuz-") for name in names)
    assert ("etc/wsl.conf" in names) == (kind == "wsl2")


def test_a_docker_archive_names_its_layers(build: Build) -> None:
    with tarfile.open(build("docker")) as archive:
        file = archive.extractfile("manifest.json")
        assert file is not None
        (manifest,) = json.load(file)
        assert manifest["RepoTags"] == ["komputilo:latest"]
        assert set(manifest["Layers"]) <= set(archive.getnames())


def test_an_oci_layout_leads_to_blobs_of_the_digests_it_names(build: Build) -> None:
    import hashlib

    layout = build("oci")
    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    blobs = layout / "blobs/sha256"
    manifest = json.loads((blobs / entry["digest"].partition(":")[2]).read_text())
    for one in (manifest["config"], *manifest["layers"]):
        blob = blobs / one["digest"].partition(":")[2]
        assert blob.stat().st_size == one["size"]
        with open(blob, "rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == blob.name


def test_a_cpio_archive_is_one(build: Build) -> None:
    need("cpio", "zstd")
    archive = build("cpio")
    names = subprocess.run(
        f"zstd -dcq < {archive} | cpio -t --quiet",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    assert {"init", "etc/hostname", "usr/bin/tmux"} <= set(names)


def test_a_unified_kernel_has_its_sections(build: Build) -> None:
    need("objdump")
    sections = run("objdump", "-h", build("uki"))
    assert all(name in sections for name in (".linux", ".initrd", ".cmdline", ".osrel"))


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_a_compressed_disk_is_the_disk(run_kiln: RunKiln, build: Build, method: str) -> None:
    need(method)
    compressed = run_kiln("image", "--compress", method, EXAMPLE).result
    command = f"{method} -dcq < {compressed} | cmp - {build('mbr-raw')}"
    assert subprocess.run(command, shell=True, check=False).returncode == 0


def test_a_disk_may_be_compressed_by_xz_which_takes_minutes(run_kiln: RunKiln) -> None:
    derivation = json.loads(
        run_kiln("image", "-d", "--compress", "xz", EXAMPLE).out.splitlines()[-1]
    )
    assert derivation["name"] == "disk.img.xz"
    assert derivation["arguments"]["compression"] == "xz"


def test_a_larger_image_has_a_larger_root(run_kiln: RunKiln) -> None:
    need("sfdisk", "e2fsck")
    image = run_kiln("image", "--image-size", "2G", "--label", "big", EXAMPLE).result
    assert image.stat().st_size == 2 << 30
    dump = json.loads(run("sfdisk", "-J", image))
    assert dump["partitiontable"]["partitions"][0]["size"] * 512 > (2 << 30) - (3 << 20)
    run("e2fsck", "-fn", f"{image}?offset={1 << 20}")


def test_an_image_that_is_too_small_says_by_how_much(run_kiln: RunKiln) -> None:
    ended = run_kiln("image", "--image-size", "100M", EXAMPLE)
    assert ended.status == 1
    assert "Traceback" not in ended.err
    assert "vmlinuz" in ended.err or "largest" in ended.err
    assert "kiln: error: --image-size: " in ended.err


OWN_TYPE = """\
(use-modules (gnu) (gnu image) (gnu system image))
(define os (primitive-load "{example}"))
(image
  (inherit (image-with-os mbr-disk-image os))
  (partitions
    (list root-partition
          (partition
            (label "data")
            (initializer #~(lambda* (root . options)
                             (mkdir root) ; as in Guix's manual
                             (call-with-output-file (string-append root "/hello")
                               (lambda (port) (display "hello, world" port))))))
          (partition
            (file-system "unformatted")
            (initializer #~(lambda (file)
                             (call-with-output-file file
                               (lambda (port) (display "raw bytes" port)))))))))
"""


def test_partitions_are_filled_by_code_of_the_users_own(run_kiln: RunKiln, tmp_path: Path) -> None:
    need("sfdisk", "debugfs")
    file = tmp_path / "own.scm"
    file.write_text(OWN_TYPE.format(example=EXAMPLE))
    image = run_kiln("image", file).result
    partitions = json.loads(run("sfdisk", "-J", image))["partitiontable"]["partitions"]
    assert len(partitions) == 3
    data = _part(image, partitions[1])
    assert run("debugfs", "-R", "cat /hello", data) == "hello, world"
    with open(image, "rb") as disk:
        disk.seek(partitions[2]["start"] * 512)
        assert disk.read(9) == b"raw bytes"


def test_a_partition_that_its_files_do_not_fit_in_is_an_error_where_it_is_declared(
    run_kiln: RunKiln, tmp_path: Path
) -> None:
    file = tmp_path / "own.scm"
    text = OWN_TYPE.format(example=EXAMPLE).replace('"hello, world"', "(make-string 3000000 #\\a)")
    text = text.replace('(label "data")', '(label "data") (size (* 2 1024 1024))')
    file.write_text(text)
    ended = run_kiln("image", file.name, cwd=tmp_path)
    assert ended.status == 1
    before = text[: text.index("(size (* 2")].split("\n")
    place = f"own.scm:{len(before)}:{len(before[-1]) + 1}"
    assert f"{place}: error: cannot write the disk image: partition 2: " in ended.err
    assert "too few" in ended.err
    assert "/hello (3,000,000 B)" in ended.err
