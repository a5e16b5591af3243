"""crypt: hashes of passwords (Guile's manual, "Encryption")."""

from __future__ import annotations

from typing import Any

from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import misc_error

LIBRARY = Library("guile", "passwords")


@LIBRARY.procedure("crypt")
def crypt(password: Any, salt: Any) -> str:
    """The hash of PASSWORD, as crypt(3) gives it for SALT: "$6$…" (SHA-512) or "$5$…".

    An optional "rounds=N$" may stand before the salt proper.
    """
    from passlib.hash import sha256_crypt, sha512_crypt

    secret = arguments.string("crypt", 1, password)
    _, _, rest = arguments.string("crypt", 2, salt).partition("$")
    kind, _, rest = rest.partition("$")
    rounds = 5000
    if rest.startswith("rounds="):
        count, _, rest = rest.removeprefix("rounds=").partition("$")
        if not count.isdecimal():
            misc_error("crypt", "~s has no number of rounds", salt)
        rounds = int(count)
    schemes = {"5": sha256_crypt, "6": sha512_crypt}
    if kind not in schemes:
        misc_error("crypt", '~s is no salt that Kiln takes: use "$6$" and some letters', salt)
    try:
        hasher = schemes[kind].using(salt=rest.partition("$")[0], rounds=rounds)
        return str(hasher.hash(secret))
    except ValueError as error:
        misc_error("crypt", "~a", str(error))
