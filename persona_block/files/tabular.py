"""The check of a CSV file before it is sent, which names what Persona could not read, with line numbers.

The rules are data of the spec (`Param.csv`). The file is read once in pieces, and what has to be unique is sorted on disk, so
a file of any size takes little memory.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import hashlib
import io
import re
import sqlite3
from collections.abc import Iterator
from typing import IO, Self, cast

from ..spec.grammar import Csv
from .regular import UnreadableFile

SHOWN = 20
"""How many problems are listed; the others are counted."""


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

ROW_LIMIT = 1024 * 1024
"""The longest row, its line breaks included, in characters; a longer one is refused and not read further."""


def check_csv(stream: IO[bytes], rules: Csv) -> IO[bytes]:
    """Return the stream to send, at its start: `stream` itself, or with its header spelled as in `rules` and no BOM.

    stream: the bytes of the file, seekable; it stays open.
    rules: the columns that the file may have, which of them are dates (YYYY-MM-DD), and which may not repeat a value.

    Raises UnreadableFile, a ValueError whose text is a phrase with line numbers that never holds a value, where the file
    breaks the rules; the first 20 problems are listed and the others counted.
    """
    stream.seek(0)
    has_bom = stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    stream.seek(0)
    lines = _Lines(stream)
    problems = _Problems()
    header: list[str] = []
    rows = csv.reader(lines, strict=True)
    try:
        header = [_spelled(cell) for cell in next(rows, [])]
        _check_header(header, rules, problems)
        if rows.line_num > 1:
            problems.add("the names of the columns must stand in one line")
        if not problems.count:
            _check_rows(rows, lines, header, rules, problems)
    except UnicodeDecodeError:
        problems.add("the file is not UTF-8 text")
    except _RowTooLong:
        problems.add(f"the row that begins in line {lines.row_start} is over {ROW_LIMIT} characters long")
    except csv.Error as error:
        problems.add(f"line {rows.line_num} {_csv_fault(error)}")
    finally:
        lines.detach()
    if problems.count:
        raise UnreadableFile(problems.phrase())
    stream.seek(0)
    ending = lines.first[len(lines.first.rstrip("\r\n")) :]
    line = ",".join(header) + ending
    if line == lines.first and not has_bom:
        return stream
    start = len(lines.first.encode()) + (len(codecs.BOM_UTF8) if has_bom else 0)
    return cast(IO[bytes], _WithNewHead(line.encode(), stream, start))


def _csv_fault(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"has a cell over {csv.field_size_limit()} characters long"
    return "is not CSV: a quote is left open, or stands where none may"


class _RowTooLong(Exception):
    """A row is longer than is read."""


class _Lines:
    """The lines of a file as text, no more of them in one row than `ROW_LIMIT` allows."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        self._left = ROW_LIMIT
        self._count = 0
        self.first = ""
        """The first line as it stands, with its line break."""
        self.row_start = 1
        """The number of the line that the row begins in."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if len(line) > self._left:
            raise _RowTooLong
        if not line:
            raise StopIteration
        self._left -= len(line)
        self._count += 1
        if self._count == 1:
            self.first = line
        return line

    def row_ends(self) -> None:
        """Take note that the next line begins a row."""
        self._left, self.row_start = ROW_LIMIT, self._count + 1

    def detach(self) -> None:
        """Leave the stream open."""
        self._text.detach()


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
    earlier: set[str] = set()
    for number, name in enumerate(header, 1):
        if name not in rules.columns:
            problems.add(f"column {number} of line 1 is none of {', '.join(rules.columns)}")
        elif name in earlier:
            problems.add(f"column {number} of line 1 repeats {name}")
        earlier.add(name)


def _check_rows(rows: Iterator[list[str]], lines: _Lines, header: list[str], rules: Csv, problems: _Problems) -> None:
    dates = [(header.index(name), name) for name in rules.dates if name in header]
    unique = [(header.index(name), name) for name in rules.unique if name in header]
    with _UniqueValues() as values:
        count = 0
        lines.row_ends()
        for row in rows:
            lines.row_ends()
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
    if not _DATE.fullmatch(text):
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
    _LONGEST = 200
    """Characters up to which a value is kept as it is; of a longer one the digest tells it from others as well."""

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
        if len(value) > self._LONGEST:
            value = hashlib.sha256(value.encode()).hexdigest()
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
