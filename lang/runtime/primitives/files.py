"""Files and file names. What changes something, or looks at more than a file, is staged."""

from __future__ import annotations

import os
import re
import stat as stat_
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from lang.data import EOF, NIL, UNSPECIFIED, Keyword, keyword, python_list, scheme_list, symbol
from lang.runtime import dynamic
from lang.runtime.library import Library
from lang.runtime.ports import FileOutput, InputPort, Port
from lang.runtime.primitives import arguments
from lang.runtime.primitives.ports import recode
from lang.runtime.signals import misc_error, system_error, wrong_type
from lang.runtime.trampoline import call, passed_on, tail_calling

LIBRARY = Library("guile")

LIBRARY.constant("file-name-separator-string", "/")
for _name in ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND"):
    LIBRARY.constant(_name, getattr(os, _name))
for _name in ("F_OK", "R_OK", "W_OK", "X_OK"):
    LIBRARY.constant(_name, getattr(os, _name))


def _refused(who: str, error: OSError) -> NoReturn:
    system_error(who, error)


def open_input(who: str, name: Any) -> InputPort:
    """A port on the contents of a file."""
    path = arguments.string(who, 1, name)
    try:
        return InputPort(Path(path).read_bytes(), path)
    except OSError as error:
        _refused(who, error)


def open_output(who: str, name: Any, mode: str = "wb") -> FileOutput:
    """A port that replaces (or appends to, with mode "ab") a file."""
    path = arguments.string(who, 1, name)
    try:
        return FileOutput(open(path, mode), path)  # type: ignore[arg-type]
    except OSError as error:
        _refused(who, error)


P = TypeVar("P", bound=Port)
_USUAL: Final = dynamic.default_encoding.value


def _in_mode(who: str, port: P, options: tuple[Any, ...]) -> P:
    """The port, made as #:binary, #:encoding and #:guess-encoding ask for, in the encoding of
    %default-port-encoding."""
    usual = dynamic.default_encoding.value
    if usual is not _USUAL:
        recode(who, port, "ISO-8859-1" if usual is False else usual)
    for option, value in zip(options[::2], options[1::2], strict=False):
        match option.name if type(option) is Keyword else None:
            case "binary":
                if value is not False:
                    port.binary = True
                    port.recode("iso8859-1")
            case "encoding":
                if value is not False:
                    recode(who, port, value)
            case "guess-encoding":
                if value is not False and isinstance(port, InputPort):
                    _guess(who, port)
            case _:
                misc_error(who, "Unrecognized keyword: ~S", option)
    if len(options) % 2:
        misc_error(who, "Invalid keyword: ~S", options[-1])
    return port


_CODING: Final = re.compile(rb"coding[:=]\s*([\w.-]+)")


def _guess(who: str, port: InputPort) -> None:
    """Take the encoding that a byte order mark or a comment such as ;; coding: latin-1 names."""
    head = port.data[:500]
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xfe\xff", "utf-16"),
        (b"\xff\xfe", "utf-16"),
    ):
        if head.startswith(mark):
            recode(who, port, name)
            return
    found = _CODING.search(head)
    if found:
        recode(who, port, found[1].decode("ascii"))


@LIBRARY.procedure("open-input-file")
def open_input_file(name: Any, *options: Any) -> InputPort:
    return _in_mode("open-input-file", open_input("open-input-file", name), options)


@LIBRARY.procedure("open-binary-input-file")
def open_binary_input_file(name: Any) -> InputPort:
    port = open_input("open-binary-input-file", name)
    port.binary = True
    return port


@LIBRARY.procedure("open-output-file", staged=True)
def open_output_file(name: Any, *options: Any) -> FileOutput:
    return _in_mode("open-output-file", open_output("open-output-file", name), options)


@LIBRARY.procedure("open-binary-output-file", staged=True)
def open_binary_output_file(name: Any) -> FileOutput:
    port = open_output("open-binary-output-file", name)
    port.binary = True
    return port


@LIBRARY.procedure("open-file", staged=True)
def open_file(name: Any, mode: Any, *options: Any) -> Port:
    letters = arguments.string("open-file", 2, mode)
    if "b" in letters:
        options = (keyword("binary"), True, *options)
    if letters[:1] in ("r", "w", "a") and "+" in letters:
        from lang.runtime.late.descriptors import open_both_ways

        return _in_mode("open-file", open_both_ways(name, letters[0]), options)
    if letters[:1] == "r":
        return _in_mode("open-file", open_input("open-file", name), options)
    if letters[:1] in ("w", "a"):
        return _in_mode("open-file", open_output("open-file", name, f"{letters[0]}b"), options)
    misc_error("open-file", "mode ~S is none of r, w and a", mode)


@LIBRARY.procedure("call-with-input-file")
def call_with_input_file(name: Any, function: Any, *options: Any) -> Any:
    port = _in_mode("call-with-input-file", open_input("call-with-input-file", name), options)
    result = call(function, port)
    port.close()
    return result


@LIBRARY.procedure("with-input-from-file")
@tail_calling
def with_input_from_file(name: Any, thunk: Any, *options: Any) -> Any:
    port = _in_mode("with-input-from-file", open_input("with-input-from-file", name), options)
    return passed_on(dynamic.with_values([dynamic.current_input], [port], thunk))


@LIBRARY.procedure("call-with-output-file", staged=True)
def call_with_output_file(name: Any, function: Any, *options: Any) -> Any:
    port = _in_mode("call-with-output-file", open_output("call-with-output-file", name), options)
    try:
        return call(function, port)
    finally:
        port.close()


@LIBRARY.procedure("with-output-to-file", staged=True)
@tail_calling
def with_output_to_file(name: Any, thunk: Any, *options: Any) -> Any:
    port = _in_mode("with-output-to-file", open_output("with-output-to-file", name), options)
    try:
        return passed_on(dynamic.with_values([dynamic.current_output], [port], thunk))
    finally:
        port.close()


# ---------------------------------------------------------------- names


@LIBRARY.procedure("basename")
def basename(name: Any, suffix: Any = None) -> str:
    path = arguments.string("basename", 1, name)
    last = path.rstrip("/").rpartition("/")[2] or path[:1]
    ending = "" if suffix is None else arguments.string("basename", 2, suffix)
    return last[: -len(ending)] if ending and last.endswith(ending) and last != ending else last


@LIBRARY.procedure("dirname")
def dirname(name: Any) -> str:
    path = arguments.string("dirname", 1, name)
    stripped = path.rstrip("/")
    if not stripped:
        return "/" if path else "."
    head, slash, _ = stripped.rpartition("/")
    return (head.rstrip("/") or "/") if slash else "."


@LIBRARY.procedure("absolute-file-name?")
def is_absolute(name: Any) -> bool:
    return arguments.string("absolute-file-name?", 1, name).startswith("/")


@LIBRARY.procedure("file-name-separator?")
def is_separator(character: Any) -> bool:
    return arguments.character("file-name-separator?", 1, character) == "/"


@LIBRARY.procedure("in-vicinity")
def in_vicinity(directory: Any, name: Any) -> str:
    head = arguments.string("in-vicinity", 1, directory)
    return head + ("" if not head or head.endswith("/") else "/") + str(name)


@LIBRARY.procedure("canonicalize-path")
def canonicalize_path(name: Any) -> str:
    try:
        return str(Path(arguments.string("canonicalize-path", 1, name)).resolve(strict=True))
    except OSError as error:
        _refused("canonicalize-path", error)


@LIBRARY.procedure("search-path")
def search_path(directories: Any, name: Any, extensions: Any = None, *_options: Any) -> Any:
    """The first existing file called `name` (with one of `extensions`) in `directories`."""
    wanted = arguments.string("search-path", 2, name)
    endings = [""] if extensions is None else arguments.items("search-path", 3, extensions)
    for directory in arguments.items("search-path", 1, directories):
        for ending in endings:
            path = Path(str(directory)) / (wanted + str(ending))
            if path.exists():
                return str(path)
    return False


@LIBRARY.procedure("parse-path")
def parse_path(path: Any, tail: Any = NIL) -> Any:
    """The directories of PATH, a string with a : between them (or #f), before the list TAIL."""
    if path is False:
        return tail
    return scheme_list(arguments.string("parse-path", 1, path).split(":"), tail)


@LIBRARY.procedure("parse-path-with-ellipsis")
def parse_path_with_ellipsis(path: Any, base: Any) -> Any:
    """As parse-path; the list BASE stands in place of "...", or follows."""
    if path is False:
        return base
    parts = arguments.string("parse-path-with-ellipsis", 1, path).split(":")
    at = parts.index("...") if "..." in parts else len(parts)
    inserted = arguments.items("parse-path-with-ellipsis", 2, base)
    return scheme_list([*parts[:at], *inserted, *parts[at + 1 :]])


# ---------------------------------------------------------------- looking


@LIBRARY.procedure("file-exists?")
def file_exists(name: Any) -> bool:
    return Path(arguments.string("file-exists?", 1, name)).exists()


@LIBRARY.procedure("file-is-directory?")
def file_is_directory(name: Any) -> bool:
    return Path(arguments.string("file-is-directory?", 1, name)).is_dir()


@LIBRARY.procedure("access?")
def is_accessible(name: Any, mode: Any) -> bool:
    return os.access(arguments.string("access?", 1, name), arguments.index("access?", 2, mode))


@LIBRARY.procedure("readlink")
def readlink(name: Any) -> str:
    try:
        return str(Path(arguments.string("readlink", 1, name)).readlink())
    except OSError as error:
        _refused("readlink", error)


@LIBRARY.procedure("stat")
def stat(name: Any, complain: Any = True) -> Any:
    return _status("stat", name, complain, follow=True)


@LIBRARY.procedure("lstat")
def lstat(name: Any, complain: Any = True) -> Any:
    return _status("lstat", name, complain, follow=False)


def _status(who: str, name: Any, complain: Any, *, follow: bool) -> Any:
    try:
        return Path(arguments.string(who, 1, name)).stat(follow_symlinks=follow)
    except OSError as error:
        if complain is False:
            return False
        _refused(who, error)


_TYPES = (
    (stat_.S_ISREG, "regular"),
    (stat_.S_ISDIR, "directory"),
    (stat_.S_ISLNK, "symlink"),
    (stat_.S_ISBLK, "block-special"),
    (stat_.S_ISCHR, "char-special"),
    (stat_.S_ISFIFO, "fifo"),
    (stat_.S_ISSOCK, "socket"),
)


def _status_of(who: str, value: Any) -> os.stat_result:
    if not isinstance(value, os.stat_result):
        wrong_type(who, 1, value)
    return value


@LIBRARY.procedure("stat:type")
def stat_type(status: Any) -> Any:
    mode = _status_of("stat:type", status).st_mode
    return symbol(next((name for test, name in _TYPES if test(mode)), "unknown"))


@LIBRARY.procedure("stat:perms")
def stat_perms(status: Any) -> int:
    return stat_.S_IMODE(_status_of("stat:perms", status).st_mode)


def _status_field(field: str) -> None:
    @LIBRARY.procedure(f"stat:{field}")
    def access(status: Any) -> int:
        return int(getattr(_status_of(f"stat:{field}", status), f"st_{field}"))


def _status_nanoseconds(field: str) -> None:
    @LIBRARY.procedure(f"stat:{field}nsec")
    def access(status: Any) -> int:
        status = _status_of(f"stat:{field}nsec", status)
        return int(getattr(status, f"st_{field}_ns")) % 1_000_000_000


for _field in ("dev", "ino", "mode", "nlink", "uid", "gid", "rdev", "size", "blksize", "blocks"):
    _status_field(_field)
for _field in ("atime", "mtime", "ctime"):
    _status_field(_field)
    _status_nanoseconds(_field)


class DirectoryStream:
    """A directory that is being read, in sorted order."""

    __slots__ = ("names",)

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def __repr__(self) -> str:
        return "#<directory stream>"


@LIBRARY.procedure("opendir", staged=True)
def opendir(name: Any) -> DirectoryStream:
    try:
        names = [".", "..", *sorted(os.listdir(arguments.string("opendir", 1, name)))]  # noqa: PTH208
    except OSError as error:
        _refused("opendir", error)
    return DirectoryStream(names)


@LIBRARY.procedure("readdir")
def readdir(stream: Any) -> Any:
    if type(stream) is not DirectoryStream:
        wrong_type("readdir", 1, stream)
    return stream.names.pop(0) if stream.names else EOF


@LIBRARY.procedure("closedir")
def closedir(stream: Any) -> Any:
    if type(stream) is not DirectoryStream:
        wrong_type("closedir", 1, stream)
    stream.names.clear()
    return UNSPECIFIED


@LIBRARY.procedure("directory-stream?")
def is_directory_stream(value: Any) -> bool:
    return type(value) is DirectoryStream


# ---------------------------------------------------------------- changing


def _acting(name: str, act: Any, paths: int = 1) -> None:
    """A staged procedure that does `act` with its arguments, the first ones of them file names."""

    @LIBRARY.procedure(name, staged=True)
    def change(*given: Any) -> Any:
        names = [arguments.string(name, i, value) for i, value in enumerate(given[:paths], 1)]
        try:
            act(*names, *given[paths:])
        except OSError as error:
            _refused(name, error)
        except TypeError:
            misc_error(name, "wrong arguments: ~S", python_list(given))
        return UNSPECIFIED


def _copy(source: str, target: str) -> None:
    import shutil

    shutil.copyfile(source, target)


_acting("delete-file", os.unlink)
_acting("rename-file", os.replace, 2)
_acting("symlink", os.symlink, 2)
_acting("link", os.link, 2)
_acting("copy-file", _copy, 2)
_acting("mkdir", lambda name, mode=0o777: os.mkdir(name, mode))  # noqa: PTH102
_acting("rmdir", os.rmdir)
_acting("chmod", os.chmod)
_acting("chown", os.chown)
_acting("chdir", os.chdir)
_acting("truncate-file", os.truncate)


@LIBRARY.procedure("utime", staged=True)
def utime(name: Any, access: Any = None, modification: Any = None, *_fractions: Any) -> Any:
    times = None if access is None else (access, access if modification is None else modification)
    try:
        os.utime(arguments.string("utime", 1, name), times)
    except OSError as error:
        _refused("utime", error)
    return UNSPECIFIED


@LIBRARY.procedure("umask", staged=True)
def umask(mask: Any = None) -> int:
    old = os.umask(0 if mask is None else arguments.index("umask", 1, mask))
    if mask is None:
        os.umask(old)
    return old


@LIBRARY.procedure("getcwd", staged=True)
def getcwd() -> str:
    return str(Path.cwd())


@LIBRARY.procedure("mkdtemp", staged=True)
def mkdtemp(template: Any) -> str:
    """A fresh directory whose name begins like `template` (which ends in XXXXXX)."""
    import tempfile

    prefix = Path(arguments.string("mkdtemp", 1, template).removesuffix("XXXXXX"))
    try:
        return tempfile.mkdtemp(prefix=prefix.name, dir=prefix.parent)
    except OSError as error:
        _refused("mkdtemp", error)
