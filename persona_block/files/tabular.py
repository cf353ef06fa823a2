"""The check of a CSV file before it is sent, which names what Persona could not read, with line numbers.

The rules are data of the spec (`Param.csv`). The file is read once in pieces, and what has to be unique is sorted on disk, so
a file of any size takes little memory.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import sqlite3
from collections.abc import Iterator
from typing import IO, Self, cast

from ..spec.grammar import Csv

SHOWN = 20
"""How many problems are listed; the others are counted."""


def check_csv(stream: IO[bytes], rules: Csv) -> IO[bytes]:
    """Return the stream to send, at its start: `stream` itself, or with its header spelled as in `rules` and no BOM.

    stream: the bytes of the file, seekable; it stays open.
    rules: the columns that the file may have, which of them are dates (YYYY-MM-DD), and which may not repeat a value.

    Raises ValueError, as a phrase with line numbers that never holds a value, where the file breaks the rules; the first 20
    problems are listed and the others counted.
    """
    stream.seek(0)
    first = stream.readline()
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    problems = _Problems()
    header: list[str] = []
    try:
        rows = csv.reader(text, strict=True)
        header = [_spelled(cell) for cell in next(rows, [])]
        _check_header(header, rules, problems)
        if not problems.count:
            _check_rows(rows, header, rules, problems)
    except UnicodeDecodeError:
        problems.add("the file is not UTF-8 text")
    except csv.Error:
        problems.add(f"line {rows.line_num} is not CSV: a quote is left open, or stands where none may")
    finally:
        text.detach()
    if problems.count:
        raise ValueError(problems.phrase())
    stream.seek(0)
    line = ",".join(header).encode() + (b"\r\n" if first.endswith(b"\r\n") else b"\n")
    return stream if first in (line, line.rstrip()) else cast(IO[bytes], _WithNewHead(line, stream, len(first)))


class _Problems:
    """The first problems and the number of all."""

    def __init__(self) -> None:
        self.count = 0
        self._shown: list[str] = []

    def add(self, problem: str) -> None:
        self.count += 1
        if len(self._shown) < SHOWN:
            self._shown.append(problem)

    def phrase(self) -> str:
        more = f"; and {self.count - len(self._shown)} more" if self.count > len(self._shown) else ""
        return f"cannot be imported as it is ({self.count} found): {'; '.join(self._shown)}{more}"


def _spelled(cell: str) -> str:
    return "_".join(cell.strip().lower().split())


def _check_header(header: list[str], rules: Csv, problems: _Problems) -> None:
    if not any(header):
        problems.add(f"line 1 must name columns, of {', '.join(rules.columns)}")
        return
    for number, name in enumerate(header, 1):
        if name not in rules.columns:
            problems.add(f"column {number} of line 1 is none of {', '.join(rules.columns)}")
        elif name in header[: number - 1]:
            problems.add(f"column {number} of line 1 repeats {name}")


def _check_rows(rows: Iterator[list[str]], header: list[str], rules: Csv, problems: _Problems) -> None:
    dates = [(header.index(name), name) for name in rules.dates if name in header]
    unique = [(header.index(name), name) for name in rules.unique if name in header]
    with _UniqueValues() as values:
        count = 0
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            count += 1
            line: int = rows.line_num  # type: ignore[attr-defined]
            if len(row) != len(header):
                problems.add(f"line {line} has {len(row)} cells where the header has {len(header)}")
                continue
            for column, name in dates:
                if row[column].strip() and not _is_date(row[column].strip()):
                    problems.add(f"line {line}: {name} is not a date written YYYY-MM-DD")
            for column, name in unique:
                if row[column].strip():
                    values.add(name, row[column].strip(), line)
        if not count:
            problems.add("there is no row after the header")
        for name, line, earlier in values.repeated():
            problems.add(f"line {line}: {name} stands in line {earlier} already")


def _is_date(text: str) -> bool:
    if len(text) != 10:
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


class _UniqueValues:
    """The values of columns that may not repeat any, with their lines, kept in a temporary database on disk."""

    _BATCH = 5_000
    """How many values are held in memory before they are written."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, int]] = []

    def __enter__(self) -> Self:
        self._db = sqlite3.connect("")
        self._db.execute("PRAGMA temp_store = FILE")
        self._db.execute("CREATE TABLE cells (name TEXT, value TEXT, line INTEGER)")
        return self

    def __exit__(self, *exception: object) -> None:
        self._db.close()

    def add(self, name: str, value: str, line: int) -> None:
        self._rows.append((name, value, line))
        if len(self._rows) >= self._BATCH:
            self._flush()

    def repeated(self) -> Iterator[tuple[str, int, int]]:
        """Yield column, line and first line of every value that came before, in the order of lines."""
        self._flush()
        firsts = "SELECT name, value, min(line) AS first FROM cells GROUP BY name, value HAVING count(*) > 1"
        yield from self._db.execute(
            f"SELECT name, line, first FROM cells JOIN ({firsts}) USING (name, value) WHERE line > first ORDER BY line"  # noqa: S608
        )

    def _flush(self) -> None:
        self._db.executemany("INSERT INTO cells VALUES (?, ?, ?)", self._rows)
        self._rows.clear()


class _WithNewHead(io.RawIOBase):
    """A stream whose first bytes are replaced; it can be rewound and its end found, as an upload needs."""

    def __init__(self, head: bytes, tail: IO[bytes], start: int) -> None:
        self._head = head
        self._tail = tail
        self._start = start
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            offset += len(self._head) + self._tail.seek(0, io.SEEK_END) - self._start
        elif whence == io.SEEK_CUR:
            offset += self._position
        self._position = max(0, offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        piece = b""
        if self._position < len(self._head):
            piece = self._head[self._position :] if size < 0 else self._head[self._position : self._position + size]
        left = size - len(piece) if size >= 0 else -1
        if left:
            self._tail.seek(self._start + max(0, self._position + len(piece) - len(self._head)))
            piece += self._tail.read(left)
        self._position += len(piece)
        return piece
