"""Sorting and merging (Guile's manual, "Sorting"). All sorts are stable.

Python's own sort would call the Scheme predicate from C, which bounds the recursion depth.
"""

from __future__ import annotations

from typing import Any

from lang.data import NIL, UNSPECIFIED, Pair, scheme_list
from lang.runtime.library import Library
from lang.runtime.primitives import arguments
from lang.runtime.signals import wrong_type
from lang.runtime.trampoline import TAIL, force

LIBRARY = Library("guile")


def merge_sorted(a: list[Any], b: list[Any], less: Any) -> list[Any]:
    """The elements of two sorted lists, sorted; of equals, those of `a` come first."""
    merged = []
    i = j = 0
    while i < len(a) and j < len(b):
        verdict = less(b[j], a[i])
        if verdict is TAIL:
            verdict = force()
        if verdict is not False:
            merged.append(b[j])
            j += 1
        else:
            merged.append(a[i])
            i += 1
    merged += a[i:]
    merged += b[j:]
    return merged


def sorted_by(items: list[Any], less: Any) -> list[Any]:
    """`items` in the order of the Scheme predicate `less`, stably."""
    runs = [[item] for item in items]
    while len(runs) > 1:
        paired = [merge_sorted(a, b, less) for a, b in zip(runs[::2], runs[1::2], strict=False)]
        if len(runs) % 2:
            paired.append(runs[-1])
        runs = paired
    return runs[0] if runs else []


@LIBRARY.procedure("sort", "stable-sort", "sort-list")
def sort(sequence: Any, less: Any) -> Any:
    arguments.procedure("sort", 2, less)
    if type(sequence) is list:
        return sorted_by(sequence, less)
    return scheme_list(sorted_by(arguments.items("sort", 1, sequence), less))


@LIBRARY.procedure("sort!", "stable-sort!", "sort-list!")
def sort_in_place(sequence: Any, less: Any) -> Any:
    result = sort(sequence, less)
    if type(sequence) is list:
        sequence[:] = result
        return sequence
    return result


@LIBRARY.procedure("restricted-vector-sort!")
def restricted_vector_sort(vector: Any, less: Any, start: Any, end: Any) -> Any:
    items = arguments.vector("restricted-vector-sort!", 1, vector)
    first, last = arguments.span("restricted-vector-sort!", len(items), start, end)
    items[first:last] = sorted_by(items[first:last], less)
    return UNSPECIFIED


@LIBRARY.procedure("sorted?")
def is_sorted(sequence: Any, less: Any) -> bool:
    if type(sequence) is not list:
        sequence = arguments.items("sorted?", 1, sequence)
    for position in range(1, len(sequence)):
        verdict = less(sequence[position], sequence[position - 1])
        if (force() if verdict is TAIL else verdict) is not False:
            return False
    return True


@LIBRARY.procedure("merge", "merge!")
def merge(a: Any, b: Any, less: Any) -> Any:
    for position, value in enumerate((a, b), 1):
        if value is not NIL and type(value) is not Pair:
            wrong_type("merge", position, value)
    left, right = arguments.items("merge", 1, a), arguments.items("merge", 2, b)
    return scheme_list(merge_sorted(left, right, less))
