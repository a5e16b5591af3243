"""Data -> text: what write and display put on a port.

A structure that contains itself is written with datum labels. No text depends on where an object
lies in memory.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final

from lang.data import (
    Char,
    Keyword,
    MString,
    Nil,
    Pair,
    Promise,
    Record,
    Symbol,
    Values,
)
from lang.numbers import format_number, is_number, parse_number

_TRUSTED_NODES: Final = 5_000
"""Structures of fewer nodes are written without looking for cycles first."""

_CHARACTER_NAMES: Final = {
    " ": "space",
    "\n": "newline",
    "\t": "tab",
    "\r": "return",
    "\0": "nul",
    "\a": "alarm",
    "\b": "backspace",
    "\x7f": "delete",
    "\x1b": "escape",
    "\v": "vtab",
    "\f": "page",
}
_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\a": "\\a",
}
_ESCAPED: Final = re.compile(r'["\\]|[^ -~]')
_PLAIN_SYMBOL: Final = re.compile(
    r"""[^\s()\[\]{}"';`,#|.\\][^\s()\[\]{}";|\\]*|\.[^\s()\[\]{}";|\\]+"""
)


def write(value: Any) -> str:
    """The text from which `read` makes `value` again, where there is one."""
    return _text(value, display=False)


def display(value: Any) -> str:
    """The text for people: strings and characters stand for themselves."""
    if type(value) is str:
        return value
    return _text(value, display=True)


def write_shared(value: Any) -> str:
    """`write`, with labels for all pairs and vectors that are met more than once."""
    writer = _Writer(False, dict.fromkeys(_shared(value), -1))
    writer.put(value)
    return "".join(writer.parts)


def write_character(value: Any) -> str:
    """A character's external representation."""
    text = value.value
    name = _CHARACTER_NAMES.get(text)
    if name is not None:
        return f"#\\{name}"
    return f"#\\{text}" if text.isprintable() else f"#\\x{ord(text):x}"


def write_string(text: str) -> str:
    """A string's external representation."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    found = match[0]
    if found in _ESCAPES:
        return _ESCAPES[found]
    return found if found.isprintable() else f"\\x{ord(found):x};"


def write_symbol(name: str) -> str:
    """A symbol's external representation."""
    if _PLAIN_SYMBOL.fullmatch(name) and name.isprintable() and parse_number(name) is None:
        return name
    return "#{" + "".join(map(_extended, name)) + "}#"


def _extended(character: str) -> str:
    if character in "{}\\" or not character.isprintable():
        return f"\\x{ord(character):x};"
    return character


class _TooManyNodesError(Exception):
    pass


class _Writer:
    """`labels` maps the id of each pair or vector that contains itself to its label's number,
    or to -1 before it is first written. None: nobody has looked yet."""

    def __init__(self, display: bool, labels: dict[int, int] | None) -> None:
        self.parts: list[str] = []
        self.display = display
        self.labels = labels
        self.nodes = 0
        self.used_labels = 0
        self.open_records: set[int] = set()

    def put(self, value: Any) -> None:
        kind = type(value)
        if kind is Pair or kind is list:
            self.put_compound(value)
        else:
            self.parts.append(self.atom(value))

    def put_compound(self, value: Any) -> None:
        if self.labelled(value):
            return
        opener = "(" if type(value) is Pair else "#("
        self.parts.append(opener)
        if type(value) is list:
            for index, item in enumerate(value):
                if index:
                    self.parts.append(" ")
                self.put(item)
        else:
            self.put(value.car)
            self.put_rest(value.cdr)
        self.parts.append(")")

    def put_rest(self, rest: Any) -> None:
        while type(rest) is Pair:
            if self.labels and id(rest) in self.labels:
                break
            self.count()
            self.parts.append(" ")
            self.put(rest.car)
            rest = rest.cdr
        if type(rest) is not Nil:
            self.parts.append(" . ")
            self.put(rest)

    def labelled(self, value: Any) -> bool:
        """Write the label of `value`, if it has one; true if that was all there was to write."""
        self.count()
        if not self.labels:
            return False
        label = self.labels.get(id(value))
        if label is None:
            return False
        if label >= 0:
            self.parts.append(f"#{label}#")
            return True
        self.labels[id(value)] = self.used_labels
        self.parts.append(f"#{self.used_labels}=")
        self.used_labels += 1
        return False

    def count(self) -> None:
        self.nodes += 1
        if self.labels is None and self.nodes > _TRUSTED_NODES:
            raise _TooManyNodesError

    def atom(self, value: Any) -> str:
        kind = type(value)
        if kind is str or kind is MString:
            return str(value) if self.display else write_string(str(value))
        if kind is Symbol:
            return str(value.name) if self.display else write_symbol(value.name)
        if kind is bool:
            return "#t" if value else "#f"
        if kind is int or kind is float or is_number(value):
            return format_number(value)
        if kind is Char:
            return str(value.value) if self.display else write_character(value)
        if kind is Keyword:
            return f"#:{write_symbol(value.name)}"
        if kind is bytes or kind is bytearray:
            return f"#vu8({' '.join(map(str, value))})"
        if isinstance(value, Record):
            return self.record(value)
        if kind is Promise:
            return "#<promise>"
        if isinstance(value, Values):
            return f"#<values {' '.join(self.nested(item) for item in value)}>"
        if callable(value) and hasattr(value, "__name__"):
            return f"#<procedure {value.__name__}>"
        if kind.__module__ in sys.stdlib_module_names:  # such as the status of a file
            return f"#<{kind.__name__.replace('_', ' ')}>"
        return repr(value)

    def record(self, record: Record) -> str:
        self.count()
        rtd = record.rtd
        if rtd.printer is not None:
            from lang.runtime.ports import StringOutput
            from lang.runtime.trampoline import call

            port = StringOutput()
            call(rtd.printer, record, port)
            return port.text()
        if id(record) in self.open_records:
            return f"#<{rtd.name} ...>"
        self.open_records.add(id(record))
        fields = "".join(
            f" {name}: {self.nested(getattr(record, f'f{index}', None))}"
            for index, name in enumerate(rtd.fields)
        )
        self.open_records.discard(id(record))
        return f"#<{rtd.name}{fields}>"

    def nested(self, value: Any) -> str:
        outer, self.parts = self.parts, []
        self.put(value)
        text, self.parts = "".join(self.parts), outer
        return text


def _text(value: Any, display: bool) -> str:
    writer = _Writer(display, None)
    try:
        writer.put(value)
    except (_TooManyNodesError, RecursionError):
        writer = _Writer(display, dict.fromkeys(_cyclic(value), -1))
        writer.put(value)
    return "".join(writer.parts)


def _cyclic(value: Any) -> set[int]:
    """The ids of the pairs and vectors in `value` that can be reached from themselves, one at
    least in each cycle."""
    found: set[int] = set()
    on_path: set[int] = set()
    done: set[int] = set()
    pending: list[tuple[Any, bool]] = [(value, False)]
    while pending:
        node, leaving = pending.pop()
        key = id(node)
        if leaving:
            on_path.discard(key)
            done.add(key)
            continue
        if type(node) is not Pair and type(node) is not list:
            continue
        if key in on_path:
            found.add(key)
        if key in on_path or key in done:
            continue
        on_path.add(key)
        pending.append((node, True))
        children: Any = (node.cdr, node.car) if type(node) is Pair else node
        pending.extend((child, False) for child in children)
    return found


def _shared(value: Any) -> list[int]:
    """The ids of the pairs and vectors that are in `value` more than once."""
    met: dict[int, int] = {}
    pending = [value]
    while pending:
        node = pending.pop()
        if type(node) is Pair or type(node) is list:
            met[id(node)] = met.get(id(node), 0) + 1
            if met[id(node)] == 1:
                parts: Any = (node.cdr, node.car) if type(node) is Pair else node
                pending.extend(parts)
    return [key for key, times in met.items() if times > 1]
