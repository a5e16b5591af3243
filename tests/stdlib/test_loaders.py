"""The menu is as a bootloader-configuration says; what a loader cannot do is an error there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lang.data import NIL
from lang.diagnosis import explain
from lang.runtime.trampoline import call
from lang.session import Session

STDLIB = Path(__file__).parents[2] / "stdlib"
LOADERS = ("gnu", "system", "loaders")
DECLARATION = """\
(use-modules (gnu) (gnu bootloader systemd-boot))
(operating-system
  (host-name "box")
  (timezone "Europe/Berlin")
  (label "Größe")
  (bootloader (bootloader-configuration
    {fields}))
  (file-systems %base-file-systems))
"""


@pytest.fixture(scope="module")
def session() -> Session:
    """One for all."""
    session = Session([STDLIB], library_roots=[STDLIB])
    session.import_module(LOADERS)
    return session


def lowered(session: Session, file: Path, fields: str) -> str:
    """The menu of the system with these fields of its boot loader, checked as before a build."""
    file.write_text(DECLARATION.format(fields=fields))
    os: Any = session.eval_text(file.read_text(), str(file), session.user_module())
    call(session.value(LOADERS, "check-loader"), os)
    return str(call(session.value(LOADERS, "grub-menu"), os, "/vmlinuz", "/initrd", NIL))


GRUB = "(bootloader grub-bootloader)"


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ("", ["serial --unit=0 --speed=115200", "terminal_output console serial", "set timeout=5"]),
        (
            "(terminal-outputs '(serial)) (serial-unit 1) (serial-speed 9600)",
            ["serial --unit=1 --speed=9600", "terminal_output serial"],
        ),
        (
            "(terminal-outputs '(console)) (terminal-inputs '(console serial))",
            ["terminal_input console serial", "terminal_output console"],
        ),
        ("(terminal-outputs '(gfxterm))", ["  terminal_output gfxterm", "  set gfxmode=auto"]),
        (
            "(terminal-outputs '(gfxterm serial)) (theme (grub-theme (resolution '(800 . 600))"
            ' (image (plain-file "x.png" "")) (color-normal \'((fg . cyan) (bg . black)))))',
            [
                "  set gfxmode=800x600,auto",
                "  background_image /boot/grub/background.png",
                "  set menu_color_normal=cyan/black",
                "  terminal_output gfxterm serial",
            ],
        ),
        (
            '(keyboard-layout (keyboard-layout "de")) (timeout -1) (default-entry 1)'
            ' (menu-entries (list (menu-entry (label "b") (chain-loader "+1")'
            ' (device (file-system-label "b")))))',
            [
                "  if keymap /boot/grub/kiln.gkb; then",
                "    terminal_input at_keyboard serial",
                "set default=1",
                "set timeout=-1",
                "  search.fs_label b root",
                "  chainloader +1",
                "menuentry 'Größe' {",
            ],
        ),
        (
            '(menu-entries (list (menu-entry (label "a") (linux "/l")) (menu-entry (label "b")'
            ' (linux (plain-file "l" "")) (initrd (plain-file "i" "")))))',
            [
                "  linux /l",
                "  linux /boot/grub/entries/2/linux",
                "  initrd /boot/grub/entries/2/initrd",
            ],
        ),
    ],
)
def test_the_menu_is_as_it_is_declared(
    session: Session, tmp_path: Path, fields: str, lines: list[str]
) -> None:
    menu = lowered(session, tmp_path / "os.scm", GRUB + fields).splitlines()
    assert set(lines) <= set(menu), menu


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (f"{GRUB} ^(default-entry 1)", "no entry 1"),
        (f"{GRUB} ^(theme (grub-theme))", "a menu on a screen"),
        (f'{GRUB} (menu-entries (list ^(menu-entry (label "x"))))', "a kernel or another"),
        (f'{GRUB} (menu-entries (list (menu-entry ^(label "") (linux "/l"))))', "a line of text"),
        (
            f'{GRUB} (menu-entries (list (menu-entry (label "x") (linux "/l") '
            '^(linux-arguments \'("a\\\\")))))',
            "a quote or a backslash",
        ),
        (f"{GRUB} ^(serial-unit 7)", "from 0 to 3"),
        (f"{GRUB} ^(serial-speed 1)", "speed"),
        (f"{GRUB} ^(timeout -2)", "number of seconds"),
        (f"{GRUB} ^(terminal-outputs '(vga))", "console, serial and gfxterm"),
        (f"{GRUB} ^(terminal-inputs '(mouse))", "at_keyboard"),
        (
            f"{GRUB} (theme (grub-theme ^(color-normal '((fg . pink) (bg . blue)))))",
            "GRUB's colours",
        ),
        ("(bootloader unified-kernel-bootloader) ^(timeout 17)", "no menu that could wait"),
        (
            f'{GRUB} (menu-entries (list (menu-entry (label "x") (linux (plain-file "l" ""))'
            ' ^(device (file-system-label "b")))))',
            "linux is a file that Kiln puts into the root",
        ),
        (f'{GRUB} (menu-entries (list (menu-entry (label "x") ^(linux 5))))', "a file-like object"),
        (
            '(bootloader unified-kernel-bootloader) ^(menu-entries (list (menu-entry (label "x")'
            ' (linux "/l"))))',
            "does not honour menu-entries",
        ),
        ("(bootloader systemd-boot-bootloader) ^(default-entry 1)", "no entry 1"),
        (
            '(bootloader systemd-boot-bootloader) (menu-entries (list (menu-entry (label "x")'
            ' (linux "/l") ^(device (file-system-label "b")))))',
            "on its own EFI system partition only",
        ),
        (
            '(bootloader systemd-boot-bootloader) (menu-entries (list (menu-entry (label "x")'
            ' ^(chain-loader "+1"))))',
            "no boot sectors",
        ),
        (
            "(bootloader systemd-boot-bootloader) ^(serial-speed 9600)",
            "does not honour serial-speed",
        ),
        (
            "(bootloader systemd-boot-bootloader) ^(terminal-outputs '(gfxterm))",
            "does not honour terminal-outputs",
        ),
        (
            '(bootloader unified-kernel-bootloader) ^(keyboard-layout (keyboard-layout "de"))',
            "does not honour keyboard-layout",
        ),
    ],
)
def test_what_cannot_be_honoured_is_an_error_at_its_field(
    session: Session, tmp_path: Path, fields: str, message: str
) -> None:
    with pytest.raises(Exception) as caught:
        lowered(session, tmp_path / "os.scm", fields.replace("^", ""))
    diagnosis = explain(caught.value, session.sources, tuple, lambda _: (), session.advice)
    assert message in diagnosis.message
    assert diagnosis.location is not None
    assert (diagnosis.location.line, diagnosis.location.column) == (7, 5 + fields.index("^"))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ('(label "a\\nb")', "a line of text"),
        ("(label 5)", "a line of text"),
        ('(kernel-arguments \'("a=\\"b\\""))', "without double quotes"),
        ('(kernel-arguments \'("quiet" ""))', "without double quotes"),
        ("(kernel-arguments '(\"it's\"))", "a quote or a backslash"),
    ],
)
def test_what_no_menu_can_hold_is_an_error_at_its_field(
    session: Session, tmp_path: Path, field: str, message: str
) -> None:
    file = tmp_path / "os.scm"
    with pytest.raises(Exception) as caught:
        file.write_text(DECLARATION.format(fields=GRUB).replace('(label "Größe")', field))
        os: Any = session.eval_text(file.read_text(), str(file), session.user_module())
        call(session.value(LOADERS, "grub-menu"), os, "/vmlinuz", "/initrd", arguments(session, os))
    diagnosis = explain(caught.value, session.sources, tuple, lambda _: (), session.advice)
    assert message in diagnosis.message
    assert diagnosis.location is not None
    assert (diagnosis.location.line, diagnosis.location.column) == (5, 3)


def arguments(session: Session, os: Any) -> Any:
    return call(session.value(("gnu", "system"), "operating-system-user-kernel-arguments"), os)


def test_the_name_of_a_unified_kernel_is_quoted(session: Session) -> None:
    quoted = str(call(session.value(LOADERS, "os-release-quoted"), 'The "$system", a\\b'))
    assert quoted == r'"The \"\$system\", a\\b"'
