"""(ice-9 pretty-print): data broken into lines as a person would."""

from __future__ import annotations

from typing import Any, Final

from lang.data import NIL, UNSPECIFIED, Keyword, Pair, Symbol, python_list
from lang.printer import display, write
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.ports import target

LIBRARY = Library("ice-9", "pretty-print")

# For these forms: how many elements after the first stay on the first line, where the body is
# indented by two columns.
_BODY_AFTER: Final = {
    **dict.fromkeys(("lambda", "let*", "letrec", "when", "unless", "case", "match"), 1),
    **dict.fromkeys(("define", "define*", "define-public", "with-imported-modules"), 1),
    **dict.fromkeys(("lambda*", "let-values", "parameterize", "syntax-rules", "let"), 1),
    **dict.fromkeys(("define-module", "define-syntax", "define-record-type"), 1),
}
_QUOTES: Final = {
    "quote": "'",
    "quasiquote": "`",
    "unquote": ",",
    "unquote-splicing": ",@",
    "gexp": "#~",
    "ungexp": "#$",
    "ungexp-splicing": "#$@",
    "ungexp-native": "#+",
    "ungexp-native-splicing": "#+@",
}


def pretty(value: Any, width: int = 79, *, as_display: bool = False) -> str:
    """`value` in lines of `width` columns where that can be, without a final line end."""
    return _laid_out(value, 0, width, display if as_display else write)


def _flat(value: Any, show: Any) -> str:
    """`value` in one line, quotations abbreviated."""
    prefix, inner = _quotation(value)
    if prefix:
        return prefix + _flat(inner, show)
    if type(value) is Pair:
        parts = []
        while type(value) is Pair:
            parts.append(_flat(value.car, show))
            value = value.cdr
        if value is not NIL:
            parts += [".", _flat(value, show)]
        return f"({' '.join(parts)})"
    return str(show(value))


def _quotation(value: Any) -> tuple[str, Any]:
    if type(value) is Pair and type(value.car) is Symbol and type(value.cdr) is Pair:
        if value.cdr.cdr is NIL and value.car.name in _QUOTES:
            return _QUOTES[value.car.name], value.cdr.car
    return "", None


def _laid_out(value: Any, column: int, width: int, show: Any) -> str:
    flat = _flat(value, show)
    if column + len(flat) <= width or not _is_list(value):
        return flat
    prefix, inner = _quotation(value)
    if prefix:
        return prefix + _laid_out(inner, column + len(prefix), width, show)
    items = python_list(value)
    head = items[0]
    if type(head) is Symbol and len(items) > 1:
        if head.name in _BODY_AFTER:
            return _with_body(items, _BODY_AFTER[head.name], column, width, show)
        indent = column + len(_flat(head, show)) + 2
        first = f"({_flat(head, show)} "
    else:
        indent = column + 1
        first = "("
        items = [None, *items]
    lines = [_laid_out(item, indent, width, show) for item in items[1:]]
    return first + _joined(items[1:], lines, indent) + ")"


def _with_body(items: list[Any], count: int, column: int, width: int, show: Any) -> str:
    text = "(" + _flat(items[0], show)
    for item in items[1 : count + 1]:
        text += " "
        text += _laid_out(item, column + len(text.rpartition("\n")[2]), width, show)
    lines = [_laid_out(item, column + 2, width, show) for item in items[count + 1 :]]
    if not lines:
        return text + ")"
    return f"{text}\n{' ' * (column + 2)}{_joined(items[count + 1 :], lines, column + 2)})"


def _joined(items: list[Any], lines: list[str], indent: int) -> str:
    """The texts of `items` below each other; a keyword's value stands beside it."""
    text = lines[0]
    for previous, line in zip(items, lines[1:], strict=False):
        beside = type(previous) is Keyword and "\n" not in line
        text += " " + line if beside else "\n" + " " * indent + line
    return text


def _is_list(value: Any) -> bool:
    while type(value) is Pair:
        value = value.cdr
    return value is NIL


@LIBRARY.procedure("pretty-print")
def pretty_print(value: Any, *options: Any) -> Any:
    """Takes a port, and keywords: #:port #:width #:per-line-prefix #:display?."""
    rest = list(options)
    port: Any = rest.pop(0) if rest and type(rest[0]) is not Keyword else None
    given = {key.name: item for key, item in zip(rest[::2], rest[1::2], strict=False)}
    prefix = str(given.get("per-line-prefix", ""))
    width = arguments.index("pretty-print", 0, given.get("width", 79))
    text = pretty(value, width - len(prefix), as_display=given.get("display?", False) is not False)
    shown = "".join(f"{prefix}{line}\n" for line in text.split("\n"))
    target("pretty-print", 2, given.get("port", port)).write(shown)
    return UNSPECIFIED


@LIBRARY.procedure("truncated-print")
def truncated_print(value: Any, *options: Any) -> Any:
    """One line of at most #:width columns."""
    rest = list(options)
    port: Any = rest.pop(0) if rest and type(rest[0]) is not Keyword else None
    given = {key.name: item for key, item in zip(rest[::2], rest[1::2], strict=False)}
    width = arguments.index("truncated-print", 0, given.get("width", 79))
    text = write(value)
    if len(text) > width:
        text = text[: max(width - 1, 0)] + "…"
    target("truncated-print", 2, given.get("port", port)).write(text)
    return UNSPECIFIED
