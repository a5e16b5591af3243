"""What is wrong with the options of a file system."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Mapping

from builders.errors import BuilderError


class BadOption(BuilderError):
    """An option of a file system has a value that cannot be honoured."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"file system option {option}: {problem}")
        self.option = option
        self.problem = problem


class LabelTooLong(BadOption):
    def __init__(self, label: str, length: int, limit: int) -> None:
        super().__init__("label", f"{label!r} has {length} bytes; {limit} are allowed")


Types = Mapping[str, type | tuple[type, ...]]


def check(file_system: str, types: Types, options: Mapping[str, object]) -> dict[str, object]:
    """The options that are given, a `uuid` as a UUID; null ones are left to the defaults.

    Raises BadOption for names that `types` lacks and values of other types.
    """
    checked: dict[str, object] = {}
    for name, given in options.items():
        wanted = types.get(name)
        if wanted is None:
            known = ", ".join(sorted(types))
            raise BadOption(name, f"{file_system} has no such option; it has {known}")
        value = given
        if value is None:
            continue
        if name == "uuid" and isinstance(value, str):
            try:
                value = uuids.UUID(value)
            except ValueError:
                raise BadOption(name, f"{value!r} is not a UUID") from None
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise BadOption(name, f"{value!r} is of a wrong type")
        checked[name] = value
    return checked
