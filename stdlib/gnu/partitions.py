"""(gnu partitions): what is wrong with a partition, and where that is written."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from lang.data import NIL, Pair, Symbol, python_list, scheme_list
from lang.runtime.library import Library
from lang.sources import Location, Source

LIBRARY = Library("gnu", "partitions")

_FIELDS = ("label", "size", "uuid")
_ANY = uuid.UUID(int=1)
_ROOMY = ("ext2", "ext3", "ext4")
_AMPLE = 1 << 33
"""What is right for a file system of these of so many bytes is right for larger ones: to lay out
one of some TiB takes seconds.
"""


@LIBRARY.procedure("field-location")
def field_location(record: Location | bool, field: Symbol | Pair | bool) -> Location | bool:
    """Where the record that is written at `record` gives the field, or the first that it gives of
    a list of fields; if it gives none, the record's own place.
    """
    from lang import reader
    from lang.errors import ReadError

    if not isinstance(record, Location) or not Path(record.file).is_file():
        return record
    source = Source(record.file, Path(record.file).read_text(encoding="utf-8"), 0)
    if record.line > len(source.starts):
        return record
    start = source.starts[record.line - 1] + record.column - 1
    try:
        _, end = reader.read_one(source.text, start)
        (form,) = reader.read_all(Source(record.file, source.text[start:end], 0))
    except (ReadError, ValueError):
        return record
    given: dict[Symbol, int] = {}
    while isinstance(form, Pair):
        clause = form.car
        if isinstance(clause, Pair) and isinstance(clause.car, Symbol) and clause.pos is not None:
            given.setdefault(clause.car, clause.pos)
        form = form.cdr
    for name in python_list(field) if isinstance(field, Pair) else [field]:
        if name in given:
            return source.location(start + given[name])
    return record


@LIBRARY.procedure("partition-problem")
def partition_problem(
    file_system: str, label: str | bool, size: int | bool, own_uuid: str | bool, words: Any
) -> Any:
    """What Kiln cannot make of these fields, whatever the files: (field message hint) or #f.

    `size` is in bytes, #f if it follows from the files; `words` is a list of strings.
    """
    from tempfile import TemporaryDirectory

    from builders import filesystems
    from builders.errors import BuilderError
    from builders.filesystems import mkfs
    from builders.filesystems.options import BadOption
    from builders.filesystems.workroom import Workroom
    from builders.tree import Entry

    options: dict[str, object] = {
        "uuid": None if file_system == "iso9660" else str(_ANY if own_uuid is False else own_uuid),
        "label": None if label is False else label,
        "size": None if size is False else size,
    }
    field = "file-system-options"
    try:
        options |= mkfs.options(file_system, python_list(words))
        options.pop("subvolumes", None)  # they are directories of the tree
        if file_system in _ROOMY and words is NIL and type(size) is int:
            options["size"] = min(size, _AMPLE)
        with TemporaryDirectory() as directory:
            room = Workroom(Path, Path(directory, "made"))
            filesystems.plan(file_system, [Entry("", "d", 0o755)], options, room)
    except BadOption as error:
        where = error.option if error.option in _FIELDS else field
        return scheme_list([where, f"{file_system}: {error.problem}", error.hint or False])
    except mkfs.BadMkfsOption as error:
        return scheme_list([field, error.message, error.hint or False])
    except BuilderError as error:  # not even an empty tree fits
        return scheme_list(["size", error.message, error.hint or False])
    return False


@LIBRARY.procedure("file-size")
def file_size(path: str) -> int | bool:
    """The bytes of the file, or #f if there is none."""
    file = Path(path)
    return file.stat().st_size if file.is_file() else False
