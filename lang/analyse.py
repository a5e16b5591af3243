"""What the code generator has to know about a unit before it writes code.

Five questions are answered, for all top-level forms of a unit together:

- Which named lets are loops: every call of the procedure is in tail position of its own body.
- Which procedures call themselves in tail position, and so are a loop as a whole.
- Which procedures call each other in tail position in a circle (strongly connected components of
  the graph of tail calls): those calls have to be trampolined, all other known ones need not.
- Which procedures may return TAIL ("dirty").
- Which Python function a variable belongs to, and which variables need a box, because a closure
  made inside a loop must see the variable of its own turn.

A "function" below is what becomes one Python function: a Lam, a CaseLam, or a wrapped Letrec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from lang.ir import (
    Call,
    CaseLam,
    Const,
    GDef,
    GRef,
    GSet,
    If,
    Lam,
    Let,
    Letrec,
    LRef,
    LSet,
    Node,
    Seq,
    Var,
)
from lang.normalise import children, normalise

MOST_NESTED_LOOPS: Final = 12
"""Python allows 20 nested loops and try statements in one function."""

Function = Lam | CaseLam


class Loop:
    """A named let that may become a `while` loop: its Letrec, procedure and calls from its body.

    For each call of the loop from its body, `jumps` has the loops that it jumps out of, `turns` the
    arguments of the next turn.
    """

    __slots__ = ("jumps", "lam", "letrec", "possible", "turns", "var")

    def __init__(self, letrec: Letrec, var: Var, lam: Lam, possible: bool = True) -> None:
        self.letrec = letrec
        self.var = var
        self.lam = lam
        self.possible = possible
        self.jumps: list[tuple[Loop, ...]] = []
        self.turns: list[list[Node]] = []

    @property
    def entry(self) -> list[Node]:
        """The arguments of the first turn."""
        assert isinstance(self.letrec.body, Call)
        return self.letrec.body.arguments


class Form:
    """A top-level form: `value` is bound to `key`, if there is one.

    A `thunk` is a Lam without parameters that has to be called for the value: local variables
    would otherwise be global ones.
    """

    __slots__ = ("key", "thunk", "value")

    def __init__(self, key: str | None, value: Node, thunk: bool) -> None:
        self.key = key
        self.value = value
        self.thunk = thunk


class Analysis:
    """The answers. `known` maps global keys to the procedures that they are always bound to.

    `numeric` are procedures that give nothing but numbers, `numbers` variables that hold nothing
    else (both found by lang.numeric).
    """

    __slots__ = (
        "assigned",
        "boxed",
        "component",
        "core",
        "dirty",
        "free",
        "in_loop",
        "keys",
        "known",
        "numbers",
        "numeric",
        "self_loops",
        "uses",
        "wrapped",
    )

    def __init__(self, core: Mapping[str, object]) -> None:
        self.core = core
        self.known: dict[str, Lam] = {}
        self.assigned: set[str] = set()
        self.keys: set[str] = set()
        self.self_loops: set[Function] = set()
        self.dirty: set[Function] = set()
        self.component: dict[Function, int] = {}
        self.wrapped: dict[Letrec, Lam] = {}
        self.free: dict[Function, dict[Var, None]] = {}
        self.in_loop: set[Var] = set()
        self.boxed: set[Var] = set()
        self.uses: dict[Var, int] = {}
        self.numeric: set[Lam] = set()
        self.numbers: set[Var] = set()

    def primitive(self, node: Node) -> Callable[..., object] | None:
        """The core procedure that `node` names, if the unit leaves that name alone."""
        if type(node) is GRef and node.key not in self.assigned:
            value = self.core.get(node.key)
            if callable(value):
                return value
        return None

    def procedure(self, node: Node) -> Lam | None:
        """The Lam that `node` is always bound to, if that is known."""
        if type(node) is LRef:
            return node.var.procedure
        if type(node) is GRef:
            return self.known.get(node.key)
        return None

    def loop(self, node: Node) -> Loop | None:
        """The loop that a call of `node` continues, if it is one."""
        if type(node) is LRef:
            found: Loop | None = node.var.loop
            return found
        return None

    def trampolined(self, caller: Function, callee: Lam) -> bool:
        """Whether a tail call between two known procedures may be one of endlessly many."""
        return caller is callee or self.component.get(caller) == self.component.get(callee)

    def may_return_tail(self, node: Node) -> bool:
        """Whether calling `node` can give TAIL, which has to be forced."""
        primitive = self.primitive(node)
        if primitive is not None:
            return getattr(primitive, "tail_calls", False)
        procedure = self.procedure(node)
        return procedure is None or procedure in self.dirty


def analyse(nodes: Sequence[Node], core: Mapping[str, object]) -> tuple[list[Form], Analysis]:
    """Normalise the top-level forms and answer the questions above. Vars are annotated in place."""
    plain = [normalise(node) for node in nodes]
    analysis = Analysis(core)
    loops = _Loops(analysis)
    for node in plain:
        loops.visit(node, ())
    loops.settle()
    for key in analysis.assigned:
        analysis.known.pop(key, None)
    forms = [_form(node) for node in plain]
    calls = _TailCalls(analysis)
    for form in forms:
        calls.visit(form.value, None, False, ())
    calls.settle()
    scopes = _Scopes(analysis)
    for form in forms:
        scopes.visit(form.value, None, False)
    return forms, analysis


def _form(node: Node) -> Form:
    key, value = (node.key, node.value) if type(node) is GDef else (None, node)
    if type(value) in (Const, GRef) or (key is not None and type(value) in (Lam, CaseLam)):
        return Form(key, value, False)
    return Form(key, Lam([], None, value, pos=node.pos), True)


def has_simple_parameters(lam: Lam) -> bool:
    """Whether all parameters are required."""
    return not (lam.rest or lam.optional or lam.keys)


def binds(lam: Lam) -> list[Var]:
    """All variables that the parameters of `lam` bind."""
    rest = [lam.rest] if lam.rest else []
    return [*lam.params, *(v for v, _ in lam.optional), *rest, *(v for _, v, _ in lam.keys)]


class _Loops:
    """First pass: named lets, uses of names, procedures that names are bound to."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.loops: list[Loop] = []
        self.defined: set[str] = set()

    def visit(self, node: Node, around: tuple[Loop, ...]) -> None:
        """`around` are the loops in whose body `node` is in tail position, outermost first."""
        analysis = self.analysis
        match node:
            case LRef(var=var):
                analysis.uses[var] = analysis.uses.get(var, 0) + 1
                if var.loop:
                    var.loop.possible = False
            case GRef(key=key):
                analysis.keys.add(key)
            case If(test=test, consequent=consequent, alternative=alternative):
                self.visit(test, ())
                self.visit(consequent, around)
                self.visit(alternative, around)
            case Seq(nodes=nodes):
                for inner in nodes[:-1]:
                    self.visit(inner, ())
                self.visit(nodes[-1], around)
            case Call():
                self.call(node, around)
            case Let() | Letrec():
                self.bindings(node, around)
            case GDef(key=key, value=value):
                analysis.keys.add(key)
                if key in self.defined or key in analysis.core:
                    analysis.assigned.add(key)
                self.defined.add(key)
                if type(value) is Lam:
                    analysis.known[key] = value
                self.visit(value, ())
            case _:
                if isinstance(node, GSet):
                    analysis.keys.add(node.key)
                    analysis.assigned.add(node.key)
                for inner in children(node):
                    self.visit(inner, ())

    def bindings(self, node: Let | Letrec, around: tuple[Loop, ...]) -> None:
        for var, init in zip(node.vars, node.inits, strict=True):
            if type(init) is Lam and not var.mutated:
                var.procedure = init
        loop = _candidate(node)
        if loop:
            self.loops.append(loop)
            loop.var.loop = loop
            for argument in loop.entry:
                self.visit(argument, ())
            self.visit(loop.lam.body, (*around, loop))
            return
        for init in node.inits:
            self.visit(init, ())
        self.visit(node.body, around)

    def call(self, node: Call, around: tuple[Loop, ...]) -> None:
        loop = self.analysis.loop(node.function)
        if loop is None:
            self.visit(node.function, ())
        elif loop in around and len(node.arguments) == len(loop.lam.params):
            loop.jumps.append(around[around.index(loop) + 1 :])
            loop.turns.append(node.arguments)
        else:
            loop.possible = False
        for argument in node.arguments:
            self.visit(argument, ())

    def settle(self) -> None:
        """A loop that is jumped to from inside a loop that is none is none itself."""
        changed = True
        while changed:
            changed = False
            for loop in self.loops:
                if loop.possible and any(
                    len(jump) > 1 or not all(inner.possible for inner in jump)
                    for jump in loop.jumps
                ):
                    loop.possible = False
                    changed = True
        for loop in self.loops:
            if not loop.possible:
                loop.var.loop = None


def _candidate(node: Let | Letrec) -> Loop | None:
    """The loop that `node` would be if all calls of its procedure were tail calls."""
    if type(node) is not Letrec or len(node.vars) != 1:
        return None
    var, lam, body = node.vars[0], node.inits[0], node.body
    if (
        type(lam) is Lam
        and not var.mutated
        and has_simple_parameters(lam)
        and type(body) is Call
        and type(body.function) is LRef
        and body.function.var is var
        and len(body.arguments) == len(lam.params)
    ):
        return Loop(node, var, lam)
    return None


def loop_of(node: Node) -> Loop | None:
    """The loop that `node` is, after analysis."""
    if type(node) is Letrec:
        found: Loop | None = node.vars[0].loop if node.vars else None
        return found
    return None


class _TailCalls:
    """Second pass: the graph of tail calls, and what follows from its components."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.edges: dict[Function, dict[Lam, None]] = {}

    def visit(
        self, node: Node, inside: Function | None, tail: bool, loops: tuple[Loop, ...]
    ) -> None:
        """`loops` are the `while` loops of the function `inside` that `node` ends a turn of."""
        match node:
            case If(test=test, consequent=consequent, alternative=alternative):
                self.visit(test, inside, False, ())
                self.visit(consequent, inside, tail, loops)
                self.visit(alternative, inside, tail, loops)
            case Seq(nodes=nodes):
                for inner in nodes[:-1]:
                    self.visit(inner, inside, False, ())
                self.visit(nodes[-1], inside, tail, loops)
            case Let(inits=inits, body=body):
                for init in inits:
                    self.visit(init, inside, False, ())
                self.visit(body, inside, tail, loops)
            case Letrec():
                self.letrec(node, inside, tail, loops)
            case Lam():
                self.lam(node)
            case CaseLam(clauses=clauses):
                self.edges[node] = {}
                for clause in clauses:
                    if has_fixed_clause(clause):
                        self.visit(clause.body, node, True, ())
                    else:
                        self.lam(clause)
                        self.edges[node][clause] = None
            case Call():
                for inner in children(node):
                    self.visit(inner, inside, False, ())
                if tail and inside:
                    self.tail_call(node, inside, loops)
            case _:
                for inner in children(node):
                    self.visit(inner, inside, False, ())

    def lam(self, lam: Lam) -> None:
        self.edges[lam] = {}
        for _, default in lam.optional:
            self.visit(default, lam, False, ())
        for _, _, default in lam.keys:
            self.visit(default, lam, False, ())
        self.visit(lam.body, lam, True, ())

    def letrec(
        self, node: Letrec, inside: Function | None, tail: bool, loops: tuple[Loop, ...]
    ) -> None:
        loop = loop_of(node)
        if loop is None:
            for init in node.inits:
                self.visit(init, inside, False, ())
            self.visit(node.body, inside, tail, loops)
            return
        for argument in loop.entry:
            self.visit(argument, inside, False, ())
        jumped_out_to = any(jump for jump in loop.jumps)
        if (not tail and jumped_out_to) or len(loops) >= MOST_NESTED_LOOPS:
            # a jump out of an inner loop is a `break`, which works only if nothing comes after
            wrapper = Lam([], None, node, loop.var.name, pos=node.pos)
            self.analysis.wrapped[node] = wrapper
            self.edges[wrapper] = {}
            if tail and inside:
                self.edges[inside][wrapper] = None
            self.visit(loop.lam.body, wrapper, True, (loop,))
        else:
            self.visit(loop.lam.body, inside, tail, (*loops, loop))

    def tail_call(self, node: Call, inside: Function, loops: tuple[Loop, ...]) -> None:
        analysis = self.analysis
        if analysis.loop(node.function):
            return
        primitive = analysis.primitive(node.function)
        callee = analysis.procedure(node.function)
        if primitive is not None:
            if getattr(primitive, "tail_calls", False):
                analysis.dirty.add(inside)
        elif callee is None:
            analysis.dirty.add(inside)
        elif callee is inside:
            fits = has_simple_parameters(callee) and len(node.arguments) == len(callee.params)
            if fits and len(loops) <= 1:
                analysis.self_loops.add(inside)
            else:
                analysis.dirty.add(inside)
        else:
            self.edges[inside][callee] = None

    def settle(self) -> None:
        """Number the components; spread dirt against the direction of calls."""
        analysis = self.analysis
        analysis.component = _components(self.edges)
        component = analysis.component
        callers: dict[Function, list[Function]] = {}
        for caller, callees in self.edges.items():
            for callee in callees:
                callers.setdefault(callee, []).append(caller)
                if component[caller] == component[callee]:
                    analysis.dirty.add(caller)
        waiting = list(analysis.dirty)
        while waiting:
            for caller in callers.get(waiting.pop(), ()):
                if caller not in analysis.dirty:
                    analysis.dirty.add(caller)
                    waiting.append(caller)


def has_fixed_clause(clause: Lam) -> bool:
    """Whether a clause of case-lambda is written into the dispatching function itself."""
    return not (clause.optional or clause.keys)


def _components(edges: Mapping[Function, Iterable[Function]]) -> dict[Function, int]:
    """The number of the strongly connected component of every node (Tarjan, without recursion)."""
    index: dict[Function, int] = {}
    low: dict[Function, int] = {}
    component: dict[Function, int] = {}
    stack: list[Function] = []
    for root in edges:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        work = [(root, iter(edges.get(root, ())))]
        while work:
            node, successors = work[-1]
            for successor in successors:
                if successor not in index:
                    index[successor] = low[successor] = len(index)
                    stack.append(successor)
                    work.append((successor, iter(edges.get(successor, ()))))
                    break
                if successor not in component:
                    low[node] = min(low[node], index[successor])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    while True:
                        member = stack.pop()
                        component[member] = index[node]
                        if member is node:
                            break
    return component


class _Scopes:
    """Third pass: owners, free variables and boxes."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.parent: dict[Function, Function | None] = {}
        self.late: set[Var] = set()

    def bind(self, var: Var, owner: Function | None, in_loop: bool) -> None:
        var.owner = owner
        if in_loop:
            self.analysis.in_loop.add(var)

    def refer(self, var: Var, inside: Function | None) -> None:
        if var.owner is inside:
            return
        var.captured = True
        function = inside
        while function is not None and function is not var.owner:
            self.analysis.free.setdefault(function, {})[var] = None
            function = self.parent[function]
        # a letrec variable can be captured before it has its value
        if var in self.analysis.in_loop and (var.mutated or var in self.late):
            self.analysis.boxed.add(var)

    def visit(self, node: Node, inside: Function | None, in_loop: bool) -> None:
        match node:
            case LRef(var=var):
                self.refer(var, inside)
            case LSet(var=var, value=value):
                self.refer(var, inside)
                self.visit(value, inside, in_loop)
            case Let(vars=variables, inits=inits, body=body):
                for init in inits:
                    self.visit(init, inside, in_loop)
                for var in variables:
                    self.bind(var, inside, in_loop)
                self.visit(body, inside, in_loop)
            case Letrec():
                self.letrec(node, inside, in_loop)
            case Lam():
                self.lam(node, inside)
            case CaseLam(clauses=clauses):
                self.parent[node] = inside
                for clause in clauses:
                    if has_fixed_clause(clause):
                        for var in binds(clause):
                            self.bind(var, node, False)
                        self.visit(clause.body, node, False)
                    else:
                        self.lam(clause, node)
            case _:
                for inner in children(node):
                    self.visit(inner, inside, in_loop)

    def lam(self, lam: Lam, inside: Function | None) -> None:
        self.parent[lam] = inside
        in_loop = lam in self.analysis.self_loops
        for var in binds(lam):
            self.bind(var, lam, in_loop)
        for inner in children(lam):
            self.visit(inner, lam, in_loop)

    def letrec(self, node: Letrec, inside: Function | None, in_loop: bool) -> None:
        loop = loop_of(node)
        if loop is None:
            for var in node.vars:
                self.bind(var, inside, in_loop)
            if len(node.vars) > 1 or type(node.inits[0]) is not Lam:
                self.late.update(node.vars)
            for init in node.inits:
                self.visit(init, inside, in_loop)
            self.visit(node.body, inside, in_loop)
            return
        wrapper = self.analysis.wrapped.get(node)
        if wrapper is not None:
            self.parent[wrapper] = inside
            inside = wrapper
        for argument in loop.entry:
            self.visit(argument, inside, in_loop and wrapper is None)
        for var in loop.lam.params:
            self.bind(var, inside, True)
        self.visit(loop.lam.body, inside, True)
