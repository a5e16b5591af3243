"""Who may import whom (DESIGN.md, "The house"): arrows run down only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("lang", "builders", "stdlib", "kiln")
ALLOWED = {
    "lang": set(),
    "builders": set(),
    "stdlib": {"lang", "builders"},
    "kiln": {"lang", "builders", "stdlib"},
}
# The one place where a build runs staged code.
EXCEPTIONS = {("builders/staged.py", "lang"), ("builders/staged_child.py", "lang")}


def imported_rooms(path: Path) -> set[str]:
    """The rooms that the module imports anywhere, lazily or not."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found & set(ROOMS)


def modules(room: str) -> list[Path]:
    """All Python modules of the room."""
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    assert modules(room)
    for path in modules(room):
        name = path.relative_to(ROOT).as_posix()
        for other in imported_rooms(path) - {room}:
            allowed = other in ALLOWED[room] or (name, other) in EXCEPTIONS
            assert allowed, f"{name} imports {other}"


@pytest.mark.parametrize("room", ["lang", "builders", "stdlib"])
def test_only_the_command_line_prints(room: str) -> None:
    for path in modules(room):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "print", f"{path.relative_to(ROOT)}:{node.lineno} prints"


def test_the_rule_sees_an_arrow_that_runs_up(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("def f():\n    from kiln.main import main\n    import builders.store\n")
    assert imported_rooms(bad) == {"kiln", "builders"}
