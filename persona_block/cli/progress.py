"""Progress on stderr: Rich's bar on a terminal where Rich is installed, else one line, and a line a step elsewhere."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from .terminal import escaped, is_terminal, terminal_width

if TYPE_CHECKING:
    from ..call.progress import ProgressUpdate


_WIDE = 80
"""Columns of a terminal that has room for the rate and the time left."""


class ProgressDisplay(Protocol):
    """What shows progress: `show` is told of each step, `close` ends it."""

    def show(self, update: ProgressUpdate) -> None: ...

    def close(self) -> None: ...


def progress_display(stream: TextIO | None = None, *, is_plain: bool = False) -> ProgressDisplay:
    """Return what shows progress on a stream, by default stderr; a plain one goes well with what others print there."""
    stream = stream or sys.stderr
    if is_plain:
        return ProgressLine(stream, is_live=False)
    is_able = is_terminal(stream) and os.environ.get("TERM", "") not in ("", "dumb")
    return ProgressBar(stream) if is_able and importlib.util.find_spec("rich") else ProgressLine(stream)


class ProgressLine:
    """One line that each step replaces on a terminal, a line a step elsewhere."""

    def __init__(self, stream: TextIO, *, is_live: bool | None = None) -> None:
        self._stream = stream
        self._live = is_terminal(stream) if is_live is None else is_live
        self._open = False

    def show(self, update: ProgressUpdate) -> None:
        """Replace the line by what was done."""
        text = escaped(update.message)
        if self._live:
            text = f"\r\x1b[K{text[: terminal_width() - 1]}"  # what wraps would not be replaced
        self._stream.write(text if self._live else f"{text}\n")
        self._stream.flush()
        self._open = self._live

    def close(self) -> None:
        """End the line, so that what follows starts on one of its own."""
        if self._open:
            self._stream.write("\n")
            self._stream.flush()
            self._open = False


class ProgressBar:
    """Rich's bar, which is there from the first step to the end and leaves nothing behind."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Any = None
        self._task: Any = None

    def show(self, update: ProgressUpdate) -> None:
        """Move the bar, and show what was done, how much of how much, how fast, and the time left."""
        if self._bar is None:
            self._bar = _bar(self._stream)
            self._task = self._bar.add_task("", total=None, figures="")
            self._bar.start()
        done = update.done + update.failed + update.skipped
        self._bar.update(
            self._task, description=escaped(update.message), completed=done, total=update.total, figures=_figures(update)
        )

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _bar(stream: TextIO) -> Any:
    """Return a bar in so much of the line as what is said leaves it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    return Progress(
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=max(6, terminal_width() // 5)),
        TextColumn("{task.fields[figures]}", markup=False, table_column=Column(no_wrap=True)),
        console=Console(file=stream, force_terminal=True),
        transient=True,
        expand=True,
    )


def _figures(update: ProgressUpdate) -> str:
    """Return the counts of an update, its rate and the time left, as far as the terminal has room."""
    figures = []
    if update.total is not None or update.done or update.skipped:
        figures.append(f"{update.done + update.skipped}" + (f"/{update.total}" if update.total is not None else ""))
    if update.failed:
        figures.append(f"{update.failed} failed")
    if update.rate and terminal_width() >= _WIDE:
        figures.append(f"{update.rate:.1f}/s")
    if update.time_left is not None and terminal_width() >= _WIDE:
        figures.append(_duration(update.time_left))
    return ", ".join(figures)


def _duration(seconds: float) -> str:
    """Return seconds as minutes and seconds, such as 1:05 left."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} left"
