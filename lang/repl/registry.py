"""The table of a REPL's commands: `,describe`, `,help` and the others, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lang.syntax import nearest

if TYPE_CHECKING:
    from lang.repl.engine import Repl

Action: TypeAlias = "Callable[[Repl, str], str]"
"""What a command does: from the conversation and the text after its name to a text to show."""


class CommandError(Exception):
    """A command that does not exist, or is used wrongly."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Quit(Exception):
    """The conversation is over."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its names, the longest first; how it is used; a line about it; what it does."""

    names: tuple[str, ...]
    operands: str
    about: str
    action: Action


class Commands:
    """A table of commands by name, without the comma."""

    def __init__(self) -> None:
        self.all: list[Command] = []
        self._by_name: dict[str, Command] = {}

    def add(self, names: str, operands: str, about: str) -> Callable[[Action], Action]:
        """Make the decorated function a command; `names` are separated by spaces."""

        def register(action: Action) -> Action:
            command = Command(tuple(names.split()), operands, about, action)
            self.all.append(command)
            for name in command.names:
                self._by_name[name] = command
            return action

        return register

    def copy(self) -> Commands:
        """A table with the same commands, to add others to."""
        made = Commands()
        made.all = list(self.all)
        made._by_name = dict(self._by_name)
        return made

    def summaries(self) -> dict[str, str]:
        """What each command does, by its name with the comma."""
        return {f",{command.names[0]}": command.about for command in self.all}

    def run(self, repl: Repl, text: str) -> str:
        """Carry out the command that `text`, which starts with a comma, writes.

        Raises CommandError, Quit, and whatever Scheme raises.
        """
        name, _, rest = text.strip()[1:].partition(" ")
        name, newline, more = name.partition("\n")
        command = self._by_name.get(name)
        if command is None:
            hint = nearest(f",{name}", (f",{known}" for known in self._by_name))
            raise CommandError(f"there is no command ,{name}", hint or ",help lists the commands")
        return command.action(repl, (more + newline + rest).strip())

    def help(self, name: str = "") -> str:
        """What the commands, or the one of that name, are for."""
        if name:
            command = self._by_name.get(name.removeprefix(","))
            if command is None:
                raise CommandError(f"there is no command {name}", ",help lists the commands")
            also = ", ".join(f",{other}" for other in command.names[1:])
            short = f"\n  short: {also}" if also else ""
            return (
                f",{command.names[0]} {command.operands}".rstrip() + f"\n  {command.about}{short}"
            )
        uses = [(f",{one.names[0]} {one.operands}", one.about) for one in self.all]
        width = max(len(use) for use, _ in uses)
        return "\n".join(f"  {use:<{width}}  {about}" for use, about in uses)
