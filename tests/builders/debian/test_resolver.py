from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from builders.debian.index import Index, PackagesFile, compile_index
from builders.debian.resolver import (
    AmbiguousPackage,
    ConflictingPackages,
    UnknownPackage,
    Unsatisfiable,
    resolve,
)

Make = Callable[[str], Index]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """An index of lines "name version; Field: value; ..."."""

    def call(text: str) -> Index:
        stanzas = []
        for line in filter(None, map(str.strip, text.splitlines())):
            head, *more = [piece.strip() for piece in line.split(";")]
            name, _, version = head.partition(" ")
            fields = [f"Package: {name}", f"Version: {version or 1}", *more]
            if not any(one.startswith("Architecture") for one in more):
                fields.append("Architecture: amd64")
            fields += [f"Filename: {name}.deb", "Size: 1", "SHA256: 0"]
            stanzas.append("\n".join(fields) + "\n")
        files = [PackagesFile("\n".join(stanzas).encode(), ())]
        compile_index(tmp_path / "i", files, snapshot="", date=0, architecture="amd64")
        return Index(tmp_path / "i")

    return call


def names(index: Index, *wanted: str, **options: object) -> list[str]:
    return [package.name for package in resolve(index, wanted, **options)]  # type: ignore[arg-type]


def test_dependencies_come_before_what_needs_them(make: Make) -> None:
    index = make("app; Depends: lib, tool\n lib; Pre-Depends: base\n tool; Depends: lib\n base")
    assert names(index, "app") == ["base", "lib", "tool", "app"]


def test_in_a_cycle_each_package_is_there_once(make: Make) -> None:
    index = make("a; Depends: b\n b; Depends: c\n c; Depends: a")
    assert sorted(names(index, "b")) == ["a", "b", "c"]


def test_essential_packages_come_first_unless_unwanted(make: Make) -> None:
    index = make("bash; Essential: yes; Depends: libc\n libc\n app")
    assert names(index, "app") == ["libc", "bash", "app"]
    assert names(index, "app", essential=False) == ["app"]


def test_the_first_alternative_that_can_be_is_taken(make: Make) -> None:
    index = make("app; Depends: gone | old (>= 2) | first | second\n old\n first\n second")
    assert names(index, "app") == ["first", "app"]


def test_an_alternative_that_is_there_anyway_is_taken(make: Make) -> None:
    index = make("app; Depends: first | second\n other; Depends: second\n first\n second")
    assert names(index, "app", "other") == ["second", "app", "other"]


def test_an_alternative_that_cannot_be_completed_is_not_taken(make: Make) -> None:
    index = make("app; Depends: bad | good\n bad; Depends: worse\n worse; Depends: none\n good")
    assert names(index, "app") == ["good", "app"]


def test_an_alternative_that_conflicts_is_not_taken(make: Make) -> None:
    index = make("app; Depends: x | y\n x; Conflicts: other\n y\n other")
    assert names(index, "app", "other") == ["y", "app", "other"]
    index = make("app; Depends: x | y\n x\n y\n other; Breaks: x (<< 2)")
    assert names(index, "app", "other") == ["y", "app", "other"]


def test_a_choice_is_taken_back_when_a_later_one_contradicts(make: Make) -> None:
    index = make("a; Depends: x | y\n b; Depends: z | w\n x\n y\n z; Depends: q\n w; Depends: q\n"
                 "q; Conflicts: x")  # fmt: skip
    assert {"q", "y"} < set(names(index, "a", "b"))


def test_virtual_packages_are_provided_essential_and_important_ones_first(make: Make) -> None:
    index = make("app; Depends: awk\n gawk; Provides: awk\n mawk; Provides: awk; Priority: required"
                 "\n original-awk; Provides: awk")  # fmt: skip
    assert names(index, "app") == ["mawk", "app"]


def test_a_versioned_dependency_needs_a_versioned_provider(make: Make) -> None:
    index = make("app; Depends: v (>= 2)\n a; Provides: v\n b; Provides: v (= 1)\n"
                 "c; Provides: v (= 2.5)")  # fmt: skip
    assert names(index, "app") == ["c", "app"]


def test_a_real_package_is_preferred_to_a_provider(make: Make) -> None:
    index = make("app; Depends: mta\n amta; Provides: mta\n mta")
    assert names(index, "app") == ["mta", "app"]


def test_qualifiers_are_honoured(make: Make) -> None:
    index = make("app; Depends: python:any, tool:native\n python; Multi-Arch: allowed\n tool")
    assert names(index, "app") == ["python", "tool", "app"]
    for depends in ("lib:any", "lib:i386"):
        with pytest.raises(Unsatisfiable):
            resolve(make(f"app; Depends: {depends}\n lib"), ["app"])


def test_what_is_satisfied_elsewhere_is_not_chosen(make: Make) -> None:
    index = make("linux; Depends: kmod, initramfs-tools (>= 0.1) | dracut\n kmod\n"
                 "initramfs-tools\n dracut")  # fmt: skip
    assert names(index, "linux", satisfied=frozenset({"initramfs-tools"})) == ["kmod", "linux"]


def test_recommendations_are_followed_only_when_wanted(make: Make) -> None:
    index = make("app; Recommends: extra, gone, rival\n extra; Recommends: more\n more\n"
                 "rival; Conflicts: app")  # fmt: skip
    assert names(index, "app") == ["app"]
    assert sorted(names(index, "app", recommends=True)) == ["app", "extra", "more"]


def test_the_order_of_what_is_wanted_does_not_matter(make: Make) -> None:
    index = make("a; Depends: x | y\n b; Depends: y | x\n c; Depends: v\n x\n y; Provides: v\n"
                 "z; Provides: v")  # fmt: skip
    results = {resolve(index, order) for order in permutations("abc")}
    assert len(results) == 1


def test_an_unknown_package_is_named_with_what_was_meant(make: Make) -> None:
    with pytest.raises(UnknownPackage, match="no package 'ngnix'") as caught:
        resolve(make("nginx\n tmux"), ["ngnix"])
    assert (caught.value.nearest, caught.value.hint) == (("nginx",), "did you mean nginx?")


def test_a_virtual_package_can_be_wanted_when_one_provides_it(make: Make) -> None:
    assert names(make("dash; Provides: sh"), "sh") == ["dash"]
    with pytest.raises(AmbiguousPackage, match="virtual") as caught:
        resolve(make("dash; Provides: sh\n busybox; Provides: sh"), ["sh"])
    assert caught.value.hint == "name one of them: busybox or dash"


def test_what_cannot_be_satisfied_is_told_with_its_chain(make: Make) -> None:
    index = make("app; Depends: lib\n lib; Depends: base (>= 2) | gone\n base 1.0")
    with pytest.raises(Unsatisfiable) as caught:
        resolve(index, ["app"])
    assert caught.value.message == (
        "app depends on lib, which depends on base (>= 2) | gone, "
        "but only base 1.0 is available and gone is not available"
    )


def test_packages_that_exclude_each_other_are_told_with_why_they_are_needed(make: Make) -> None:
    index = make("app; Depends: sysv\n sysv; Conflicts: init-system\n"
                 "systemd; Provides: init-system")  # fmt: skip
    with pytest.raises(ConflictingPackages) as caught:
        resolve(index, ["app", "systemd"])
    assert caught.value.message == (
        "sysv conflicts with init-system, which is systemd, but both are needed: "
        "sysv for app, and systemd by itself"
    )
    assert caught.value.chains == (("app", "sysv"), ("systemd",))


def test_a_package_may_conflict_with_what_it_provides_itself(make: Make) -> None:
    index = make("mta; Provides: mail; Conflicts: mail; Breaks: mta (<< 1)")
    assert names(index, "mta") == ["mta"]
