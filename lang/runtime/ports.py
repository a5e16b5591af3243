"""Ports: where characters and bytes come from and go to."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Final

_FOLD: Final = "#!fold-case"
_DIRECTIVE: Final = re.compile(r"#!(?:no-)?fold-case")


class Port:
    """Base of all ports. `name` is the file's name, or None.

    `binary` is what binary-port? says. It changes nothing: every port takes text and bytes.
    `column` counts from the last line end, that was read or written. `encoding` is Python's name
    of the encoding between text and bytes; `_encode` writes it, or is None for UTF-8.
    """

    __slots__ = ("_encode", "binary", "closed", "column", "encoding", "name")

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self.closed = False
        self.binary = False
        self.column = 0
        self.encoding = "utf-8"
        self._encode: Callable[[str], bytes] | None = None

    def recode(self, encoding: str) -> None:
        """From here on text is in `encoding` (a name of lang.runtime.encodings.codec's)."""
        from lang.runtime import encodings

        self.encoding = encoding
        self._encode = None if encoding == "utf-8" else encodings.encoder(encoding)

    def encoded(self, text: str) -> bytes:
        """The bytes of `text`, which is written next."""
        if self._encode is None:
            return text.encode("utf-8", "surrogateescape")
        return self._encode(text)

    def decoded(self, data: bytes) -> str:
        """The text of `data`, which is read next."""
        return data.decode(self.encoding, "replace")

    def close(self) -> None:
        """No more reading or writing."""
        self.closed = True

    def __repr__(self) -> str:
        kind = "input" if isinstance(self, InputPort) else "output"
        state = "closed" if self.closed else kind
        return f"#<{state}: {self.name}>" if self.name else f"#<{state}: string>"


class InputPort(Port):
    """Text or bytes in memory, from the place where the last read operation stopped.

    It is text until bytes are asked for, and the other way round.
    """

    __slots__ = ("_bytes", "_passed", "_text", "at", "fold_case", "line")

    def __init__(self, contents: str | bytes, name: str | None = None) -> None:
        super().__init__(name)
        self._text = contents if isinstance(contents, str) else None
        self._bytes = contents if isinstance(contents, bytes) else None
        self._passed = b""
        """What was read before the place that `at` counts from."""
        self.at = 0
        self.line = 0
        self.fold_case = False
        """Has a #!fold-case been read?"""

    @property
    def text(self) -> str:
        """All of the text; the next character is number `at`."""
        if self._text is None:
            assert self._bytes is not None
            self._passed += self._bytes[: self.at]
            self._text = self.decoded(self._bytes[self.at :])
            self._bytes = None
            self.at = 0
        return self._text

    @property
    def data(self) -> bytes:
        """All of the bytes; the next byte is number `at`."""
        if self._bytes is None:
            assert self._text is not None
            self._passed += self.encoded(self._text[: self.at])
            self._bytes = self.encoded(self._text[self.at :])
            self._text = None
            self.at = 0
        return self._bytes

    def recode(self, encoding: str) -> None:
        """What has not been read yet is in `encoding`; a byte order mark is skipped."""
        from lang.runtime import encodings

        rest = self.data
        skipped, ordered = encodings.marked(rest[self.at : self.at + 4], encoding)
        self.at += skipped
        super().recode(ordered)

    def tell(self) -> int:
        """How many bytes come before the next one."""
        ahead = self._passed + self.encoded(self._text[: self.at]) if self._text else self._passed
        return len(ahead) + (self.at if self._text is None else 0)

    def seek(self, offset: int, whence: int) -> int | None:
        """Go to the byte number `offset` from the start (0), from here (1) or the end (2).

        Gives its number; None, and stays, where there is no such byte.
        """
        place = self.tell()
        rest = self.data
        whole = self._passed + rest
        place = offset + (0, place, len(whole))[whence]
        if not 0 <= place <= len(whole):
            return None
        self._passed, self._bytes, self.at = b"", whole, place
        return place

    def peek(self) -> str:
        """The next character, or "" at the end."""
        return self.text[self.at : self.at + 1]

    def take(self, count: int) -> str:
        """The next `count` characters, or as many as there are."""
        taken = self.text[self.at : self.at + count]
        self.at += len(taken)
        lines = taken.count("\n")
        if lines:
            self.line += lines
            self.column = len(taken) - taken.rfind("\n") - 1
        else:
            self.column += len(taken)
        return taken

    def take_line(self) -> tuple[str, str]:
        """The rest of the line and what ended it: "\\n", or "" at the end."""
        end = self.text.find("\n", self.at)
        line = self.take((end if end >= 0 else len(self.text)) - self.at)
        return line, self.take(1)

    def take_bytes(self, count: int) -> bytes:
        """The next `count` bytes, or as many as there are."""
        taken = self.data[self.at : self.at + count]
        self.at += len(taken)
        return taken

    def take_some(self) -> bytes:
        """The bytes that there are without waiting for more; none at the end."""
        return self.take_bytes(len(self.data) - self.at)

    def put_back(self, contents: str | bytes) -> None:
        """Make `contents` the next thing that is read."""
        whole: str | bytes = self.text if isinstance(contents, str) else self.data
        back = self.at - len(contents)
        if back >= 0 and whole[back : self.at] == contents:
            self.at = back
            return
        passed = self._passed
        if isinstance(contents, str):
            passed += self.encoded(self.text[: self.at])
            self._text = contents + self.text[self.at :]
            back = len(passed) - len(self.encoded(contents))
        else:
            passed += self.data[: self.at]
            self._bytes = contents + self.data[self.at :]
            back = len(passed) - len(contents)
        self._passed = passed[: max(back, 0)]
        self.at = 0

    def read_datum(self) -> Any:
        """The next datum, or EOF. Raises errors.ReadError."""
        from lang.reader import read_one

        if self.fold_case:
            datum, end = read_one(_FOLD + self.text[self.at :])
            count = end - len(_FOLD)
        else:
            datum, end = read_one(self.text, self.at)
            count = end - self.at
        directives = _DIRECTIVE.findall(self.take(count))
        if directives:
            self.fold_case = directives[-1] == _FOLD
        return datum


class OutputPort(Port):
    """Base of the ports that are written to."""

    __slots__ = ()

    def write(self, text: str) -> None:
        """Put `text` on the port."""
        end = text.rfind("\n")
        self.column = self.column + len(text) if end < 0 else len(text) - end - 1
        self.emit(text)

    def emit(self, text: str) -> None:
        """Pass `text` on."""
        raise NotImplementedError

    def write_bytes(self, data: bytes) -> None:
        """Put bytes on the port."""
        self.write(data.decode("utf-8", "surrogateescape"))

    def flush(self) -> None:
        """Pass on what was held back."""


class StringOutput(OutputPort):
    """Keeps what is written to it."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []

    def emit(self, text: str) -> None:
        self._parts.append(text)

    def text(self) -> str:
        """All that was written."""
        return "".join(self._parts)


class BytesOutput(OutputPort):
    """Keeps what is written to it, as bytes."""

    __slots__ = ("contents",)

    def __init__(self) -> None:
        super().__init__()
        self.contents = bytearray()
        self.binary = True

    def emit(self, text: str) -> None:
        self.contents += self.encoded(text)

    def write_bytes(self, data: bytes) -> None:
        self.contents += data


class FileOutput(OutputPort):
    """Writes to a binary file."""

    __slots__ = ("_file",)

    def __init__(self, file: BinaryIO, name: str | None) -> None:
        super().__init__(name)
        self._file = file

    def emit(self, text: str) -> None:
        self._file.write(self.encoded(text))

    def write_bytes(self, data: bytes) -> None:
        self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def seek(self, offset: int, whence: int) -> int:
        """Go to the byte number `offset` from the start (0), from here (1) or the end (2)."""
        return self._file.seek(offset, whence)

    def number(self) -> int:
        """The number of the open file."""
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
        super().close()


class VoidOutput(OutputPort):
    """Forgets what is written to it."""

    __slots__ = ()

    def emit(self, text: str) -> None:
        pass


class ConsoleOutput(OutputPort):
    """The process's standard output or standard error, whatever that is when it is written to."""

    __slots__ = ("_stream",)

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._stream = stream

    def emit(self, text: str) -> None:
        getattr(sys, self._stream).write(text)

    def write_bytes(self, data: bytes) -> None:
        stream = getattr(sys, self._stream)
        below = getattr(stream, "buffer", None)
        if below is None:
            super().write_bytes(data)
            return
        stream.flush()
        below.write(data)

    def flush(self) -> None:
        getattr(sys, self._stream).flush()


class ConsoleInput(InputPort):
    """The process's standard input, read at once when it is first needed."""

    __slots__ = ("_loaded",)

    def __init__(self) -> None:
        super().__init__("", "stdin")
        self._loaded = False

    def _load(self) -> None:
        if not self._loaded:
            self._loaded = True
            self._text = sys.stdin.read()

    @property
    def text(self) -> str:
        """All of the text; the next character is number `at`."""
        self._load()
        return super().text

    @property
    def data(self) -> bytes:
        """All of the bytes; the next byte is number `at`."""
        self._load()
        return super().data
