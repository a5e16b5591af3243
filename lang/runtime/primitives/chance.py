"""Random numbers: Guile's generator, so that a seed gives the numbers that it gives there.

Numbers from a state that was made from a seed follow from the seed alone. The state that Guile
takes where none is given belongs to the process: `library` gives the procedures that take it to
builds only.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal

from lang.data import MString, Pair, python_list, scheme_list, symbol
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error, out_of_range, wrong_type

LIBRARY = Library("guile")
LIBRARY.constant("*random-state*", None, staged=True)

_FACTOR: Final = 2131995753
_WORD: Final = (1 << 32) - 1
_SEED: Final = "URL:http://stat.fsu.edu/~geo/diehard.html"
_TAG: Final = symbol("multiply-with-carry")


class RandomState:
    """Marsaglia's multiply-with-carry generator of words of 32 bits.

    `normal` is the second normal deviate of a pair, or 0.0.
    """

    __slots__ = ("carry", "normal", "word")

    def __init__(self, word: int, carry: int) -> None:
        self.word = word
        self.carry = carry
        self.normal = 0.0

    def __repr__(self) -> str:
        return "#<random-state>"

    def bits(self) -> int:
        """The next 32 bits."""
        product = _FACTOR * self.word + self.carry
        self.word = product & _WORD
        self.carry = product >> 32
        return self.word

    def uniform(self) -> float:
        """The next number from 0 to 1."""
        low = self.bits() / _WORD
        return (low + self.bits()) / _WORD

    def below(self, bound: int) -> int:
        """The next integer from 0 up to `bound`, which is left out."""
        while True:
            words, rest = divmod(bound.bit_length(), 32)
            value = self.bits() & ((1 << rest) - 1) if rest else 0
            for _ in range(words):
                value = value << 32 | self.bits()
            if value < bound:
                return value


def _state(who: str, position: int, value: Any) -> RandomState:
    if type(value) is RandomState:
        return value
    wrong_type(who, position, value)


@LIBRARY.procedure("seed->random-state")
def seed_to_state(seed: Any) -> RandomState:
    """From a string or a number."""
    if type(seed) in (str, MString):
        text = str(seed)
    else:
        from lang.numbers import format_number

        text = format_number(arguments.number("seed->random-state", 1, seed))
    halves = [0, 0]
    for index, byte in enumerate(text.encode()):
        half, shift = divmod(index % 8, 4)
        halves[half] = (halves[half] + (byte << 8 * shift)) & _WORD
    word, carry = halves
    if (word, carry) in ((0, 0), (_WORD, _FACTOR - 1)):
        carry += 1
    return RandomState(word, carry)


@LIBRARY.procedure("random-state->datum")
def state_to_datum(state: Any) -> Any:
    state = _state("random-state->datum", 1, state)
    return scheme_list([_TAG, state.word, state.carry])


@LIBRARY.procedure("datum->random-state")
def datum_to_state(datum: Any) -> RandomState:
    parts = python_list(datum) if type(datum) is Pair else []
    if [type(part) for part in parts[1:]] != [int, int] or parts[0] is not _TAG:
        wrong_type("datum->random-state", 1, datum)
    return RandomState(parts[1] & _WORD, parts[2] & _WORD)


@LIBRARY.procedure("random-state-from-platform", staged=True)
def state_from_platform() -> RandomState:
    import os

    return seed_to_state(int.from_bytes(os.urandom(16), "little"))


def library(stage: Literal["configuration", "build"]) -> Library:
    """The procedures that take the default state; in a configuration they ask for another."""
    found = Library("guile")
    default = seed_to_state(_SEED) if stage == "build" else None

    def given(who: str, position: int, state: Any) -> RandomState:
        if state is not None:
            return _state(who, position, state)
        if default is not None:
            return default
        misc_error(
            who,
            "without a state, random numbers exist inside builds only: a configuration's value "
            "must follow from its text. Make a state of a seed: (seed->random-state 42)",
        )

    found.constant("*random-state*", default)

    @found.procedure("random")
    def random(bound: Any, state: Any = None) -> Any:
        source = given("random", 2, state)
        if type(bound) not in (int, float):
            wrong_type("random", 1, bound)
        if bound <= 0:
            out_of_range("random", bound)
        return source.below(bound) if type(bound) is int else bound * source.uniform()

    @found.procedure("random:uniform")
    def uniform(state: Any = None) -> float:
        return given("random:uniform", 1, state).uniform()

    @found.procedure("random:normal")
    def normal(state: Any = None) -> float:
        source = given("random:normal", 1, state)
        if source.normal:
            value, source.normal = source.normal, 0.0
            return value
        radius = math.sqrt(-2.0 * math.log(source.uniform()))
        turn = 2.0 * math.pi * source.uniform()
        source.normal = radius * math.cos(turn)
        return radius * math.sin(turn)

    @found.procedure("random:exp")
    def exponential(state: Any = None) -> float:
        return -math.log(given("random:exp", 1, state).uniform())

    @found.procedure("copy-random-state")
    def copy(state: Any = None) -> RandomState:
        source = given("copy-random-state", 1, state)
        twin = RandomState(source.word, source.carry)
        twin.normal = source.normal
        return twin

    return found
