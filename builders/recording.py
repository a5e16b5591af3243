"""What code in a sandbox says of owners, devices and attributes, which its files cannot have.

The code may chown(2), mknod(2) and setxattr(2) as root may, itself or by programs that it runs:
builders.debian.recorder answers these calls and knows what they meant. Who wants to be another user
is refused.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from builders import attributes
from builders.attributes import Attributes
from builders.debian import seccomp
from builders.debian.recorder import Record, Recorder
from builders.errors import BuilderError

_CHUNK = 1 << 16


class TooManyOwners(BuilderError):
    """More files were given to someone than can be held, so as not to take others for them."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"its code gave owners to more than {count:,} files, and this process may hold no more"
            " of them open",
            hint="raise that limit: ulimit -Hn tells it",
        )


class _Recorder(Recorder):
    """Files that are given to root are not remembered: programs that copy do that with each."""

    full = False

    def _switch(self, _call: Any) -> bool:
        return False

    def _chown(self, call: Any) -> bool:
        before = len(self._held)
        try:
            done = super()._chown(call)
        except OSError as error:
            self.full = self.full or error.errno == errno.EMFILE
            raise
        if len(self._held) > before:
            key = next(reversed(self.records))
            if self.records[key] == Record():
                del self.records[key]
                os.close(self._held.pop())
        return done


class Recording:
    """One sandbox's records; in its process call `begin`, in the one that waits read `lines`."""

    def __init__(self) -> None:
        self._here, self._there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._recorder: _Recorder | None = None

    @property
    def descriptor(self) -> int:
        """What has to stay open in the sandbox until `begin`."""
        return self._there.fileno()

    def begin(self) -> None:
        """Record what this process and its children do from now on. Raises SeccompUnavailable."""
        listener = seccomp.install()
        socket.send_fds(self._there, [b"0"], [listener])
        os.close(listener)
        self._there.close()

    def lines(self, output: int) -> Iterator[bytes]:
        """The lines that come out of the sandbox, whose calls are answered meanwhile."""
        self._there.close()
        poll = select.poll()
        poll.register(output, select.POLLIN)
        poll.register(self._here, select.POLLIN)
        rest = b""
        while True:
            ready = dict(poll.poll())
            if self._here.fileno() in ready:
                poll.unregister(self._here)
                _, descriptors, _, _ = socket.recv_fds(self._here, 1, 1)
                if descriptors:
                    self._recorder = _Recorder(descriptors[0])
                    poll.register(descriptors[0], select.POLLIN)
            elif self._recorder is not None and (event := ready.get(self._recorder.listener)):
                if event & select.POLLIN:
                    self._recorder.answer()
                else:
                    poll.unregister(self._recorder.listener)
            elif output in ready:
                chunk = os.read(output, _CHUNK)
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
                if not chunk:
                    break
        if rest:
            yield rest

    def close(self) -> None:
        """Let go of the files; what is to be kept of them has been written."""
        self._here.close()
        if self._recorder is not None:
            self._recorder.close()

    def check(self) -> None:
        """Raise TooManyOwners if not all was recorded."""
        if self._recorder is not None and self._recorder.full:
            raise TooManyOwners(len(self._recorder.records))

    def write(self, directory: Path, name: str) -> None:
        """Make a file in `directory`, where the code wrote, of the attributes of all there, which
        can be read by their owner then, whatever their modes.
        """
        records = self._recorder.records if self._recorder else {}
        top = os.fspath(directory)
        found: dict[str, Attributes] = {}
        waiting = [""]
        while waiting:
            parent = waiting.pop()
            full = os.path.join(top, parent)
            status = os.lstat(full)
            found[parent] = _told(status, records)
            Path(full).chmod(stat.S_IMODE(status.st_mode) | stat.S_IRWXU)
            with os.scandir(full) as entries:
                for entry in entries:
                    path = os.path.join(parent, entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    else:
                        found[path] = _told(entry.stat(follow_symlinks=False), records)
        attributes.write(directory / name, found)


def _told(status: os.stat_result, records: dict[tuple[int, int], Record]) -> Attributes:
    mode = stat.S_IMODE(status.st_mode)
    record = records.get((status.st_dev, status.st_ino))
    if record is None:
        return Attributes(mode)
    owner = (record.uid, record.gid) if record.uid or record.gid else None
    return Attributes(mode, owner, record.device, record.xattrs)
