"""Which procedures of a unit give numbers whenever they give something.

The code generator need not check operands that come from them. A set of procedures is assumed to
give numbers and made smaller until it holds: every expression in tail position is a literal, a
variable that has been calculated with, an arithmetic operation, or a call of one of the set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from lang.analyse import Analysis, Form, has_simple_parameters, loop_of
from lang.ir import Call, Const, GRef, If, Lam, Let, Letrec, LRef, Node, Seq, Var
from lang.normalise import children

ARITHMETIC: Final = frozenset(
    {"+", "-", "*", "modulo", "1+", "1-", "-1+", "=", "<", ">", "<=", ">="}
    | {"zero?", "positive?", "negative?", "even?", "odd?"}
)
"""Core procedures that are written out and take nothing but numbers."""

GIVE_NUMBERS: Final = frozenset(
    {"+", "-", "*", "/", "1+", "1-", "-1+", "modulo", "remainder", "quotient", "abs", "max", "min"}
    | {"gcd", "lcm", "expt", "floor", "ceiling", "round", "truncate", "exact->inexact"}
    | {"floor-quotient", "floor-remainder", "truncate-quotient", "truncate-remainder"}
    | {"length", "string-length", "vector-length", "bytevector-length", "char->integer"}
)
"""Core procedures whose result is a number, if there is one."""


def find_numeric(forms: Sequence[Form], analysis: Analysis) -> None:
    """Put the procedures that give numbers into `analysis.numeric`, variables that hold nothing
    else into `analysis.numbers`."""
    candidates = dict.fromkeys(analysis.known.values())
    given: dict[Var, list[Node]] = {}
    calls: dict[Var, list[Call]] = {}
    uses: dict[Var, int] = {}
    pending: list[Node] = [form.value for form in forms]
    while pending:
        node = pending.pop()
        if isinstance(node, Let | Letrec):
            candidates.update(dict.fromkeys(v.procedure for v in node.vars if v.procedure))
            for var, init in zip(node.vars, node.inits, strict=True):
                given[var] = [init]
        elif type(node) is LRef:
            uses[node.var] = uses.get(node.var, 0) + 1
        elif type(node) is Call and type(node.function) is LRef:
            calls.setdefault(node.function.var, []).append(node)
        pending.extend(children(node))
    analysis.numeric = _that_give_numbers(set(candidates), analysis)
    for var, nodes in calls.items():
        if var.procedure is not None and uses[var] == len(nodes):
            _add_parameters(var.procedure, nodes, given)
    analysis.numbers = _that_hold_numbers(given, analysis)
    if analysis.numbers:
        analysis.numeric = _that_give_numbers(set(candidates), analysis)


def _that_give_numbers(found: set[Lam], analysis: Analysis) -> set[Lam]:
    """Those of the procedures `found` that give numbers if all of the result do."""
    analysis.numeric = found
    changed = True
    while changed:
        wrong = [lam for lam in found if not _gives_number(lam.body, analysis, set())]
        found.difference_update(wrong)
        changed = bool(wrong)
    return found


def _add_parameters(lam: Lam, calls: Sequence[Call], given: dict[Var, list[Node]]) -> None:
    """Add what the parameters of a procedure can be of which all calls are known."""
    if has_simple_parameters(lam) and all(len(node.arguments) == len(lam.params) for node in calls):
        for position, parameter in enumerate(lam.params):
            given[parameter] = [node.arguments[position] for node in calls]


def _that_hold_numbers(given: dict[Var, list[Node]], analysis: Analysis) -> set[Var]:
    """Variables whose values in `given` are numbers if all these variables are."""
    found = analysis.numbers = {var for var in given if not var.mutated}
    changed = True
    while changed:
        wrong = [
            var
            for var in found
            if not all(_gives_number(value, analysis, set()) for value in given[var])
        ]
        found.difference_update(wrong)
        changed = bool(wrong)
    return found


def _gives_number(node: Node, analysis: Analysis, numbers: set[Var]) -> bool:
    """Whether `node` gives a number if the variables `numbers` are some. `numbers` may grow."""
    match node:
        case Const(value=value):
            return type(value) in (int, float)
        case LRef(var=var):
            return var in numbers or var in analysis.numbers
        case If(test=test, consequent=consequent, alternative=alternative):
            known = numbers | set(_calculated_with(test, analysis))
            return _gives_number(consequent, analysis, set(known)) and _gives_number(
                alternative, analysis, known
            )
        case Seq(nodes=nodes):
            for inner in nodes[:-1]:
                numbers.update(_calculated_with(inner, analysis))
            return _gives_number(nodes[-1], analysis, numbers)
        case Let(vars=variables, inits=inits, body=body):
            for var, init in zip(variables, inits, strict=True):
                if not var.mutated and _gives_number(init, analysis, set(numbers)):
                    numbers.add(var)
            return _gives_number(body, analysis, numbers)
        case Letrec(body=body):
            loop = loop_of(node)
            return _gives_number(loop.lam.body if loop else body, analysis, numbers)
        case Call(function=function):
            return gives_number(function, analysis) or analysis.loop(function) is not None
    return False


def gives_number(function: Node, analysis: Analysis) -> bool:
    """Whether every value of the procedure `function` is a number."""
    if type(function) is GRef and function.key in GIVE_NUMBERS:
        return analysis.primitive(function) is not None
    procedure: Lam | None = analysis.procedure(function)
    return procedure in analysis.numeric


def _calculated_with(node: Node, analysis: Analysis) -> Iterable[Var]:
    """Variables that must hold numbers if `node` has been evaluated without an error."""
    if type(node) is not Call or analysis.primitive(node.function) is None:
        return
    arithmetic = type(node.function) is GRef and node.function.key in ARITHMETIC
    for argument in node.arguments:
        if arithmetic and type(argument) is LRef and not argument.var.mutated:
            yield argument.var
        yield from _calculated_with(argument, analysis)
