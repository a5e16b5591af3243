"""What a verb ends in, beside the errors of builders."""

from __future__ import annotations

from builders.errors import BuilderError


class UsageError(BuilderError):
    """The command line asks for what cannot be; exit status 2."""


class EvaluationFailed(Exception):
    """Scheme ended in an error; `text` is the whole message for the user."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
