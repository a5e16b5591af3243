"""Builders for the tests of the store and of realisation; workers import this by its name."""

import os
import signal
import time
from pathlib import Path

from builders.errors import BuilderError
from builders.registry import BUILDERS, Build, BuilderSpec, builder

NAMES = ("write", "join", "slow", "fail", "die", "tree", "full", "bug", "odd", "nothing", "unlike")

# Workers import this module under the name that it has here.
for _name in NAMES:
    BUILDERS.setdefault(f"sample-{_name}", BuilderSpec(__name__, ()))
BUILDERS.setdefault("sample-net", BuilderSpec(__name__, (), network=True))
BUILDERS.setdefault("sample-inputs", BuilderSpec(__name__, (), references="inputs"))


@builder("sample-write")
def write(build: Build) -> None:
    """Write a text; tell each run to a file outside, for the tests to count."""
    _count(build)
    for line in build.arguments.get("log", []):
        build.log(line)
    build.output.write_text(build.arguments["text"])


@builder("sample-join")
def join(build: Build) -> None:
    """A file holding the texts of inputs and some of their paths."""
    _count(build)
    text = "".join(build.real(path).read_text() for path in build.arguments["read"])
    build.output.write_text(text + "\n".join(build.arguments.get("mention", [])))


@builder("sample-inputs")
def inputs(build: Build) -> None:
    build.output.write_text("")


@builder("sample-slow")
def slow(build: Build) -> None:
    """A directory of many files, written slowly."""
    _count(build)
    build.output.mkdir()
    for number in range(build.arguments.get("files", 10)):
        (build.output / str(number)).write_text(f"{build.name} {number}\n" * 50)
        time.sleep(build.arguments.get("pause", 0.0))
        build.progress(number, 10, "files")


@builder("sample-net")
def net(build: Build) -> None:
    """Wait as for the network, resuming what an earlier attempt left."""
    time.sleep(build.arguments.get("pause", 0.0))
    had = build.partial.read_text() if build.partial.exists() else ""
    if build.arguments.get("break") and not had:
        build.partial.write_text(build.arguments["text"][:3])
        raise BuilderError("the connection was lost", hint="try again")
    build.output.write_text(had + build.arguments["text"][len(had) :])


@builder("sample-fail")
def fail(build: Build) -> None:
    time.sleep(build.arguments.get("pause", 0.0))
    build.output.write_text("half")
    for number in range(40):
        build.log(f"line {number}")
    raise BuilderError("it did not work", hint="do better")


@builder("sample-bug")
def bug(build: Build) -> None:
    raise ZeroDivisionError("oh")


@builder("sample-die")
def die(build: Build) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@builder("sample-full")
def full(build: Build) -> None:
    with open("/dev/full", "w") as stream:
        stream.write("x")


@builder("sample-odd")
def odd(build: Build) -> None:
    os.mkfifo(build.output)


@builder("sample-nothing")
def nothing(build: Build) -> None:
    pass


@builder("sample-tree")
def tree(build: Build) -> None:
    build.output.mkdir()
    (build.output / "bin").mkdir()
    (build.output / "bin/tool").write_text("#!")
    (build.output / "bin/tool").chmod(0o700)
    (build.output / "link").symlink_to(build.arguments["target"])
    (build.scratch / "left").write_text("")


def _count(build: Build) -> None:
    if counter := build.arguments.get("counter"):
        with Path(counter).open("a") as stream:
            stream.write(build.name + "\n")


@builder("sample-unlike")
def unlike(build: Build) -> None:
    """Something else each time, from the byte asked for on."""
    build.output.mkdir()
    (build.output / "same").write_text("same")
    (build.output / "file").write_bytes(bytes(build.arguments["after"]) + os.urandom(16))
