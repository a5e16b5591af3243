"""Pairs: cons, car, cdr and their compositions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from lang.data import NIL, UNSPECIFIED, Pair
from lang.runtime.library import Library
from lang.runtime.signals import wrong_type

LIBRARY = Library("guile")


@LIBRARY.procedure("cons")
def pair_of(first: Any, rest: Any) -> Pair:
    pair = Pair()
    pair.car = first
    pair.cdr = rest
    pair.pos = None
    return pair


@LIBRARY.procedure("car")
def car(pair: Any) -> Any:
    if type(pair) is not Pair:
        wrong_type("car", 1, pair, "a pair")
    return pair.car


@LIBRARY.procedure("cdr")
def cdr(pair: Any) -> Any:
    if type(pair) is not Pair:
        wrong_type("cdr", 1, pair, "a pair")
    return pair.cdr


@LIBRARY.procedure("set-car!")
def set_car(pair: Any, value: Any) -> Any:
    if type(pair) is not Pair:
        wrong_type("set-car!", 1, pair, "a pair")
    pair.car = value
    return UNSPECIFIED


@LIBRARY.procedure("set-cdr!")
def set_cdr(pair: Any, value: Any) -> Any:
    if type(pair) is not Pair:
        wrong_type("set-cdr!", 1, pair, "a pair")
    pair.cdr = value
    return UNSPECIFIED


@LIBRARY.procedure("pair?")
def is_pair(value: Any) -> bool:
    return type(value) is Pair


@LIBRARY.procedure("null?")
def is_null(value: Any) -> bool:
    return value is NIL


def _composition(path: str) -> Callable[[Any], Any]:
    """c[ad]r for the letters `path`, which are applied from the right."""
    name = f"c{path}r"
    takes_car = [letter == "a" for letter in reversed(path)]

    def composed(pair: Any) -> Any:
        value = pair
        for take_car in takes_car:
            if type(value) is not Pair:
                wrong_type(name, 1, pair)
            value = value.car if take_car else value.cdr
        return value

    return composed


for _length in (2, 3, 4):
    for _letters in itertools.product("ad", repeat=_length):
        _path = "".join(_letters)
        LIBRARY.procedure(f"c{_path}r")(_composition(_path))
