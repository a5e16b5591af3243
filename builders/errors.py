"""What can go wrong in a builder: a message for the user and, where there is one, a hint."""

from __future__ import annotations


class BuilderError(Exception):
    """Base of all errors that builders raise on purpose; `kiln` prints them without a traceback.

    `part` is the number of the part of a derivation that it is about (Derivation.places), `field`
    the name of that part's field.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.part: int | None = None
        self.field: str | None = None
