"""The world around a program: time, processes, environment, locales. Nearly all is staged."""

from __future__ import annotations

import os
from typing import Any, Final

from lang.data import NIL, UNSPECIFIED, Pair, cons, scheme_list, symbol
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import system_error

LIBRARY = Library("guile")

LIBRARY.constant("%host-type", "x86_64-pc-linux-gnu")
LIBRARY.constant("EXIT_SUCCESS", 0)
LIBRARY.constant("EXIT_FAILURE", 1)
LIBRARY.constant("internal-time-units-per-second", 1_000_000_000)
for _number, _name in enumerate(
    ("LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY", "LC_MESSAGES", "LC_ALL")
):
    LIBRARY.constant(_name, _number)

FEATURES: Final = (
    *("r7rs", "guile", "guile-2", "guile-2.2", "guile-3", "guile-3.0", "kiln"),
    *("exact-closed", "full-unicode", "ratios"),
    *(f"srfi-{n}" for n in (0, 1, 2, 4, 6, 8, 9, 11, 13, 14, 16, 19, 23, 26, 27, 28, 30, 31, 34)),
    *(f"srfi-{n}" for n in (35, 37, 39, 41, 42, 43, 45, 46, 60, 61, 62, 64, 67, 69, 87, 98)),
    *(f"srfi-{n}" for n in (111, 171)),
)
"""What cond-expand and the procedure features know."""


@LIBRARY.procedure("features")
def features() -> Any:
    return scheme_list(map(symbol, FEATURES))


LIBRARY.constant("%cond-expand-features", scheme_list(map(symbol, FEATURES)))


_PROVIDED: Final = scheme_list(
    symbol(name)
    for name in (
        *("record", "defmacro", "values", "array-for-each", "array", "sort", "regex", "popen"),
        *("posix", "inexact", "complex", "random", "i/o-extensions", "i18n", "delay"),
        "char-ready?",
    )
)
LIBRARY.constant("*features*", _PROVIDED)


@LIBRARY.procedure("version")
def version() -> str:
    """The version of Guile whose dialect this is."""
    return "3.0.9"


@LIBRARY.procedure("effective-version")
def effective_version() -> str:
    return "3.0"


@LIBRARY.procedure("major-version")
def major_version() -> str:
    return "3"


@LIBRARY.procedure("minor-version")
def minor_version() -> str:
    return "0"


@LIBRARY.procedure("micro-version")
def micro_version() -> str:
    return "9"


# ---------------------------------------------------------------- messages: there is one language


@LIBRARY.procedure("gettext")
def gettext(message: Any, *_domain: Any) -> Any:
    return message


@LIBRARY.procedure("ngettext")
def ngettext(singular: Any, plural: Any, count: Any, *_domain: Any) -> Any:
    return singular if count == 1 else plural


@LIBRARY.procedure("setlocale", "bindtextdomain", "bind-textdomain-codeset", "textdomain")
def set_locale(what: Any, value: Any = "C") -> Any:
    """There is one locale only, in UTF-8."""
    return value


# ---------------------------------------------------------------- the environment


@LIBRARY.procedure("getenv", "get-environment-variable", staged=True)
def getenv(name: Any) -> Any:
    value = os.environ.get(arguments.string("getenv", 1, name))
    return False if value is None else value


@LIBRARY.procedure("environ", staged=True)
def environ() -> Any:
    return scheme_list(f"{name}={value}" for name, value in sorted(os.environ.items()))


@LIBRARY.procedure("get-environment-variables", staged=True)
def get_environment_variables() -> Any:
    return scheme_list(cons(name, value) for name, value in sorted(os.environ.items()))


@LIBRARY.procedure("setenv", staged=True)
def setenv(name: Any, value: Any) -> Any:
    key = arguments.string("setenv", 1, name)
    if value is False:
        os.environ.pop(key, None)
    else:
        os.environ[key] = arguments.string("setenv", 2, value)
    return UNSPECIFIED


@LIBRARY.procedure("unsetenv", staged=True)
def unsetenv(name: Any) -> Any:
    return setenv(name, False)


@LIBRARY.procedure("putenv", staged=True)
def putenv(setting: Any) -> Any:
    name, equals, value = arguments.string("putenv", 1, setting).partition("=")
    return setenv(name, value if equals else False)


@LIBRARY.procedure("program-arguments", "command-line", staged=True)
def program_arguments() -> Any:
    return NIL


# ---------------------------------------------------------------- time


@LIBRARY.procedure("current-time", staged=True)
def current_time() -> int:
    import time

    return int(time.time())


@LIBRARY.procedure("current-second", staged=True)
def current_second() -> float:
    import time

    return time.time()


@LIBRARY.procedure("gettimeofday", staged=True)
def gettimeofday() -> Pair:
    import time

    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    return cons(seconds, rest // 1000)


@LIBRARY.procedure("get-internal-real-time", "get-internal-run-time", "current-jiffy", staged=True)
def internal_time() -> int:
    import time

    return time.perf_counter_ns()


@LIBRARY.procedure("jiffies-per-second")
def jiffies_per_second() -> int:
    return 1_000_000_000


@LIBRARY.procedure("sleep", staged=True)
def sleep(seconds: Any) -> int:
    import time

    time.sleep(arguments.real("sleep", 1, seconds))
    return 0


@LIBRARY.procedure("usleep", staged=True)
def usleep(microseconds: Any) -> int:
    import time

    time.sleep(arguments.real("usleep", 1, microseconds) / 1e6)
    return 0


# ---------------------------------------------------------------- processes


@LIBRARY.procedure("system*", staged=True)
def system_star(program: Any, *rest: Any) -> int:
    """Run a program and wait. Gives its wait status; 127 << 8 if it cannot be run."""
    import subprocess

    words = [arguments.string("system*", i, word) for i, word in enumerate((program, *rest), 1)]
    try:
        return _wait_status(subprocess.run(words, check=False).returncode)
    except OSError:
        return 127 << 8


@LIBRARY.procedure("system", staged=True)
def system(command: Any = None) -> Any:
    import subprocess

    if command is None:
        return True
    text = arguments.string("system", 1, command)
    try:
        return _wait_status(subprocess.run(["/bin/sh", "-c", text], check=False).returncode)
    except OSError as error:
        system_error("system", error)


def _wait_status(code: int) -> int:
    return -code if code < 0 else code << 8


@LIBRARY.procedure("status:exit-val")
def status_exit_value(status: Any) -> Any:
    code = arguments.index("status:exit-val", 1, status)
    return False if code & 0x7F else code >> 8


@LIBRARY.procedure("status:term-sig")
def status_signal(status: Any) -> Any:
    return arguments.index("status:term-sig", 1, status) & 0x7F or False


@LIBRARY.procedure("status:stop-sig")
def status_stop_signal(status: Any) -> Any:
    arguments.index("status:stop-sig", 1, status)
    return False


@LIBRARY.procedure("getpid", staged=True)
def getpid() -> int:
    return os.getpid()


@LIBRARY.procedure("getuid", "geteuid", staged=True)
def getuid() -> int:
    return os.geteuid()


@LIBRARY.procedure("getgid", "getegid", staged=True)
def getgid() -> int:
    return os.getegid()


@LIBRARY.procedure("gethostname", staged=True)
def gethostname() -> str:
    return os.uname().nodename


@LIBRARY.procedure("strerror")
def strerror(number: Any) -> str:
    return os.strerror(arguments.integer("strerror", 1, number))


@LIBRARY.procedure("gc")
def collect_garbage() -> Any:
    """Nothing to do: memory is freed as the session goes."""
    return UNSPECIFIED
