"""Which packages belong to a set: a deterministic walk along dependencies (Debian Policy 7).

Only each package's best candidate counts, as with APT. What is forced (a group of alternatives with
one member) is followed first; then one open group is decided, the first alternative that can be,
and so on. A decision that leads into a contradiction is forbidden and the walk begins anew, so the
result does not depend on the order in which anything was met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from builders.debian.control import Alternatives, Relation, parse_relations
from builders.debian.index import Index, Package
from builders.debian.version import satisfies
from builders.errors import BuilderError

_PRIORITIES = {"required": 0, "important": 1, "standard": 2, "optional": 3, "extra": 4}
_RESTARTS = 100

_Choice = tuple[str, Alternatives, str]
"""The package that depends, its group of alternatives, the name that was chosen."""


class UnknownPackage(BuilderError):
    """A name that no package has and none provides."""

    def __init__(self, name: str, nearest: tuple[str, ...]) -> None:
        hint = f"did you mean {_or(nearest)}?" if nearest else "is its component among the sources?"
        super().__init__(f"Debian has no package {name!r}", hint=hint)
        self.name = name
        self.nearest = nearest


class AmbiguousPackage(BuilderError):
    """A virtual name that several packages provide."""

    def __init__(self, name: str, providers: tuple[str, ...]) -> None:
        super().__init__(
            f"{name!r} is a virtual package that several packages provide",
            hint=f"name one of them: {_or(providers[:8])}",
        )
        self.providers = providers


class Unsatisfiable(BuilderError):
    """A dependency that nothing can satisfy; `chain` leads to it from what was asked for."""

    def __init__(self, chain: tuple[str, ...], reason: str) -> None:
        steps = " depends on " + ", which depends on ".join(chain[1:])
        super().__init__(
            f"{chain[0]}{steps}, but {reason}",
            hint="the sources may be out of step: update the package lists",
        )
        self.chain = chain
        self.reason = reason


class ConflictingPackages(BuilderError):
    """Two packages of the set exclude each other; the chains say what asked for them."""

    def __init__(
        self, relation: Relation, first_chain: tuple[str, ...], second_chain: tuple[str, ...]
    ) -> None:
        other = second_chain[-1]
        what = str(relation) if relation.name == other else f"{relation}, which is {other}"
        super().__init__(
            f"{first_chain[-1]} conflicts with {what}, but both are needed: "
            f"{_because(first_chain)}, and {_because(second_chain)}",
            hint="leave one of the packages out",
        )
        self.chains = (first_chain, second_chain)


def _because(chain: tuple[str, ...]) -> str:
    return f"{chain[-1]} for {chain[0]}" if len(chain) > 1 else f"{chain[0]} by itself"


def _or(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" or " if len(names) > 1 else "") + names[-1]


def resolve(
    index: Index,
    wanted: Iterable[str],
    *,
    recommends: bool = False,
    essential: bool = True,
    satisfied: frozenset[str] = frozenset(),
) -> tuple[Package, ...]:
    """The packages `wanted` with all that they need, each after what it depends on.

    With `essential`, the Essential packages are included. Dependencies on names in
    `satisfied` are left alone and those packages are not chosen. In a cycle of
    dependencies Pre-Depends and then names decide. Raises UnknownPackage, AmbiguousPackage,
    Unsatisfiable, ConflictingPackages.
    """
    names = sorted(set(wanted) - satisfied)
    roots = list(index.essential()) if essential else []
    forbidden: set[_Choice] = set()
    candidates: dict[Relation, tuple[Package, ...]] = {}
    while True:
        walk = _Walk(index, recommends, satisfied, forbidden, candidates)
        failure = walk.run(roots, names)
        if failure is None:
            return tuple(walk.in_order([*roots, *names]))
        culprit = walk.last_decision(failure)
        if culprit is None or len(forbidden) == _RESTARTS:
            raise failure.error
        forbidden.add(culprit)


@dataclass(slots=True)
class _Failure:
    error: BuilderError
    involved: tuple[str, ...]
    """Names of the selected packages that the contradiction stems from."""


@dataclass(slots=True)
class _Open:
    """A group of alternatives that more than one package can satisfy."""

    owner: Package
    group: Alternatives
    options: tuple[Package, ...]
    optional: bool


@dataclass(slots=True)
class _Walk:
    index: Index
    recommends: bool
    satisfied: frozenset[str]
    forbidden: set[_Choice]
    cache: dict[Relation, tuple[Package, ...]]
    selected: dict[str, Package] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    decisions: dict[str, _Choice] = field(default_factory=dict)
    work: list[Package] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    present: dict[str, list[Package]] = field(default_factory=dict)
    """By each name that selected packages have or provide: these packages."""
    against: dict[str, list[tuple[Package, Relation]]] = field(default_factory=dict)
    """By name: the selected packages that conflict with it, or break it, and how they say so."""

    def run(self, roots: Iterable[str], names: Iterable[str]) -> _Failure | None:
        for name in (*roots, *names):
            self._select(self._named(name), "")
        while self.work or self.open:
            while self.work:
                failure = self._follow(self.work.pop())
                if failure is not None:
                    return failure
            self._decide()
        return self._conflict()

    def _named(self, name: str) -> Package:
        package = self.index.best(name)
        if package is not None:
            return package
        providers = self._satisfying(Relation(name))
        if not providers:
            raise UnknownPackage(name, self.index.nearest(name))
        if len(providers) > 1:
            raise AmbiguousPackage(name, tuple(sorted(one.name for one in providers)))
        return providers[0]

    def _select(self, package: Package, parent: str) -> None:
        if package.name not in self.selected:
            self.selected[package.name] = package
            self.parents[package.name] = parent
            self.work.append(package)
            for name in _names(package):
                self.present.setdefault(name, []).append(package)
            for relation in _enemies(package):
                self.against.setdefault(relation.name, []).append((package, relation))

    def _follow(self, package: Package) -> _Failure | None:
        """Select what `package` forces; keep what leaves a choice."""
        for group, optional in self._groups(package):
            if any(relation.name in self.satisfied for relation in group):
                continue
            options = self._options(package, group)
            if not options:
                if optional:
                    continue
                return self._unsatisfiable(package, group)
            if len(options) == 1 and not optional:
                self._select(options[0], package.name)
            else:
                self.open.append(_Open(package, group, options, optional))
        return None

    def _groups(self, package: Package) -> Iterator[tuple[Alternatives, bool]]:
        for text in (package.pre_depends, package.depends):
            if text:
                for group in parse_relations(text):
                    yield group, False
        if self.recommends and package.recommends:
            for group in parse_relations(package.recommends):
                yield group, True

    def _options(self, package: Package, group: Alternatives) -> tuple[Package, ...]:
        found: dict[str, Package] = {}
        for relation in group:
            for option in self._satisfying(relation):
                if (package.name, group, option.name) not in self.forbidden:
                    found.setdefault(option.name, option)
        return tuple(found.values())

    def _decide(self) -> None:
        """Settle one open group; which one does not depend on the order of discovery."""
        self.open = [
            one for one in self.open if not any(o.name in self.selected for o in one.options)
        ]
        if not self.open:
            return
        # Hard dependencies first: what they bring may satisfy recommendations.
        one = min(self.open, key=lambda one: (one.optional, one.owner.name, one.group))
        self.open.remove(one)
        usable = [option for option in one.options if not self._excluded(option)]
        if not usable and one.optional:
            return
        chosen = (usable or one.options)[0]
        self.decisions[chosen.name] = (one.owner.name, one.group, chosen.name)
        self._select(chosen, one.owner.name)

    def _satisfying(self, relation: Relation) -> tuple[Package, ...]:
        """The packages that satisfy one alternative: the real one, then providers by rank."""
        found = self.cache.get(relation)
        if found is None:
            found = self.cache[relation] = tuple(self._search(relation))
        return found

    def _search(self, relation: Relation) -> Iterator[Package]:
        name, qualifier, operator, version = relation
        real = self.index.best(name)
        foreign = qualifier not in ("", "any", "native") and (
            real is None or real.architecture not in (qualifier, "all")
        )
        if foreign:
            return
        if real is not None and (not operator or satisfies(real.version, operator, version)):
            if qualifier != "any" or real.multi_arch == "allowed" or real.architecture == "all":
                yield real
        providers: list[Package] = []
        for other in self.index.providers(name):
            package = self.index.best(other)
            if package is not None and _provides(package, relation):
                providers.append(package)
        yield from sorted(providers, key=_rank)

    # --- contradictions

    def _excluded(self, package: Package) -> bool:
        """Whether `package` and one that is selected already exclude each other."""
        if any(self._hits(package, relation) for relation in _enemies(package)):
            return True
        return any(
            other.name != package.name and _is(package, relation)
            for name in _names(package)
            for other, relation in self.against.get(name, ())
        )

    def _hits(self, package: Package, relation: Relation) -> list[Package]:
        """The selected packages, other than itself, that a Conflicts or Breaks entry means."""
        return [
            other
            for other in self.present.get(relation.name, ())
            if other.name != package.name and _is(other, relation)
        ]

    def _conflict(self) -> _Failure | None:
        for name in sorted(self.selected):
            package = self.selected[name]
            for relation in _enemies(package):
                for other in self._hits(package, relation):
                    error = ConflictingPackages(
                        relation, self._chain(package.name), self._chain(other.name)
                    )
                    return _Failure(error, (package.name, other.name))
        return None

    def _unsatisfiable(self, package: Package, group: Alternatives) -> _Failure:
        options = [one for relation in group for one in self._satisfying(relation)]
        if options:
            names = _or(tuple(dict.fromkeys(one.name for one in options)))
            reason = f"{names} cannot be there together with the rest"
        else:
            reason = " and ".join(dict.fromkeys(self._missing(relation) for relation in group))
        chain = (*self._chain(package.name), " | ".join(map(str, group)))
        return _Failure(Unsatisfiable(chain, reason), (package.name,))

    def _missing(self, relation: Relation) -> str:
        real = self.index.best(relation.name)
        if real is not None:
            return f"only {real} is available"
        if self.index.providers(relation.name):
            return f"no package provides {relation.name} in such a version"
        return f"{relation.name} is not available"

    def _chain(self, name: str) -> tuple[str, ...]:
        chain: list[str] = []
        while name:
            chain.append(name)
            name = self.parents.get(name, "")
        return tuple(reversed(chain))

    def last_decision(self, failure: _Failure) -> _Choice | None:
        """The decision nearest to the contradiction that could have been another."""
        for name in failure.involved:
            for step in reversed(self._chain(name)):
                choice = self.decisions.get(step)
                if choice is not None and choice not in self.forbidden:
                    return choice
        return None

    # --- order

    def in_order(self, names: Iterable[str]) -> Iterator[Package]:
        """The selected packages, each after its dependencies as far as there are no cycles."""
        done: set[str] = set()
        for name in names:
            package = self._named(name)
            if package.name in done:
                continue
            done.add(package.name)
            stack = [(package, self._needs(package))]
            while stack:
                package, needs = stack[-1]
                for need in needs:
                    if need.name not in done:
                        done.add(need.name)
                        stack.append((need, self._needs(need)))
                        break
                else:
                    yield package
                    stack.pop()

    def _needs(self, package: Package) -> Iterator[Package]:
        for group, _ in self._groups(package):
            options = {o.name: o for relation in group for o in self._satisfying(relation)}
            for name in options:
                if name in self.selected:
                    yield self.selected[name]


def _rank(package: Package) -> tuple[bool, int, str]:
    return (not package.essential, _PRIORITIES.get(package.priority, 3), package.name)


def _names(package: Package) -> Iterator[str]:
    """Its own name and those that it provides."""
    yield package.name
    if package.provides:
        for group in parse_relations(package.provides):
            yield group[0].name


def _enemies(package: Package) -> Iterator[Relation]:
    for text in (package.conflicts, package.breaks):
        if text:
            for group in parse_relations(text):
                yield group[0]


def _provides(package: Package, relation: Relation) -> bool:
    """Whether a Provides entry satisfies the relation; unversioned ones satisfy no constraint."""
    if not package.provides:
        return False
    for (
        entry,
        *_,
    ) in parse_relations(package.provides):
        if entry.name == relation.name and (
            not relation.operator
            or (entry.version and satisfies(entry.version, relation.operator, relation.version))
        ):
            return True
    return False


def _is(package: Package, relation: Relation) -> bool:
    """Whether a Conflicts or Breaks entry means `package`, by its name or what it provides."""
    if package.name == relation.name and (
        not relation.operator or satisfies(package.version, relation.operator, relation.version)
    ):
        return True
    return _provides(package, relation)
