"""Random trees for the tests of file systems, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from hypothesis import strategies as st

from builders.merge import arrange
from builders.tree import Content, Entry, path_bytes

BLOCK = 4096

NAMES = st.one_of(
    st.sampled_from(["a", "b", "lib", "x y", "é", "名前", "-", "...", "n" * 255, "ü" * 127]),
    st.binary(min_size=1, max_size=255)
    .map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"^"))
    .filter(lambda name: name not in (b".", b".."))
    .map(lambda name: name.decode("utf-8", "surrogateescape")),
)
TIMES = st.one_of(
    st.integers(0, 2 * 10**18),
    st.integers(-(2**31) * 10**9, (2**34 - 2**31) * 10**9 - 1),
    st.sampled_from([0, -1, 2**31 * 10**9, (2**31 - 1) * 10**9 + 999_999_999, 2**32 * 10**9 + 7]),
)
IDS = st.one_of(st.sampled_from([0, 1000, 65534, 65536]), st.integers(0, 2**32 - 2))
VALUES = st.binary(max_size=300)


def xattrs(namespaces: Iterable[str]) -> st.SearchStrategy[dict[str, bytes] | None]:
    names = st.tuples(
        st.sampled_from(list(namespaces)), st.text("abcxyz.-", min_size=1, max_size=12)
    ).map(lambda pair: pair[0] + pair[1])
    return st.none() | st.dictionaries(names, VALUES, max_size=3).map(lambda found: found or None)


# (byte, length) runs: contents with zeros in them
RUNS = st.lists(
    st.tuples(
        st.sampled_from(b"\0\0xyz"),
        st.sampled_from([1, 7, 4095, 4096, 4097, 12288, 65536, 300_000]),
    ),
    max_size=5,
)


@st.composite
def trees(draw: st.DrawFn, source: str) -> tuple[list[Entry], dict[str, bytes], bytes]:
    """A tree, its files' contents by path, and the bytes of the file `source` that it refers to."""
    pool = bytearray()
    entries = [Entry("", "d", 0o755, mtime=draw(TIMES))]
    contents: dict[str, bytes] = {}
    directories = [""]
    files: list[str] = []
    used = {"", "lost+found"}
    for _ in range(draw(st.integers(0, 25))):
        parent = draw(st.sampled_from(directories))
        name = draw(NAMES)
        path = f"{parent}/{name}" if parent else name
        if path in used or len(path_bytes(path)) > 3000:
            continue
        used.add(path)
        kind = draw(st.sampled_from("ddffffflhcbps"))
        attributes = (draw(st.integers(0, 0o7777)), draw(IDS), draw(IDS), draw(TIMES))
        if kind == "h":
            if files:
                entries.append(Entry(path, "h", 0, ref=draw(st.sampled_from(files))))
        elif kind == "d":
            directories.append(path)
            found = draw(xattrs(["user.", "trusted."]))
            entries.append(Entry(path, "d", *attributes, xattrs=found))
        elif kind == "f":
            found = draw(xattrs(["user.", "trusted."]))
            content = b"".join(bytes([byte]) * length for byte, length in draw(RUNS))
            contents[path] = content
            files.append(path)
            ref: Content | bytes | None = content or None
            if content and draw(st.booleans()):
                ref = Content(source, len(pool), draw(st.just(()) | st.just(zeros(content))))
                pool += content + bytes(-len(content) % BLOCK)
            entries.append(Entry(path, "f", *attributes, len(content), ref, found))
        elif kind == "l":
            target = "t" * draw(st.sampled_from([1, 5, 59, 60, 61, 1000, 4095]))
            entries.append(Entry(path, "l", 0o777, *attributes[1:], len(target), target))
        else:
            number = (draw(st.sampled_from([1, 255, 256, 4095])), draw(st.integers(0, 2**20 - 1)))
            device = number if kind in "cb" else None
            entries.append(Entry(path, kind, *attributes, 0, device, draw(xattrs(["trusted."]))))
    tree = arrange(entries)
    for entry in tree:
        if entry.kind == "h" and entry.path in contents:  # another name became the first
            contents[str(entry.ref)] = contents[entry.path]
    return tree, contents, bytes(pool)


def zeros(content: bytes) -> tuple[tuple[int, int], ...]:
    """The runs of zero blocks, at the end also of a part of one, as a pack would note them."""
    holes: list[tuple[int, int]] = []
    for start in range(0, len(content), BLOCK):
        block = content[start : start + BLOCK]
        if not any(block):
            if holes and sum(holes[-1]) == start:
                holes[-1] = (holes[-1][0], holes[-1][1] + len(block))
            else:
                holes.append((start, len(block)))
    return tuple(holes)


def sources(**files: Path) -> Callable[[str], Path]:
    """Where the sources called like this are."""
    return lambda name: files[name]
