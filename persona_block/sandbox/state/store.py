"""The sandbox's state: resources, their files, and the answers kept under idempotency keys, besides the logs.

A resource is one JSON document and the few columns that lists filter and sort by. `seq` grows with every resource, and
so with its creation; lists page by it, which costs the same at the end of a list as at its start.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .log import Log
from .records import Resource, StoredAnswer, StoredFile, related

Filter = tuple[str, list[str]]

_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode

_COLUMNS = "seq, id, type, environment, created, due, document"
_FILTERS = frozenset({"id", "status", "reference_id", "account_id", "inquiry_id", "template_id", "note"})


class Store(Log):
    """Reads and writes everything the sandbox remembers. `path` None keeps it in memory.

    Raises OSError for a file that is no state of a sandbox, or that another sandbox has open.
    """

    _seq = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside happen together, or not at all if it raises."""
        with super().transaction():
            self._seq = self.scalar("SELECT coalesce(max(seq), 0) FROM resource")
            yield

    def next_seq(self) -> int:
        """Take the place of the next resource; used inside a transaction."""
        self._seq += 1
        return self._seq

    # Resources

    def insert(self, resource: Resource) -> None:
        """Add a resource. Raises sqlite3.IntegrityError for a second account of one reference id."""
        self.db.execute(
            "INSERT INTO resource (seq, id, environment, kind, type, created, due, status, reference_id, account_id,"
            " inquiry_id, template_id, note, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (resource.seq, resource.id, resource.environment, resource.kind, resource.type, resource.created, *_row(resource)),
        )

    def update(self, resource: Resource) -> None:
        """Write a resource's present state. Raises sqlite3.IntegrityError as `insert` does."""
        self.db.execute(
            "UPDATE resource SET due = ?, status = ?, reference_id = ?, account_id = ?, inquiry_id = ?, template_id = ?,"
            " note = ?, document = ? WHERE seq = ?",
            (*_row(resource), resource.seq),
        )

    def get(self, id: str) -> Resource | None:
        """Read a resource by its id, whatever its kind and environment."""
        row = self.db.execute(f"SELECT {_COLUMNS} FROM resource WHERE id = ?", (id,)).fetchone()  # noqa: S608
        return None if row is None else _resource(row)

    def find(self, environment: str, kind: str, column: str, value: str) -> list[Resource]:
        """Read, oldest first, the resources of a kind whose column holds the value."""
        where, values = _where([(column, [value])])
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM resource WHERE environment = ? AND kind = ?{where} ORDER BY seq",  # noqa: S608
            (environment, kind, *values),
        )
        return [_resource(row) for row in rows.fetchall()]

    def count(self, environment: str, kind: str) -> int:
        """Count the resources of a kind."""
        return int(self.scalar("SELECT count(*) FROM resource WHERE environment = ? AND kind = ?", environment, kind))

    def page(
        self,
        environment: str,
        kind: str,
        filters: list[Filter],
        limit: int,
        *,
        after: int | None = None,
        before: int | None = None,
        created: tuple[int | None, int | None] = (None, None),
        report_id: str | None = None,
    ) -> list[Resource]:
        """Read at most `limit` resources, newest first: the ones just after, or just before, a place in the list.

        `filters` are columns, each with the values of which it must hold one; `created` the first and last moment, inclusive.
        """
        where, values = _where(filters)
        for condition, value in (
            ("seq < ?", after),
            ("seq > ?", before),
            ("created >= ?", created[0]),
            ("created <= ?", created[1]),
            ("EXISTS (SELECT 1 FROM json_each(document, '$.relationships.reports') WHERE value ->> 'id' = ?)", report_id),
        ):
            if value is not None:
                where += f" AND {condition}"
                values.append(value)
        order = "ASC" if before is not None else "DESC"
        # With a few ids to look for, looking them up and sorting beats walking the list until they have turned up.
        by = "+seq" if any(len(values) > 1 and column != "status" for column, values in filters) else "seq"
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM resource WHERE environment = ? AND kind = ?{where} ORDER BY {by} {order} LIMIT ?",  # noqa: S608
            (environment, kind, *values, limit),
        ).fetchall()
        resources = [_resource(row) for row in rows]
        return resources[::-1] if before is not None else resources

    def next_due(self, now: int, kinds: Sequence[str]) -> Resource | None:
        """Read the resource of these kinds that time should have changed first by now, if there is one."""
        row = self.db.execute(
            f"SELECT {_COLUMNS} FROM resource WHERE due <= ? AND kind IN ({', '.join('?' * len(kinds))})"  # noqa: S608
            " ORDER BY due, seq LIMIT 1",
            (now, *kinds),
        ).fetchone()
        return None if row is None else _resource(row)

    # Imports under way

    def put_import_rows(self, importer_id: str, rows: Iterable[Any]) -> None:
        """Keep the rows of a file that is to be imported."""
        numbered = ((importer_id, number, _ENCODE(row)) for number, row in enumerate(rows))
        self.db.executemany("INSERT INTO import_row VALUES (?, ?, ?)", numbered)

    def take_import_rows(self, importer_id: str, limit: int | None) -> list[Any]:
        """Read the first rows that are kept, at most `limit` or all of them, and keep them no longer."""
        sql = "SELECT number, cells FROM import_row WHERE importer_id = ? ORDER BY number LIMIT ?"
        rows = self.db.execute(sql, (importer_id, -1 if limit is None else limit)).fetchall()
        if rows:
            self.db.execute("DELETE FROM import_row WHERE importer_id = ? AND number <= ?", (importer_id, rows[-1][0]))
        return [json.loads(cells) for _, cells in rows]

    def has_import_rows(self, importer_id: str) -> bool:
        """Whether rows are still kept."""
        return bool(self.scalar("SELECT EXISTS (SELECT 1 FROM import_row WHERE importer_id = ?)", importer_id))

    # Files

    def put_file(self, file: StoredFile, resource_id: str) -> None:
        """Keep a file that belongs to a resource."""
        row = (file.id, resource_id, file.filename, file.size, file.content)
        self.db.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?)", row)

    def get_file(self, id: str) -> StoredFile | None:
        """Read a file with its bytes."""
        row = self.db.execute("SELECT id, filename, size, content FROM file WHERE id = ?", (id,)).fetchone()
        return None if row is None else StoredFile(*row)

    def file_names(self, resource_id: str) -> dict[str, tuple[str, int]]:
        """Give the name and size of each file of a resource, by file id."""
        rows = self.db.execute("SELECT id, filename, size FROM file WHERE resource_id = ?", (resource_id,))
        return {id: (filename, size) for id, filename, size in rows.fetchall()}

    def delete_files(self, resource_id: str) -> None:
        """Forget the bytes of a resource's files."""
        self.db.execute("DELETE FROM file WHERE resource_id = ?", (resource_id,))

    # Idempotency

    def get_answer(self, api_key: str, idempotency_key: str) -> StoredAnswer | None:
        """Read what was first answered under a key."""
        row = self.db.execute(
            "SELECT at, fingerprint, status, media_type, body FROM answer WHERE api_key = ? AND idempotency_key = ?",
            (api_key, idempotency_key),
        ).fetchone()
        return None if row is None else StoredAnswer(*row)

    def put_answer(self, api_key: str, idempotency_key: str, answer: StoredAnswer) -> None:
        """Keep what was answered under a key, in the place of an answer that has run out."""
        self.db.execute(
            "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?)",
            (api_key, idempotency_key, answer.at, answer.fingerprint, answer.status, answer.media_type, answer.body),
        )


def _where(filters: list[Filter]) -> tuple[str, list[Any]]:
    """Write filters as SQL; column names are checked, values are bound."""
    where, values = "", []
    for column, accepted in filters:
        if column not in _FILTERS:
            raise ValueError(f"{column} is no column to filter by")
        where += f" AND {column} IN ({', '.join('?' * len(accepted))})" if len(accepted) != 1 else f" AND {column} = ?"
        values += accepted
    return where, values


def _row(resource: Resource) -> tuple[Any, ...]:
    """Give the columns that follow from a resource's state, in the order the statements above name them."""
    attributes = resource.attributes
    document = {
        "attributes": attributes,
        "relationships": resource.relationships,
        "private": resource.private,
        "files": resource.files,
    }
    return (
        resource.due,
        attributes.get("status"),
        attributes.get("reference-id", resource.private.get("reference-id")),
        related(resource, "account", "accounts"),
        related(resource, "inquiry", "inquiries"),
        related(resource, "inquiry-template", "template", "case-template", "report-template"),
        attributes.get("note"),
        _ENCODE(document),
    )


def _resource(row: tuple[Any, ...]) -> Resource:
    seq, id, type_, environment, created, due, document = row
    return Resource(id=id, type=type_, environment=environment, created=created, due=due, seq=seq, **json.loads(document))
