"""Imports of accounts from a CSV file: pending first, then ready with the counts of their rows.

Sources: OpenAPI path /importer/accounts, docs.withpersona.com/2021-05-14/accounts-cookbook.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from ..messages.errors import Refusal, unprocessable
from ..state.clock import SECOND
from ..state.environment import Environment
from ..state.records import Resource
from . import accounts, outcomes

COLUMNS = frozenset({"reference_id", "name_first", "name_middle", "name_last", "birthdate", "social_security_number", "tags"})
"""The columns that an import knows; a file needs at least one of them."""

ROWS_AT_ONCE = 250
"""The rows, of all imports together, that are imported before other requests are answered."""

_NAMES = ("name_first", "name_middle", "name_last")
_SOCIAL_SECURITY_NUMBER = re.compile(r"\d{3}-?\d{2}-?\d{4}")
_TAG_SEPARATOR = re.compile(r"[,;|]")


def create(env: Environment, content: bytes) -> Resource:
    """Begin the import of a file, which is due after the settings' delay."""
    columns, parts = _parts(content) or (None, [])
    importer = env.create(
        "importer/account",
        {
            "status": "pending",
            "created-at": env.timestamp,
            "completed-at": None,
            "successful-count": 0,
            "duplicate-count": 0,
            "error-count": 0,
        },
        {},
        private={"columns": columns, "counts": {"successful": 0, "duplicate": 0, "error": 0}},
        due=env.now + round(env.settings.import_delay * SECOND),
        event="importer.created",
    )
    env.store.put_import_parts(importer.id, parts)
    return importer


def decode(file: dict[str, Any]) -> bytes:
    """Return the bytes of a file sent inside JSON. Raises a 422 if they are not base64."""
    try:
        return base64.b64decode(file.get("data", ""), validate=True)
    except (binascii.Error, ValueError):
        raise unprocessable("The file is not base64", "/data/attributes/file/data") from None


def run(env: Environment, importer: Resource) -> None:
    """Create the accounts of the next part of an import that is due, at most `ROWS_AT_ONCE`.

    An import with parts left stays pending, and is due after the others; one without ends, with its counts.
    """
    counts, columns = importer.private["counts"], importer.private["columns"]
    for cells in _cells(env.store.take_import_part(importer.id)):
        # An environment keeps what it has read, and a file can have 100,000 rows, so each row has its own.
        row_env = Environment(env.organization, env.name, env.now, env.actor)
        counts[_import_row(row_env, _row(columns, cells))] += 1
    if env.store.next_import_rows(importer.id):
        importer.due = max(env.now, env.organization.clock.milliseconds())
        env.save(importer)
        return
    importer.due = None
    importer.attributes |= {
        "status": "ready" if columns is not None else "errored",
        "completed-at": env.timestamp,
        **{f"{name}-count": count for name, count in counts.items()},
    }
    env.save(importer, f"importer.{importer.attributes['status']}")
    env.store.purge_on_commit()  # the file held more than its accounts do, such as social security numbers


def _import_row(env: Environment, row: dict[str, str] | None) -> str:
    """Create the account of one row, and return what the row counts as: successful, duplicate or error."""
    if row is None or outcomes.ends_in_error("import", [row.get(name) for name in _NAMES]):
        return "error"
    if not _SOCIAL_SECURITY_NUMBER.fullmatch(row.get("social_security_number", "000000000")):
        return "error"
    reference_id = row.get("reference_id")
    if reference_id and accounts.by_reference(env, reference_id):
        return "duplicate"
    attributes: dict[str, Any] = {
        "tags": [tag.strip() for tag in _TAG_SEPARATOR.split(row.get("tags", "")) if tag.strip()],
        "fields": {name: row[name] for name in (*_NAMES, "birthdate") if name in row},
    }
    if reference_id:
        attributes["reference-id"] = reference_id
    try:
        accounts.create(env, attributes)
    except Refusal:
        return "error"
    return "successful"


def _parts(content: bytes) -> tuple[list[str], list[tuple[int, str]]] | None:
    """Return the columns of a file, and its parts with the number of their rows; None for a file that cannot be read."""
    try:
        lines = list(io.StringIO(content.decode("utf-8-sig"), newline=""))
        reader = csv.reader(lines, strict=True)
        columns = [name.strip().lower() for name in next(reader, [])]
        if not COLUMNS & set(columns):
            return None
        parts, first_line, row_count = [], reader.line_num, 0
        for row_count, _ in enumerate(reader, 1):
            if row_count % ROWS_AT_ONCE == 0:
                parts.append((ROWS_AT_ONCE, "".join(lines[first_line : reader.line_num])))
                first_line = reader.line_num
    except (UnicodeDecodeError, csv.Error):
        return None
    if row_count % ROWS_AT_ONCE:
        parts.append((row_count % ROWS_AT_ONCE, "".join(lines[first_line:])))
    return columns, parts


def _cells(part: str) -> Iterator[list[str]]:
    """Yield the cells of each row in a part of a file, without blank rows."""
    for cells in csv.reader(io.StringIO(part, newline=""), strict=True):
        if any(cell.strip() for cell in cells):
            yield cells


def _row(columns: list[str], cells: list[str]) -> dict[str, str] | None:
    """Return a row's values by their columns, or None for a row that cannot be read."""
    if len(cells) > len(columns):
        return None
    cells_by_column = zip(columns, cells, strict=False)
    return {name: cell.strip() for name, cell in cells_by_column if name in COLUMNS and cell.strip()} or None
