"""(guix diagnostics): places in sources, as records keep them in their field `location`.

Lines are counted from 1 and columns from 0, as Guix does.
"""

from __future__ import annotations

from typing import Any

from lang.runtime.library import Library
from lang.runtime.primitives import arguments, reports
from lang.sources import Location

LIBRARY = Library("guix", "diagnostics")

for _name in ("location-file", "location-line", "location-column"):
    LIBRARY.constant(_name, reports.LIBRARY.bindings[_name])


@LIBRARY.procedure("location")
def location(file: Any, line: Any, column: Any) -> Location:
    """The place in FILE in that line and column."""
    return Location(
        str(arguments.string("location", 1, file)),
        arguments.index("location", 2, line),
        arguments.index("location", 3, column) + 1,
    )


@LIBRARY.procedure("location?")
def is_location(obj: Any) -> bool:
    """Is OBJ a place in a source?"""
    return type(obj) is Location


@LIBRARY.procedure("location->string")
def location_to_string(place: Any) -> str:
    """FILE:LINE:COLUMN, the column from 1, as error messages have it."""
    return str(reports.location("location->string", place))
