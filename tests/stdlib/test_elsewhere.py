"""What only GNU Guix has is not merely missing: the error says what there is instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.errors import SchemeError, explain, render
from lang.session import Session

STDLIB = Path(__file__).parents[2] / "stdlib"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "(use-modules (gnu services xorg))",
            "hint: a systemd unit of your own is added through systemd-service-type; there are "
            "(gnu services base), ",
        ),
        ("(use-modules (gnu) (nongnu system linux-initrd))", "hint: linux is Debian's kernel"),
        ("(use-modules (guix build-system gnu))", "hint: packages are Debian's"),
        ("(use-modules (gnu services netwroking))", "did you mean (gnu services networking)"),
        ("(use-modules (gnu))\n(list %desktop-services)", "hint: there is no desktop"),
        (
            "(use-modules (gnu))\n(modify-services %base-services (guix-service-type c => c))",
            "2:34",
        ),
        (
            "(use-modules (gnu))\n(operating-system (name-service-switch %mdns-host-lookup-nss))",
            "no field name-service-switch\n  (operating-system (name-service-switch "
            "%mdns-host-lookup-nss))\n                    ^\nhint: Debian's libnss",
        ),
    ],
)
def test_what_guix_has_is_told_from_what_is_misspelt(text: str, message: str) -> None:
    session = Session([STDLIB], library_roots=[STDLIB])
    with pytest.raises(Exception) as caught:
        session.eval_text(text)
    diagnosis = explain(caught.value, session.sources, list, session.exporters, session.advice)
    assert message in render(diagnosis, session.sources)


def test_other_libraries_have_no_say_of_guix() -> None:
    session = Session([])
    with pytest.raises(SchemeError, match="no module"):
        session.eval_text("(use-modules (gnu services xorg))")
    assert session.advice("%desktop-services") is None
