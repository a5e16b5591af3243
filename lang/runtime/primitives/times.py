"""Broken-down times, as vectors of eleven: pure, since the time is given. The zone is UTC."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from lang.data import UNSPECIFIED, Pair, cons
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, out_of_range, wrong_type

LIBRARY = Library("guile")

FIELDS: Final = ("sec", "min", "hour", "mday", "mon", "year", "wday", "yday", "isdst", "gmtoff")
"""Months and the days of the year count from 0, years from 1900, days of the week from Sunday."""
ZONE: Final = 10
"""The index of the zone's name, after the FIELDS."""


def _broken_down(who: str, position: int, value: Any) -> list[Any]:
    fields = arguments.vector(who, position, value)
    if len(fields) != len(FIELDS) + 1:
        wrong_type(who, position, value)
    return fields


def _vector(moment: time.struct_time) -> list[Any]:
    year, month, day, hour, minute, second, week_day, year_day, _ = moment
    week_day = (week_day + 1) % 7
    return [
        *(second, minute, hour, day, month - 1, year - 1900, week_day, year_day - 1),
        *(0, 0, "GMT"),
    ]


def _struct(who: str, fields: list[Any]) -> time.struct_time:
    second, minute, hour, day, month, year, week_day, year_day, *_ = (
        arguments.integer(who, 1, field) for field in fields[:9]
    )
    return time.struct_time(
        (year + 1900, month + 1, day, hour, minute, second, (week_day - 1) % 7, year_day + 1, 0)
    )


@LIBRARY.procedure("gmtime", "localtime")
def gmtime(seconds: Any, *_zone: Any) -> list[Any]:
    """The date and time of `seconds` since 1970."""
    try:
        return _vector(time.gmtime(arguments.integer("gmtime", 1, seconds)))
    except (OverflowError, OSError):
        out_of_range("gmtime", seconds)


@LIBRARY.procedure("mktime")
def mktime(fields: Any, *_zone: Any) -> Pair:
    """The seconds since 1970 and the broken-down time, put right."""
    moment = _struct("mktime", _broken_down("mktime", 1, fields))
    seconds = _seconds(_months_in_range(moment))
    return cons(seconds, gmtime(seconds))


def _seconds(moment: Sequence[int]) -> int:
    from calendar import timegm

    return timegm(tuple(moment))


def _months_in_range(moment: time.struct_time) -> tuple[int, ...]:
    years, month = divmod(moment.tm_mon - 1, 12)
    return (moment.tm_year + years, month + 1, *moment[2:6])


@LIBRARY.procedure("strftime")
def strftime(template: Any, fields: Any) -> str:
    """A broken-down time as text, with the directives of C's strftime."""
    text = arguments.string("strftime", 1, template)
    moment = _struct("strftime", _broken_down("strftime", 2, fields))
    # Python's own text for %s and %Z would be that of the local zone.
    text = text.replace("%%", "\0")
    text = text.replace("%Z", str(fields[ZONE])).replace("%z", "+0000")
    text = text.replace("%s", str(_seconds(moment)))
    return time.strftime(text.replace("\0", "%%"), moment)


@LIBRARY.procedure("strptime")
def strptime(template: Any, text: Any) -> Pair:
    """The broken-down time that the beginning of `text` writes, and how much of it that is."""
    form = arguments.string("strptime", 1, template)
    given = arguments.string("strptime", 2, text)
    for end in range(len(given), -1, -1):
        try:
            return cons(_vector(time.strptime(given[:end], form)), end)
        except ValueError:
            continue
    misc_error("strptime", "~S is not as ~S says", text, template)


def _define_accessors(name: str, index: int) -> None:
    getter, setter = f"tm:{name}", f"set-tm:{name}"

    @LIBRARY.procedure(getter)
    def get(fields: Any) -> Any:
        return _broken_down(getter, 1, fields)[index]

    @LIBRARY.procedure(setter)
    def put(fields: Any, value: Any) -> Any:
        _broken_down(setter, 1, fields)[index] = value
        return UNSPECIFIED


for _index, _name in enumerate((*FIELDS, "zone")):
    _define_accessors(_name, _index)
