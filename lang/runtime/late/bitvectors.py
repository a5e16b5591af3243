"""Bit vectors (Guile's manual, "Bit Vectors")."""

from __future__ import annotations

from typing import Any

from lang.constants import register
from lang.data import UNSPECIFIED, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import out_of_range, wrong_type

LIBRARY = Library("guile", "bitvectors")


class BitVector:
    """A vector of booleans."""

    __slots__ = ("bits",)

    def __init__(self, bits: list[bool]) -> None:
        self.bits = bits

    def has_contents_of(self, other: BitVector) -> bool:
        """Whether this and `other` are equal?."""
        return self.bits == other.bits

    def __repr__(self) -> str:
        return "#*" + "".join("01"[bit] for bit in self.bits)


def _of_bits(bits: tuple[bool, ...]) -> BitVector:
    return BitVector(list(bits))


register("bit vector", BitVector, lambda vector: tuple(vector.bits), _of_bits)


def _bits(who: str, position: int, value: Any) -> list[bool]:
    if type(value) is not BitVector:
        wrong_type(who, position, value)
    return value.bits


def _index(who: str, bits: list[bool], index: Any) -> int:
    if arguments.index(who, 2, index) >= len(bits):
        out_of_range(who, index)
    return int(index)


@LIBRARY.procedure("bitvector?")
def is_bitvector(obj: Any) -> bool:
    """Is OBJ a bit vector?"""
    return type(obj) is BitVector


@LIBRARY.procedure("make-bitvector")
def make_bitvector(length: Any, fill: Any = False) -> BitVector:
    """A bit vector of LENGTH bits, all of them FILL."""
    return BitVector([fill is not False] * arguments.index("make-bitvector", 1, length))


@LIBRARY.procedure("bitvector")
def bitvector(*bits: Any) -> BitVector:
    """A bit vector of the arguments: 0 and #f, or 1 and what is true."""
    return BitVector([bit is not False and bit != 0 for bit in bits])


@LIBRARY.procedure("list->bitvector")
def list_to_bitvector(bits: Any) -> BitVector:
    """A bit vector of the booleans of a list."""
    return bitvector(*arguments.items("list->bitvector", 1, bits))


@LIBRARY.procedure("bitvector->list")
def bitvector_to_list(vector: Any) -> Any:
    """The bits as a list of booleans."""
    return scheme_list(_bits("bitvector->list", 1, vector))


@LIBRARY.procedure("bitvector-length")
def bitvector_length(vector: Any) -> int:
    """The number of bits."""
    return len(_bits("bitvector-length", 1, vector))


@LIBRARY.procedure("bitvector-ref", "bitvector-bit-set?")
def bitvector_ref(vector: Any, index: Any) -> bool:
    """Is bit INDEX set?"""
    bits = _bits("bitvector-ref", 1, vector)
    return bits[_index("bitvector-ref", bits, index)]


@LIBRARY.procedure("bitvector-bit-clear?")
def is_clear(vector: Any, index: Any) -> bool:
    """Is bit INDEX not set?"""
    return not bitvector_ref(vector, index)


@LIBRARY.procedure("bitvector-set!")
def bitvector_set(vector: Any, index: Any, value: Any) -> Any:
    """Set bit INDEX, or clear it if VALUE is #f."""
    bits = _bits("bitvector-set!", 1, vector)
    bits[_index("bitvector-set!", bits, index)] = value is not False
    return UNSPECIFIED


@LIBRARY.procedure("bitvector-set-bit!")
def set_bit(vector: Any, index: Any) -> Any:
    """Set bit INDEX."""
    return bitvector_set(vector, index, True)


@LIBRARY.procedure("bitvector-clear-bit!")
def clear_bit(vector: Any, index: Any) -> Any:
    """Clear bit INDEX."""
    return bitvector_set(vector, index, False)


@LIBRARY.procedure("bitvector-fill!")
def fill(vector: Any, value: Any) -> Any:
    """Set all bits, or clear them if VALUE is #f."""
    bits = _bits("bitvector-fill!", 1, vector)
    bits[:] = [value is not False] * len(bits)
    return UNSPECIFIED


@LIBRARY.procedure("bitvector-set-all-bits!")
def set_all(vector: Any) -> Any:
    """Set all bits."""
    return fill(vector, True)


@LIBRARY.procedure("bitvector-clear-all-bits!")
def clear_all(vector: Any) -> Any:
    """Clear all bits."""
    return fill(vector, False)


@LIBRARY.procedure("bitvector-flip-all-bits!")
def flip(vector: Any) -> Any:
    """Set the bits that are clear and clear those that are set."""
    bits = _bits("bitvector-flip-all-bits!", 1, vector)
    bits[:] = [not bit for bit in bits]
    return UNSPECIFIED


def _selected(who: str, vector: Any, selection: Any) -> tuple[list[bool], list[bool]]:
    bits, chosen = _bits(who, 1, vector), _bits(who, 2, selection)
    if len(chosen) > len(bits):
        out_of_range(who, selection)
    return bits, chosen


@LIBRARY.procedure("bitvector-set-bits!")
def set_bits(vector: Any, selection: Any) -> Any:
    """Set the bits that are set in another bit vector."""
    bits, chosen = _selected("bitvector-set-bits!", vector, selection)
    bits[: len(chosen)] = [a or b for a, b in zip(bits, chosen, strict=False)]
    return UNSPECIFIED


@LIBRARY.procedure("bitvector-clear-bits!")
def clear_bits(vector: Any, selection: Any) -> Any:
    """Clear the bits that are set in another bit vector."""
    bits, chosen = _selected("bitvector-clear-bits!", vector, selection)
    bits[: len(chosen)] = [a and not b for a, b in zip(bits, chosen, strict=False)]
    return UNSPECIFIED


@LIBRARY.procedure("bitvector-count")
def bitvector_count(vector: Any) -> int:
    """How many bits are set."""
    return sum(_bits("bitvector-count", 1, vector))


@LIBRARY.procedure("bitvector-count-bits")
def bitvector_count_bits(vector: Any, selection: Any) -> int:
    """How many bits are set in both."""
    bits, chosen = _selected("bitvector-count-bits", vector, selection)
    return sum(a and b for a, b in zip(bits, chosen, strict=False))


@LIBRARY.procedure("bitvector-position")
def bitvector_position(vector: Any, value: Any, start: Any = 0) -> Any:
    """The first place from START on of a bit that is VALUE, or #f."""
    bits = _bits("bitvector-position", 1, vector)
    if arguments.index("bitvector-position", 3, start) > len(bits):
        out_of_range("bitvector-position", start)
    wanted = value is not False
    return next((at for at in range(start, len(bits)) if bits[at] is wanted), False)


@LIBRARY.procedure("bitvector-copy")
def bitvector_copy(vector: Any, start: Any = None, end: Any = None) -> BitVector:
    """A copy of the bits, or of some of them."""
    bits = _bits("bitvector-copy", 1, vector)
    first, last = arguments.span("bitvector-copy", len(bits), start, end)
    return BitVector(bits[first:last])
