"""kiln run: what an image is told by its content, and what a machine lacks is said at once."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from builders import vm
from kiln.errors import UsageError
from kiln.main import main
from kiln.run import recognised

CODE = b"\xeb\x63".ljust(510, b"\x90") + b"\x55\xaa"
PROTECTIVE = bytes(510) + b"\x55\xaa"
GPT = b"EFI PART".ljust(512, b"\0")
CD = PROTECTIVE.ljust(0x8001, b"\0") + b"CD001" + bytes(4096)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (CODE + bytes(4096), ("raw", "virtio", "bios")),
        (CODE + GPT, ("raw", "virtio", "bios")),
        (PROTECTIVE + GPT, ("raw", "virtio", "uefi")),
        (CD, ("raw", "cdrom", "bios")),
        (b"KDMV" + bytes(4096), ("vmdk", "virtio", "bios")),
        (CODE + bytes(4096) + b"conectix".ljust(512, b"\0"), ("vpc", "virtio", "bios")),
    ],
)
def test_an_image_is_known_by_its_content(
    tmp_path: Path, content: bytes, expected: tuple[str, str, str]
) -> None:
    (tmp_path / "any.name").write_bytes(content)
    assert recognised(tmp_path / "any.name") == expected


def test_what_starts_a_qcow2_is_seen_inside(tmp_path: Path) -> None:
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed")
    for content, firmware in ((PROTECTIVE + GPT, "uefi"), (CODE + GPT, "bios")):
        (tmp_path / "raw").write_bytes(content.ljust(1 << 20, b"\0"))
        command = ["qemu-img", "convert", "-O", "qcow2", "raw", "disk"]
        subprocess.run(command, cwd=tmp_path, check=True)
        assert recognised(tmp_path / "disk") == ("qcow2", "virtio", firmware)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no disk that a machine can start from"),
        (b"some text\n", "no disk that a machine can start from"),
        (b"\x1f\x8b\x08" + CODE, "is compressed"),
        (b"\x28\xb5\x2f\xfd" + CODE, "is compressed"),
    ],
)
def test_what_is_no_disk_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(UsageError, match=words):
        recognised(tmp_path / "it")


def test_a_port_in_use_is_told_before_anything_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("QEMU is not installed")
    (tmp_path / "os.scm").write_text("(car 1)")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["run", "--ssh", str(port), str(tmp_path / "os.scm")]) == 1
    assert f"port {port} cannot be used" in capsys.readouterr().err


def test_a_machine_without_qemu_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").write_bytes(CODE)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["run", str(tmp_path / "disk")]) == 1
    assert "install the package qemu-system-x86" in capsys.readouterr().err


def test_a_machine_without_firmware_says_what_to_install() -> None:
    with pytest.raises(vm.NoFirmware) as caught:
        vm.find_firmware(["/nowhere"])
    assert "ovmf" in str(caught.value.hint)


def test_an_image_in_the_store_is_not_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILN_STORE", str(tmp_path / "store"))
    (tmp_path / "store").mkdir()
    (tmp_path / "store/disk.img").write_bytes(CODE)
    (tmp_path / "link").symlink_to("store/disk.img")
    assert main(["run", "--persist", str(tmp_path / "link")]) == 2
    assert "cannot be changed" in capsys.readouterr().err
