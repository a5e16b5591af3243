"""What may stand at a place of a text: names, modules, record fields, keywords, files, commands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from lang.data import symbol
from lang.modules import Module
from lang.repl.describe import Describer, keywords, record_syntax
from lang.repl.scan import UNCLOSED, Child, Frame, shape
from lang.syntax import Global
from lang.tokens import CHARACTER_NAMES

_IMPORTERS: Final = frozenset({"use-modules", "import", "@", "@@", "resolve-module", "only"})
_FAMILIES: Final = {
    "use-service-modules": ("gnu", "services"),
    "use-package-modules": ("gnu", "packages"),
    "use-system-modules": ("gnu", "system"),
}
"""Forms that import modules by the last part of their names."""
_WORDS: Final = frozenset({"WORD", "KEYWORD", "CHARACTER", "BAD"})
"""Kinds of tokens that can be the beginning of what is meant."""
_WHOLE: Final = frozenset({"LINE_COMMENT", "STRING", "RIGHT_PAREN", "RIGHT_BRACKET"})
"""Kinds of tokens behind which nothing is offered."""
_FILE_COMMANDS: Final = frozenset({",load"})
_MODULE_COMMANDS: Final = frozenset({",module", ",m", ",use", ",u", ",describe", ",d"})


class Completion(NamedTuple):
    """A text that may stand there, and a line about it."""

    text: str
    about: str = ""


class Completer:
    """Completes at the end of a text. `current` gives the module that names are looked up in,
    `commands` are the names of commands, with the comma, and what they do."""

    def __init__(
        self, describer: Describer, current: Callable[[], Module], commands: Mapping[str, str]
    ) -> None:
        self.describer = describer
        self.session = describer.session
        self.current = current
        self.commands = commands
        self._modules: list[tuple[str, ...]] | None = None

    def complete(self, text: str) -> tuple[int, list[Completion]]:
        """From which offset on the end of `text` may be replaced, and by what."""
        stripped = text.lstrip()
        if stripped.startswith(",") and not any(c.isspace() for c in stripped):
            start = len(text) - len(stripped)
            found = [Completion(*item) for item in self.commands.items()]
            return start, _starting(stripped, found)
        command = ""
        offset = 0
        if stripped.startswith(","):
            command = stripped.split(None, 1)[0]
            offset = text.index(command) + len(command)
            operand = text[offset:].lstrip()
            if command in _FILE_COMMANDS and not operand.startswith('"'):
                return _files(text, len(text) - len(operand))
        start, found = self._in_scheme(text[offset:], command)
        return start + offset, found

    def _in_scheme(self, text: str, command: str) -> tuple[int, list[Completion]]:
        found = shape(text)
        if found.stop is not None:
            if found.stop.kind == UNCLOSED and text[found.stop.start] == '"':
                return _files(text, found.stop.start + 1)
            return len(text), []
        frames = found.frames
        frame = frames[-1]
        word = ""
        if found.last is not None and found.last.kind in _WHOLE:
            return len(text), []
        if frame.children and frame.children[-1].end == len(text):
            last = frame.children[-1]
            if last.kind in _WORDS:
                word = text[last.start :]
                frame.children.pop()
        start = len(text) - len(word)
        if word.startswith("#\\"):
            names = [Completion(f"#\\{name}") for name in sorted(CHARACTER_NAMES)]
            return start, _starting(word, names)
        if word.startswith("#"):
            return start, _starting(word, self._keywords(text, frames))
        modules = self._modules_here(text, frames, command)
        if modules is not None:
            return start, _starting(word, modules)
        fields = self._fields(text, frames)
        if fields is not None:
            return start, _starting(word, fields)
        return start, self._names(word)

    # ------------------------------------------------------------ modules

    def _modules_here(
        self, text: str, frames: list[Frame], command: str
    ) -> list[Completion] | None:
        """The next parts of module names, if the end of `text` is in one."""
        heads = [_head(text, frame) for frame in frames[1:]]
        if heads and heads[-1] in _FAMILIES:
            return self._parts(_FAMILIES[heads[-1]])
        inside = [_words(text, child) for child in frames[-1].children]
        outer = heads[-3:-1]
        wanted = any(head in _IMPORTERS for head in outer) and heads[-1:] != ["#:select"]
        if len(frames) > 2 and _after_keyword(text, frames[-2], ("#:use-module", "#:autoload")):
            wanted = True
        if len(frames) > 3 and _after_keyword(text, frames[-3], ("#:use-module",)):
            wanted = not frames[-2].children
        if len(frames) == 2 and command in _MODULE_COMMANDS:
            wanted = command not in (",describe", ",d") or bool(self._parts(tuple(inside)))
        return self._parts(tuple(inside)) if wanted else None

    def _parts(self, before: tuple[str, ...]) -> list[Completion]:
        if self._modules is None:
            names = {tuple(name[1:-1].split()) for name in self.session.module_names()}
            self._modules = sorted(name for name in names if not name[0].startswith("guile-user"))
        count = len(before)
        nexts = {
            name[count] for name in self._modules if len(name) > count and name[:count] == before
        }
        return [Completion(name) for name in sorted(nexts)]

    # ------------------------------------------------------------ fields, keywords, names

    def _fields(self, text: str, frames: list[Frame]) -> list[Completion] | None:
        """The fields of the record in whose constructor the end of `text` opens a clause."""
        if len(frames) < 3 or frames[-1].children or frames[-1].quoted:
            return None
        outer = frames[-2]
        record = record_syntax(self.current().resolve(symbol(_head(text, outer))))
        if record is None:
            return None
        given = {
            text[child.start + 1 : child.end].split(None, 1)[0].strip("()")
            for child in outer.children
        }
        fields = [
            Completion(field.name.name, field.documentation or "")
            for field in record.fields
            if field.name.name not in given
        ]
        if len(outer.children) == 1:
            fields.append(Completion("inherit", "the record whose other fields are taken"))
        return fields

    def _keywords(self, text: str, frames: list[Frame]) -> list[Completion]:
        name = _head(text, frames[-1])
        if name in ("define-module", "use-modules") or (
            len(frames) > 2 and _head(text, frames[-2]) in ("define-module", "use-modules")
        ):
            known = ["use-module", "export", "re-export", "autoload", "select", "prefix", "hide"]
            return [Completion(f"#:{one}") for one in sorted(known)]
        binding = self.current().resolve(symbol(name))
        if type(binding) is not Global or binding.key not in self.session.globals:
            return []
        value = self.session.globals[binding.key]
        origin = self.describer.origins.of_key(binding.key)
        return [Completion(f"#:{one}") for one in keywords(value, name, origin)]

    def _names(self, word: str) -> list[Completion]:
        module = self.current()
        names = [name for name in sorted(module.visible_names()) if name.startswith(word)]
        return [Completion(name) for name in names if "~" not in name]

    def about(self, name: str) -> str:
        """A line about what a name means."""
        known = self.describer.known(name, self.current())
        return (known.summary or known.kind) if known is not None else ""


def common_start(found: list[Completion]) -> str:
    """What all completions start with."""
    if not found:
        return ""
    least, most = min(found).text, max(found).text
    same = 0
    while same < len(least) and least[same] == most[same]:
        same += 1
    return least[:same]


def _starting(word: str, found: Iterable[Completion]) -> list[Completion]:
    return [one for one in found if one.text.startswith(word)]


def _head(text: str, frame: Frame) -> str:
    return _words(text, frame.children[0]) if frame.children else ""


def _words(text: str, child: Child) -> str:
    return text[child.start : child.end]


def _after_keyword(text: str, frame: Frame, names: tuple[str, ...]) -> bool:
    """Is the last thing in the bracket one of these keywords?"""
    return bool(frame.children) and _words(text, frame.children[-1]) in names


def expanded(name: str) -> Path:
    """The path that a person writes, where ~ may stand for a home directory."""
    try:
        return Path(name).expanduser()
    except RuntimeError:  # a user whom nobody knows
        return Path(name)


def _files(text: str, start: int) -> tuple[int, list[Completion]]:
    """The files whose names start with what stands from `start` on, in a string."""
    typed = text[start:]
    folder, slash, name = typed.rpartition("/")
    place = expanded(folder + slash)
    found = [Completion(one) for one in _entries(place) if one.startswith(name)]
    if not name.startswith("."):
        found = [one for one in found if not one.text.startswith(".")]
    return len(text) - len(name), found


def _entries(place: Path) -> Iterator[str]:
    try:
        with os.scandir(place) as entries:
            names = [entry.name + ("/" if entry.is_dir() else "") for entry in entries]
    except OSError:
        return
    yield from sorted(names)
