"""Which keyboards XKB knows, and what its compiler is told."""

from __future__ import annotations

import pytest

from builders.bootloaders.grub_keymap import UnknownKeyboard, arguments_of, read_rules

RULES = read_rules("""\
! model
  pc104           Generic 104-key PC
  pc105           Generic 105-key PC

! layout
  de              German
  us              English (US)

! variant
  nodeadkeys      de: German (no dead keys)
  dvorak          us: English (Dvorak)

! option
  ctrl                 Ctrl position
  ctrl:nocaps          Caps Lock as Ctrl
""")


def test_the_list_is_read_by_kinds() -> None:
    assert {
        "model": {"pc104", "pc105"},
        "layout": {"de", "us"},
        "variant": {"de(nodeadkeys)", "us(dvorak)"},
        "option": {"ctrl", "ctrl:nocaps"},
    } == RULES


def test_what_ckbcomp_is_told() -> None:
    assert arguments_of(RULES, "de", None, "pc105", []) == ["-model", "pc105", "-layout", "de"]
    told = arguments_of(RULES, "de,us", ",dvorak", "pc104", ["ctrl:nocaps"])
    assert told[3:] == ["de,us", "-variant", ",dvorak", "-option", "ctrl:nocaps"]


@pytest.mark.parametrize(
    ("layout", "variant", "model", "options", "message", "hint"),
    [
        ("dee", None, "pc105", [], "layout 'dee'", "did you mean de?"),
        ("-x", None, "pc105", [], "layout '-x'", "see xkeyboard-config"),
        ("us", "nodeadkeys", "pc105", [], r"variant 'us\(nodeadkeys\)'", "nodeadkeys"),
        ("us", ",dvorak", "pc105", [], "variant 'dvorak'", ""),
        ("us", None, "pc10", [], "model 'pc10'", "pc10"),
        ("us", None, "pc105", ["ctrl:nocap"], "option 'ctrl:nocap'", "ctrl:nocaps"),
    ],
)
def test_what_xkb_does_not_know_is_refused_with_what_is_near(
    layout: str, variant: str | None, model: str, options: list[str], message: str, hint: str
) -> None:
    with pytest.raises(UnknownKeyboard, match=message) as caught:
        arguments_of(RULES, layout, variant, model, options)
    assert hint in (caught.value.hint or "")
