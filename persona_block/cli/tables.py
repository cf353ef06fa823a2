"""Tables that fit the terminal: columns side by side where there is room, and one below the other where there is not."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .terminal import can_write, escaped, padded, print_lines, shown_width, terminal_width

_GAP = "  "
_LEAST_LAST = 24
"""Cells that the last column of a table needs, whose text wraps."""
_WIDEST = 40
"""Cells of a column that is chosen by itself; a wider one is left out."""
_MOST_COLUMNS = 6
"""Columns that are chosen where nobody says which."""
_MOST_STACKED = 4
"""Of them, those that are shown where they do not fit beside each other."""

Rows = Sequence[Sequence[str]]


def print_table(headings: Sequence[str], rows: Rows, width: int | None = None) -> None:
    """Print a table whose last column wraps within `width` cells, by default the terminal's."""
    width = width or terminal_width()
    rows = _escaped(rows)
    widths = _widths(headings, rows)[:-1]
    indent = sum(widths) + len(_GAP) * len(widths)
    if width - indent < _LEAST_LAST:
        for row in rows:
            _print_stacked(row, width)
        return
    last_width = max([shown_width(headings[-1]), *(shown_width(row[-1]) for row in rows)])
    _print_head(headings, [*widths, min(width - indent, last_width)])
    for row in rows:
        first, *more = _wrapped(row[-1], width - indent) or [""]
        head = _GAP.join(padded(cell, column) for cell, column in zip(row, widths, strict=False))
        print_lines(f"{head}{_GAP if widths else ''}{first}".rstrip(), *(" " * indent + line for line in more))


def _print_stacked(row: Sequence[str], width: int) -> None:
    """Print one row of a narrow table: its first cell, its short ones on a line, and the last one wrapped below."""
    print_lines(row[0])
    middle = ", ".join(cell for cell in row[1:-1] if cell)
    for text in (middle, row[-1] if len(row) > 1 else ""):
        print_lines(*(f"{_GAP}{line}" for line in _wrapped(text, width - len(_GAP))))


def print_items(headings: Sequence[str], rows: Rows, *, chosen: bool, width: int | None = None) -> None:
    """Print things of one kind, a row each.

    chosen: a person named the columns, so that none is left out: where they do not fit, each thing becomes a block of lines.
    Otherwise the first columns are shown that say something and fit; where not even the second one does, below the first.
    """
    width = width or terminal_width()
    rows = _escaped(rows)
    widths = _widths(headings, rows)
    if chosen and sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        for number, row in enumerate(rows):
            print_record(list(zip(headings, row, strict=True)), width, is_next=number > 0)
        return
    telling = [index for index in range(len(headings)) if index == 0 or any(row[index] for row in rows)]
    shown = list(range(len(headings))) if chosen else _fitting(telling, widths, width)
    if not chosen and telling[1:2] != shown[1:2]:
        for row in rows:
            _print_stacked([*(row[index] for index in telling[:_MOST_STACKED]), ""], width)
        return
    _print_head([headings[index] for index in shown], [widths[index] for index in shown])
    for row in rows:
        print_lines(_GAP.join(padded(row[index], widths[index]) for index in shown).rstrip())


def _fitting(columns: Sequence[int], widths: Sequence[int], width: int) -> list[int]:
    """Return the first of some columns that fit beside each other; always the very first."""
    shown, taken = [0], widths[0]
    for index in columns[1:]:
        if widths[index] <= _WIDEST and taken + len(_GAP) + widths[index] <= width:
            shown.append(index)
            taken += len(_GAP) + widths[index]
        if len(shown) == _MOST_COLUMNS:
            break
    return shown


def print_record(pairs: Sequence[tuple[str, str]], width: int | None = None, *, is_next: bool = False) -> None:
    """Print one thing, a name and its value on each line; `is_next` sets it off from the one before."""
    width = width or terminal_width()
    pairs = [(escaped(name), escaped(value)) for name, value in pairs]
    indent = max((shown_width(name) for name, _ in pairs), default=0) + len(_GAP)
    room = width - indent
    words = [shown_width(word) for _, value in pairs for word in value.split()]
    is_narrow = room < _LEAST_LAST or any(room < word <= width - len(_GAP) for word in words)
    if is_next:
        print_lines("")
    for name, value in pairs:
        if is_narrow:
            print_lines(name, *(f"{_GAP}{line}" for line in _wrapped(value, width - len(_GAP))))
            continue
        first, *more = _wrapped(value, room) or [""]
        print_lines(f"{padded(name, indent)}{first}".rstrip(), *(" " * indent + line for line in more))


def _print_head(headings: Sequence[str], widths: Sequence[int]) -> None:
    dash = "─" if can_write("─") else "-"
    heading = _GAP.join(padded(text, column) for text, column in zip(headings, widths, strict=True)).rstrip()
    print_lines(heading, heading=True)
    print_lines(_GAP.join(dash * column for column in widths))


def _widths(headings: Sequence[str], rows: Rows) -> list[int]:
    return [max(shown_width(row[column]) for row in (headings, *rows)) for column in range(len(headings))]


def _escaped(rows: Rows) -> list[list[str]]:
    return [[escaped(cell) for cell in row] for row in rows]


def _wrapped(text: str, width: int) -> list[str]:
    """Return text in lines; a word that is longer, such as a URL, stays whole so that it can be copied."""
    if shown_width(text) <= width:
        return [text] if text else []
    return textwrap.wrap(text, max(1, width), break_long_words=False, break_on_hyphens=False, drop_whitespace=True)
