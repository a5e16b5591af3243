"""(rnrs bytevectors): what Kiln has by default, and endianness."""

from __future__ import annotations

import struct
from typing import Any, Final

from lang.data import Symbol
from lang.runtime.library import Library
from lang.runtime.primitives import bytevectors
from lang.runtime.signals import wrong_type

LIBRARY = Library("rnrs", "bytevectors")

LIBRARY.bindings.update(bytevectors.LIBRARY.bindings)

_FORMATS: Final = {
    **{"vu8": "B", "u8": "B", "s8": "b", "u16": "H", "s16": "h", "u32": "I", "s32": "i"},
    **{"u64": "Q", "s64": "q", "f32": "f", "f64": "d"},
    **{"c32": "ff", "c64": "dd"},
}
"""How `struct` calls the elements of a uniform array; the complex ones are of two parts."""


@LIBRARY.procedure("uniform-array->bytevector")
def uniform_array_to_bytevector(array: Any) -> bytearray:
    """The bytes of a uniform array's elements, little-endian."""
    from lang.runtime.late import arrays

    if not arrays.is_array(array):
        wrong_type("uniform-array->bytevector", 1, array, "a uniform array")
    own = arrays.as_array("uniform-array->bytevector", 1, array)
    kind = _FORMATS.get(own.kind.name) if type(own.kind) is Symbol else None
    if kind is None:
        wrong_type("uniform-array->bytevector", 1, array, "a uniform array")
    elements = [own.items[own.place("", index)] for index in own.indices()]
    if len(kind) == 2:
        elements = [part for element in elements for part in (element.real, element.imag)]
    return bytearray(struct.pack(f"<{len(elements)}{kind[0]}", *elements))
