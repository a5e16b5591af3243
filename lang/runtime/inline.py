"""What generated code refers to beside Scheme's own names, under names that start with `$`."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from lang.data import (
    CHARS,
    NIL,
    UNDEFINED,
    UNSPECIFIED,
    Box,
    Char,
    Keyword,
    MString,
    Pair,
    Symbol,
    scheme_list,
)
from lang.errors import SchemeError
from lang.runtime.condition_types import ASSERTION
from lang.runtime.equality import OWN_EQUAL_KEYS, OWN_KEYS, is_eq, is_equal, is_eqv
from lang.runtime.hashtables import HashTable
from lang.runtime.primitives.pairs import pair_of
from lang.runtime.signals import error_condition, wrong_type
from lang.runtime.trampoline import TAIL, force, force_values


def parse_keywords(
    who: str,
    arguments: tuple[Any, ...],
    optional: int,
    names: tuple[str, ...],
    allow_other_keys: bool,
    with_rest: bool,
) -> list[Any]:
    """What follows the required arguments of a lambda* with #:key, sorted into its parameters.

    Gives the values of the `optional` optional parameters, of the keyword parameters `names` (each
    UNDEFINED if absent) and, `with_rest`, the list of the arguments after the optional ones.
    """
    count = len(arguments)
    at = 0
    while at < optional and at < count and type(arguments[at]) is not Keyword:
        at += 1
    values: list[Any] = [*arguments[:at], *[UNDEFINED] * (optional - at + len(names))]
    rest = scheme_list(arguments[at:]) if with_rest else None
    while at < count:
        given = arguments[at]
        if type(given) is not Keyword:
            if not with_rest:
                raise _keyword_error(who, "Invalid keyword: ~S", given)
            at += 1
            continue
        if at + 1 == count:
            raise _keyword_error(who, "Keyword argument has no value: ~S", given)
        if given.name in names:
            values[optional + names.index(given.name)] = arguments[at + 1]
        elif not allow_other_keys:
            raise _keyword_error(who, "Unrecognized keyword: ~S", given, names)
        at += 2
    if with_rest:
        values.append(rest)
    return values


def _keyword_error(who: str, message: str, given: Any, names: tuple[str, ...] = ()) -> SchemeError:
    irritants: tuple[Any, ...] = (given,)
    if names:
        message += " (expected ~A)"
        irritants = (given, " ".join(f"#:{name}" for name in names))
    return SchemeError(
        error_condition(
            "keyword-argument-error", ASSERTION, who, message, irritants, scheme_list([given])
        )
    )


def no_clause(who: str, arguments: tuple[Any, ...], usage: str) -> None:
    """No clause of a case-lambda takes that many arguments. `usage` tells which would do."""
    raise SchemeError(
        error_condition(
            "wrong-number-of-args",
            ASSERTION,
            who,
            "Wrong number of arguments: ~A given, it is called as ~A",
            (len(arguments), usage),
        )
    )


def not_number(who: str, position: int, value: Any) -> NoReturn:
    """An argument of an arithmetic procedure is a boolean."""
    wrong_type(who, position, value, "a number")


def empty_box() -> Box[Any]:
    """A box whose value is not there yet: reading it is an AttributeError."""
    return Box.__new__(Box)


def characters(value: Any) -> list[str] | None:
    """The characters of a mutable string; None for anything else."""
    return value.chars if type(value) is MString else None


RESULT: Final = "$result"
"""The global variable that holds the value of the last form after a unit has run."""

SUPPORT: Final[dict[str, Any]] = {
    "__builtins__": {},
    "$TAIL": TAIL,
    "$force": force,
    "$force_values": force_values,
    "$nil": NIL,
    "$unspecified": UNSPECIFIED,
    "$undefined": UNDEFINED,
    "$Pair": Pair,
    "$cons": pair_of,
    "$Symbol": Symbol,
    "$Keyword": Keyword,
    "$Box": Box,
    "$empty_box": empty_box,
    "$type": type,
    "$int": int,
    "$str": str,
    "$vector": list,
    "$Char": Char,
    "$chars": CHARS,
    "$len": len,
    "$characters": characters,
    "$is_eq": is_eq,
    "$is_eqv": is_eqv,
    "$is_equal": is_equal,
    "$HashTable": HashTable,
    "$eq_keys": OWN_KEYS,
    "$equal_keys": OWN_EQUAL_KEYS,
    "$ord": ord,
    "$list": scheme_list,
    "$even": {0: True, 1: False},
    "$odd": {0: False, 1: True},
    "$keywords": parse_keywords,
    "$no_clause": no_clause,
    "$not_number": not_number,
}
