"""(guix diagnostics): places in sources, as records keep them in their field `location`."""

from __future__ import annotations

from typing import Any

from lang.runtime.library import Library
from lang.runtime.signals import wrong_type
from lang.sources import Location

LIBRARY = Library("guix", "diagnostics")


def _location(who: str, value: Any) -> Location:
    if type(value) is not Location:
        wrong_type(who, 1, value, "a location")
    return value


@LIBRARY.procedure("location")
def location(file: Any, line: Any, column: Any) -> Location:
    """The place in FILE in that line and column, both from 1."""
    return Location(str(file), line, column)


@LIBRARY.procedure("location?")
def is_location(obj: Any) -> bool:
    """Is OBJ a place in a source?"""
    return type(obj) is Location


@LIBRARY.procedure("location-file")
def location_file(place: Any) -> str:
    """The name of the file."""
    return _location("location-file", place).file


@LIBRARY.procedure("location-line")
def location_line(place: Any) -> int:
    """The number of the line, from 1."""
    return _location("location-line", place).line


@LIBRARY.procedure("location-column")
def location_column(place: Any) -> int:
    """The number of the column, from 1."""
    return _location("location-column", place).column


@LIBRARY.procedure("location->string")
def location_to_string(place: Any) -> str:
    """FILE:LINE:COLUMN."""
    return str(_location("location->string", place))
