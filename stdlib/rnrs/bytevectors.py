"""(rnrs bytevectors): what Kiln has by default, and endianness."""

from __future__ import annotations

from lang.runtime.library import Library
from lang.runtime.primitives import bytevectors

LIBRARY = Library("rnrs", "bytevectors")

LIBRARY.bindings.update(bytevectors.LIBRARY.bindings)
