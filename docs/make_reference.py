"""Writes docs/reference.md from the records themselves: python docs/make_reference.py"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

MODULES = (
    "gnu system",
    "gnu system accounts",
    "gnu system file-systems",
    "gnu bootloader",
    "gnu packages",
    "gnu services",
    "gnu services base",
    "gnu services networking",
    "gnu services ssh",
    "gnu image",
)

HEAD = """\
# Reference

Every record that declarations are made of, by the module that exports it, with all its fields.
`docs/make_reference.py` writes this file from the records' own documentation; a test holds it true.
A field whose text begins with "not yet" is known and refused.
"""


def reference() -> str:
    """The text of docs/reference.md."""
    from lang.data import RecordType
    from lang.session import Session

    library = ROOT / "stdlib"
    session = Session([library], library_roots=[library])
    parts = [HEAD]
    for name in MODULES:
        words = tuple(name.split())
        session.import_module(words)
        prefix = "/".join(words) + ":<"
        types = [
            value
            for key, value in session.globals.items()
            if key.startswith(prefix) and isinstance(value, RecordType) and value.documentation
        ]
        if types:
            parts.append(f"\n## ({name})\n")
        for rtd in types:
            parts.append(f"\n### {rtd.name.strip('<>')}\n\n| field | |\n|---|---|\n")
            for field in rtd.fields:
                if field == "location":
                    continue
                text = rtd.documentation.get(field, "not yet honoured")
                parts.append(f"| `{field}` | {text.replace('|', chr(92) + '|')} |\n")
    return "".join(parts)


if __name__ == "__main__":
    (ROOT / "docs/reference.md").write_text(reference(), encoding="utf-8")
