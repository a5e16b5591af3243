"""The state of code generation: where output goes, what names mean, where in the source we are.

One place makes Python `ast` nodes, so that no node is without its position.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias, TypeVar

from lang.analyse import Analysis, Function, Loop
from lang.data import NIL, UNDEFINED, UNSPECIFIED, Char, Keyword, Symbol
from lang.ir import Call, Const, GRef, LRef, Node, Var
from lang.sources import LINES, Source

LOAD: Final = ast.Load()
STORE: Final = ast.Store()
IS: Final = ast.Is()
IS_NOT: Final = ast.IsNot()
UNUSABLE: Final = frozenset({"None", "True", "False", "__debug__"})
DEEPEST_EXPRESSION: Final = 40
"""Expressions nested deeper are cut by temporaries: Python's compiler recurses in C."""


class View:
    """What a loop knows about a string or vector that stays the same in it.

    `length` is the Python variable with its length, -1 if it is of another type; `items` the one
    that holds what can be indexed. `certain`: it is of that type.
    """

    __slots__ = ("certain", "items", "length")

    def __init__(self, items: str, length: str, certain: bool) -> None:
        self.items = items
        self.length = length
        self.certain = certain


Path: TypeAlias = tuple[str, Var, int]
"""An accessor such as cadr, a variable, and the number of calls that were written before."""
Located = TypeVar("Located", ast.expr, ast.stmt)
Kind = TypeVar("Kind", bound=ast.AST)


class Destination:
    """What to do with a value: return it, assign it to `name`, or nothing.

    `leaves` means that the innermost `while` loop is left with a `break` afterwards.
    """

    __slots__ = ("action", "leaves", "name")

    def __init__(
        self, action: Literal["return", "assign", "ignore"], name: str = "", leaves: bool = False
    ) -> None:
        self.action = action
        self.name = name
        self.leaves = leaves

    @property
    def final(self) -> bool:
        """Whether control never reaches the statement after."""
        return self.leaves or self.action == "return"


RETURN: Final = Destination("return")
IGNORE: Final = Destination("ignore")


class Frame:
    """The Python function that is being written.

    `top`, in the thunk of a top-level form, names what forces the calls in its tail.
    """

    __slots__ = ("function", "globals", "loops", "nonlocals", "top")

    def __init__(self, function: Function, top: str = "") -> None:
        self.function = function
        self.top = top
        self.nonlocals: dict[str, None] = {}
        self.globals: dict[str, None] = {}
        self.loops: list[tuple[Loop, Destination]] = []


class Emitter:
    """Collects statements for one unit."""

    def __init__(
        self,
        analysis: Analysis,
        source: Source | None,
        included: Callable[[int], Source | None],
    ) -> None:
        self.analysis = analysis
        self.source = source
        self.included = included
        self.others: list[str] = []
        """The files whose lines follow those of `source`; see lang.sources.code_files."""
        self.out: list[ast.stmt] = []
        self.frame: Frame | None = None
        self.constants: dict[str, Any] = {}
        self.pooled: list[Any] = []
        self.pool_names: list[ast.Name] = []
        self.used: dict[str, int] = {}
        self.numbers: set[Var | Path | None] = set(analysis.numbers)
        """Variables and parts of pairs that are numbers wherever the code being written is
        reached. None is never one."""
        self.calls = 0
        """Goes up whenever pairs may be changed from here on."""
        self.views: dict[tuple[Var, str], View] = {}
        """By variable and type ("vector" or "string"): see lang.codegen.invariants."""
        self.late: set[Var] = set()
        """Variables of which it is not plain that they have their value wherever they occur."""
        self.temporaries = 0
        self.depth = 0
        self.line = 1
        self.column = 0

    # -- positions

    @contextmanager
    def at(self, node: Node) -> Iterator[None]:
        """Nodes made inside are at the place of `node`, if it has one."""
        line, column = self.line, self.column
        self.move(node.pos)
        try:
            yield
        finally:
            self.line, self.column = line, column

    def move(self, position: int | None) -> None:
        """Nodes made from now on are at `position`, if a source for it is known."""
        source = self.source
        if position is None or source is None:
            return
        first = 0
        if not source.base <= position <= source.base + len(source.text):
            source = self.included(position)
            if source is None:
                return
            if source.name not in self.others:
                self.others.append(source.name)
            first = (self.others.index(source.name) + 1) * LINES
        offset = position - source.base
        line = bisect_right(source.starts, offset)
        self.line = first + line
        self.column = offset - source.starts[line - 1]

    def place(self, node: Located) -> Located:
        """`node` with the current position."""
        node.lineno = node.end_lineno = self.line
        node.col_offset = self.column
        node.end_col_offset = self.column + 1
        return node

    # -- expressions

    def name(self, identifier: str) -> ast.expr:
        """A reference to a Python variable."""
        return self.place(ast.Name(id=identifier, ctx=LOAD))

    def literal(self, value: Any) -> ast.expr:
        """A constant that code objects can hold."""
        return self.place(ast.Constant(value=value))

    def attribute(self, value: ast.expr, attribute: str) -> ast.expr:
        return self.place(ast.Attribute(value=value, attr=attribute, ctx=LOAD))

    def invoke(self, function: ast.expr, arguments: Sequence[ast.expr]) -> ast.expr:
        return self.place(ast.Call(func=function, args=list(arguments), keywords=[]))

    def compare(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.expr:
        return self.place(ast.Compare(left=left, ops=[operator], comparators=[right]))

    def tuple_of(self, items: Sequence[ast.expr]) -> ast.expr:
        return self.place(ast.Tuple(elts=list(items), ctx=LOAD))

    def negate(self, test: ast.expr) -> ast.expr:
        return self.place(ast.UnaryOp(op=ast.Not(), operand=test))

    def either(self, test: ast.expr, yes: ast.expr, no: ast.expr) -> ast.expr:
        return self.place(ast.IfExp(test=test, body=yes, orelse=no))

    def let(self, name: str, value: ast.expr) -> ast.expr:
        """`name := value`"""
        target = ast.Name(id=name, ctx=STORE)
        self.place(target)
        return self.place(ast.NamedExpr(target=target, value=value))

    def all_of(self, tests: Sequence[ast.expr], operator: ast.boolop) -> ast.expr:
        """The tests joined by `and` or `or`, flat."""
        flat: list[ast.expr] = []
        for test in tests:
            if isinstance(test, ast.BoolOp) and type(test.op) is type(operator):
                flat.extend(test.values)
            else:
                flat.append(test)
        return self.place(ast.BoolOp(op=operator, values=flat))

    def forced(self, call: ast.expr, by: str = "$force") -> ast.expr:
        """The value of a call that may give TAIL."""
        pending = self.compare(self.let("$r", call), IS_NOT, self.name("$TAIL"))
        return self.either(pending, self.name("$r"), self.invoke(self.name(by), []))

    # -- statements

    def emit(self, statement: ast.stmt) -> None:
        self.out.append(self.place(statement))

    def assign(self, name: str, value: ast.expr) -> None:
        self.emit(ast.Assign(targets=[self.place(ast.Name(id=name, ctx=STORE))], value=value))

    def assign_all(self, names: Sequence[str], value: ast.expr) -> None:
        """Unpack `value` into variables, all at once."""
        targets: list[ast.expr] = [self.place(ast.Name(id=name, ctx=STORE)) for name in names]
        target = self.place(ast.Tuple(elts=targets, ctx=STORE))
        self.emit(ast.Assign(targets=[target], value=value))

    def assign_attribute(self, value: ast.expr, attribute: str, new: ast.expr) -> None:
        target = self.place(ast.Attribute(value=value, attr=attribute, ctx=STORE))
        self.emit(ast.Assign(targets=[target], value=new))

    def block(self, write: Callable[[], object]) -> list[ast.stmt]:
        """The statements that `write` emits, collected aside; never empty."""
        outer, self.out = self.out, []
        numbers = self.numbers
        self.numbers = set(numbers)
        try:
            write()
            if not self.out:
                self.emit(ast.Pass())
            return self.out
        finally:
            self.out = outer
            self.numbers = numbers

    def aside(self, write: Callable[[], ast.expr]) -> tuple[list[ast.stmt], ast.expr]:
        """The expression that `write` gives and the statements that must run before it."""
        outer, self.out = self.out, []
        try:
            expression = write()
            return self.out, expression
        finally:
            self.out = outer

    def branch(self, write: Callable[[], ast.expr]) -> tuple[list[ast.stmt], ast.expr]:
        """Like `aside`, for what is evaluated on a condition only."""
        numbers = self.numbers
        self.numbers = set(numbers)
        try:
            return self.aside(write)
        finally:
            self.numbers = numbers

    # -- what is known

    def path(self, node: Node) -> Path | None:
        """What `node` stands for if it is a part of the pairs that a variable holds."""
        if type(node) is not Call or type(node.function) is not GRef or len(node.arguments) != 1:
            return None
        operand = node.arguments[0]
        key = node.function.key
        if type(operand) is not LRef or operand.var.mutated or key not in ("car", "cdr", "cadr"):
            return None
        if self.analysis.primitive(node.function) is None:
            return None
        return key, operand.var, self.calls

    # -- names

    def new_name(self, wanted: str) -> str:
        """A Python variable name that nothing in this top-level form uses, like `wanted`.

        A space and a number tell two of the same name apart; no Scheme name has a space.
        """
        base = "_" + wanted if not wanted or wanted[0] in "$'#" else wanted
        while True:
            count = self.used.get(base, 0)
            self.used[base] = count + 1
            name = f"{base} {count}" if count else base
            if name not in self.analysis.keys and name not in UNUSABLE:
                return name

    def bind(self, var: Var) -> str:
        """Choose the Python variable of `var`."""
        var.slot = self.new_name(var.name)
        return var.slot

    def slot(self, var: Var) -> str:
        """The Python variable of `var`, which is bound."""
        assert var.slot is not None, var.name
        return var.slot

    def temporary(self) -> str:
        self.temporaries += 1
        return f"$t{self.temporaries}"

    def read(self, var: Var) -> ast.expr:
        """The value of a local variable."""
        name = self.name(self.slot(var))
        return self.attribute(name, "value") if var in self.analysis.boxed else name

    # -- constants

    def constant(self, value: Any) -> ast.expr:
        """A literal of the program."""
        kind = type(value)
        if kind in (bool, int, float, str, bytes):
            return self.literal(value)
        if value is NIL:
            return self.name("$nil")
        if value is UNSPECIFIED:
            return self.name("$unspecified")
        if value is UNDEFINED:
            return self.name("$undefined")
        if kind is Symbol:
            name = "'" + value.name
        elif kind is Keyword:
            name = "#:" + value.name
        elif kind is Char:
            name = "#\\" + value.value
        else:
            return self.pool(value)
        self.constants[name] = value
        return self.name(name)

    def pool(self, value: Any) -> ast.expr:
        """A constant that gets its name when all of the unit's are known (see `name_pool`)."""
        self.pooled.append(value)
        reference = ast.Name(id="", ctx=LOAD)
        self.pool_names.append(reference)
        return self.place(reference)

    def name_pool(self, prefix: str) -> None:
        """Give the pooled constants names that start with `prefix`."""
        for index, (reference, value) in enumerate(zip(self.pool_names, self.pooled, strict=True)):
            reference.id = f"{prefix}.{index}"
            self.constants[reference.id] = value


def is_simple(node: Node) -> bool:
    """Whether it does not matter when `node` is evaluated."""
    return type(node) is Const or (type(node) is LRef and not node.var.mutated)
