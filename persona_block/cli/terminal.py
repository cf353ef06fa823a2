"""Text for people at a terminal, which nothing in it steers: lines, tables as wide as it is, paragraphs, a progress line."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

_GAP = "  "


def escaped(text: str) -> str:
    """Return text on one line whose every character can be seen, whoever wrote it.

    What is not printable, such as control and format characters, line breaks among them, stands as Python writes it: `\\x1b`,
    `\\u202e`.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def print_lines(*lines: str) -> None:
    """Print each text as a line of its own on stdout."""
    _print(sys.stdout, lines)


def print_error(*lines: str) -> None:
    """Print each text as a line of its own on stderr, at once."""
    _print(sys.stderr, lines)
    sys.stderr.flush()


def _print(stream: TextIO, lines: Iterable[str]) -> None:
    encoding = stream.encoding or "utf-8"
    for line in lines:
        print(escaped(line).encode(encoding, "backslashreplace").decode(encoding), file=stream)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> Iterator[str]:
    """Yield the lines of a table whose last column wraps within `width` characters, by default the terminal's."""
    width = width or shutil.get_terminal_size((100, 24)).columns
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings) - 1)]
    indent = sum(widths) + len(_GAP) * len(widths)
    last_width = max(24, width - indent)
    yield from _row(headings, widths, last_width, indent)
    yield _GAP.join("─" * dashes for dashes in [*widths, min(last_width, max(len(row[-1]) for row in (headings, *rows)))])
    for row in rows:
        yield from _row(row, widths, last_width, indent)


def _row(cells: Sequence[str], widths: Sequence[int], last_width: int, indent: int) -> Iterator[str]:
    lines = textwrap.wrap(cells[-1], last_width) or [""]
    head = _GAP.join(cell.ljust(column) for cell, column in zip(cells, widths, strict=False))
    yield f"{head}{_GAP if widths else ''}{lines[0]}".rstrip()
    for line in lines[1:]:
        yield " " * indent + line


def paragraph(text: str) -> list[str]:
    """Return text as lines of the terminal's width, at most 100 characters."""
    return textwrap.wrap(text, min(100, shutil.get_terminal_size((100, 24)).columns))


class ProgressLine:
    """Progress on stderr: one line that each step replaces on a terminal, a line a step elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._open = False

    def show(self, text: str) -> None:
        """Replace the line's text."""
        text = escaped(text)
        self._stream.write(f"\r\x1b[K{text}" if self._live else f"{text}\n")
        self._stream.flush()
        self._open = self._live

    def close(self) -> None:
        """End the line, so that what follows starts on one of its own."""
        if self._open:
            self._stream.write("\n")
            self._stream.flush()
            self._open = False
