"""Symbols and keywords."""

from __future__ import annotations

import itertools
from typing import Any

from lang.data import Keyword, MString, Symbol, keyword, symbol
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.primitives.strings import stable_hash
from lang.runtime.signals import wrong_type

LIBRARY = Library("guile")

_serial = itertools.count(1)


@LIBRARY.procedure("symbol?")
def is_symbol(value: Any) -> bool:
    return type(value) is Symbol


@LIBRARY.procedure("symbol->string")
def symbol_to_string(value: Any) -> str:
    return arguments.symbol_name("symbol->string", 1, value)


@LIBRARY.procedure("symbol-append")
def symbol_append(*symbols: Any) -> Symbol:
    names = (arguments.symbol_name("symbol-append", i, s) for i, s in enumerate(symbols, 1))
    return symbol("".join(names))


@LIBRARY.procedure("symbol")
def symbol_of_characters(*characters: Any) -> Symbol:
    return symbol("".join(arguments.character("symbol", i, c) for i, c in enumerate(characters, 1)))


@LIBRARY.procedure("list->symbol")
def list_to_symbol(characters: Any) -> Symbol:
    items = arguments.items("list->symbol", 1, characters)
    return symbol("".join(arguments.character("list->symbol", 1, item) for item in items))


@LIBRARY.procedure("symbol=?")
def symbols_equal(first: Any, second: Any, *more: Any) -> bool:
    for position, value in enumerate((first, second, *more), 1):
        arguments.symbol_name("symbol=?", position, value)
    return all(value is first for value in (second, *more))


@LIBRARY.procedure("symbol<?")
def symbols_ordered(*symbols: Any) -> bool:
    names = [arguments.symbol_name("symbol<?", i, s) for i, s in enumerate(symbols, 1)]
    return all(a < b for a, b in itertools.pairwise(names))


@LIBRARY.procedure("symbol-hash")
def symbol_hash(value: Any) -> int:
    return stable_hash(arguments.symbol_name("symbol-hash", 1, value))


@LIBRARY.procedure("make-symbol")
def make_symbol(name: Any) -> Symbol:
    """An uninterned symbol: no other symbol is eq? to it."""
    return Symbol(arguments.string("make-symbol", 1, name))


@LIBRARY.procedure("symbol-interned?")
def is_interned(value: Any) -> bool:
    return symbol(arguments.symbol_name("symbol-interned?", 1, value)) is value


@LIBRARY.procedure("gensym")
def gensym(prefix: Any = " g") -> Symbol:
    """A symbol with a new name. The names are the same in every run of the same program."""
    if type(prefix) is not Symbol and type(prefix) is not str and type(prefix) is not MString:
        wrong_type("gensym", 1, prefix)
    text = prefix.name if type(prefix) is Symbol else str(prefix)
    return symbol(f"{text}{next(_serial)}")


@LIBRARY.procedure("keyword?")
def is_keyword(value: Any) -> bool:
    return type(value) is Keyword


@LIBRARY.procedure("keyword->symbol")
def keyword_to_symbol(value: Any) -> Symbol:
    if type(value) is not Keyword:
        wrong_type("keyword->symbol", 1, value)
    return symbol(value.name)


@LIBRARY.procedure("symbol->keyword")
def symbol_to_keyword(value: Any) -> Keyword:
    return keyword(arguments.symbol_name("symbol->keyword", 1, value))
