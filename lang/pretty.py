"""Data in lines of a given width, broken as a person would break them.

(ice-9 pretty-print) and the REPL print with it; the REPL's editor indents by the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from lang.data import NIL, Keyword, Pair, Record, Symbol
from lang.printer import display, write

BODY_AFTER: Final = {
    **dict.fromkeys(("begin", "let/ec", "cond-expand", "with-error-to-string"), 0),
    **dict.fromkeys(("lambda", "let*", "letrec", "letrec*", "when", "unless", "case", "match"), 1),
    **dict.fromkeys(("define", "define*", "define-public", "define*-public", "let"), 1),
    **dict.fromkeys(("lambda*", "let-values", "let*-values", "parameterize", "syntax-rules"), 1),
    **dict.fromkeys(("define-module", "define-syntax", "define-syntax-rule", "with-fluids"), 1),
    **dict.fromkeys(("define-record-type", "define-record-type*", "with-imported-modules"), 1),
    **dict.fromkeys(("match-lambda", "modify-services", "call-with-output-string"), 0),
    **dict.fromkeys(("let-syntax", "letrec-syntax", "syntax-parameterize", "with-syntax"), 1),
    **dict.fromkeys(("syntax-case", "do", "match-record"), 2),
    **dict.fromkeys(("guard", "call-with-values", "dynamic-wind"), 1),
}
"""Forms with a body, which is indented by two columns: how many operands stand before it."""

QUOTES: Final = {
    "quote": "'",
    "quasiquote": "`",
    "unquote": ",",
    "unquote-splicing": ",@",
    "syntax": "#'",
    "gexp": "#~",
    "ungexp": "#$",
    "ungexp-splicing": "#$@",
    "ungexp-native": "#+",
    "ungexp-native-splicing": "#+@",
}

RecordFields: TypeAlias = Callable[[Record], Iterator[tuple[str, Any]]]


@dataclass(slots=True)
class _Group:
    """Boxes between an opener and a closer. `length` is that of the text in one line.

    The first `beside` boxes after the first one stay on its line; the others are `indent` columns
    to the right of the opener, or (None) below the second box.
    """

    opener: str
    boxes: list[_Box]
    closer: str
    length: int
    indent: int | None
    beside: int
    keywords: frozenset[int] = frozenset()


_Box: TypeAlias = str | _Group


def pretty(
    value: Any,
    width: int = 79,
    *,
    as_display: bool = False,
    column: int = 0,
    fields: RecordFields | None = None,
    depth: int | None = None,
) -> str:
    """`value` in lines of `width` columns where that can be, without a final line end.

    The first line starts at `column`. With `fields`, which gives the names and values of a
    record's fields, records are broken into lines, too, and those inside `depth` others are cut
    short.
    """
    builder = _Builder(display if as_display else write, fields, depth)
    try:
        box = builder.box(value)
    except _CyclicError:
        return display(value) if as_display else write(value)
    return _laid_out(box, column, width)


class _CyclicError(Exception):
    """A structure contains itself: only datum labels can say how."""


class _Builder:
    def __init__(
        self, show: Callable[[Any], str], fields: RecordFields | None, depth: int | None
    ) -> None:
        self.show = show
        self.fields = fields
        self.depth = depth
        self.open: set[int] = set()
        self.records = 0

    def box(self, value: Any) -> _Box:
        kind = type(value)
        if kind is Pair:
            return self._list(value)
        if kind is list:
            return self._inside(value, lambda: self._sequence("#(", list(map(self.box, value))))
        if self.fields is not None and isinstance(value, Record) and value.rtd.printer is None:
            if id(value) in self.open:
                return f"#<{_plain(value.rtd.name)} …>"
            fields = self.fields
            return self._inside(value, lambda: self._record(value, fields))
        return self.show(value)

    def _inside(self, value: Any, make: Callable[[], _Box]) -> _Box:
        if id(value) in self.open:
            raise _CyclicError
        self.open.add(id(value))
        try:
            return make()
        finally:
            self.open.discard(id(value))

    def _sequence(self, opener: str, boxes: list[_Box], closer: str = ")") -> _Group:
        if boxes and all(type(box) is str for box in boxes):
            return _group(opener, boxes, closer, len(opener), len(boxes))
        return _group(opener, boxes, closer, len(opener), 0)

    def _list(self, pair: Pair) -> _Box:
        head, rest = pair.car, pair.cdr
        if type(head) is Symbol and type(rest) is Pair and rest.cdr is NIL:
            prefix = QUOTES.get(head.name)
            if prefix is not None:
                return self._inside(pair, lambda: _prefixed(prefix, self.box(rest.car)))
        boxes: list[_Box] = []
        keywords = set()
        opened = []
        value: Any = pair
        while type(value) is Pair:
            if id(value) in self.open:
                raise _CyclicError
            self.open.add(id(value))
            opened.append(id(value))
            if type(value.car) is Keyword:
                keywords.add(len(boxes))
            boxes.append(self.box(value.car))
            value = value.cdr
        if value is not NIL:
            boxes += [".", self.box(value)]
        self.open.difference_update(opened)
        if type(head) is not Symbol or len(boxes) == 1:
            return self._sequence("(", boxes)
        if head.name in BODY_AFTER:
            named_let = head.name == "let" and type(rest) is Pair and type(rest.car) is Symbol
            return _group("(", boxes, ")", 2, 2 if named_let else BODY_AFTER[head.name])
        if len(boxes) > 2 * _MANY and not keywords and all(type(box) is str for box in boxes):
            return self._sequence("(", boxes)
        return _group("(", boxes, ")", None, 1, frozenset(keywords))

    def _record(self, record: Record, fields: RecordFields) -> _Box:
        name = _plain(record.rtd.name)
        if self.records == self.depth:
            shown = _telling(record, fields, 1)
            return f"#<{name} {self.show(shown)} …>" if shown else f"#<{name} …>"
        self.records += 1
        boxes: list[_Box] = [name]
        boxes += [_prefixed(f"{field}: ", self.box(value)) for field, value in fields(record)]
        self.records -= 1
        return _group("#<", boxes, ">", 2, 0)


_MANY: Final = 8
"""More than twice as many atoms are data, not a call: they fill their lines."""


def _telling(record: Record, fields: RecordFields, depth: int) -> str | Symbol | None:
    """The first text among the fields, or in a record there: what people know a record by."""
    values = [value for _, value in fields(record)]
    for value in values:
        if isinstance(value, str | Symbol) and value != "":
            return value
    if depth:
        inner = (_telling(one, fields, depth - 1) for one in values if isinstance(one, Record))
        return next((text for text in inner if text is not None), None)
    return None


def _plain(name: str) -> str:
    return name[1:-1] if name[:1] == "<" and name[-1:] == ">" else name


def _length(box: _Box) -> int:
    return len(box) if type(box) is str else box.length  # type: ignore[union-attr]


def _group(
    opener: str,
    boxes: list[_Box],
    closer: str,
    indent: int | None,
    beside: int,
    keywords: frozenset[int] = frozenset(),
) -> _Group:
    length = len(opener) + sum(map(_length, boxes)) + max(len(boxes) - 1, 0) + len(closer)
    return _Group(opener, boxes, closer, length, indent, beside, keywords)


def _prefixed(prefix: str, box: _Box) -> _Box:
    return prefix + box if isinstance(box, str) else _group(prefix, [box], "", len(prefix), 0)


def _flat(box: _Box) -> str:
    if isinstance(box, str):
        return box
    return f"{box.opener}{' '.join(map(_flat, box.boxes))}{box.closer}"


def _laid_out(box: _Box, column: int, width: int) -> str:
    if isinstance(box, str):
        return box
    if column + box.length <= width:
        return _flat(box)
    at = column + len(box.opener)
    text = box.opener + _laid_out(box.boxes[0], at, width)
    line = column + _last_line(text)
    indent = column + box.indent if box.indent is not None else line + 1
    filling = box.beside >= len(box.boxes)
    for index, inner in enumerate(box.boxes[1:], 1):
        fits = line + 1 + _length(inner) < width
        if filling or index - 1 in box.keywords:
            here = fits
        else:
            here = index <= box.beside and "\n" not in text
        if here:
            laid = _laid_out(inner, line + 1, width)
            text += " " + laid
            line += 1
        else:
            laid = _laid_out(inner, indent, width)
            text += "\n" + " " * indent + laid
            line = indent
        line = _last_line(laid) if "\n" in laid else line + len(laid)
    return text + box.closer


def _last_line(text: str) -> int:
    """The length of the last line of `text`."""
    return len(text) - text.rfind("\n") - 1
