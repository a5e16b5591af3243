"""What is known about a name or a value, as text for people."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lang.data import MString, Pair, Record, RecordType, Symbol, cons, python_list, symbol
from lang.forms.guix_records import RecordSyntax
from lang.modules import Module
from lang.pretty import pretty
from lang.repl import manual
from lang.repl.origins import Origin, Origins
from lang.runtime import late
from lang.runtime.condition_types import ConditionType
from lang.runtime.library import Library
from lang.runtime.native_errors import variable_name
from lang.runtime.trampoline import call
from lang.sources import Location
from lang.syntax import Binding, Global, Macro, Special, Staged, SyntaxParameter, strip

if TYPE_CHECKING:
    from lang.session import Session

WIDTH: Final = 79
"""Columns that uses of procedures are laid out in."""
_LAMBDAS: Final = frozenset({"lambda", "lambda*", "const", "case-lambda", "case-lambda*"})


@dataclass(frozen=True, slots=True)
class Known:
    """What a name means: a word for the kind of thing, where it comes from, and its text."""

    name: str
    kind: str
    module: str
    documentation: str
    signature: str = ""
    origin: Origin | None = None

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        first, _, _ = self.documentation.partition("\n")
        return first


def record_syntax(binding: Binding) -> RecordSyntax | None:
    """The record type that a constructor makes, if `binding` is one of define-record-type*."""
    if type(binding) is Special and binding.recipe is not None and binding.recipe[0] == "record":
        found: RecordSyntax = binding.recipe[1]
        return found
    return None


def record_fields(record: Record) -> Iterator[tuple[str, Any]]:
    """The fields of a record and the values that its accessors give: thunked fields are computed;
    one that cannot be is given as it is kept."""
    for index, name in enumerate(record.rtd.fields):
        value = getattr(record, f"f{index}", None)
        accessor = record.rtd.accessors.get(name)
        if accessor is not None:
            try:
                value = call(accessor, record)
            except Exception:  # whatever a program raises
                value = symbol("…")
        yield name, value


def telling_fields(record: Record) -> Iterator[tuple[str, Any]]:
    """The fields of a record without the place in a file that it comes from."""
    return (one for one in record_fields(record) if not isinstance(one[1], Location))


class Describer:
    """Answers questions about what is bound in a session, in lines of `width` columns."""

    def __init__(self, session: Session, width: int = WIDTH) -> None:
        self.session = session
        self.width = width
        self.origins = Origins(session)

    # ------------------------------------------------------------ names

    def known(self, name: str, module: Module) -> Known | None:
        """What `name` means in `module` or to those who import it, if it means anything."""
        binding = module.resolve(symbol(name))
        if type(binding) is Global and binding.key not in self.session.globals:
            binding = module.exported(symbol(name)) or binding
        if type(binding) is Global:
            if binding.key not in self.session.globals:
                return None
            home = self._home_of_key(binding.key)
            return self.of_value(name, self.session.globals[binding.key], home, binding.key)
        return self._syntax(name, binding)

    def of_value(self, name: str, value: Any, home: str = "", key: str = "") -> Known:
        """What is known about a value; `key` is that of the variable which holds it, if any."""
        origin = self.origins.of_key(key) if key else None
        if isinstance(value, RecordType):
            return Known(name, "record type", home, _comment(origin), "", origin)
        if isinstance(value, Module):
            return Known(name, "module", home, self.origins.commentary(value.name))
        if not callable(value) or not hasattr(value, "__name__"):
            standard = _manual(name, home)
            about = standard.documentation if standard is not None else _of_itself(value)
            documentation = _comment(origin) or about or _of_library(name, home)
            return Known(name, self.kind_of(value), home, documentation, "", origin)
        origin = origin or self.origins.of_procedure(value)
        documentation = (
            inspect.cleandoc(value.__doc__ or "")
            or self._of_record(value, name, origin)
            or _comment(origin)
        )
        use = signature(name, value, origin)
        standard = _manual(name, home)
        if standard is not None:
            use = use if origin is not None and documentation else standard.signature
            documentation = documentation or standard.documentation
        return Known(name, "procedure", home, documentation, use, origin)

    def kind_of(self, value: Any) -> str:
        """A word for the type of a value."""
        if isinstance(value, Record):
            return f"a {value.rtd.name} record"
        return _KINDS.get(type(value).__name__, "a value")

    def _syntax(self, name: str, binding: Binding) -> Known | None:
        home = self._home_of_syntax(name, binding)
        parts = tuple(home.strip("()").split())
        origin = self.origins.of_name(parts, name) if home else None
        record = record_syntax(binding)
        if record is not None:
            use = f"({name} (inherit record) (field value) ...)"
            about = _comment(origin) or f"Makes a {record.type_id.name} record."
            return Known(name, "record constructor", home, about, use, origin)
        if type(binding) is Special:
            documentation = inspect.cleandoc(
                binding.expand.__doc__ or (binding.define and binding.define.__doc__) or ""
            )
            standard = manual.entries().get(name)
            if not documentation and standard is not None:
                return Known(name, "special form", home, standard.documentation, standard.signature)
            return Known(name, "special form", home, documentation or _comment(origin), "", origin)
        if type(binding) is Macro or type(binding) is SyntaxParameter:
            documentation = _rule_documentation(origin) or _comment(origin)
            use = _rule_use(name, origin)
            standard = _manual(name, home)
            if standard is not None and not documentation:
                documentation, use = standard.documentation, standard.signature
            if type(binding) is SyntaxParameter and not documentation:
                documentation = _of_parameter(binding)
            return Known(name, "macro", home, documentation, use, origin)
        if type(binding) is Staged:
            standard = _manual(name, home)
            about = f"{standard.documentation}\n" if standard is not None else ""
            use = standard.signature if standard is not None else ""
            about += "It exists while a build runs only."
            return Known(name, "procedure of builds", home, about, use)
        return None

    def _home_of_key(self, key: str) -> str:
        module, colon, _ = key.partition(":")
        if key in self.session.primitives or not colon:
            return "(guile)"
        return f"({module.replace('/', ' ')})" if module != "value-history" else ""

    def _home_of_syntax(self, name: str, binding: Binding) -> str:
        id = symbol(name)
        for module in self.session.modules.values():
            if module.table.get(id) is binding:
                return f"({' '.join(module.name)})"
        return ""

    def _of_record(self, procedure: Any, name: str, origin: Origin | None) -> str:
        """What an accessor, a constructor or a predicate of records does."""
        for rtd in self.session.globals.values():
            if type(rtd) is RecordType:
                for field, accessor in rtd.accessors.items():
                    if accessor is procedure:
                        about = rtd.documentation.get(field)
                        return f"The field {field} of a {rtd.name}" + (
                            f": {about}." if about else "."
                        )
        if origin is not None and origin.form.car.name.startswith("define-record-type"):
            parts = python_list(origin.form.cdr)
            if name.endswith("?"):
                return f"Is the argument a {strip(parts[0])!r}?"
            return f"Makes a {strip(parts[0])!r} of the values of its fields."
        return ""

    # ------------------------------------------------------------ texts

    def describe(self, name: str, module: Module) -> str | None:
        """A description of what `name` means in `module`; None if it means nothing."""
        known = self.known(name, module)
        if known is None:
            return None
        binding = module.resolve(symbol(name))
        record = record_syntax(binding)
        lines = self._heading(known)
        if record is not None:
            lines += self._record_fields(record)
        elif type(binding) is Global:
            lines += self._of_content(self.session.globals[binding.key])
        return "\n".join(lines + _place(known.origin))

    def describe_value(self, value: Any) -> str:
        """A description of a value that an expression gave."""
        name = getattr(value, "__name__", "") if callable(value) else ""
        known = self.of_value(
            name or pretty(value, self.width, fields=telling_fields, depth=0), value
        )
        lines = self._heading(known) + self._of_content(value, shown=not name)
        return "\n".join(lines + _place(known.origin))

    def describe_module(self, module: Module) -> str:
        """What a module is for and what it exports."""
        place = self.origins.place(module.name)
        lines = [f"({' '.join(module.name)}): a module" + (f", {place}" if place else "")]
        lines += _indented(self.origins.commentary(module.name))
        found = [self.known(name.name, module) for name in sorted_names(module)]
        lines += _table(
            [(one.name, one.summary or one.kind) for one in found if one is not None], self.width
        )
        return "\n".join(lines)

    def _heading(self, known: Known) -> list[str]:
        home = f" of {known.module}" if known.module else ""
        lines = [f"{known.name}: {known.kind}{home}"]
        if known.signature:
            lines += _indented(known.signature)
        return lines + _indented(known.documentation)

    def _of_content(self, value: Any, *, shown: bool = False) -> list[str]:
        if isinstance(value, RecordType):
            return _table(
                [(name, value.documentation.get(name, "")) for name in value.fields], self.width
            )
        if isinstance(value, Record):
            about = value.rtd.documentation
            return _table([(name, about.get(name, "")) for name in value.rtd.fields], self.width)
        if callable(value) or shown:
            return []
        return _indented(pretty(value, self.width - 2, fields=telling_fields, depth=1))

    def _record_fields(self, record: RecordSyntax) -> list[str]:
        rows = []
        for field in record.fields:
            about = field.documentation or ""
            if field.default is None:
                about = f"{about} (required)".strip()
            elif field.default[0] == "inline":
                about = f"{about} (default: {pretty(strip(field.default[1]))})".strip()
            rows.append((field.name.name, about))
        return _table(rows, self.width)


def sorted_names(module: Module) -> list[Symbol]:
    """What a module exports, else what it defines, in the alphabet's order."""
    names = set(module.exported_names()) or set(module.table)
    return sorted(names, key=lambda name: name.name)


def signature(name: str, procedure: Any, origin: Origin | None) -> str:
    """How a procedure is called, as its definition says, else as far as its code knows."""
    formals = _formals(origin, name)
    if formals is not None:
        return pretty(cons(symbol(name), formals), WIDTH - 2)
    code = getattr(procedure, "__code__", None)
    if code is None:
        return ""
    names = [_parameter(one) for one in code.co_varnames[: code.co_argcount]]
    required = len(names) - len(getattr(procedure, "__defaults__", None) or ())
    parts = [name, *names[:required], *(f"[{one}]" for one in names[required:])]
    if code.co_flags & inspect.CO_VARARGS:
        rest = _parameter(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
        parts.append(f"{rest} ..." if rest else "...")
    return f"({' '.join(parts)})"


def keywords(procedure: Any, name: str, origin: Origin | None) -> list[str]:
    """The names of the keyword arguments that a procedure takes."""
    formals = _formals(origin, name)
    found: list[str] = []
    reading = False
    for item in python_list(formals):
        if not isinstance(item, Pair | Symbol):
            reading = repr(item) == "#:key"
        elif reading:
            target = item.car if isinstance(item, Pair) else item
            found.append(target.name)
    return found


def _formals(origin: Origin | None, name: str) -> Any:
    if origin is None or type(origin.form.cdr) is not Pair:
        return None
    target, rest = origin.form.cdr.car, origin.form.cdr.cdr
    if type(target) is Pair:
        return target.cdr if target.car is symbol(name) else None
    value = rest.car if type(rest) is Pair else None
    if target is symbol(name) and type(value) is Pair and type(value.car) is Symbol:
        if value.car.name in ("lambda", "lambda*") and type(value.cdr) is Pair:
            return value.cdr.car
    return None


def _parameter(name: str) -> str:
    """The name of a Python parameter as Scheme would write it."""
    if name.startswith("$"):
        return ""
    return variable_name(name).strip("_").replace("_", "-")


def _of_itself(value: Any) -> str:
    """What a value says about itself: a record's description or name, a condition type's place."""
    if isinstance(value, ConditionType):
        fields = f" with the fields {', '.join(value.fields)}" if value.fields else ""
        kinds = [f"a kind of {other.name}" for other in value.ancestors[1:2]]
        return ", ".join([f"{value.name}{fields}", *kinds]) + "." if fields or kinds else ""
    if isinstance(value, Record):
        texts = {field: str(text) for field, text in record_fields(value) if _is_text(text)}
        about = texts.get("description") or texts.get("name")
        if about:
            return about[0].upper() + about[1:] if "description" in texts else f"Named {about}."
    return ""


def _of_library(name: str, home: str) -> str:
    """What the native library of the core that is the module `home` says about a constant."""
    native = late.MODULES.get(tuple(home.strip("()").split()))
    if native is None:
        return ""
    library: Library = importlib.import_module(native[0]).LIBRARY
    return library.documentation.get(name, "")


def _is_text(value: Any) -> bool:
    return type(value) in (str, Symbol, MString)


_STANDARD: Final = ("(guile", "(srfi ", "(ice-9 ", "(rnrs ")


def _manual(name: str, home: str) -> manual.Entry | None:
    return manual.entries().get(name) if home.startswith(_STANDARD) else None


def _comment(origin: Origin | None) -> str:
    return origin.comment if origin is not None else ""


def _rule_documentation(origin: Origin | None) -> str:
    """The string after the pattern of a define-syntax-rule, the literals of syntax-rules or the
    parameters of a transformer."""
    parts = python_list(origin.form.cdr) if origin is not None else []
    if len(parts) == 2 and type(parts[1]) is Pair:
        parts = python_list(parts[1])[1:]
    return parts[1] if len(parts) > 2 and type(parts[1]) is str else ""


def _rule_use(name: str, origin: Origin | None) -> str:
    """The patterns of the rules that define a macro."""
    parts = python_list(origin.form.cdr) if origin is not None else []
    if parts and type(parts[0]) is Pair:
        return pretty(cons(symbol(name), parts[0].cdr), WIDTH - 2)
    rules = _rules(parts[1]) if len(parts) > 1 else []
    uses = [cons(symbol(name), rule.car.cdr) for rule in rules if type(rule.car) is Pair]
    return "\n".join(pretty(use, WIDTH - 2) for use in uses)


def _of_parameter(parameter: SyntaxParameter) -> str:
    """What this-record and its like mean, which define-record-type* makes."""
    default = parameter.default
    if type(default) is Macro and default.recipe is not None and default.recipe[0] == "outside":
        return "In a thunked or sanitized field: the record that the field is of."
    return ""


def _rules(form: Any) -> list[Pair]:
    """The rules of a syntax-rules form, or of the first syntax-case in a procedure."""
    items = python_list(form)
    skipped = {"syntax-rules": 2, "syntax-case": 3}
    if items and type(items[0]) is Symbol and items[0].name in skipped:
        return [rule for rule in items[skipped[items[0].name] :] if type(rule) is Pair]
    return next((found for item in items if (found := _rules(item))), [])


def _indented(text: str) -> list[str]:
    return [f"  {line}".rstrip() for line in text.splitlines()]


def _table(rows: list[tuple[str, str]], line_width: int) -> list[str]:
    """Names and what they are, in two columns."""
    import textwrap

    width = min(max((len(name) for name, _ in rows), default=0), 30)
    lines = []
    for name, about in rows:
        wrapped = textwrap.wrap(about, max(line_width - width - 4, 30)) or [""]
        start = f"  {name:<{width}}  "
        lines.append(f"{start}{wrapped[0]}".rstrip())
        lines += [" " * len(f"  {'':<{width}}  ") + more for more in wrapped[1:]]
    return lines


def _place(origin: Origin | None) -> list[str]:
    return [f"  defined at {origin.location}"] if origin is not None else []


_KINDS: Final = {
    "bool": "a boolean",
    "int": "an integer",
    "float": "a real number",
    "complex": "a complex number",
    "Fraction": "a rational number",
    "str": "a string",
    "MString": "a string",
    "Symbol": "a symbol",
    "Keyword": "a keyword",
    "Char": "a character",
    "Pair": "a pair",
    "Nil": "the empty list",
    "list": "a vector",
    "bytes": "a bytevector",
    "bytearray": "a bytevector",
    "Promise": "a promise",
    "Gexp": "a gexp",
    "Derivation": "a derivation",
    "Condition": "a condition",
    "ConditionType": "a condition type",
}
