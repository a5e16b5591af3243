"""(ice-9 string-replacing): replacing parts of strings."""

from __future__ import annotations

from typing import Any

from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error

LIBRARY = Library("ice-9", "string-replacing")


@LIBRARY.procedure("string-replace-substring")
def string_replace_substring(text: Any, old: Any, new: Any) -> str:
    who = "string-replace-substring"
    pattern = arguments.string(who, 2, old)
    if not pattern:
        misc_error(who, "cannot replace the empty string")
    return arguments.string(who, 1, text).replace(pattern, arguments.string(who, 3, new))
