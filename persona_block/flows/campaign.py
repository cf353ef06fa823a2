"""A campaign: a flow for each row of a CSV file, started at most once per row however often the campaign is begun."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError, Problem
from ..files.regular import UnreadableFile, open_regular
from .checker import check, input_problems

MOST_PROBLEMS = 20
"""Faults of rows that are told; there may be more."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a campaign: its place in the file, counted from 1 below the headings, and the flow that it starts."""

    number: int
    workflow_id: str
    inputs: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Campaign:
    """The flows of a CSV file.

    name: of the campaign, in which a row starts a flow once. document: what each flow runs. rows: each that differs.
    repeated: how many rows said what one before them says, and so start no flow of their own.
    """

    name: str
    document: Mapping[str, Any] = field(repr=False)
    rows: Sequence[Row] = field(repr=False)
    repeated: int = 0

    @property
    def prefix(self) -> str:
        """What the ids of its flows begin with."""
        return prefix_of(self.name)

    def runs(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the id and the inputs of each flow, as `FlowClient.start_many` takes them."""
        return ((row.workflow_id, row.inputs) for row in self.rows)


def prefix_of(name: str) -> str:
    """Return what the ids of a campaign's flows begin with."""
    return f"campaign-{hashlib.sha256(name.encode()).hexdigest()[:16]}-"


def campaign(
    name: str,
    document: Mapping[str, Any],
    items: str | Path,
    constants: Mapping[str, Any] | None = None,
    *,
    row_key: str | None = None,
) -> Campaign:
    """Return the campaign of a CSV file, whose headings are names of inputs; nothing is started yet.

    name: of the campaign; the same one goes on where it stopped, and starts what was added to the file.
    constants: inputs that are the same for each row.
    row_key: the column that says which row is which, so that one that was mended stays the same; by default all columns do.

    Raises InputError with the faults of document and rows, up to 20, which repeat nothing of what a row holds.
    """
    check(document)
    headings, lines = _lines(Path(items))
    problems = [Problem("--items", f"has the heading of column {number} before it, too") for number in _repeated(headings)]
    if row_key is not None and row_key not in headings:
        problems.append(Problem("--row-key", "must be the heading of a column of the file"))
    declared = document.get("inputs", {})
    for number, heading in enumerate(headings, 1):
        if heading not in declared:
            # A file without headings has a person in their place.
            message = f"the heading of column {number} is no input of the workflow; it takes {', '.join(declared)}"
            problems.append(Problem("--items", message))
    if problems:
        raise InputError("campaign", problems)
    rows: dict[str, Row] = {}
    repeated = 0
    for number, values in enumerate(lines, 1):
        row_problems: list[Problem] = []
        inputs = {**(constants or {}), **dict(typed_inputs(document, dict(zip(headings, values, strict=False)), row_problems))}
        if len(values) != len(headings):
            row_problems.append(Problem("", f"has {len(values)} cells under {len(headings)} headings"))
        row_problems += [] if row_problems else list(input_problems(document, inputs))
        problems += [Problem(f"row {number}", f"{each.param} {each.message}".strip()) for each in row_problems]
        if len(problems) >= MOST_PROBLEMS:
            break
        told = inputs.get(row_key) if row_key is not None else [[each, inputs.get(each)] for each in sorted(headings)]
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]
        if digest in rows:
            repeated += 1
        else:
            rows[digest] = Row(number, f"{prefix_of(name)}{digest}", inputs)
    if problems:
        raise InputError("campaign", problems[:MOST_PROBLEMS])
    if not rows:
        raise InputError("campaign", [Problem("--items", "has no row below its headings")])
    return Campaign(name, document, tuple(rows.values()), repeated)


def typed_inputs(document: Mapping[str, Any], texts: Mapping[str, str], problems: list[Problem]) -> Iterator[tuple[str, Any]]:
    """Yield inputs that are given as text in the types that the document says; blank ones are left out.

    problems: takes what cannot be read, each with the input's name and never with its value.
    """
    for name, text in texts.items():
        declared = document.get("inputs", {}).get(name, {})
        kind = declared.get("type") if isinstance(declared, Mapping) else None
        if not text.strip():
            continue
        if kind not in ("integer", "object", "array"):
            yield name, text.strip()
            continue
        try:
            yield name, json.loads(text)
        except (ValueError, RecursionError):
            problems.append(Problem(f"inputs.{name}", f"must be {'a whole number' if kind == 'integer' else 'JSON text'}"))


def _lines(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with open_regular(path) as stream:
            text = stream.read().decode("utf-8-sig")
    except UnreadableFile as error:
        raise InputError("campaign", [Problem("--items", str(error))]) from None
    except OSError as error:
        raise InputError("campaign", [Problem("--items", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise InputError("campaign", [Problem("--items", "is not text in UTF-8")]) from None
    try:
        table = [row for row in csv.reader(text.splitlines(keepends=True), strict=True) if any(cell.strip() for cell in row)]
    except csv.Error:
        raise InputError("campaign", [Problem("--items", "is not a CSV file")]) from None
    headings = [each.strip() for each in table[0]] if table else []
    return headings, table[1:]


def _repeated(headings: list[str]) -> list[str]:
    return [str(number) for number, each in enumerate(headings, 1) if each in headings[: number - 1]]
