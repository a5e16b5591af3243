"""Ports whose contents come piece by piece: from procedures, programs, sockets."""

from __future__ import annotations

import codecs
import errno
import os
from collections.abc import Callable
from typing import Any

from lang.runtime.ports import InputPort, OutputPort, Port


class PulledInput(InputPort):
    """Input that `pull` gives, a piece a call; an empty piece is the end, until it is read."""

    __slots__ = ("_decoder", "_pull", "on_close")

    def __init__(self, pull: Callable[[], str | bytes], name: str | None = None) -> None:
        super().__init__("", name)
        self._pull = pull
        self._decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.on_close: Callable[[], Any] | None = None

    def _more(self) -> bool:
        """Pull a piece; False at the end."""
        piece = self._pull()
        if self._text is None:
            assert self._bytes is not None
            self._bytes += self.encoded(piece) if isinstance(piece, str) else bytes(piece)
        elif isinstance(piece, str):
            self._text = self._text[self.at :] + piece
            self.at = 0
        else:
            self._text = self._text[self.at :] + self._decoder.decode(bytes(piece), not piece)
            self.at = 0
        return len(piece) > 0

    def recode(self, encoding: str) -> None:
        """What has not been read yet is in `encoding`."""
        self._as_bytes()
        Port.recode(self, encoding)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def _as_text(self) -> str:
        return super().text

    def _as_bytes(self) -> bytes:
        if self._bytes is None:
            held, _ = self._decoder.getstate()
            data = super().data + held
            self._decoder = codecs.getincrementaldecoder(self.encoding)("replace")
            self._bytes = data
        return self._bytes

    @property
    def text(self) -> str:
        """All of the text that there will be; the next character is number `at`."""
        self._as_text()
        while self._more():
            pass
        return self._as_text()

    @property
    def data(self) -> bytes:
        """All of the bytes that there will be; the next byte is number `at`."""
        self._as_bytes()
        while self._more():
            pass
        return self._as_bytes()

    def peek(self) -> str:
        """The next character, or "" at the end."""
        while not self._as_text()[self.at :] and self._more():
            pass
        return self._as_text()[self.at : self.at + 1]

    def take(self, count: int) -> str:
        """The next `count` characters, or as many as there are."""
        while len(self._as_text()) - self.at < count and self._more():
            pass
        return self._taken(self._as_text()[self.at : self.at + count])

    def take_line(self) -> tuple[str, str]:
        """The rest of the line and what ended it: "\\n", or "" at the end."""
        while self._as_text().find("\n", self.at) < 0 and self._more():
            pass
        end = self._as_text().find("\n", self.at)
        if end < 0:
            return self._taken(self._as_text()[self.at :]), ""
        return self._taken(self._as_text()[self.at : end]), self._taken("\n")

    def _taken(self, text: str) -> str:
        self.at += len(text)
        lines = text.count("\n")
        self.line += lines
        self.column = len(text) - text.rfind("\n") - 1 if lines else self.column + len(text)
        return text

    def take_bytes(self, count: int) -> bytes:
        """The next `count` bytes, or as many as there are."""
        while len(self._as_bytes()) - self.at < count and self._more():
            pass
        taken = self._as_bytes()[self.at : self.at + count]
        self.at += len(taken)
        return taken

    def take_some(self) -> bytes:
        """The bytes that there are without waiting for more than one piece; none at the end."""
        while not self._as_bytes()[self.at :] and self._more():
            pass
        return self.take_bytes(len(self._as_bytes()) - self.at)

    def put_back(self, contents: str | bytes) -> None:
        """Make `contents` the next thing that is read."""
        if isinstance(contents, str):
            self._text = contents + self._as_text()[self.at :]
        else:
            self._bytes = contents + self._as_bytes()[self.at :]
        self.at = 0

    def seek(self, offset: int, whence: int) -> int | None:
        """Refused: what is read has no places."""
        raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE))

    def close(self) -> None:
        """No more reading."""
        super().close()
        if self.on_close is not None:
            self.on_close()


class _Pushing(OutputPort):
    """What is written goes to `_push`; `_flush`, if there is one, passes on what is held back."""

    __slots__ = ()
    _push: Callable[[str | bytes], Any]
    _flush: Callable[[], Any] | None

    def emit(self, text: str) -> None:
        self._push(text if self._encode is None else self._encode(text))

    def write_bytes(self, data: bytes) -> None:
        self._push(data)

    def flush(self) -> None:
        if self._flush is not None:
            self._flush()


class PushedOutput(_Pushing):
    """Output that `push` takes, as text or as bytes."""

    __slots__ = ("_flush", "_push", "on_close")

    def __init__(
        self,
        push: Callable[[str | bytes], Any],
        flush: Callable[[], Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self._push = push
        self._flush = flush
        self.on_close: Callable[[], Any] | None = None

    def close(self) -> None:
        """Pass on what was held back; no more writing."""
        self.flush()
        super().close()
        if self.on_close is not None:
            self.on_close()


class TwoWayPort(PulledInput, _Pushing):
    """Input that `pull` gives and output that `push` takes."""

    __slots__ = ("_flush", "_push")

    def __init__(
        self,
        pull: Callable[[], str | bytes],
        push: Callable[[str | bytes], Any],
        flush: Callable[[], Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(pull, name)
        self._push = push
        self._flush = flush

    def close(self) -> None:
        """Pass on what was held back; no more reading and writing."""
        self.flush()
        super().close()
