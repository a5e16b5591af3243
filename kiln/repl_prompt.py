"""The editor of the REPL on a terminal, by prompt_toolkit: colours, completion, history, and an
Enter that knows whether an expression is complete."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import has_selection
from prompt_toolkit.formatted_text import FormattedText, StyleAndTextTuples
from prompt_toolkit.formatted_text.utils import split_lines
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.styles import Style

from kiln.repl_lines import prompt
from lang.repl.complete import common_start
from lang.repl.describe import record_syntax
from lang.repl.highlight import highlighted
from lang.repl.scan import indentation, matching

if TYPE_CHECKING:
    from lang.repl.engine import Repl

_STYLE: Final = Style.from_dict(
    {
        "prompt": "bold",
        "string": "ansigreen",
        "comment": "ansibrightblack",
        "keyword": "ansicyan",
        "constant": "ansimagenta",
        "quote": "ansiyellow",
        "syntax": "ansiblue",
        "command": "ansicyan bold",
        "error": "ansired",
        "bracket": "bold underline",
    }
)


class Editor:
    """The console of kiln.repl on a terminal. What is typed is kept in the file `history`."""

    source: str | None = None

    def __init__(self, repl: Repl, history: Path) -> None:
        self.repl = repl
        self.depth = ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None
        self.session: PromptSession[str] = PromptSession(
            multiline=True,
            lexer=_Lexer(repl),
            completer=_Completer(repl),
            complete_while_typing=False,
            key_bindings=_bindings(repl),
            history=_history(history),
            input_processors=[_Brackets()],
            style=_STYLE,
            color_depth=self.depth,
            prompt_continuation=lambda width, _line, _wrapped: " " * width,
            enable_open_in_editor=True,
            enable_suspend=True,
            tempfile_suffix=".scm",
            reserve_space_for_menu=6,
        )

    def read(self) -> str:
        """What is typed until Enter is pressed at the end of an expression."""
        return self.session.prompt([("class:prompt", prompt(self.repl))])

    def show(self, text: str) -> None:
        """Print a value or an answer in colours."""
        if self.depth is not None:
            print(text)
            return
        pieces = [(f"class:{style}", piece) for style, piece in self._coloured(text)]
        print_formatted_text(FormattedText(pieces), style=_STYLE)

    def _coloured(self, text: str) -> Iterable[tuple[str, str]]:
        # an answer in words is no Scheme
        if text.startswith(("$", "(")):
            return highlighted(text, self.repl.module)
        return [("plain", text)]


def _history(path: Path) -> History:
    """The history in the file `path`, readable by its owner only; in memory if that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("ab"):
            return FileHistory(str(path))
    except OSError:
        return InMemoryHistory()


class _Lexer(Lexer):
    def __init__(self, repl: Repl) -> None:
        self.repl = repl

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The coloured pieces of each line."""
        pieces: StyleAndTextTuples = [
            (f"class:{style}", text) for style, text in highlighted(document.text, self.repl.module)
        ]
        lines = list(split_lines(pieces))
        return lambda number: lines[number] if number < len(lines) else []


class _Completer(Completer):
    def __init__(self, repl: Repl) -> None:
        self.repl = repl

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """What may stand at the cursor."""
        before = document.text_before_cursor
        start, found = self.repl.completer.complete(before)
        for text, about in found:
            yield Completion(text, start - len(before), display_meta=about)


class _Brackets(Processor):
    """Marks the bracket at the cursor and the one that belongs to it."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """The line with its marks."""
        document = transformation_input.document
        fragments = transformation_input.fragments
        at = _bracket(document) if not get_app().is_done else None
        other = matching(document.text, at) if at is not None else None
        if at is None or other is None:
            return Transformation(fragments)
        exploded = explode_text_fragments(fragments)
        for offset in (at, other):
            line, column = document.translate_index_to_position(offset)
            column = transformation_input.source_to_display(column)
            if line == transformation_input.lineno and column < len(exploded):
                style, text, *_ = exploded[column]
                exploded[column] = (f"{style} class:bracket", text)
        return Transformation(exploded)


def _bracket(document: Document) -> int | None:
    """The offset of the bracket that the cursor is on, or just behind."""
    at = document.cursor_position
    if document.current_char in "([" and document.current_char:
        return at
    if at and document.text[at - 1] in ")]":
        return at - 1
    return None


def _bindings(repl: Repl) -> KeyBindings:
    bindings = KeyBindings()

    def has_body(name: str) -> bool:
        from lang.data import symbol

        return record_syntax(repl.module.resolve(symbol(name))) is not None

    def new_line(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        column = indentation(buffer.document.text_before_cursor, has_body)
        buffer.insert_text("\n" + " " * column)

    @bindings.add("enter", filter=~has_selection)
    def enter(event: KeyPressEvent) -> None:
        """Evaluate what is complete, else start a line where it belongs."""
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion:
            buffer.complete_state = None
        elif repl.is_unfinished(buffer.text):
            new_line(event)
        else:
            buffer.validate_and_handle()

    bindings.add("escape", "enter")(new_line)

    def complete(buffer: Buffer) -> None:
        """Insert what all that fits has in common; if that is nothing, show what fits."""
        before = buffer.document.text_before_cursor
        start, found = repl.completer.complete(before)
        common = common_start(found)
        if buffer.complete_state is not None:
            buffer.complete_next()
        elif len(common) > len(before) - start:
            # at once, and not when a task gets round to it: who types fast goes on typing
            buffer.insert_text(common[len(before) - start :])
        elif len(found) > 1:
            buffer.start_completion(select_first=False)

    @bindings.add("tab")
    def tab(event: KeyPressEvent) -> None:
        """Indent at the start of a line, complete elsewhere."""
        buffer = event.current_buffer
        document = buffer.document
        line = document.current_line_before_cursor
        if line.strip() or not document.cursor_position_row:
            complete(event.current_buffer)
            return
        column = indentation(document.text[: document.cursor_position - len(line)], has_body)
        rest = document.current_line_after_cursor
        buffer.delete_before_cursor(len(line))
        buffer.delete(len(rest) - len(rest.lstrip()))
        buffer.insert_text(" " * column)

    return bindings
