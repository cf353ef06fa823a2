"""Imports of accounts from a CSV file: pending first, then ready with the counts of their rows.

Sources: OpenAPI path /importer/accounts, docs.withpersona.com/2021-05-14/accounts-cookbook.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from typing import Any

from ..messages.errors import Refusal, unprocessable
from ..state.clock import SECOND
from ..state.environment import Environment
from ..state.records import Resource
from . import accounts, outcomes

COLUMNS = frozenset({"reference_id", "name_first", "name_middle", "name_last", "birthdate", "social_security_number", "tags"})
"""The columns that an import knows; a file needs at least one of them."""

ROWS_AT_ONCE = 250
"""The rows, of all imports together, that a server imports before it answers other requests."""

_NAMES = ("name_first", "name_middle", "name_last")
_SOCIAL_SECURITY_NUMBER = re.compile(r"\d{3}-?\d{2}-?\d{4}")
_TAG_SEPARATOR = re.compile(r"[,;|]")


def create(env: Environment, content: bytes) -> Resource:
    """Begin the import of a file, which is due after the settings' delay."""
    rows = _rows(content)
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
        private={"readable": rows is not None, "counts": {"successful": 0, "duplicate": 0, "error": 0}},
        due=env.now + round(env.settings.import_delay * SECOND),
        event="importer.created",
    )
    env.store.put_import_rows(importer.id, rows or [])
    return importer


def decode(file: dict[str, Any]) -> bytes:
    """Return the bytes of a file sent inside JSON. Raises a 422 if they are not base64."""
    try:
        return base64.b64decode(file.get("data", ""), validate=True)
    except (binascii.Error, ValueError):
        raise unprocessable("The file is not base64", "/data/attributes/file/data") from None


def run(env: Environment, importer: Resource, limit: int | None = None) -> int:
    """Create the accounts of an import that is due, from at most `limit` of its rows, and return how many rows that were.

    None takes all rows. An import with rows left stays pending, and is due after the others; one without ends, with its
    counts.
    """
    counts, rows = importer.private["counts"], env.store.take_import_rows(importer.id, limit)
    for row in rows:
        # An environment keeps what it has read, and a file can have 100,000 rows, so each row has its own.
        row_env = Environment(env.organization, env.name, env.now, env.actor)
        counts[_import_row(row_env, row)] += 1
    if env.store.has_import_rows(importer.id):
        importer.due = env.now
        env.save(importer)
        return len(rows)
    importer.due = None
    importer.attributes |= {
        "status": "ready" if importer.private["readable"] else "errored",
        "completed-at": env.timestamp,
        **{f"{name}-count": count for name, count in counts.items()},
    }
    env.save(importer, f"importer.{importer.attributes['status']}")
    return len(rows)


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


def _rows(content: bytes) -> list[dict[str, str] | None] | None:
    """Read a file's rows by column, with None for a row that cannot be read, or None for a file that cannot be read."""
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip().lower() for name in next(lines, [])]
        if not COLUMNS & set(header):
            return None
        return [_row(header, cells) for cells in lines if any(cell.strip() for cell in cells)]
    except (UnicodeDecodeError, csv.Error):
        return None


def _row(header: list[str], cells: list[str]) -> dict[str, str] | None:
    if len(cells) > len(header):
        return None
    return {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name in COLUMNS and cell.strip()} or None
