"""Keyboard layouts for GRUB's menu and command line, made of XKB's by GRUB's own tools.

GRUB reads a PS/2 keyboard's keys by itself (at_keyboard), which it can do where a BIOS leaves, or
simulates, one. Under UEFI the firmware reads the keyboard, in its own layout.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence

from builders.errors import BuilderError
from builders.registry import Build, builder

PACKAGES = ("grub-common", "console-setup", "perl-base", "dash", "coreutils")
"""What the native item holds."""

_LIST = "usr/share/X11/xkb/rules/base.lst"
_SCRIPT = 'ckbcomp "$@" >/build/keymap && grub-mklayout -i /build/keymap -o /build/layout.gkb'


class UnknownKeyboard(BuilderError):
    """XKB has no such model, layout, variant or option."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        near = difflib.get_close_matches(name, sorted(known), n=2)
        super().__init__(
            f"there is no keyboard {kind} {name!r}",
            hint=f"did you mean {' or '.join(near)}?" if near else "see xkeyboard-config(7)",
        )


class KeymapFailed(BuilderError):
    """The tools ended badly."""


def read_rules(text: str) -> dict[str, set[str]]:
    """What XKB knows, by kind: "model", "layout", "variant" ("de(nodeadkeys)") and "option"."""
    known: dict[str, set[str]] = {kind: set() for kind in ("model", "layout", "variant", "option")}
    kind = ""
    for line in text.splitlines():
        words = line.split()
        if line.startswith("!"):
            kind = words[1]
        elif words and kind == "variant":
            known[kind].add(f"{words[1].rstrip(':')}({words[0]})")
        elif words and kind in known:
            known[kind].add(words[0])
    return known


def arguments_of(
    rules: Mapping[str, Collection[str]],
    layout: str,
    variant: str | None,
    model: str,
    options: Sequence[str],
) -> list[str]:
    """What ckbcomp(1) is told. Raise UnknownKeyboard."""
    layouts = layout.split(",")
    variants = (variant or "").split(",")
    _check(rules, "model", [model])
    _check(rules, "layout", layouts)
    if len(variants) > len(layouts):
        raise UnknownKeyboard("variant", variants[len(layouts)], ())
    pairs = zip(layouts, variants, strict=False)
    _check(rules, "variant", [f"{base}({name})" for base, name in pairs if name])
    _check(rules, "option", options)
    words = ["-model", model, "-layout", layout]
    words += ["-variant", variant] if variant else []
    return words + (["-option", ",".join(options)] if options else [])


def _check(rules: Mapping[str, Collection[str]], kind: str, names: Iterable[str]) -> None:
    for name in names:
        if name not in rules[kind]:
            raise UnknownKeyboard(kind, name, rules[kind])


@builder("grub-keymap")
def grub_keymap(build: Build) -> None:
    """Write a layout for GRUB's command `keymap` to the output, a file. Arguments:

    native   native item of the packages PACKAGES
    layout   XKB's name, as "de"
    variant  as "nodeadkeys"; null: none
    model    as "pc105"; null: that
    options  list of XKB's options

    Of several layouts, "us,ru", GRUB has the first. Raise UnknownKeyboard, KeymapFailed.
    """
    from builders import sandbox

    arguments = build.arguments
    native = build.real(arguments["native"])
    words = arguments_of(
        read_rules((native / _LIST).read_text("utf-8")),
        arguments["layout"],
        arguments.get("variant"),
        arguments.get("model") or "pc105",
        arguments.get("options") or (),
    )
    status = sandbox.run(
        ["/usr/bin/dash", "-c", _SCRIPT, "keymap", *words],
        binds=[sandbox.Bind(build.scratch, "/build", writable=True)],
        roots=[native],
        env={"LC_ALL": "C"},
        on_line=build.log,
    )
    if status != 0:
        raise KeymapFailed(f"the tools for keymaps ended with status {status}; see the build's log")
    build.output.write_bytes((build.scratch / "layout.gkb").read_bytes())
