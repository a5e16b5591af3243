"""Derivations: what an output path depends on, and what it does not."""

import ast
import hashlib
import json
import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import base32, registry
from builders.derivation import BadName, Derivation, fixed_path
from builders.registry import BuilderSpec, UnknownBuilder


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILDERS, "x", BuilderSpec("x", ()))
    monkeypatch.setitem(registry.BUILDERS, "y", BuilderSpec("y", ()))


def test_a_path_is_a_hash_and_a_name() -> None:
    path = Derivation("tmux-3.3a", "x", {}).path
    assert path.startswith("/kiln/store/")
    digest, _, name = path.removeprefix("/kiln/store/").partition("-")
    assert len(digest) == 32
    assert set(digest) <= set(base32.ALPHABET)
    assert name == "tmux-3.3a"


def test_everything_that_is_built_from_changes_the_path() -> None:
    one, two = Derivation("n", "x", {"a": 1}), Derivation("n", "x", {"a": 2})
    base = Derivation("n", "x", {"a": [1, "b"]}, (one,), ("/kiln/store/s",))
    others = [
        Derivation("m", "x", {"a": [1, "b"]}, (one,), ("/kiln/store/s",)),
        Derivation("n", "y", {"a": [1, "b"]}, (one,), ("/kiln/store/s",)),
        Derivation("n", "x", {"a": ["1", "b"]}, (one,), ("/kiln/store/s",)),
        Derivation("n", "x", {"a": [1, "b"]}, (), ("/kiln/store/s",)),
        Derivation("n", "x", {"a": [1, "b"]}, (one,), ()),
        Derivation("n", "x", {"a": [1, "b"]}, (two,), ("/kiln/store/s",)),
    ]
    assert len({base.path, *(other.path for other in others)}) == 7


def test_the_order_of_keys_and_inputs_and_the_title_do_not_matter() -> None:
    a, b = Derivation("a", "x", {}), Derivation("b", "x", {})
    one = Derivation("n", "x", {"p": 1, "q": 2}, (a, b), title="one")
    two = Derivation("n", "x", {"q": 2, "p": 1}, (b, a, a), title="two")
    assert one == two
    assert len({one, two}) == 1


def test_a_fixed_output_depends_on_its_hash_and_name_only() -> None:
    sha = hashlib.sha256(b"x").hexdigest()
    one = Derivation("f", "x", {"uri": "a"}, fixed_sha256=sha)
    two = Derivation("f", "y", {"uri": "b"}, fixed_sha256=sha)
    assert one.path == two.path == fixed_path("f", sha)
    assert Derivation("f", "x", {}, fixed_sha256="0" * 64).path != one.path


def test_the_text_of_the_builders_code_changes_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "SOURCE_ROOT", tmp_path)
    monkeypatch.setitem(registry.BUILDERS, "z", BuilderSpec("m", ("m", "p")))
    (tmp_path / "p/q").mkdir(parents=True)
    paths = set()
    for name, text in (("m.py", "1"), ("m.py", "2"), ("p/q/c.py", "1"), ("p/q/d.scm", "1")):
        (tmp_path / name).write_text(text)
        registry.code_hash.cache_clear()
        paths.add(Derivation("n", "z", {}).path)
    registry.code_hash.cache_clear()
    assert len(paths) == 4


# What every builder may use without being rebuilt for it: it says how builds are run, not what is
# in their outputs.
MACHINERY = {
    f"builders.{name}"
    for name in ("derivation", "errors", "events", "interpreter", "registry", "sandbox")
}
# What makes derivations decides their inputs and arguments, which are hashed.
DERIVING = {"builders.debian.index", "builders.debian.fetch"}


def imports(module: str) -> set[str]:
    """The modules of ours that the text of `module` imports, wherever in it."""
    file = registry.SOURCE_ROOT.joinpath(*module.split("."))
    file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    found = set()
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):  # what is for the type checker only does not count
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("builders"):
            for name in node.names:
                inner = registry.SOURCE_ROOT.joinpath(*node.module.split("."), name.name)
                is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
                found.add(f"{node.module}.{name.name}" if is_module else node.module)
            if all(name.name.endswith("_derivation") for name in node.names):
                found.discard(node.module)
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.startswith("builders")}
    return found


@pytest.mark.parametrize("name", sorted(set(registry.BUILDERS)))
def test_an_output_path_depends_on_all_code_that_its_builder_imports(name: str) -> None:
    spec = registry.BUILDERS[name]
    if not spec.module.startswith("builders."):
        return
    seen: set[str] = set()
    pending = {spec.module} - DERIVING
    while pending:
        module = pending.pop()
        seen.add(module)
        pending |= imports(module) - seen - MACHINERY - DERIVING - {"builders"}
    missing = {
        module
        for module in seen
        if not any(module == code or module.startswith(code + ".") for code in spec.code)
    }
    assert missing == set()


def test_all_code_that_a_path_depends_on_exists() -> None:
    for name, spec in registry.BUILDERS.items():
        for module in spec.code:
            if module not in registry.STAGED_LIBRARY:
                assert registry.source_files(module), f"{name}: {module}"


def test_unknown_builders_are_named_with_those_that_exist() -> None:
    with pytest.raises(UnknownBuilder, match="no builder 'nope'") as caught:
        _ = Derivation("n", "nope", {}).path
    assert "fetch" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "-x", "a" * 212, "ü", "a:b", "a\n"])
def test_names_that_files_should_not_have_are_refused(name: str) -> None:
    with pytest.raises(BadName):
        _ = Derivation(name, "x", {}).path


def test_the_serial_form_is_canonical_json() -> None:
    derivation = Derivation("n", "x", {"b": "é", "a": (1, None, True)})
    value = json.loads(derivation.serialise())
    assert value["arguments"] == {"a": [1, None, True], "b": "é"}
    text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    assert derivation.serialise() == text


@given(st.binary(max_size=64))
def test_base_32_is_one_to_one_and_in_its_alphabet(data: bytes) -> None:
    text = base32.encode(data)
    assert len(text) == -(-len(data) * 8 // 5)
    assert set(text) <= set(string.digits + string.ascii_lowercase) - set("eotu")
    number = 0
    for character in text:
        number = number << 5 | base32.ALPHABET.index(character)
    assert number.to_bytes(len(data) + 1, "little")[: len(data)] == data


def test_base_32_agrees_with_nix() -> None:
    # nix-hash --type sha256 --to-base32, for the empty text.
    digest = hashlib.sha256(b"").digest()
    assert base32.encode(digest) == "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"


def test_what_staged_code_may_import_needs_nothing_that_it_may_not() -> None:
    for name in registry.STAGED_LIBRARY:
        for file in registry.source_files(name):
            text = file.read_text()
            for used in re.findall(r"^\s*(?:from|import) ((?:stdlib|builders)[\w.]*)", text, re.M):
                assert used.startswith(registry.STAGED_LIBRARY), file
            for used in re.findall(r"#:(?:use|autoload)[\w-]* \(+([^)]+)\)", text):
                inside = (
                    "srfi",
                    "ice-9",
                    "rnrs",
                    "scheme",
                    "guix build",
                    "gnu build",
                    "system",
                    "kiln stages",
                )
                assert used.startswith(inside), file
