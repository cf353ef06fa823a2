"""Text for people at a terminal, which nothing in it steers: lines, paragraphs, and how wide and able the terminal is."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO


def prepare_streams() -> None:
    """Make sure that nothing that is printed can fail for its characters, or because a stream was closed at the start."""
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif getattr(stream, "errors", None) == "strict":
            stream.reconfigure(errors="backslashreplace")


def escaped(text: str) -> str:
    """Return text on one line whose every character can be seen, whoever wrote it.

    What is not printable, such as control and format characters, line breaks among them, stands as Python writes it: `\\x1b`,
    `\\u202e`.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def print_lines(*lines: str, heading: bool = False) -> None:
    """Print each text as a line of its own on stdout; those of a heading are bold where the terminal shows it."""
    _print(sys.stdout, lines, "\x1b[1m{}\x1b[0m" if heading and shows_styles(sys.stdout) else "{}")


def print_error(*lines: str) -> None:
    """Print each text as a line of its own on stderr, at once; a stderr that takes none ends nothing, least of all a call."""
    try:
        _print(sys.stderr, lines)
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Have whatever is written on a stream from now on go nowhere, what it still holds too."""
    with suppress(OSError, ValueError):  # a stream may have no file, or be closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def discard_typed(stream: TextIO) -> None:
    """Throw away what was typed or pasted at a terminal before it was asked for."""
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
    else:
        import termios

        with suppress(OSError, ValueError, termios.error):
            termios.tcflush(stream.fileno(), termios.TCIFLUSH)


def _print(stream: TextIO, lines: Iterable[str], style: str = "{}") -> None:
    encoding = stream.encoding or "utf-8"
    for line in lines:
        print(style.format(escaped(line).encode(encoding, "backslashreplace").decode(encoding)), file=stream)
    stream.flush()


def shows_styles(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that shows bold text, and nobody asked for none (no-color.org)."""
    is_able = os.environ.get("TERM", "") not in ("", "dumb") or "WT_SESSION" in os.environ
    return is_terminal(stream) and is_able and not os.environ.get("NO_COLOR")


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a person is at a stream; one that was closed is nobody's."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def can_write(text: str) -> bool:
    """Return whether stdout's encoding has every character of a text."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def terminal_width() -> int:
    """Return how many characters a line of the terminal holds; 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def paragraph(text: str, *, indent: str = "") -> list[str]:
    """Return text as lines of the terminal's width, at most 100 characters; `indent` begins each but the first."""
    width = max(len(indent) + 1, min(100, terminal_width()))
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def shown_width(text: str) -> int:
    """Return how many cells of a terminal a text takes: two for each wide character, none for a mark upon another."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def padded(text: str, width: int) -> str:
    """Return text filled up with spaces to so many cells."""
    return text + " " * (width - shown_width(text))
