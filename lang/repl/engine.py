"""A conversation with Scheme: evaluates what is typed, numbers values, remembers the last error.

repl = Repl(session)
list(repl.respond("(iota 3)"))    # ["$1 = (0 1 2)"]
list(repl.respond(",describe car"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from lang import reader
from lang.data import UNSPECIFIED, Pair, Values, symbol
from lang.deep import run_deep
from lang.diagnosis import Diagnosis
from lang.errors import explain, render
from lang.modules import Interface, Module, ModuleName, module_name
from lang.pretty import pretty
from lang.repl.commands import COMMANDS
from lang.repl.complete import Completer
from lang.repl.describe import Describer, record_fields, telling_fields
from lang.repl.folding import folded
from lang.repl.registry import Commands
from lang.repl.scan import is_unfinished
from lang.session import Session

T = TypeVar("T")

_HISTORY: Final = ("value-history",)
_TRANSCRIPT: Final = 100_000
"""Characters: how much of what has been piped in is kept to be shown in errors."""
_DEPTH: Final = 1
"""Records that are inside so many others are cut short; `,pp` shows all."""


class Repl:
    """The state of a conversation. `module` is where expressions are evaluated, `width` the
    terminal's, `last` the diagnosis of the last error; `folds`: whether answers in words are
    folded to the width, which programs that read them would not like."""

    def __init__(
        self,
        session: Session,
        *,
        commands: Commands = COMMANDS,
        width: int = 79,
        folds: bool = False,
    ) -> None:
        self.session = session
        self.commands = commands
        self.folds = folds
        self.count = 0
        self.inputs = 0
        self.last: Diagnosis | None = None
        self.describer = Describer(session, width)
        self.completer = Completer(self.describer, lambda: self.module, commands.summaries())
        self._history = session.enter(_HISTORY)
        self._transcripts: dict[str, str] = {}
        self.module = self._with_history(session.user_module())

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        return self.describer.width

    @width.setter
    def width(self, columns: int) -> None:
        self.describer.width = columns

    # ------------------------------------------------------------ modules

    def enter(self, module: Module) -> None:
        """Evaluate in `module` from now on."""
        self.module = self._with_history(module)

    def import_module(self, name: ModuleName) -> Module:
        """The module called `name`, loaded if need be."""
        return self.session.import_module(name)

    def load(self, path: Path, module: Module | None = None) -> Any:
        """Evaluate the file `path`, in `module` or in one of its own, and enter the module that it
        ends in; gives the value of its last form."""
        module = module or self.session.user_module()
        value = self.session.load_file(path, module)
        source = self.session.sources.named(str(path))
        forms = reader.read_all(source) if source is not None else []
        self.enter(self._opened(forms[0], module) if forms else module)
        return value

    def _opened(self, form: Any, module: Module) -> Module:
        """The module that a define-module form opens; `module` for any other form."""
        if type(form) is Pair and form.car is symbol("define-module") and type(form.cdr) is Pair:
            return self.session.modules.get(module_name(form.cdr.car, form), module)
        return module

    def _with_history(self, module: Module) -> Module:
        if not any(interface.name == _HISTORY for interface in module.imports):
            # first, so that a module's real imports go before it
            module.imports.insert(0, Interface(self.session, _HISTORY))
        return module

    @property
    def module_label(self) -> str:
        """The current module's name, empty for the one that a conversation starts in."""
        name = self.module.name
        return "" if name[0].startswith("guile-user") else f"({' '.join(name)})"

    # ------------------------------------------------------------ what is typed

    @staticmethod
    def is_unfinished(text: str) -> bool:
        """Does `text`, Scheme or a command, stop in the middle of a datum?"""
        stripped = text.lstrip()
        return is_unfinished(stripped[1:] if stripped.startswith(",") else stripped)

    def respond(self, text: str, name: str | None = None) -> Iterator[str]:
        """Carry out the command or evaluate the data in `text`; gives texts to show, each as soon
        as there is one. Raises CommandError, Quit, and whatever Scheme raises.

        A text with a `name` continues what was evaluated under it before.
        """
        if text.lstrip().startswith(","):
            if name is not None:
                self._transcripts[name] = self._transcripts.get(name, "") + text
            answer = self.commands.run(self, text)
            if answer:
                yield answer
            return
        for value in self.evaluate(text, name):
            shown = self.shown(value)
            if shown:
                yield shown

    # ------------------------------------------------------------ evaluation

    def evaluate(self, text: str, name: str | None = None) -> Iterator[Any]:
        """The values of the data in `text`, each evaluated when its turn comes."""
        forms, name = self._read(text, name)
        for form in forms:
            yield self.session.eval_form(form, self.module, name)
            opened = self._opened(form, self.module)
            if opened is not self.module:
                self.enter(opened)

    def read(self, text: str) -> tuple[list[Any], str]:
        """The data in `text` and the name of the source that it becomes."""
        return self._read(text, None)

    def _read(self, text: str, name: str | None) -> tuple[list[Any], str]:
        self.inputs += 1
        if name is None:
            name = f"<input {self.inputs}>"
            return reader.read_all(self.session.sources.add(name, text)), name
        before = self._transcripts.get(name, "")
        if len(before) > _TRANSCRIPT:
            before = "\n" * before.count("\n")
        whole = self._transcripts[name] = before + text
        source = self.session.sources.add(name, whole)
        # only the new text is read, at its own place in the whole
        source.text = "".join("\n" if c == "\n" else " " for c in before) + text
        try:
            return reader.read_all(source), name
        finally:
            source.text = whole

    def run(self, action: Callable[[], T]) -> T:
        """`action()`, which runs Scheme, with room for deep recursion."""
        return run_deep(action)

    def diagnose(self, error: Exception) -> str:
        """The text for an error, which `,bt` shows more of."""
        session = self.session
        names = session.bound_names
        self.last = explain(
            error, session.sources, lambda: names(self.module), session.exporters, session.advice
        )
        return render(self.last, session.sources)

    # ------------------------------------------------------------ values

    def worded(self, text: str) -> str:
        """An answer in words, in lines that fit the terminal."""
        return folded(text, self.width) if self.folds else text

    def shown(self, value: Any) -> str:
        """Lines `$1 = VALUE` for a value, each of several values; empty for one that says nothing.

        The values are bound to those names.
        """
        if value is UNSPECIFIED:
            return ""
        lines = []
        for one in value if isinstance(value, Values) else (value,):
            name = self.number(one)
            lines.append(f"{name} = {self.pretty(one, len(name) + 3, _DEPTH)}")
        return "\n".join(lines)

    def number(self, value: Any) -> str:
        """Bind `value` to the next of $1, $2, ...; gives that name."""
        self.count += 1
        name = f"${self.count}"
        variable = self._history.define(symbol(name))
        self.session.globals[variable.key] = value
        self._history.export(symbol(name))
        return name

    def pretty(self, value: Any, column: int = 0, depth: int | None = None) -> str:
        """`value` in lines of the terminal's width, the first of which starts at `column`."""
        fields = record_fields if depth is None else telling_fields
        return self.run(
            lambda: pretty(value, self.width, column=column, fields=fields, depth=depth)
        )
