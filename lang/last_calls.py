"""Where a tail call that failed stands.

A tail call is made by whoever forces it, so that no frame knows its place. But the procedure that
asked for it is known (see lang.runtime.trampoline), and its code says where such calls are.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Sequence
from itertools import pairwise
from types import CodeType, FunctionType, TracebackType
from typing import Any, Final, NamedTuple

from lang.data import Box
from lang.runtime.native_errors import is_scheme
from lang.runtime.trampoline import force, force_values
from lang.sources import Location, code_place

_FORCING: Final = frozenset({force.__code__, force_values.__code__})
_NULL_FIRST: Final = sys.version_info < (3, 13)
"""Does a call push its NULL before what is called?"""


class LastCall(NamedTuple):
    """A tail call that failed: the name of the procedure that it is in ("": unknown), where it
    stands, if that is known, and whether the call `itself` failed, not what it called."""

    procedure: str
    location: Location | None
    itself: bool


def failed(entries: Sequence[TracebackType], given: int | None) -> LastCall | None:
    """The tail call that failed when `entries`, the outermost first, were running; None if it was
    another call. `given` is its number of arguments, if that is known."""
    for at in reversed(range(len(entries))):
        frame = entries[at].tb_frame
        if frame.f_code in _FORCING:
            itself = at == len(entries) - 1
            procedure = _asker(entries[: at + 1])
            if procedure is None:
                return LastCall("", None, itself)
            places = _places(procedure, frame.f_locals["function"], given)
            if len(places) == 1:
                location, name = places.popitem()
                return LastCall(name, location, itself)
            return LastCall(procedure.__name__, None, itself)
        if is_scheme(frame):
            return None
    return None


def _asker(entries: Sequence[TracebackType]) -> FunctionType | None:
    """The procedure that asked for the call that the last of `entries` makes."""
    found = entries[-1].tb_frame.f_locals["asker"]
    if found is None and len(entries) > 1:
        outer = entries[-2].tb_frame
        compiled = is_scheme(outer)
        found = _forced(entries[-2]) if compiled else outer.f_locals.get("function")
    return found if _is_procedure(found) else None


def _is_procedure(value: Any) -> bool:
    return type(value) is FunctionType and "$TAIL" in value.__globals__


def _forced(entry: TracebackType) -> Any | None:
    """What compiled code had called at the place where it forces the result."""
    frame = entry.tb_frame
    # the caches behind an instruction are a part of it
    before = [made for made in dis.get_instructions(frame.f_code) if made.offset <= entry.tb_lasti]
    name = _called(before)
    value = frame.f_locals.get(name, frame.f_globals.get(name))
    return value.value if type(value) is Box else value


def _called(instructions: Sequence[dis.Instruction]) -> str:
    """The Python variable with what is called where the last of `instructions` stands; "" if it is
    not plain."""
    positions = instructions[-1].positions
    names = set()
    for one, other in pairwise(instructions):
        if one.positions != positions:
            continue
        if one.opname == "LOAD_GLOBAL" and "NULL" in one.argrepr:
            names.add(one.argval)
        elif _NULL_FIRST and one.opname == "PUSH_NULL":
            names.add(other.argval)
        elif not _NULL_FIRST and other.opname == "PUSH_NULL":
            names.add(one.argval)
    called = [name for name in names if isinstance(name, str) and name[:1] != "$"]
    return called[0] if len(called) == 1 else ""


def _places(function: FunctionType, callee: Any, given: int | None) -> dict[Location, str]:
    """Where `function` may call `callee` in its tail with `given` arguments (None: any number),
    and the name of the procedure that the call is in; nothing if not all such places are known."""
    search = _Search(function.__globals__, callee, given)
    search.look((function.__code__,))
    return {} if search.incomplete else search.places


class _Search:
    """Collects the places that a tail call of `callee` with `given` arguments can stand at."""

    def __init__(self, variables: dict[str, Any], callee: Any, given: int | None) -> None:
        self.variables = variables
        self.callee = callee
        self.given = given
        self.places: dict[Location, str] = {}
        self.incomplete = False
        self._seen: set[CodeType] = set()

    def look(self, codes: tuple[CodeType, ...]) -> None:
        """Look in the last of `codes`; the others are those around it."""
        if codes[-1] in self._seen:
            return
        self._seen.add(codes[-1])
        instructions = list(dis.get_instructions(codes[-1]))
        for index, instruction in enumerate(instructions):
            if instruction.opname == "STORE_ATTR" and instruction.argval == "function":
                # behind the operator, the operands, a tuple of these, SWAP and $TAIL
                self._asked(codes[-1], instructions[: index - 2], instruction)
            elif instruction.opname == "RETURN_VALUE" and index:
                if instructions[index - 1].opname in ("CALL", "CALL_FUNCTION_EX"):
                    self._passed_on(codes, instructions[:index])

    def _asked(
        self, code: CodeType, before: Sequence[dis.Instruction], at: dis.Instruction
    ) -> None:
        """A call that whoever forces it makes."""
        made = before[-1]
        if made.opname == "BUILD_TUPLE":
            count = made.arg
        elif isinstance(made.argval, tuple):
            count = len(made.argval)
        else:
            self.incomplete = True
            return
        key = _operator(before)
        known = key is None or self.variables.get(key) is self.callee
        if known and self.given in (None, count):
            self._found(code, at)

    def _found(self, code: CodeType, at: dis.Instruction) -> None:
        line, column = (at.positions.lineno, at.positions.col_offset) if at.positions else (1, 0)
        place = code_place(code.co_filename, line or 1, (column or 0) + 1)
        self.places[place] = code.co_name

    def _passed_on(self, codes: tuple[CodeType, ...], before: Sequence[dis.Instruction]) -> None:
        """A plain call that may ask for one, and whose result is returned."""
        name = _called(before)
        for depth in range(len(codes), 0, -1):
            for constant in codes[depth - 1].co_consts:
                if isinstance(constant, CodeType) and constant.co_name == name:
                    self.look((*codes[:depth], constant))
                    return
        value = self.variables.get(name)
        if isinstance(value, FunctionType) and _is_procedure(value):
            self.look((value.__code__,))
        elif getattr(value, "tail_calls", False):
            self._found(codes[-1], before[-1])
        elif value is None:
            self.incomplete = True


def _operator(before: Sequence[dis.Instruction]) -> str | None:
    """The global variable that is called with the tuple that the last instruction makes; None if
    it is something else."""
    wanted = 2
    for instruction in reversed(before):
        if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
            return None
        wanted -= dis.stack_effect(instruction.opcode, instruction.arg)
        if wanted <= 0:
            is_global = wanted == 0 and instruction.opname == "LOAD_GLOBAL"
            return str(instruction.argval) if is_global else None
    return None
