"""Compiled modules as data that `marshal` writes, and back: bindings, imports, macros, code.

Macros are kept as their recipes and made again when they are first used. Identifiers that macros
introduced keep their identity within the module; their environments become the modules' own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lang import constants
from lang.data import NIL, Pair, Symbol, cons, symbol
from lang.expand import FORMS
from lang.forms.guix_records import Field, RecordSyntax, constructor_syntax, outside
from lang.forms.macros import Transformer, identifier_syntax
from lang.modules import Interface, Module
from lang.patterns import Hole, Matcher, Template, syntax_rules
from lang.syntax import (
    Alias,
    AliasTable,
    Binding,
    Env,
    Global,
    Macro,
    Special,
    Staged,
    SyntaxParameter,
    is_identifier,
    lookup,
)
from lang.unit import Unit

if TYPE_CHECKING:
    from lang.session import Session


class UnfreezableError(Exception):
    """The module holds something that has no written form; it is compiled each time."""


# ---------------------------------------------------------------- writing


def freeze(module: Module, unit: Unit | None) -> tuple[Any, ...]:
    """The contents of `module`, whose forms compile to `unit`.

    Raises UnfreezableError or lang.constants.UnserialisableConstantError.
    """
    writer = _Writer(module)
    own = FORMS.get(module.name, {})
    table = [
        (id.name, writer.binding(binding))
        for id, binding in module.table.items()
        if own.get(id.name) is not binding
    ]
    introduced = [
        (writer.datum(alias), writer.binding(binding)) for alias, binding in module.aliases.items()
    ]
    syntax = [(key, writer.syntax(module.session.globals[key])) for key in module.syntax_constants]
    return (
        unit.to_bytes() if unit is not None else None,
        [_interface(interface) for interface in module.imports],
        [_interface(interface) for interface in module.reexported],
        [(outer.name, inner.name) for outer, inner in module.exports.items()],
        table,
        introduced,
        syntax,
        module.introduced,
        writer.aliases,
    )


def _interface(interface: Interface) -> tuple[Any, ...]:
    renamed = interface.renamed
    if renamed is None:
        return interface.name, None
    return interface.name, [(local.name, outer.name) for local, outer in renamed.items()]


class _Writer:
    """`aliases` collects, for each alias met: its inner identifier, module, and alias table."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.aliases: list[tuple[Any, tuple[str, ...], int]] = []
        self._numbers: dict[Alias, int] = {}
        self._tables: dict[int, int] = {}

    def datum(self, x: Any) -> Any:
        """Data with identifiers in it."""
        kind = type(x)
        if kind is Alias:
            return ("alias", self._alias(x))
        if kind is Pair:
            items = []
            while type(x) is Pair:
                items.append(self.datum(x.car))
                x = x.cdr
            return ("pairs", items, self.datum(x))
        if kind is list:
            return ("items", [self.datum(item) for item in x])
        if kind is Hole:
            return ("hole", x.slot, x.splice)
        return ("plain", constants.encode(x)) if kind is not str and kind is not int else x

    def _alias(self, alias: Alias) -> int:
        number = self._numbers.get(alias)
        if number is None:
            inner = self.datum(alias.id)
            table = self._tables.setdefault(id(alias.table), len(self._tables))
            number = self._numbers[alias] = len(self.aliases)
            self.aliases.append((inner, alias.env.module.name, table))
        return number

    def binding(self, binding: Binding) -> tuple[Any, ...]:
        """A binding of the module."""
        match binding:
            case Global():
                return "global", binding.key, binding.symbol.name, binding.defined
            case Staged():
                return "staged", binding.name
            case SyntaxParameter():
                return "parameter", self.binding(binding.default)
            case Macro() | Special():
                known = self._elsewhere(binding)
                return known if known is not None else self._recipe(binding)
        raise UnfreezableError(type(binding).__name__)

    def _elsewhere(self, binding: Macro | Special) -> tuple[Any, ...] | None:
        """How to find syntax that another module binds."""
        if binding.recipe is not None:
            home = _home(binding.recipe)
            if home is None or home is self.module:
                return None
            places = [home]
        else:
            places = [self.module.session.core, *self.module.session.modules.values()]
        for module in places:
            for id, known in module.table.items():
                if known is binding:
                    return "same", module.name, id.name
        raise UnfreezableError("syntax without a name")

    def _recipe(self, binding: Macro | Special) -> tuple[Any, ...]:
        assert binding.recipe is not None
        match binding.recipe:
            case "syntax-rules" as tag, form, env:
                self._check_home(env)
                return tag, self.datum(form)
            case "identifier-syntax" as tag, form, env:
                assert isinstance(binding, Macro)
                self._check_home(env)
                return tag, self.datum(form), binding.variable
            case "procedure" as tag, transformer:
                assert isinstance(binding, Macro)
                name = self.datum(transformer.name)
                return tag, name, transformer.unit().to_bytes(), binding.variable
            case "outside" as tag, name:
                return tag, name
            case "record" as tag, record:
                return tag, self._record(record)
        raise UnfreezableError(binding.recipe[0])

    def _check_home(self, env: Env) -> None:
        if env is not self.module.env:
            raise UnfreezableError("a macro of an inner scope")

    def _record(self, record: RecordSyntax) -> tuple[Any, ...]:
        fields = [
            (
                *(field.name.name, self.datum(field.accessor), field.kind, field.innate),
                (field.default[0], self.datum(field.default[1])) if field.default else None,
                self.datum(field.sanitizer) if field.sanitizer is not None else None,
                *(field.documentation, field.hidden),
            )
            for field in record.fields
        ]
        this = self.datum(record.this) if record.this is not None else None
        return record.name.name, self.datum(record.type_id), this, fields

    def syntax(self, constant: Any) -> tuple[Any, ...]:
        """A pattern or a template."""
        if isinstance(constant, Stored):
            constant = constant.made()
        ellipsis = constant.ellipsis.name if constant.ellipsis is not None else None
        home = constant.env.module.name
        if type(constant) is Matcher:
            literals = [self.datum(literal) for literal in constant.literals]
            self._check_scope(list(constant.literals), (), constant.env)
            pattern = self.datum(constant.pattern)
            return "matcher", pattern, literals, home, ellipsis, constant.skip_keyword
        slots = [(self.datum(slot[0]), slot[1]) if slot else None for slot in constant.slots]
        bound = [slot[0] for slot in constant.slots if slot]
        self._check_scope(constant.datum, bound, constant.env)
        return "template", self.datum(constant.datum), slots, home, ellipsis

    def _check_scope(self, datum: Any, bound: Any, env: Env) -> None:
        """Identifiers must not mean syntax of an inner scope, which will be gone."""
        if env is env.module.env:
            return
        pending = [datum]
        while pending:
            x = pending.pop()
            if type(x) is Pair:
                pending += (x.car, x.cdr)
            elif type(x) is list:
                pending += x
            elif is_identifier(x) and x not in bound:
                binding = lookup(x, env)
                if isinstance(binding, Macro | SyntaxParameter):
                    if binding is not lookup(x, env.module.env):
                        raise UnfreezableError(f"{x.name}, syntax of an inner scope")


def _home(recipe: tuple[Any, ...]) -> Module | None:
    match recipe:
        case (("syntax-rules" | "identifier-syntax"), _, Env() as env):
            return env.module
        case "procedure", Transformer() as transformer:
            return transformer.module
        case "record", RecordSyntax() as record:
            return record.env.module
    return None


# ---------------------------------------------------------------- reading


def thaw(frozen: tuple[Any, ...], module: Module) -> Unit | None:
    """Fill the new `module` with what `freeze` wrote; gives the unit to run."""
    unit, imports, reexported, exports, table, introduced, syntax, count, aliases = frozen
    reader = _Reader(module, aliases)
    session = module.session
    module.imports = [_thaw_interface(session, entry) for entry in imports]
    module.reexported = [_thaw_interface(session, entry) for entry in reexported]
    for outer, inner in exports:
        module.export(symbol(inner), symbol(outer))
    for name, binding in table:
        module.table[symbol(name)] = reader.binding(binding)
    for alias, binding in introduced:
        module.aliases[reader.datum(alias)] = reader.binding(binding)
    for key, entry in syntax:
        session.globals[key] = Stored(reader, entry)
        module.syntax_constants.append(key)
    module.introduced = count
    return Unit.from_bytes(unit) if unit is not None else None


def _thaw_interface(session: Session, entry: tuple[Any, Any]) -> Interface:
    name, renamed = entry
    if renamed is None:
        return Interface(session, name)
    return Interface(session, name, {symbol(local): symbol(outer) for local, outer in renamed})


class _Reader:
    def __init__(self, module: Module, aliases: list[tuple[Any, tuple[str, ...], int]]) -> None:
        self.module = module
        self._entries = aliases
        self._aliases: dict[int, Alias] = {}
        self._tables: dict[int, AliasTable] = {}

    def datum(self, x: Any) -> Any:
        if type(x) is not tuple:
            return x
        match x[0]:
            case "alias":
                return self._alias(x[1])
            case "pairs":
                tail = self.datum(x[2])
                for item in reversed(x[1]):
                    tail = cons(self.datum(item), tail)
                return tail
            case "items":
                return [self.datum(item) for item in x[1]]
            case "hole":
                return Hole(x[1], x[2])
        return constants.decode(x[1])

    def _alias(self, number: int) -> Alias:
        alias = self._aliases.get(number)
        if alias is None:
            inner, home, table_number = self._entries[number]
            env = self.module.session.require(home, None).env
            table = self._tables.setdefault(table_number, {})
            id = self.datum(inner)
            alias = table.get((id, env))
            if alias is None:
                alias = table[id, env] = Alias(id, env, table)
            self._aliases[number] = alias
        return alias

    def binding(self, entry: tuple[Any, ...]) -> Binding:
        match entry:
            case "global", key, name, defined:
                return Global(key, symbol(name), defined)
            case "staged", name:
                return Staged(name)
            case "parameter", default:
                return SyntaxParameter(self.binding(default))
            case "same", name, id:
                return self.module.session.require(name, None).table[symbol(id)]
            case "syntax-rules", form:
                return self._lazily(lambda: syntax_rules(self.datum(form), self.module.env))
            case "identifier-syntax", form, variable:
                return self._lazily(
                    lambda: identifier_syntax(self.datum(form), self.module.env), variable
                )
            case "procedure", name, unit, variable:
                transformer = Transformer(
                    self.datum(name), self.module, load=lambda: Unit.from_bytes(unit)
                )
                return Macro(transformer.transform, ("procedure", transformer), variable)
            case "outside", name:
                return outside(name)
            case "record", record:
                return self._record(record)
        raise AssertionError(entry[0])

    def _lazily(self, make: Callable[[], Macro], variable: bool = False) -> Macro:
        def first(use: Any, env: Env) -> Any:
            made = make()
            macro.transform, macro.recipe = made.transform, made.recipe
            return made.transform(use, env)

        # Enough to tell whose macro it is; the form comes when it is first used.
        macro = Macro(first, ("syntax-rules", NIL, self.module.env), variable)
        return macro

    def _record(self, entry: tuple[Any, ...]) -> Special:
        name, type_id, this, fields = entry
        record = RecordSyntax(
            symbol(name),
            self.datum(type_id),
            self.datum(this) if this is not None else None,
            self.module.env,
        )
        for field in fields:
            field_name, accessor, kind, innate, default, sanitizer, documentation, hidden = field
            record.fields.append(
                Field(
                    *(symbol(field_name), self.datum(accessor), kind, innate),
                    (default[0], self.datum(default[1])) if default is not None else None,
                    self.datum(sanitizer) if sanitizer is not None else None,
                    *(documentation, hidden),
                )
            )
        return constructor_syntax(record)

    def syntax(self, entry: tuple[Any, ...]) -> Matcher | Template:
        kind, datum, parts, home, ellipsis, *skip = entry
        env = self.module.session.require(home, None).env
        dots: Symbol | None = symbol(ellipsis) if ellipsis is not None else None
        if kind == "matcher":
            literals = [self.datum(literal) for literal in parts]
            return Matcher(self.datum(datum), literals, env, dots, skip[0])
        slots = [(self.datum(part[0]), part[1]) if part is not None else None for part in parts]
        return Template(self.datum(datum), slots, env, dots)


class Stored:
    """A pattern or template of a thawed module, made when it is first used."""

    __slots__ = ("_entry", "_made", "_reader")

    def __init__(self, reader: _Reader, entry: tuple[Any, ...]) -> None:
        self._reader = reader
        self._entry = entry
        self._made: Matcher | Template | None = None

    def made(self) -> Any:
        """The pattern or template itself."""
        if self._made is None:
            self._made = self._reader.syntax(self._entry)
        return self._made

    def match(self, form: Any) -> list[Any] | None:
        """As Matcher.match."""
        return self.made().match(form)  # type: ignore[no-any-return]

    def instantiate(self, values: list[Any]) -> Any:
        """As Template.instantiate."""
        return self.made().instantiate(values)
