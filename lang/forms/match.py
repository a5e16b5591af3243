"""(ice-9 match): pattern matching, compiled straight to core nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lang.data import NIL, Pair, python_list, scheme_list
from lang.expand import call_core, expand, expand_body, parts, seq, special, unspecified
from lang.forms.match_patterns import ELLIPSES, is_counter, quasi_pattern, repetition, variables
from lang.ir import Call, Const, If, Lam, Let, Letrec, LRef, LSet, Node, Seq, Var
from lang.syntax import Env, Identifier, base, is_identifier, show, strip, syntax_error

MATCH: Final = ("ice-9", "match")

Continue = Callable[[], Node]


class _Place:
    """Where a value was found, for (get! name) and (set! name)."""

    __slots__ = ("get", "set")

    def __init__(self, get: Callable[[], Node], set: Callable[[Node], Node]) -> None:
        self.get = get
        self.set = set


class _Clause:
    """Compiles the pattern of one clause. `scope` collects the pattern variables."""

    def __init__(self, env: Env, fail: Continue) -> None:
        self.scope = Env(env)
        self.fail = fail
        self.copied = False
        """Is what is matched a list that was made of a vector?"""

    def match(self, pattern: Any, subject: Var, succeed: Continue, place: _Place | None) -> Node:
        """The node that goes on with `succeed` where `subject` fits, else with `fail`."""
        if is_identifier(pattern):
            return self._variable(pattern, subject, succeed)
        if pattern is NIL:
            return If(call_core("null?", LRef(subject)), succeed(), self.fail())
        if type(pattern) is list:
            return self._vector(pattern, subject, succeed)
        if type(pattern) is not Pair:
            return self._equal(Const(pattern), subject, succeed)
        if is_identifier(pattern.car):
            name = base(pattern.car).name
            operands = python_list(pattern.cdr)
            match name:
                case "quote" if len(operands) == 1:
                    return self._equal(Const(strip(operands[0])), subject, succeed)
                case "quasiquote" if len(operands) == 1:
                    return self.match(quasi_pattern(operands[0]), subject, succeed, place)
                case "?" if operands:
                    test = Call(expand(operands[0], self.scope), [LRef(subject)], pos=pattern.pos)
                    return If(test, self._all(operands[1:], subject, succeed, place), self.fail())
                case "=" if len(operands) == 2:
                    value = Var("field")
                    got = Call(expand(operands[0], self.scope), [LRef(subject)], pos=pattern.pos)
                    return Let([value], [got], self.match(operands[1], value, succeed, None))
                case "and":
                    return self._all(operands, subject, succeed, place)
                case "or":
                    return self._any(operands, subject, succeed, place)
                case "not" if operands:
                    return self._none(operands, subject, succeed, place)
                case "$" | "struct" if operands:
                    return self._record(operands[0], operands[1:], subject, succeed)
                case "@" | "object" if operands:
                    return self._fields(operands[0], operands[1:], pattern, subject, succeed)
                case "set!" | "get!" if len(operands) == 1 and is_identifier(operands[0]):
                    return self._accessor(name, operands[0], pattern, succeed, place)
                case "unquote":
                    syntax_error("match: , stands inside a quasiquote pattern only", pattern)
        if type(pattern.cdr) is Pair and is_identifier(pattern.cdr.car):
            following = base(pattern.cdr.car).name
            if following == "***" and type(pattern.cdr.cdr) is Pair:
                return self._tree(pattern, subject, succeed)
            counts = repetition(following, pattern)
            if counts is not None:
                return self._repeated(pattern, counts, subject, succeed)
        return self._pair(pattern, subject, succeed)

    def _variable(self, id: Identifier, subject: Var, succeed: Continue) -> Node:
        if base(id).name == "_":
            return succeed()
        if base(id).name in ELLIPSES:
            syntax_error("match: an ellipsis must follow a pattern")
        known = self.scope.table.get(id)
        if type(known) is Var:
            return self._equal(LRef(known), subject, succeed)
        var = self.scope.table[id] = Var(id.name)
        return Let([var], [LRef(subject)], succeed())

    def _equal(self, value: Node, subject: Var, succeed: Continue) -> Node:
        test = "equal?"
        if type(value) is Const and (is_identifier(value.value) or value.value in (True, False)):
            test = "eq?"
        if type(value) is Const and value.value is NIL:
            return If(call_core("null?", LRef(subject)), succeed(), self.fail())
        return If(call_core(test, LRef(subject), value), succeed(), self.fail())

    def _pair(self, pattern: Pair, subject: Var, succeed: Continue) -> Node:
        first, rest = Var("first"), Var("rest")

        def then() -> Node:
            return self.match(pattern.cdr, rest, succeed, _place("cdr", subject))

        inner = self.match(pattern.car, first, then, _place("car", subject))
        inits: list[Node] = [call_core("car", LRef(subject)), call_core("cdr", LRef(subject))]
        test = call_core("pair?", LRef(subject))
        return If(test, Let([first, rest], inits, inner), self.fail())

    def _vector(self, pattern: list[Any], subject: Var, succeed: Continue) -> Node:
        vector = call_core("vector?", LRef(subject))
        if not any(is_identifier(item) and is_counter(base(item).name) for item in pattern):
            length = call_core("vector-length", LRef(subject))
            fits = call_core("=", length, Const(len(pattern)))
            inner = self._elements(pattern, subject, succeed, "vector-ref", "vector-set!")
            return If(If(vector, fits, Const(False)), inner, self.fail())
        items = Var("items")
        outer, self.copied = self.copied, True

        def then() -> Node:
            self.copied = outer
            return succeed()

        inner = self.match(scheme_list(pattern), items, then, None)
        listed = Let([items], [call_core("vector->list", LRef(subject))], inner)
        self.copied = outer
        return If(vector, listed, self.fail())

    def _elements(
        self, patterns: list[Any], subject: Var, succeed: Continue, get: str, put: str
    ) -> Node:
        """`patterns` on the parts of `subject` that procedures of a number get and put."""

        def element(index: int) -> Node:
            if index == len(patterns):
                return succeed()
            value = Var("element")
            place = _Place(
                lambda: call_core(get, LRef(subject), Const(index)),
                lambda new: call_core(put, LRef(subject), Const(index), new),
            )
            inner = self.match(patterns[index], value, lambda: element(index + 1), place)
            return Let([value], [place.get()], inner)

        return element(0)

    def _all(
        self, patterns: list[Any], subject: Var, succeed: Continue, place: _Place | None
    ) -> Node:
        if not patterns:
            return succeed()
        return self.match(
            patterns[0],
            subject,
            lambda: self._all(patterns[1:], subject, succeed, place),
            place,
        )

    def _any(
        self, patterns: list[Any], subject: Var, succeed: Continue, place: _Place | None
    ) -> Node:
        """Each alternative calls one procedure of all variables that the alternatives bind."""
        ids: list[Identifier] = []
        for pattern in patterns:
            for id in variables(pattern):
                if id not in ids and type(self.scope.table.get(id)) is not Var:
                    ids.append(id)
        outer = dict(self.scope.table)
        done = Var("matched")
        node = self.fail()
        for pattern in reversed(patterns):
            otherwise = Var("next")
            alternative = _Clause(self.scope, _caller(otherwise))
            alternative.scope.table.update(outer)

            def found(scope: Env = alternative.scope) -> Node:
                bound = [scope.table.get(id) for id in ids]
                return Call(
                    LRef(done), [LRef(b) if type(b) is Var else Const(False) for b in bound]
                )

            tried = alternative.match(pattern, subject, found, place)
            node = Let([otherwise], [Lam([], None, node, "next")], tried)
        params = [Var(id.name) for id in ids]
        self.scope.table.update(zip(ids, params, strict=True))
        return Let([done], [Lam(params, None, succeed(), "matched")], node)

    def _none(
        self, patterns: list[Any], subject: Var, succeed: Continue, place: _Place | None
    ) -> Node:
        node = succeed()
        for pattern in reversed(patterns):
            otherwise = Var("next")
            refused = _Clause(self.scope, _caller(otherwise))
            tried = refused.match(pattern, subject, self.fail, place)
            node = Let([otherwise], [Lam([], None, node, "next")], tried)
        return node

    def _record(self, type_: Any, patterns: list[Any], subject: Var, succeed: Continue) -> Node:
        rtd = expand(type_, self.scope)
        test = call_core("%record-is", LRef(subject), rtd, Const(len(patterns)))
        inner = self._elements(patterns, subject, succeed, "%field", "struct-set!")
        return If(test, inner, self.fail())

    def _fields(
        self, type_: Any, patterns: list[Any], form: Pair, subject: Var, succeed: Continue
    ) -> Node:
        def field(index: int) -> Node:
            if index == len(patterns):
                return succeed()
            items = python_list(patterns[index])
            if len(items) != 2 or not is_identifier(items[0]):
                syntax_error("match: a field pattern is (field pattern)", form)
            value = Var("field")
            rtd = expand(type_, self.scope)
            got = call_core("%field-named", LRef(subject), rtd, Const(base(items[0])))
            inner = self.match(items[1], value, lambda: field(index + 1), None)
            return Let([value], [got], inner)

        test = call_core("%record-is", LRef(subject), expand(type_, self.scope), Const(0))
        return If(test, field(0), self.fail())

    def _accessor(
        self, name: str, id: Identifier, form: Pair, succeed: Continue, place: _Place | None
    ) -> Node:
        if place is None or self.copied:
            syntax_error(
                f"match: ({name} {id.name}) must stand for an element of a pair, a record, or a "
                "vector without ...",
                form,
            )
        var = self.scope.table[id] = Var(id.name)
        value = Var("value")
        if name == "get!":
            procedure = Lam([], None, place.get(), id.name)
        else:
            procedure = Lam([value], None, place.set(LRef(value)), id.name)
        return Let([var], [procedure], succeed())

    def _repeated(
        self, pattern: Pair, counts: tuple[int, int | None, int], subject: Var, succeed: Continue
    ) -> Node:
        """(item ... after . tail): at least, at most; how many elements the counter takes."""
        least, most, width = counts
        item = pattern.car
        tail = pattern.cdr
        for _ in range(width):
            tail = tail.cdr
        needed = 0
        after = tail
        while type(after) is Pair:
            needed += 1
            after = after.cdr
        if tail is NIL and is_identifier(item) and least == 0 and most is None:
            if type(self.scope.table.get(item)) is not Var:
                matched = self._variable(item, subject, succeed)
                return If(call_core("list?", LRef(subject)), matched, self.fail())
        ids = list(dict.fromkeys(variables(item)))
        loop, rest, count, element = Var("loop"), Var("rest"), Var("count"), Var("item")
        collected = [Var(id.name) for id in ids]
        inner = _Clause(self.scope, self.fail)

        def again() -> Node:
            grown: list[Node] = []
            for id, acc in zip(ids, collected, strict=True):
                var = inner.scope.table.get(id)
                assert type(var) is Var
                grown.append(call_core("cons", LRef(var), LRef(acc)))
            fewer = call_core("-", LRef(count), Const(1))
            return Call(LRef(loop), [call_core("cdr", LRef(rest)), fewer, *grown])

        step = Let(
            [element],
            [call_core("car", LRef(rest))],
            inner.match(item, element, again, _place("car", rest)),
        )
        results = [Var(id.name) for id in ids]
        self.scope.table.update(zip(ids, results, strict=True))
        finished = self.match(tail, rest, succeed, None)
        if results:
            reversed_ = [call_core("reverse", LRef(acc)) for acc in collected]
            finished = Let(results, [*reversed_], finished)
        body = If(call_core("=", LRef(count), Const(0)), finished, step)
        lam = Lam([rest, count, *collected], None, body, "loop")
        total = Var("count")
        start: Node = Letrec(
            [loop],
            [lam],
            Call(LRef(loop), [LRef(subject), LRef(total), *(Const(NIL) for _ in ids)]),
        )
        if most is not None:
            fits = call_core("<=", LRef(total), Const(most))
            start = If(fits, start, self.fail())
        start = If(call_core("<", LRef(total), Const(least)), self.fail(), start)
        length = call_core("%match-length", LRef(subject), Const(needed))
        return Let([total], [length], start)

    def _tree(self, pattern: Pair, subject: Var, succeed: Continue) -> Node:
        """(head *** pattern): what head binds are lists, of the path of heads down to a part that
        fits."""
        search, part, found = Var("search"), Var("part"), Var("found")
        down, rest, walk = Var("down"), Var("rest"), Var("walk")
        heads = list(dict.fromkeys(variables(pattern.car)))
        ids = list(variables(pattern.cdr.cdr.car))
        paths = [Var(id.name) for id in heads]
        inner = _Clause(self.scope, lambda: Call(LRef(down), []))
        along = _Clause(self.scope, lambda: Const(False))

        def bound(clause: _Clause, names: list[Identifier]) -> list[Node]:
            known = [clause.scope.table.get(id) for id in names]
            return [LRef(var) for var in known if type(var) is Var]

        def hit() -> Node:
            reversed_ = [call_core("reverse", LRef(path)) for path in paths]
            return call_core("list", *reversed_, *bound(inner, ids))

        def deeper() -> Node:
            values = zip(bound(along, heads), paths, strict=True)
            longer = [call_core("cons", value, LRef(path)) for value, path in values]
            into = Call(LRef(search), [call_core("car", LRef(rest)), *longer])
            on = Call(LRef(walk), [call_core("cdr", LRef(rest))])
            step = Let([found], [into], If(LRef(found), LRef(found), on))
            body = If(call_core("pair?", LRef(rest)), step, Const(False))
            start = Call(LRef(walk), [call_core("cdr", LRef(part))])
            return Letrec([walk], [Lam([rest], None, body, "walk")], start)

        tried = inner.match(pattern.cdr.cdr.car, part, hit, None)
        head = Var("head")
        entered = along.match(pattern.car, head, deeper, None)
        entered = Let([head], [call_core("car", LRef(part))], entered)
        below = If(call_core("pair?", LRef(part)), entered, Const(False))
        body = Let([down], [Lam([], None, below, "down")], tried)
        values = Var("values")
        targets = [Var(id.name) for id in (*heads, *ids)]
        self.scope.table.update(zip((*heads, *ids), targets, strict=True))
        parts_ = [call_core("list-ref", LRef(values), Const(i)) for i in range(len(targets))]
        success = If(LRef(values), Let([*targets], [*parts_], succeed()), self.fail())
        start = Call(LRef(search), [LRef(subject), *(Const(NIL) for _ in paths)])
        return Letrec(
            [search],
            [Lam([part, *paths], None, body, "search")],
            Let([values], [start], success),
        )


def _caller(procedure: Var) -> Continue:
    return lambda: Call(LRef(procedure), [])


def _place(part: str, pair: Var) -> _Place:
    return _Place(
        lambda: call_core(part, LRef(pair)),
        lambda value: call_core(f"set-{part}!", LRef(pair), value),
    )


# ---------------------------------------------------------------- the forms


def match_node(subject: Var, clauses: list[Any], env: Env, x: Pair) -> Node:
    """The first clause that fits `subject`, else an error."""
    node: Node = call_core("%match-error", LRef(subject), pos=x.pos)
    for clause in reversed(clauses):
        items = python_list(clause)
        if len(items) < 2:
            syntax_error(
                f"a match clause is (pattern expression ...), not {show(clause)}",
                clause if type(clause) is Pair else x,
            )
        node = _clause_node(clause, items[0], items[1:], subject, env, node)
    return node


def _clause_node(
    clause: Pair, pattern: Any, forms: list[Any], subject: Var, env: Env, otherwise: Node
) -> Node:
    following = Var("next")
    holes: list[Seq] = []

    def fail() -> Node:
        hole = Seq([Call(LRef(following), [])])
        holes.append(hole)
        return hole

    compiler = _Clause(env, fail)
    named = _failure_name(forms[0])
    if named is not None:
        forms = forms[1:]

    def succeed() -> Node:
        if named is not None:
            compiler.scope.table[named] = following
        return expand_body(forms, compiler.scope, clause)

    node = compiler.match(pattern, subject, succeed, None)
    if named is None and len(holes) <= 1:
        # What fails in one place only goes there; otherwise it becomes a procedure.
        for hole in holes:
            hole.nodes = [otherwise]
        return node
    return Let([following], [Lam([], None, otherwise, "next")], node)


def _failure_name(form: Any) -> Identifier | None:
    """The name in (=> name), which is bound to a procedure that tries the next clause."""
    if type(form) is Pair and is_identifier(form.car) and base(form.car).name == "=>":
        if type(form.cdr) is Pair and is_identifier(form.cdr.car):
            return form.cdr.car  # type: ignore[no-any-return]
    return None


@special("match", modules=[MATCH])
def expand_match(x: Pair, env: Env) -> Node:
    """(match expression (pattern expression ...) ...)"""
    operands = parts(x, 1, None, "(match expression (pattern expression ...) ...)")
    subject = Var("subject")
    return Let([subject], [expand(operands[0], env)], match_node(subject, operands[1:], env, x))


@special("match-lambda", modules=[MATCH])
def expand_match_lambda(x: Pair, env: Env) -> Node:
    """(match-lambda (pattern expression ...) ...): a procedure of one argument"""
    subject = Var("subject")
    clauses = parts(x, 0, None, "(match-lambda (pattern expression ...) ...)")
    return Lam([subject], None, match_node(subject, clauses, env, x))


@special("match-lambda*", modules=[MATCH])
def expand_match_lambda_star(x: Pair, env: Env) -> Node:
    """(match-lambda* (pattern expression ...) ...): matches the list of arguments"""
    subject = Var("arguments")
    clauses = parts(x, 0, None, "(match-lambda* (pattern expression ...) ...)")
    return Lam([], subject, match_node(subject, clauses, env, x))


_LET_USAGE: Final = "(match-let ((pattern expression) ...) body ...)"


def _pattern_bindings(x: Pair, clauses: Any) -> list[tuple[Any, Any]]:
    found = []
    for clause in python_list(clauses):
        items = python_list(clause)
        if len(items) != 2:
            syntax_error(
                f"a binding of {show(x.car)} is (pattern expression), not {show(clause)}",
                clause if type(clause) is Pair else x,
                f"it is used as {_LET_USAGE}",
            )
        found.append((items[0], items[1]))
    return found


def _match_each(
    subjects: list[Var], patterns: list[Any], env: Env, x: Pair, succeed: Callable[[Env], Node]
) -> Node:
    """All of `patterns` must fit; `succeed` gets the scope of their variables."""
    failed = Var("failed")
    compiler = _Clause(env, lambda: Call(LRef(failed), []))

    def matched(index: int) -> Node:
        if index == len(patterns):
            return succeed(compiler.scope)
        return compiler.match(patterns[index], subjects[index], lambda: matched(index + 1), None)

    values = call_core("list", *(LRef(subject) for subject in subjects))
    error = Lam([], None, call_core("%match-error", values, pos=x.pos), "failed")
    return Let([failed], [error], matched(0))


@special("match-let", modules=[MATCH])
def expand_match_let(x: Pair, env: Env) -> Node:
    """(match-let ((pattern expression) ...) body ...), also named"""
    operands = parts(x, 2, None, _LET_USAGE)
    name = operands.pop(0) if is_identifier(operands[0]) else None
    found = _pattern_bindings(x, operands[0])
    subjects = [Var("subject") for _ in found]
    inits = [expand(form, env) for _, form in found]
    loop = Var(name.name if name is not None else "loop")
    scope = Env(env)
    if name is not None:
        scope.table[name] = loop
    body = _match_each(
        subjects,
        [pattern for pattern, _ in found],
        scope,
        x,
        lambda inner: expand_body(operands[1:], inner, x),
    )
    if name is not None:
        return Letrec([loop], [Lam(subjects, None, body, loop.name)], Call(LRef(loop), inits))
    return Let(subjects, inits, body) if subjects else body


@special("match-let*", modules=[MATCH])
def expand_match_let_star(x: Pair, env: Env) -> Node:
    """(match-let* ((pattern expression) ...) body ...)"""
    operands = parts(x, 2, None, _LET_USAGE)
    found = _pattern_bindings(x, operands[0])

    def step(index: int, scope: Env) -> Node:
        if index == len(found):
            return expand_body(operands[1:], scope, x)
        subject = Var("subject")
        pattern, form = found[index]
        init = expand(form, scope)
        inner = _match_each([subject], [pattern], scope, x, lambda inner: step(index + 1, inner))
        return Let([subject], [init], inner)

    return step(0, env)


@special("match-letrec", modules=[MATCH])
def expand_match_letrec(x: Pair, env: Env) -> Node:
    """(match-letrec ((pattern expression) ...) body ...)"""
    operands = parts(x, 2, None, _LET_USAGE)
    found = _pattern_bindings(x, operands[0])
    scope = Env(env)
    ids = [id for pattern, _ in found for id in variables(pattern)]
    targets = [Var(id.name, mutated=True) for id in ids]
    scope.table.update(zip(ids, targets, strict=True))
    subjects = [Var("subject") for _ in found]
    inits = [expand(form, scope) for _, form in found]

    def assign(inner: Env) -> Node:
        sets: list[Node] = []
        for id, target in zip(ids, targets, strict=True):
            value = inner.table.get(id)
            assert type(value) is Var
            sets.append(LSet(target, LRef(value)))
        return seq([*sets, unspecified()])

    # A scope of its own, so that the patterns do not see the variables as bound already.
    matched = _match_each(subjects, [pattern for pattern, _ in found], env, x, assign)
    body = Seq([Let(subjects, inits, matched), expand_body(operands[1:], scope, x)])
    return Let(targets, [Const(False) for _ in targets], body)
