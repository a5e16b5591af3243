"""dpkg's database, judged by dpkg."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from builders.debian import dpkgdb
from builders.debian.dpkgdb import BadTriggers, Unpacked

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="no dpkg here")

LIBRARY = Unpacked(
    {
        "Package": "libx1",
        "Architecture": "amd64",
        "Multi-Arch": "same",
        "Version": "2:1.0-1",
        "Maintainer": "A <a@example.org>",
        "Description": "a library\nof two lines\n.\nand a third",
    },
    {
        "md5sums": f"{'0' * 32}  usr/lib/libx\n",
        "triggers": "activate-noawait ldconfig\n",
    },
)
PROGRAM = Unpacked(
    {
        "Package": "x",
        "Architecture": "all",
        "Version": "1.0",
        "Maintainer": "A <a@example.org>",
        "Depends": "libx1 (>= 2:1.0)",
        "Description": "a program",
    },
    {
        "postinst": "#!/bin/sh\n",
        "conffiles": "/etc/x.conf\nremove-on-upgrade /etc/old\n",
        "triggers": "# no\ninterest-noawait /usr/share/x\ninterest x-run\ninterest-await /srv\n",
    },
)
DIGEST = "d41d8cd98f00b204e9800998ecf8427e"


def database(root: Path) -> Path:
    for path in dpkgdb.directories():
        (root / path).mkdir(parents=True)
    listed = {"libx1": ["/.", "/usr"], "x": ["/.", "/etc", "/etc/x.conf", "/etc/y"]}
    digests = {"/etc/x.conf": DIGEST, "/etc/y": DIGEST}
    files = dpkgdb.files([LIBRARY, PROGRAM], listed, digests, "amd64")
    for path, (text, mode) in files.items():
        (root / path).write_text(text)
        (root / path).chmod(mode)
    return root / dpkgdb.DIRECTORY


def query(admin: Path, *arguments: str) -> str:
    command = ["dpkg-query", f"--admindir={admin}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@needs_dpkg
def test_dpkg_reads_packages_as_unpacked(tmp_path: Path) -> None:
    shown = query(database(tmp_path), "-W", "-f", "${binary:Package} ${Version} ${Status}\n")
    assert shown == "libx1:amd64 2:1.0-1 install ok unpacked\nx 1.0 install ok unpacked\n"


@needs_dpkg
def test_dpkg_finds_descriptions_lists_and_conffiles(tmp_path: Path) -> None:
    admin = database(tmp_path)
    assert query(admin, "-W", "-f", "${Description}", "libx1").splitlines() == [
        "a library",
        " of two lines",
        " .",
        " and a third",
    ]
    assert query(admin, "-L", "x").splitlines() == ["/.", "/etc", "/etc/x.conf", "/etc/y"]
    assert query(admin, "-W", "-f", "${Conffiles}", "x").split() == ["/etc/x.conf", DIGEST]
    assert query(admin, "--control-list", "libx1").split() == ["md5sums", "triggers"]


@needs_dpkg
def test_dpkg_audit_says_that_they_are_not_configured_and_nothing_else(tmp_path: Path) -> None:
    command = ["dpkg", f"--admindir={database(tmp_path)}", "--audit"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "unpacked but not yet configured" in done.stdout
    assert "missing" not in done.stdout
    assert done.stderr == ""


def test_a_package_without_digests_gets_them_but_for_its_conffiles(tmp_path: Path) -> None:
    admin = database(tmp_path)
    assert (admin / "info/x.md5sums").read_text() == f"{DIGEST}  etc/y\n"


def test_libraries_of_several_architectures_have_it_in_their_files_names() -> None:
    assert LIBRARY.info_name == "libx1:amd64"
    assert PROGRAM.info_name == "x"


def test_scripts_can_be_run(tmp_path: Path) -> None:
    admin = database(tmp_path)
    assert (admin / "info/x.postinst").stat().st_mode & 0o777 == 0o755
    assert (admin / "info/x.conffiles").stat().st_mode & 0o777 == 0o644


def test_triggers_are_waited_for_by_path_and_by_name() -> None:
    assert dpkgdb.trigger_files([LIBRARY, PROGRAM]) == {
        "File": "/usr/share/x x/noawait\n/srv x\n",
        "x-run": "x\n",
    }


@pytest.mark.parametrize(
    "line", ["interest", "interest a b", "surprise /x", "interest ../../etc/x"]
)
def test_a_bad_trigger_is_refused(line: str) -> None:
    with pytest.raises(BadTriggers, match="package bad"):
        dpkgdb.trigger_files([Unpacked({"Package": "bad"}, {"triggers": line})])
