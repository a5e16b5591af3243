"""Any exception out of running Scheme, as one value that says what, where and what to do."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, islice
from types import TracebackType
from typing import Any, Final, NamedTuple

from lang import last_calls
from lang.codegen import THUNK
from lang.data import Symbol, python_list
from lang.numeric import ARITHMETIC
from lang.runtime.condition_types import (
    ERROR_LOCATION,
    FIX_HINT,
    IRRITANTS,
    LEXICAL,
    MESSAGE,
    POSITION,
    SYNTAX,
    WHO,
    Condition,
)
from lang.runtime.inline import no_clause, parse_keywords
from lang.runtime.messages import condition_text
from lang.runtime.native_errors import (
    INTERNAL,
    NOT_A_PROCEDURE,
    TOO_FEW_VALUES,
    WRONG_VALUES,
    is_scheme,
    payload_of,
    variable_name,
)
from lang.runtime.thrown import view_as_thrown
from lang.sources import Location, SourceMap, code_place
from lang.syntax import did_you_mean

BLAME_THE_CALLER: Final = frozenset({parse_keywords.__code__, no_clause.__code__})
"""What a procedure runs to complain about its arguments: the mistake is where it was called."""

CALLING: Final = frozenset({"wrong-number-of-args", "wrong-type-arg"})


LONGEST_TRACE: Final = 50
"""Of endless recursion, the innermost part is enough."""
SHOWN_CALLS: Final = 6
"""How many calls are shown with an error."""
TOP: Final = "top level"


class Call(NamedTuple):
    """A Scheme procedure that was running: the place that it had reached, and its name."""

    location: Location
    procedure: str
    library: bool


class Diagnosis:
    """An error, explained. `kind` is Guile's key for it, such as "unbound-variable".

    `trace` are the Scheme procedures that were running, the innermost first; proper tail calls
    leave none. `macro` names the macro whose use at `location` made the code that failed.
    `exception` is the Python exception, for debugging Kiln.
    """

    __slots__ = ("exception", "hint", "kind", "location", "macro", "message", "trace")

    def __init__(
        self,
        location: Location | None,
        message: str,
        hint: str | None,
        trace: tuple[Call, ...],
        kind: str,
        exception: BaseException,
        macro: str | None = None,
    ) -> None:
        self.location = location
        self.message = message
        self.hint = hint
        self.trace = trace
        self.kind = kind
        self.exception = exception
        self.macro = macro

    @property
    def internal(self) -> bool:
        """Whether the mistake is Kiln's own."""
        return self.kind == INTERNAL


def explain(
    error: BaseException,
    sources: SourceMap,
    bound_names: Callable[[], Iterable[str]],
    exporters: Callable[[str], Sequence[str]],
    advice: Callable[[str], str | None],
) -> Diagnosis:
    """The diagnosis of `error`. `bound_names` gives the names that could have been meant,
    `exporters` the modules that export a name, `advice` what there is instead of it.

    A KeyboardInterrupt or SystemExit is no error and is raised again.
    """
    if isinstance(error, KeyboardInterrupt | SystemExit):
        raise error
    payload = payload_of(error)
    entries = _entries(error)
    reached = _reached(entries)
    last = last_calls.failed(entries, _given(payload))
    trace = tuple(_call(entry, sources) for entry in reached[:LONGEST_TRACE])
    if last is not None and last.location is not None:
        trace = (_running(last.location, last.procedure, sources), *trace)
    location = _own_location(payload, sources)
    if location is None:
        location = _place(trace, reached[LONGEST_TRACE:], sources)
    message = condition_text(payload)
    kind = _kind(payload)
    nameless = isinstance(payload, Condition) and not payload.field(WHO, "who")
    if nameless and kind != "unbound-variable" and not payload.has_type(LEXICAL):
        message = _operator(location, sources) + message
    hint = payload.field(FIX_HINT, "hint") if isinstance(payload, Condition) else None
    if kind in CALLING:
        placed = last is None or not last.itself or last.location == location
        hint = hint or _about_the_call(payload, location, sources, None if placed else last)
    macro = _macro_at(location, sources)
    if kind == "unbound-variable":
        name = _unbound_name(payload)
        if name is not None:
            found = _suggestion(name, location, sources, bound_names, exporters, advice)
            hint = hint or found[1]
            if found[0] != name:
                name, location, message = found[0], found[2], f"Unbound variable: {found[0]}"
            location = _at_name(location, name, sources, expanded=macro is not None)
    elif kind == "syntax-error":
        form = payload.field(SYNTAX, "form")
        if type(form) is Symbol:
            location = _at_name(location, form.name, sources, expanded=True)
    elif kind == INTERNAL:
        message = f"internal error: {message}"
        hint = "this is a mistake in Kiln itself, please report it; --debug shows more"
    return Diagnosis(location, message, hint, trace, kind, error, macro)


def render(diagnosis: Diagnosis, sources: SourceMap) -> str:
    """The diagnosis as text: place and message, the line of the source with a caret, the macro
    and the calls that led there, the hint."""
    location = diagnosis.location
    if location is None:
        text = f"error: {diagnosis.message}"
    else:
        source = sources.named(location.file)
        line = source.line(location.line) if source else ""
        text = render_at(location, diagnosis.message, line)
    lines = [text]
    if diagnosis.macro is not None and diagnosis.macro not in diagnosis.message:
        lines.append(f"  in the expansion of the macro {diagnosis.macro}")
    if location is not None:
        lines += _chain(diagnosis.trace)
    if diagnosis.hint:
        lines.append(f"hint: {diagnosis.hint}")
    return "\n".join(lines)


def _chain(trace: Sequence[Call]) -> list[str]:
    """How the place was reached, if that says more than the place."""
    steps: list[tuple[Call, int]] = []
    for _, group in groupby(trace, lambda call: call.location):
        # what a form makes for itself stands where the procedure around it does
        same = list(group)
        steps.append((same[-1], sum(call == same[-1] for call in same)))
    if len(steps) < 2 and (not steps or steps[0][1] == 1):
        return []
    if all(call.library for call in trace):
        return []  # Kiln's own procedures looked at what was declared
    lines = []
    for number, (call, times) in enumerate(steps[:SHOWN_CALLS]):
        word = "called at" if call.procedure == TOP else "called by" if number else "in"
        again = f", {times} times" if times > 1 else ""
        name = "" if call.procedure == TOP else f"{call.procedure}, "
        lines.append(f"  {word} {name}{call.location}{again}")
    if len(steps) > SHOWN_CALLS:
        lines.append("  ...")
    return lines


def render_at(location: Location, message: str, line: str) -> str:
    """An error at `location`, whose line of the source is `line` ("" if that is not known)."""
    text = f"{location}: error: {message}"
    if line.strip():
        text += f"\n  {line}\n  {_indentation(line[: location.column - 1])}^"
    return text


def _indentation(text: str) -> str:
    """White space as wide as `text` on a terminal."""
    return "".join(
        "\t" if c == "\t" else "  " if unicodedata.east_asian_width(c) in "WF" else " "
        for c in text
    )


def _own_location(payload: Any, sources: SourceMap) -> Location | None:
    """The place that a condition itself names."""
    if not isinstance(payload, Condition):
        return None
    location = payload.field(ERROR_LOCATION, "location")
    if isinstance(location, Location):
        return location
    position = payload.field(POSITION, "position")
    return sources.location(position) if isinstance(position, int) else None


def _place(
    trace: Sequence[Call], reached: Iterable[TracebackType], sources: SourceMap
) -> Location | None:
    """The innermost place in a file of the user's, else the innermost one."""
    for call in trace:
        if not call.library:
            return call.location
    for entry in reached:
        call = _call(entry, sources)
        if not call.library:
            return call.location
    return trace[0].location if trace else None


def _operator(location: Location | None, sources: SourceMap) -> str:
    """ "+: " if the place is an arithmetic operation, written out by the compiler."""
    source = sources.named(location.file) if location else None
    if location is None or source is None:
        return ""
    match = re.match(r"\(\s*([^\s()]+)", source.line(location.line)[location.column - 1 :])
    return f"{match[1]}: " if match and match[1] in ARITHMETIC else ""


def _entries(error: BaseException) -> list[TracebackType]:
    """Where everything was when `error` was raised, the outermost place first. If a procedure was
    complaining about its arguments, then where it was called."""
    entries: list[TracebackType] = []
    traceback = error.__traceback__
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    if entries and entries[-1].tb_frame.f_code in BLAME_THE_CALLER:
        entries.pop()
        if any(is_scheme(entry.tb_frame) for entry in entries[:-1]):
            entries.pop()
    return entries


def _reached(entries: Sequence[TracebackType]) -> list[TracebackType]:
    """Where compiled Scheme code was, the innermost place first."""
    found = [entry for entry in reversed(entries) if is_scheme(entry.tb_frame)]
    # the outermost frame of a unit is its module code, which only calls the thunks
    return [entry for entry in found if entry.tb_frame.f_code.co_name != "<module>"] or found


def _call(entry: TracebackType, sources: SourceMap) -> Call:
    code = entry.tb_frame.f_code
    line, _, column, _ = next(islice(code.co_positions(), entry.tb_lasti // 2, None))
    location = code_place(code.co_filename, line or entry.tb_lineno, (column or 0) + 1)
    return _running(location, code.co_name, sources)


def _running(location: Location, key: str, sources: SourceMap) -> Call:
    source = sources.named(location.file)
    name = variable_name(key)
    procedure = TOP if name in (THUNK, "<module>") else name
    return Call(location, procedure, source is None or source.library)


def _given(payload: Any) -> int | None:
    """How many arguments a call had whose number of them is wrong, if that is known."""
    if not isinstance(payload, Condition) or _kind(payload) != "wrong-number-of-args":
        return None
    irritants = python_list(payload.field(IRRITANTS, "irritants"))
    return irritants[0] if irritants and type(irritants[0]) is int else None


def _kind(payload: Any) -> str:
    return view_as_thrown(payload)[0].name


def _macro_at(location: Location | None, sources: SourceMap) -> str | None:
    """The macro that is used at `location`."""
    source = sources.named(location.file) if location else None
    if location is None or source is None:
        return None
    return sources.expansions.get(source.base + source.offset(location))


def _unbound_name(payload: Condition) -> str | None:
    irritants = python_list(payload.field(IRRITANTS, "irritants"))
    name = irritants[0] if irritants else None
    if type(name) is Symbol:
        return name.name
    return name if isinstance(name, str) else None


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\s()\[\]'`,@$~+]){re.escape(name)}(?![^\s()\[\]\"';])")


def _at_name(
    location: Location | None, name: str, sources: SourceMap, *, expanded: bool
) -> Location | None:
    """Where the unbound name itself stands: code knows the place of the form around it, or of
    the use of the macro that it was `expanded` from."""
    source = sources.named(location.file) if location else None
    if location is None or source is None:
        return location
    start = source.offset(location)
    found = _word(name).search(source.text, start, _end_of_form(source.text, start))
    if found is None and expanded:
        return location
    if found is None:
        # a name alone on the top level has no form around it that knows a place
        for found in _word(name).finditer(source.text, start):
            if not _operators_around(source.text, found.start()):
                return source.location(found.start())
        return location
    return source.location(found.start())


_TOKEN: Final = re.compile(
    r'"(?:\\.|[^"\\])*"?|;[^\n]*|#\\.[^\s()\[\]]*|#\|.*?\|#|\|[^|]*\||([(\[])|([)\]])', re.S
)
"""What matters to find out how parentheses pair: an opening one, a closing one, what hides them."""


def _end_of_form(text: str, start: int) -> int:
    """Where the form that starts at `start` ends."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[1] or token[2]:
            depth += 1 if token[1] else -1
            if depth <= 0:
                return token.end()
    return len(text)


def _operators_around(text: str, place: int) -> list[tuple[str, int]]:
    """What stands behind the parentheses that are open at `place`, with the offsets of these
    parentheses, the innermost first."""
    open_: list[int] = []
    for token in _TOKEN.finditer(text, 0, place):
        if token[1]:
            open_.append(token.end())
        elif token[2] and open_:
            open_.pop()
    heads = (re.compile(r"[^\s()\[\]\"';]+").match(text, at) for at in reversed(open_))
    return [(head[0], head.start() - 1) for head in heads if head]


def _about_the_call(
    payload: Condition,
    location: Location | None,
    sources: SourceMap,
    last: last_calls.LastCall | None,
) -> str | None:
    """What to look for if a call itself is wrong: `last`, whose place is not known, or the one at
    `location`."""
    message = payload.field(MESSAGE, "message")
    if last is not None:
        if message in (WRONG_VALUES, TOO_FEW_VALUES):
            return None
        name = variable_name(last.procedure) if last.procedure else "what is called here"
        return f"this is about the last call in {name}"
    return _instead_of_call(location, sources) if message == NOT_A_PROCEDURE else None


def _instead_of_call(location: Location | None, sources: SourceMap) -> str | None:
    """What may be meant by the form at `location`, whose operator is no procedure."""
    source = sources.named(location.file) if location else None
    if location is None or source is None or source.library:
        return None
    start = source.offset(location)
    form = source.text[start : _end_of_form(source.text, start)]
    operator = re.match(r"\(\s*([^\s()\[\]'`,;]+)", form)
    if operator is None or "\n" in form:
        return None
    infix = re.fullmatch(r"\((\S+) ([-+*/<>=]|<=|>=) (\S+)\)", form)
    if infix:
        return f"the operator comes first: ({infix[2]} {infix[1]} {infix[3]})"
    if operator[1][0] in '"#' or operator[1][0].isdigit():
        return f"data are quoted, '{form}, or listed, (list{' ' + form[1:]}"
    if form[operator.end() :].strip() == ")":
        return f"without parentheses, {operator[1]} is the variable's value"
    return None


def _suggestion(
    name: str,
    location: Location | None,
    sources: SourceMap,
    bound_names: Callable[[], Iterable[str]],
    exporters: Callable[[str], Sequence[str]],
    advice: Callable[[str], str | None],
) -> tuple[str, str | None, Location | None]:
    """The name that is missing, a hint, and where to look for the name: a form that is not
    imported is taken for a call, and its parts for variables."""
    known = set(bound_names())
    source = sources.named(location.file) if location else None
    candidates = [(name, location)]
    if location is not None and source is not None and not source.library:
        candidates += [
            (operator, source.location(offset))
            for operator, offset in _operators_around(source.text, source.offset(location))
            if operator not in known
        ]
    for candidate, place in candidates:
        found = exporters(candidate)
        if found:
            text = source.text if source is not None else ""
            return candidate, _from_module(candidate, found, text), place
    if location is not None and source is not None:
        line = _defined_below(name, source.text, source.offset(location))
        if line:
            return name, f"its definition, on line {line}, comes after this use", location
    if name.endswith(","):
        return name, f"blanks alone part what is in a list: write {name[:-1]}", location
    for candidate, place in candidates:
        instead = advice(candidate)
        if instead:
            return candidate, instead, place
    # names that start with % or $ are internal ones, or meant by who writes such a name
    sensible = sorted(n for n in known if n != name and (n[0] not in "%$" or n[0] == name[0]))
    near = difflib.get_close_matches(name, sensible, n=3, cutoff=0.7)
    return name, did_you_mean(near), location


def _from_module(name: str, modules: Sequence[str], text: str) -> str:
    """What to do about `name` in the program `text`: some of `modules` export it."""
    for module in modules:
        for found in re.finditer(r"\((?:use-modules|import)(?=\s)|#:use-module\s+", text):
            start = found.start() if found[0][0] == "(" else found.end()
            form = text[start : _end_of_form(text, start)]
            if module not in form:
                continue
            if re.search(rf"\((?:only |except |prefix |rename )?{re.escape(module)}[^()]", form):
                return f"{module} exports {name}, which is not among what is imported of it"
            return f"{module} exports {name}, but has not defined it by now"
    return f"{modules[0]} exports {name}: add (use-modules {modules[0]})"


def _defined_below(name: str, text: str, start: int) -> int | None:
    """The line behind `start` on which a definition of `name` begins on the top level."""
    definition = re.compile(rf"^\(define[^\s()]*\s+\(*{re.escape(name)}(?=[\s()])", re.M)
    found = definition.search(text, start)
    return text.count("\n", 0, found.start()) + 1 if found else None
