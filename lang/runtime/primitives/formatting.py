"""format: (ice-9 format), which is a superset of the simple-format that Guile has by default."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, NoReturn

from lang.data import UNSPECIFIED, Char, MString
from lang.numbers import flonum, format_number, is_number, is_real, parse_number
from lang.printer import display, write
from lang.runtime import dynamic
from lang.runtime.library import Library
from lang.runtime.ports import OutputPort
from lang.runtime.primitives import arguments
from lang.runtime.primitives.decimals import exponential, fixed, magnitude, rounded
from lang.runtime.primitives.spelling import TOO_LARGE, cardinal, ordinal, roman
from lang.runtime.signals import misc_error, wrong_type

LIBRARY = Library("guile")

_PARAMETER: Final = r"(?:'.|[+-]?[0-9]+|[vV#])"
_DIRECTIVE: Final = re.compile(rf"~((?:{_PARAMETER},?|,)*)([:@]*)(.)", re.S)
_EACH_PARAMETER: Final = re.compile(rf"({_PARAMETER}),?|,")
_SUPPLIED: Final = frozenset("vV#")
_CLOSERS: Final = {"{": "}", "[": "]", "(": ")"}


class _Directive(NamedTuple):
    """~PARAMETERS:@LETTER. A block directive holds its clauses, which ~; separates."""

    letter: str
    parameters: tuple[str, ...]
    colon: bool
    at: bool
    clauses: tuple[tuple[Any, ...], ...] = ()
    default_last: bool = False


class _EscapeError(Exception):
    """~^ was met with no arguments left."""


def _fail(message: str, *irritants: Any) -> NoReturn:
    misc_error("format", message, *irritants)


@functools.lru_cache(maxsize=256)
def _parse(control: str) -> tuple[Any, ...]:
    """The literal texts and directives of a format string, blocks nested."""
    tokens: list[Any] = []
    at = 0
    while at < len(control):
        tilde = control.find("~", at)
        if tilde < 0:
            tokens.append(control[at:])
            break
        if tilde > at:
            tokens.append(control[at:tilde])
        match = _DIRECTIVE.match(control, tilde)
        if match is None:
            _fail("the format string ~S ends inside a directive", control)
        parameters = tuple(_EACH_PARAMETER.findall(match[1]))
        letter = match[3].lower()
        tokens.append(_Directive(letter, parameters, ":" in match[2], "@" in match[2]))
        at = match.end()
        if letter == "\n" and not tokens[-1].colon:
            while at < len(control) and control[at].isspace():
                at += 1
    parsed, rest = _nest(tokens, 0, None)
    assert rest == len(tokens)
    return parsed


def _nest(tokens: Sequence[Any], at: int, closer: str | None) -> tuple[tuple[Any, ...], int]:
    """The tokens up to directive `closer`, with blocks closed, and where they end. Inside a block
    a ~; stays a directive, for `_clauses` to split at."""
    result: list[Any] = []
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if not isinstance(token, _Directive):
            result.append(token)
        elif token.letter == closer:
            result.append(token)
            return tuple(result), at
        elif token.letter in _CLOSERS:
            inner, at = _nest(tokens, at, _CLOSERS[token.letter])
            clauses, default_last = _clauses(inner[:-1])
            result.append(token._replace(clauses=clauses, default_last=default_last))
        elif token.letter in "}])":
            _fail("~~~A closes nothing", token.letter)
        else:
            result.append(token)
    if closer is not None:
        _fail("~~~A is missing in the format string", closer)
    return tuple(result), at


def _clauses(tokens: Sequence[Any]) -> tuple[tuple[tuple[Any, ...], ...], bool]:
    clauses: list[list[Any]] = [[]]
    default_last = False
    for token in tokens:
        if isinstance(token, _Directive) and token.letter == ";":
            default_last = token.colon
            clauses.append([])
        else:
            clauses[-1].append(token)
    return tuple(map(tuple, clauses)), default_last


class _Formatter:
    """Arguments that are taken one by one, and the text so far."""

    def __init__(self, arguments_: Sequence[Any], column: int) -> None:
        self.arguments = arguments_
        self.at = 0
        self.parts: list[str] = []
        self.start_column = column

    def next(self) -> Any:
        if self.at >= len(self.arguments):
            _fail("too few arguments for the format string")
        self.at += 1
        return self.arguments[self.at - 1]

    def column(self) -> int:
        text = "".join(self.parts)
        end = text.rfind("\n")
        return self.start_column + len(text) if end < 0 else len(text) - end - 1

    def run(self, tokens: Sequence[Any]) -> None:
        for token in tokens:
            if isinstance(token, str):
                self.parts.append(token)
                continue
            action = _ACTIONS.get(token.letter)
            if action is None:
                _fail("unknown directive ~~~A in a format string", token.letter)
            if _SUPPLIED.isdisjoint(token.parameters):
                action(self, token)
            else:
                parameters = tuple(map(self.supplied, token.parameters))
                action(self, token._replace(parameters=parameters))

    def supplied(self, text: str) -> str:
        """A parameter as if it were written, where it comes from the arguments: v and #."""
        if text == "#":
            return str(len(self.arguments) - self.at)
        if text not in ("v", "V"):
            return text
        value = self.next()
        if value is False:
            return ""
        return (
            f"'{value.value}" if type(value) is Char else str(arguments.index("format", 0, value))
        )

    def parameter(self, directive: _Directive, index: int, default: int) -> int:
        """A directive's parameter that is a number, or `default`."""
        found = self.optional(directive, index)
        return default if found is None else found

    def optional(self, directive: _Directive, index: int) -> int | None:
        """A directive's parameter that is a number, if it is there."""
        if index >= len(directive.parameters) or not directive.parameters[index]:
            return None
        text = directive.parameters[index]
        if text[0] == "'":
            _fail("parameter ~A of ~~~A is a number, not ~A", index + 1, directive.letter, text)
        return int(text)

    def fill(self, directive: _Directive, index: int, default: str) -> str:
        """A directive's parameter that is a character, given as one or by its number."""
        if index >= len(directive.parameters) or not directive.parameters[index]:
            return default
        text = directive.parameters[index]
        return text[1] if text[0] == "'" else chr(int(text))

    # ---------------------------------------------------------------- single directives

    def padded(self, directive: _Directive, text: str) -> str:
        """`text` in the columns of ~mincol,colinc,minpad,padcharA."""
        width = self.parameter(directive, 0, 0)
        step = max(1, self.parameter(directive, 1, 1))
        padding = self.parameter(directive, 2, 0)
        fill = self.fill(directive, 3, " ")
        while len(text) + padding < width:
            padding += step
        return fill * padding + text if directive.at else text + fill * padding

    def display(self, directive: _Directive) -> None:
        self.parts.append(self.padded(directive, display(self.next())))

    def write(self, directive: _Directive) -> None:
        self.parts.append(self.padded(directive, write(self.next())))

    def pretty(self, directive: _Directive) -> None:
        """~Y breaks a datum into lines; ~width@Y cuts it to one line."""
        value = self.next()
        if directive.at:
            from lang.truncated import truncated

            self.parts.append(truncated(value, max(1, self.parameter(directive, 0, 79))))
        else:
            from lang.pretty import pretty

            self.parts.append(pretty(value, self.parameter(directive, 0, 79)) + "\n")

    def character(self, directive: _Directive) -> None:
        value = self.next()
        if type(value) is not Char:
            wrong_type("format", 0, value)
        self.parts.append(write(value) if directive.at else value.value)

    def integer(self, directive: _Directive, radix: int, first: int = 0) -> None:
        """~mincol,padchar,commachar,commawidthD, whose parameters start at number `first`."""
        value = self.next()
        if type(value) is not int:
            if type(value) is not float or not value.is_integer():
                _fail("~~~A writes an integer, not ~S", directive.letter.upper(), value)
            self.parts.append(display(value).rjust(self.parameter(directive, first, 0)))
            return
        digits = format_number(abs(value), radix)
        if directive.colon:
            comma = self.fill(directive, first + 2, ",")
            width = self.parameter(directive, first + 3, 3)
            head = len(digits) % width
            groups = [digits[i : i + width] for i in range(head, len(digits), width)]
            digits = comma.join(([digits[:head]] if head else []) + groups)
        sign = "-" if value < 0 else "+" if directive.at else ""
        fill = self.fill(directive, first + 1, " ")
        self.parts.append((sign + digits).rjust(self.parameter(directive, first, 0), fill))

    def radix(self, directive: _Directive) -> None:
        radix = self.optional(directive, 0)
        if radix is not None:
            self.integer(directive, radix, 1)
            return
        if directive.at:
            number = arguments.index("format", 0, self.next())
            self.parts.append(roman(number, old=directive.colon))
            return
        number = arguments.exact_integer("format", 0, self.next())
        if abs(number) >= TOO_LARGE:
            _fail("~~R has no words for a number as large as ~S", number)
        self.parts.append(ordinal(number) if directive.colon else cardinal(number))

    def number(self) -> float:
        """The next argument, a real number or a string that spells one."""
        value = self.next()
        spelled = type(value) is str or type(value) is MString
        read = parse_number(str(value)) if spelled else value
        return flonum(read if is_real(read) else arguments.real("format", 0, value))

    def complex(self, directive: _Directive) -> None:
        value = arguments.number("format", 0, self.next())
        self.putfixed(flonum(value.real), directive)
        self.putfixed(flonum(value.imag), directive._replace(at=True))
        self.parts.append("i")

    def fixed(self, directive: _Directive) -> None:
        self.putfixed(self.number(), directive)

    def putfixed(self, value: float, directive: _Directive) -> None:
        """~width,digits,scale,overflowchar,padcharF"""
        width = self.parameter(directive, 0, 0)
        scaled = value * 10 ** self.parameter(directive, 2, 0)
        text = fixed(scaled, width, self.optional(directive, 1))
        if directive.at and scaled >= 0 and text[0] != "+":
            text = f"+{text}"
        overflow = self.fill(directive, 3, "")
        if overflow and 0 < width < len(text):
            text = overflow * width
        self.parts.append(text.rjust(width, self.fill(directive, 4, " ")))

    def general(self, directive: _Directive) -> None:
        """~G: as ~F, and four blanks for the exponent that is not there; else as ~E."""
        value = self.number()
        width, digits = self.parameter(directive, 0, 0), self.optional(directive, 1)
        power = magnitude(value)
        if value - value == 0:
            places = None if digits is None else digits - power
            if (power < 0) if places is None else not 0 <= places <= (digits or 0):
                self.put_exponential(value, directive)
                return
            sign = "+" if directive.at and value >= 0 else ""
            text = sign + fixed(value, max(0, width - 4), places)
            self.parts.append(text.rjust(width - 4, self.fill(directive, 5, " ")) + "    ")
            return
        self.parts.append(format_number(value).rjust(width))

    def exponential(self, directive: _Directive) -> None:
        self.put_exponential(self.number(), directive)

    def put_exponential(self, value: float, directive: _Directive) -> None:
        """~width,digits,exponentdigits,scale,overflowchar,padchar,exponentcharE"""
        width = self.parameter(directive, 0, 0)
        sign = "-" if value < 0 else "+" if directive.at and value >= 0 else ""
        if value - value != 0:
            text = format_number(value)
        else:
            text = sign + exponential(
                abs(value),
                max(0, width - len(sign)),
                self.optional(directive, 1),
                least=self.parameter(directive, 2, 1),
                scale=self.parameter(directive, 3, 1),
                mark=self.fill(directive, 6, "E"),
            )
        overflow = self.fill(directive, 4, "")
        if overflow and 0 < width < len(text):
            text = overflow * width
        self.parts.append(text.rjust(width, self.fill(directive, 5, " ")))

    def money(self, directive: _Directive) -> None:
        value = self.number()
        width = self.parameter(directive, 2, 0)
        if value - value != 0:
            self.parts.append(format_number(value).rjust(width))
            return
        digits = self.parameter(directive, 0, 2)
        whole, _, fraction = rounded(abs(value), f".{digits}f").partition(".")
        sign = "-" if value < 0 else "+" if directive.at else ""
        text = f"{whole.rjust(self.parameter(directive, 1, 1), '0')}.{fraction}"
        fill = self.fill(directive, 3, " ")
        if directive.colon:
            self.parts.append(sign + text.rjust(width - len(sign), fill))
        else:
            self.parts.append((sign + text).rjust(width, fill))

    def plural(self, directive: _Directive) -> None:
        if directive.colon:
            self.at = max(self.at - 1, 0)
        value = self.next()
        singular = is_number(value) and value == 1
        if directive.at:
            self.parts.append("y" if singular else "ies")
        else:
            self.parts.append("" if singular else "s")

    def fresh_line(self, directive: _Directive) -> None:
        count = self.parameter(directive, 0, 1)
        if count and self.column() != 0:
            self.parts.append("\n")
        self.parts.append("\n" * (count - 1))

    def tabulate(self, directive: _Directive) -> None:
        target = self.parameter(directive, 0, 1)
        step = self.parameter(directive, 1, 1)
        column = self.column()
        if directive.at:
            spaces = target
            if step:
                spaces += -(column + target) % step
        elif column < target:
            spaces = target - column
        else:
            spaces = step - (column - target) % step if step else 0
        self.parts.append(self.fill(directive, 2, " ") * spaces)

    def repeated(self, directive: _Directive, text: str) -> None:
        self.parts.append(text * self.parameter(directive, 0, 1))

    def continued_line(self, directive: _Directive) -> None:
        if directive.at:
            self.parts.append("\n")

    def jump(self, directive: _Directive) -> None:
        if directive.at:
            target = self.parameter(directive, 0, 0)
        else:
            distance = self.parameter(directive, 0, 1)
            target = self.at + (-distance if directive.colon else distance)
        if not 0 <= target <= len(self.arguments):
            _fail("~~* moves outside of the arguments")
        self.at = target

    def indirect(self, directive: _Directive) -> None:
        tokens = _parse(arguments.string("format", 0, self.next()))
        if directive.at:
            self.run(tokens)
        else:
            self.sub_format(tokens, arguments.items("format", 0, self.next()))

    def nothing(self, directive: _Directive) -> None:
        pass

    # ---------------------------------------------------------------- blocks

    def sub_format(self, tokens: Sequence[Any], values: Sequence[Any]) -> None:
        """Format `values`, as if `tokens` and they were a call of their own."""
        outer, at = self.arguments, self.at
        self.arguments, self.at = values, 0
        try:
            self.run(tokens)
        finally:
            self.arguments, self.at = outer, at

    def case(self, directive: _Directive) -> None:
        outer, self.parts = self.parts, []
        try:
            self.run(directive.clauses[0])
        finally:
            text = "".join(self.parts)
            self.parts = outer
            if directive.colon and directive.at:
                text = text.upper()
            elif directive.colon:
                text = re.sub(r"\w+", lambda word: word[0].capitalize(), text)
            elif directive.at:
                text = re.sub(r"\w+", lambda w: w[0].capitalize(), text.lower(), count=1)
            else:
                text = text.lower()
            self.parts.append(text)

    def conditional(self, directive: _Directive) -> None:
        clauses = directive.clauses
        if directive.at:
            if self.next() is not False:
                self.at -= 1
                self.run(clauses[0])
            return
        if directive.colon:
            chosen = 0 if self.next() is False else 1
        else:
            value = self.optional(directive, 0)
            chosen = self.next() if value is None else value
            if type(chosen) is not int:
                wrong_type("format", 0, chosen)
            if not 0 <= chosen < len(clauses):
                if not directive.default_last:
                    return
                chosen = len(clauses) - 1
        if chosen < len(clauses):
            self.run(clauses[chosen])

    def iterate(self, directive: _Directive) -> None:
        limit = self.optional(directive, 0)
        body = directive.clauses[0]
        if not body:
            body = _parse(arguments.string("format", 0, self.next()))
        outer, outer_at = self.arguments, self.at
        if directive.at:
            values: Sequence[Any] = outer[outer_at:]
            outer_at = len(outer)
        else:
            values = arguments.items("format", 0, self.next())
            outer_at = self.at
        self.arguments, self.at = values, 0
        rounds = 0
        try:
            while self.at < len(values) and (limit is None or rounds < limit):
                rounds += 1
                if directive.colon:
                    try:
                        self.sub_format(body, arguments.items("format", 0, self.next()))
                    except _EscapeError:
                        continue
                else:
                    before = self.at
                    self.run(body)
                    if self.at == before:
                        _fail("~~{ takes no argument in a round, and would never end")
        except _EscapeError:
            pass
        finally:
            self.arguments, self.at = outer, outer_at

    def escape(self, directive: _Directive) -> None:
        if self.at >= len(self.arguments):
            raise _EscapeError


_ACTIONS: Final[dict[str, Callable[[_Formatter, _Directive], None]]] = {
    "a": _Formatter.display,
    "s": _Formatter.write,
    "y": _Formatter.pretty,
    "d": lambda formatter, directive: formatter.integer(directive, 10),
    "x": lambda formatter, directive: formatter.integer(directive, 16),
    "o": lambda formatter, directive: formatter.integer(directive, 8),
    "b": lambda formatter, directive: formatter.integer(directive, 2),
    "r": _Formatter.radix,
    "c": _Formatter.character,
    "f": _Formatter.fixed,
    "i": _Formatter.complex,
    "e": _Formatter.exponential,
    "g": _Formatter.general,
    "h": _Formatter.fixed,
    "$": _Formatter.money,
    "p": _Formatter.plural,
    "%": lambda formatter, directive: formatter.repeated(directive, "\n"),
    "~": lambda formatter, directive: formatter.repeated(directive, "~"),
    "_": lambda formatter, directive: formatter.repeated(directive, " "),
    "/": lambda formatter, directive: formatter.repeated(directive, "\t"),
    "|": lambda formatter, directive: formatter.repeated(directive, "\f"),
    "&": _Formatter.fresh_line,
    "t": _Formatter.tabulate,
    "\n": _Formatter.continued_line,
    "*": _Formatter.jump,
    "?": _Formatter.indirect,
    "k": _Formatter.indirect,
    "!": _Formatter.nothing,
    "(": _Formatter.case,
    "[": _Formatter.conditional,
    "{": _Formatter.iterate,
    "^": _Formatter.escape,
}


def formatted(control: str, values: Sequence[Any], column: int = 0) -> str:
    """The text that format makes of a control string and its arguments."""
    formatter = _Formatter(values, column)
    with contextlib.suppress(_EscapeError):
        formatter.run(_parse(control))
    return "".join(formatter.parts)


@LIBRARY.procedure("format", "simple-format")
def format_(destination: Any, *rest: Any) -> Any:
    """`destination` is #f for a string, #t for the current output port, or a port."""
    if type(destination) is str or type(destination) is MString:
        return formatted(str(destination), rest)
    if not rest:
        wrong_type("format", 1, destination)
    control = arguments.string("format", 2, rest[0])
    if destination is False:
        return formatted(control, rest[1:])
    port = dynamic.current_output.value if destination is True else destination
    if not isinstance(port, OutputPort):
        wrong_type("format", 1, destination)
    port.write(formatted(control, rest[1:], port.column))
    return UNSPECIFIED
