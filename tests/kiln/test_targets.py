"""Where results may go: said before any work, and nothing there is destroyed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kiln import targets
from kiln.errors import UsageError
from tests.conftest import ROOT, Folders, RunKiln


@pytest.fixture
def declaration(tmp_path: Path) -> Path:
    """A file that ends in an error: who evaluates it was too late to look at the target."""
    path = tmp_path / "os.scm"
    path.write_text("(car 1)\n")
    return path


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("-o", "", "needs the name of a file"),
        ("-o", "folder", "is a directory"),
        ("-o", "none/disk.img", "there is no directory none"),
        ("-o", "os.scm", "is the declaration"),
        ("-o", "pipe", "is no ordinary file"),
        ("-o", "to-null", "is no ordinary file"),
        ("--save", "", "needs the name of a link"),
        ("--save", "os.scm", "exists and is no link"),
        ("--save", "none/link", "there is no directory none"),
        ("--image-size", "12X", "--image-size: "),
        ("--image-size", "0", "--image-size: "),
        ("--image-size", "99999999T", "--image-size: "),
        ("--label", "", "needs a text"),
        ("--jobs", "0", "no number of one or more"),
        ("--imagesize", "1G", "did you mean --image-size?"),
    ],
)
def test_what_cannot_be_is_told_before_the_declaration_is_read(
    run_kiln: RunKiln, declaration: Path, option: str, name: str, words: str
) -> None:
    folder = declaration.parent
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "to-null").symlink_to(os.devnull)
    ended = run_kiln("image", option, name, declaration.name, cwd=folder)
    assert ended.status == 2, ended.err
    assert ended.err.startswith("kiln: error: ")
    assert words in ended.err
    assert len(ended.err.splitlines()) <= 2
    assert Path(os.devnull).is_char_device()
    assert declaration.read_text() == "(car 1)\n"


def test_a_directory_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
    with pytest.raises(UsageError, match="cannot be written"):
        targets.check_output(str(tmp_path / "disk.img"), [])
    with pytest.raises(UsageError, match="cannot be written"):
        targets.check_link(str(tmp_path / "link"))


def test_a_copy_takes_the_place_of_a_link_and_not_of_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"new")
    (tmp_path / "precious").write_bytes(b"old")
    (tmp_path / "link").symlink_to("precious")
    targets.copy_out(tmp_path / "image", str(tmp_path / "link"))
    assert (tmp_path / "link").read_bytes() == b"new"
    assert (tmp_path / "precious").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 3


def test_an_image_that_is_a_directory_is_copied_as_one(tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    (layout / "blobs").mkdir(parents=True)
    (layout / "blobs/one").write_bytes(b"1")
    (layout / "blobs").chmod(0o555)
    (layout / "index.json").write_text("{}")
    target = tmp_path / "copy"
    targets.copy_out(layout, str(target))
    assert (target / "blobs/one").read_bytes() == b"1"
    assert (target / "index.json").read_text() == "{}"
    assert (target / "blobs").stat().st_mode & 0o200
    target.rename(tmp_path / "other")
    target.write_text("old")
    for name in (str(target), "-"):
        with pytest.raises(UsageError, match="is a directory"):
            targets.copy_out(layout, name)
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_result_can_be_saved_twice_and_printed_as_a_derivation(
    run_kiln: RunKiln, tmp_path: Path
) -> None:
    text = '(computed-file "saved" #~(mkdir #$output))'
    for _ in range(2):
        ended = run_kiln("build", "--save", tmp_path / "link", "-e", text)
        assert ended.result == (tmp_path / "link").readlink()
    path, derivation = run_kiln("build", "-d", "-e", text).out.splitlines()
    assert path.endswith("-saved")
    assert '"builder":"staged"' in derivation


def kiln(folders: Folders, *arguments: str) -> subprocess.Popen[str]:
    """A command that runs."""
    folders.base.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "kiln", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **folders.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


SLOW = '(computed-file "slow{}" #~(begin (display "begun\\n") (sleep {}) (mkdir #$output)))'


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_build_that_is_interrupted_leaves_nothing_running_and_can_be_done_again(
    run_kiln: RunKiln, shared_folders: Folders, number: signal.Signals, status: int
) -> None:
    name = f"-{os.getpid()}-{number}"
    running = kiln(shared_folders, "build", "-v", "-e", SLOW.format(name, 60))
    assert running.stderr is not None
    while "begun" not in running.stderr.readline():
        assert running.poll() is None
    os.killpg(running.pid, number)
    _, err = running.communicate(timeout=20)
    assert running.returncode == status
    assert "Traceback" not in err
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert f"slow{name}" not in commands.stdout
    assert run_kiln("build", "-e", SLOW.format(name, 0)).status == 0


def test_two_that_build_the_same_build_it_once(shared_folders: Folders) -> None:
    text = SLOW.format(f"-{os.getpid()}-twice", 1.5)
    first = kiln(shared_folders, "build", "-v", "-e", text)
    assert first.stderr is not None
    while "begun" not in first.stderr.readline():
        assert first.poll() is None
    second = kiln(shared_folders, "build", "-v", "-e", text)
    ours, _ = first.communicate(timeout=60)
    theirs, err = second.communicate(timeout=60)
    assert ours == theirs
    assert "waiting for another Kiln" in err
    assert "begun" not in err


def test_a_reader_that_goes_away_is_no_error_of_ours(
    run_kiln: RunKiln, shared_folders: Folders
) -> None:
    running = kiln(shared_folders, "eval", *["(iota 10000)"] * 50)
    assert running.stdout is not None
    running.stdout.close()
    assert running.wait(timeout=60) == 1
    assert running.stderr is not None
    assert running.stderr.read() == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_borne(shared_folders: Folders, tmp_path: Path, closed: str) -> None:
    command = f"'{sys.executable}' -m kiln build -e '(plain-file \"a\" \"b\")' {closed}"
    done = subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, "PYTHONPATH": str(ROOT), **shared_folders.environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "error" not in done.stderr


def test_a_full_output_is_an_error(shared_folders: Folders) -> None:
    for arguments in (["--help"], ["eval", "1"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "kiln", *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT), **shared_folders.environment},
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 1
        assert done.stderr.startswith("kiln: error: ")
        assert "Traceback" not in done.stderr


def test_an_interrupt_while_modules_are_imported_has_no_traceback(shared_folders: Folders) -> None:
    # Python says when it has imported one of these, the last of which is needed to evaluate.
    for module in ("kiln.report", "lang.data", "lang.session"):
        running = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "kiln", "eval", "(let loop () (loop))"],
            env={**os.environ, "PYTHONPATH": str(ROOT), **shared_folders.environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stderr is not None
        for line in running.stderr:
            if line.rpartition("|")[2].strip() == module:
                break
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
        assert running.returncode == 130
        assert "Traceback" not in err
