"""The examples can be built, and an image type of one's own fills its partitions as it says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, RunKiln
from tests.kiln.test_image import need

pytestmark = pytest.mark.archive

EXAMPLES = sorted((ROOT / "examples").glob("*.scm"))


def run(*words: str | Path) -> str:
    """The output of a judge that has to be content."""
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_what_would_be_built(run_kiln: RunKiln, example: Path) -> None:
    ended = run_kiln("image", "-d", example)
    assert ended.status == 0, ended.err
    assert '"builder":"disk-image"' in ended.out


def test_a_type_of_ones_own_fills_its_partitions(run_kiln: RunKiln, tmp_path: Path) -> None:
    need("sfdisk", "sgdisk", "dumpe2fs", "e2fsck")
    disk = run_kiln("image", ROOT / "examples/own-type.scm").result
    assert "No problems found" in run("sgdisk", "-v", disk)
    parts = json.loads(run("sfdisk", "-J", disk))["partitiontable"]["partitions"]
    assert [part["name"] for part in parts] == ["firmware", "ESP", "data", "kiln-root"]
    assert [part.get("attrs", "") for part in parts] == [
        "GUID:63",
        "",
        "",
        "LegacyBIOSBootable GUID:59",
    ]
    with disk.open("rb") as file:
        file.seek(32 * 1024)
        assert file.read(22) == b"the board starts here\n"
    for name, path, text in (
        ("ESP", "board.txt", "console=serial\n"),
        ("data", "README", "Put your files here.\n"),
        ("kiln-root", "etc/hostname", "komputilo\n"),
    ):
        assert run_kiln("cat", f"{disk}:{name}:/{path}").out == text
    assert "BOOTX64.EFI" in run_kiln("ls", f"{disk}:ESP:/EFI/BOOT").out
    assert run_kiln("ls", "-l", f"{disk}:data:/README").out.startswith("-rw-r--r--")
    (item,) = run_kiln("ls", f"{disk}:data:/kiln/store").out.split()
    assert run_kiln("cat", f"{disk}:data:/kiln/store/{item}").out == "Be kind.\n"
    superblock = run("dumpe2fs", "-h", f"{disk}?offset={parts[2]['start'] * 512}")
    assert "has_journal" not in superblock
    assert "Reserved block count:     0" in superblock
    for part in parts[2:]:
        run("e2fsck", "-fn", f"{disk}?offset={part['start'] * 512}")


ROOT_WITH_MORE = """\
(use-modules (gnu) (gnu image) (gnu system image) (guix modules) (guix platforms x86))
(define os (primitive-load "{example}"))
(image
  (inherit (os+platform->image os x86_64-linux #:type mbr-raw-image-type))
  (partitions
    (list (partition
            (inherit root-partition)
            (initializer
              (with-imported-modules (source-module-closure '((gnu build image)))
                #~(lambda (root . args)
                    (use-modules (gnu build image))
                    (apply initialize-root-partition root args)
                    (mkdir (string-append root "/root"))
                    (call-with-output-file (string-append root "/root/here")
                      (lambda (port) (display "here" port)))
                    (register-gc-root root "/kiln/store/x" "kept")))))
          (partition
            (file-system "unformatted")
            (initializer (make-partition-image
                           (partition (label "inner") (size (expt 2 21))
                                      (file-system-options '("-O" "^64bit"))
                                      (initializer #~(lambda (root)
                                                       (mkdir (string-append root "/d")))))))))))
"""


def test_an_initializer_may_put_more_over_the_system(run_kiln: RunKiln, tmp_path: Path) -> None:
    need("sfdisk", "debugfs", "dumpe2fs")
    file = tmp_path / "own.scm"
    file.write_text(ROOT_WITH_MORE.format(example=ROOT / "examples/bare-bones.scm"))
    disk = run_kiln("image", file).result
    parts = json.loads(run("sfdisk", "-J", disk))["partitiontable"]["partitions"]
    root, inner = (f"{disk}?offset={part['start'] * 512}" for part in parts)
    assert run("debugfs", "-R", "cat /root/here", root) == "here"
    assert "Mode:  0700" in run("debugfs", "-R", "stat /root", root)  # the system's own
    assert run("debugfs", "-R", "cat /etc/hostname", root) == "komputilo\n"
    assert '"/kiln/store/x"' in run("debugfs", "-R", "stat /kiln/gcroots/kept", root)
    assert "Filesystem volume name:   inner" in run("dumpe2fs", "-h", inner)
    assert "Type: directory" in run("debugfs", "-R", "stat /d", inner)


SHARED = """\
(use-modules (gnu) (gnu image) (gnu system image))
(image (inherit (image-with-os {base} (primitive-load "{example}"))) (shared-network? #t))
"""


def test_only_a_container_can_share_the_network_of_its_host(
    run_kiln: RunKiln, tmp_path: Path
) -> None:
    file = tmp_path / "own.scm"
    example = ROOT / "examples/bare-bones.scm"
    file.write_text(SHARED.format(base="mbr-disk-image", example=example))
    ended = run_kiln("image", "-n", file.name, cwd=tmp_path)
    assert ended.err.startswith("own.scm:2:"), ended.err
    assert "only a container" in ended.err
    assert "called by" not in ended.err  # what Kiln did is not what the user wrote
