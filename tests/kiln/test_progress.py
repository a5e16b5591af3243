"""What is seen of a build: on a terminal, in a pipe, by a program."""

from __future__ import annotations

import dataclasses
import io
import json
import time

import pytest
from rich.console import Console

from builders import events
from builders.events import Event
from kiln import live, progress
from kiln.terminal import printable
from tests.conftest import ROOT

CALM = [
    events.Planned("", 5, (("fetch", 3), ("staged", 2))),
    *(events.Started(f"deb{number}", f"fetch it {number}", "fetch") for number in range(3)),
    events.Progress("deb1", 5, 10),
    *(events.Finished(f"deb{number}", 5.0) for number in range(3)),
    events.Waiting("other", "build other", "staged"),
    events.Started("big", "build " + "a long name " * 8, "staged"),
    events.Log("big", "said"),
    events.Progress("big", 1, 4, "steps"),
    events.Finished("big", 2.5),
    events.Started("other", "build other", "staged"),
    events.Finished("other", 0.0),
]


def plain(capsys: pytest.CaptureFixture[str], sent: list[Event], verbose: bool = False) -> str:
    """What a pipe gets."""
    with progress.shown("plain", verbose=verbose) as sink:
        for event in sent:
            sink(event)
    return capsys.readouterr().err


def test_a_pipe_gets_a_line_for_what_matters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([10.0, 11.0, 12.0, 14.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    title = "build " + "a long name " * 8
    assert plain(capsys, CALM) == (
        "kiln: 3 packages to fetch, 2 things to build\n"
        "kiln: fetch 3 packages: done in 4.0 s\n"
        "kiln: build other: waiting for another Kiln that is at it\n"
        f"kiln: {title}\n"
        f"kiln: {title}: done in 2.5 s\n"
    )


def test_verbose_shows_what_builds_print(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\n  | said\n" in plain(capsys, CALM, verbose=True)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain\ttext ü", "plain\ttext ü"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b]0;title\x07x", "x"),
        (" 10 %\r 20 %", " 20 %"),
        ("windows\r", "windows"),
        ("bell\x07 \udcff", "bell\\x07 \\udcff"),
    ],
)
def test_what_builds_print_does_not_disturb_a_terminal(line: str, shown: str) -> None:
    assert printable(line) == shown


def test_each_event_is_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown("json") as sink:
        for event in CALM:
            sink(event)
        sink(events.Log("big", "a\nline\x1b \udcff ü"))
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [one["event"] for one in told[:2]] == ["planned", "started"]
    assert len(told) == len(CALM) + 1


def test_the_lines_of_a_terminal_are_never_wider_than_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for width in (40, 60, 200):
        screen = io.StringIO()
        console = Console(file=screen, force_terminal=True, width=width, height=20)
        monkeypatch.setattr(live, "Console", lambda console=console, **_options: console)
        with live.live(verbose=False) as sink:
            for event in CALM[:-3]:
                sink(event)
            lines = console.render_lines(sink.progress.get_renderable())  # type: ignore[attr-defined]
        assert len(lines) == 2  # what runs and what is waited for: downloads are done
        text = ["".join(segment.text for segment in line) for line in lines]
        assert all(len(line.rstrip()) <= width for line in text)
        columns = {line.index(word) for line, word in zip(text, ("wait", "buil"), strict=True)}
        assert len(columns) == 1, text


def test_every_event_is_in_the_guide() -> None:
    guide = (ROOT / "docs/guide.md").read_text()
    for kind in Event.__subclasses__():
        assert f"\n| `{kind.__name__.lower()}` | " in guide
        for field in dataclasses.fields(kind):
            assert f"`{field.name}`" in guide
