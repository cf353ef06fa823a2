"""The sandbox's state: resources, their files, rows to import, and replies kept under idempotency keys, besides the logs.

A resource is one JSON document and the few columns that lists filter and sort by. Its `seq` is its place in the order of
creation. Lists page by it, so that the last page costs no more than the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .log import Log
from .records import Resource, StoredFile, StoredReply, related

Filter = tuple[str, list[str]]
"""A column, and the values of which it must hold one."""

_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode

_COLUMNS = "seq, id, type, environment, created, due, document"
_FILTER_COLUMNS = frozenset({"id", "status", "reference_id", "account_id", "inquiry_id", "template_id", "note"})


class Store(Log):
    """Everything that the sandbox keeps, in the file `path`, or in memory for None.

    Raises OSError for a file that is not the state of a sandbox, or that another sandbox has open.
    """

    _seq = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside, or undo all of it if it raises."""
        with super().transaction():
            self._seq = self.scalar("SELECT coalesce(max(seq), 0) FROM resource")
            yield

    def next_seq(self) -> int:
        """Return the next unused place of a resource; used inside a transaction."""
        self._seq += 1
        return self._seq

    # Resources

    def insert(self, resource: Resource) -> None:
        """Add a resource. Raises sqlite3.IntegrityError for a second account of one reference id."""
        self.db.execute(
            "INSERT INTO resource (seq, id, environment, kind, type, created, due, status, reference_id, account_id,"
            " inquiry_id, template_id, note, document) VALUES (:seq, :id, :environment, :kind, :type, :created, :due, :status,"
            " :reference_id, :account_id, :inquiry_id, :template_id, :note, :document)",
            {
                "id": resource.id,
                "environment": resource.environment,
                "kind": resource.kind,
                "type": resource.type,
                "created": resource.created,
                **_changing_columns(resource),
            },
        )

    def update(self, resource: Resource) -> None:
        """Write a resource's present state. Raises sqlite3.IntegrityError as `insert` does."""
        self.db.execute(
            "UPDATE resource SET due = :due, status = :status, reference_id = :reference_id, account_id = :account_id,"
            " inquiry_id = :inquiry_id, template_id = :template_id, note = :note, document = :document WHERE seq = :seq",
            _changing_columns(resource),
        )

    def get(self, id: str) -> Resource | None:
        """Read a resource by its id, whatever its kind and environment."""
        row = self.db.execute(f"SELECT {_COLUMNS} FROM resource WHERE id = ?", (id,)).fetchone()  # noqa: S608
        return None if row is None else _resource(row)

    def find(self, environment: str, kind: str, column: str, value: str) -> list[Resource]:
        """Read the resources of a kind whose column holds the value, oldest first."""
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
        """Read a page of resources, newest first: the ones just after, or just before, a place in the list.

        `limit` is their highest number; `created` the first and the last moment of their creation, both inclusive;
        `report_id` a report that they must be related to.
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
        # For a few ids, looking each up and sorting is faster than walking the list until all have turned up.
        by = "+seq" if any(len(values) > 1 and column != "status" for column, values in filters) else "seq"
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM resource WHERE environment = ? AND kind = ?{where} ORDER BY {by} {order} LIMIT ?",  # noqa: S608
            (environment, kind, *values, limit),
        ).fetchall()
        resources = [_resource(row) for row in rows]
        return resources[::-1] if before is not None else resources

    def next_due(self, now: int, kinds: Sequence[str]) -> Resource | None:
        """Read the resource of these kinds that has been due longest by now, or None."""
        row = self.db.execute(
            f"SELECT {_COLUMNS} FROM resource WHERE due <= ? AND kind IN ({', '.join('?' * len(kinds))})"  # noqa: S608
            " ORDER BY due, seq LIMIT 1",
            (now, *kinds),
        ).fetchone()
        return None if row is None else _resource(row)

    # Imports under way

    def put_import_parts(self, importer_id: str, parts: Iterable[tuple[int, str]]) -> None:
        """Store a file that is to be imported part by part, each with the number of its rows."""
        rows = ((importer_id, row_count, content) for row_count, content in parts)
        self.db.executemany("INSERT INTO import_part (importer_id, row_count, content) VALUES (?, ?, ?)", rows)

    def next_import_rows(self, importer_id: str) -> int:
        """Return the number of rows of an import's next part, or 0 where none is left."""
        sql = "SELECT coalesce((SELECT row_count FROM import_part WHERE importer_id = ? ORDER BY seq LIMIT 1), 0)"
        return int(self.scalar(sql, importer_id))

    def take_import_part(self, importer_id: str) -> str:
        """Read and delete the next part of an import, or return "" where none is left."""
        sql = "SELECT seq, content FROM import_part WHERE importer_id = ? ORDER BY seq LIMIT 1"
        row = self.db.execute(sql, (importer_id,)).fetchone()
        if row is None:
            return ""
        self.db.execute("DELETE FROM import_part WHERE seq = ?", (row[0],))
        return str(row[1])

    # Files

    def put_file(self, file: StoredFile, resource_id: str) -> None:
        """Store a file that belongs to a resource."""
        row = (file.id, resource_id, file.filename, file.size, file.content)
        self.db.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?)", row)

    def get_file(self, id: str) -> StoredFile | None:
        """Read a file with its bytes."""
        row = self.db.execute("SELECT id, filename, size, content FROM file WHERE id = ?", (id,)).fetchone()
        return None if row is None else StoredFile(id=row[0], filename=row[1], size=row[2], content=row[3])

    def file_names(self, resource_id: str) -> dict[str, tuple[str, int]]:
        """Return the name and size of each file of a resource, by file id."""
        rows = self.db.execute("SELECT id, filename, size FROM file WHERE resource_id = ?", (resource_id,))
        return {id: (filename, size) for id, filename, size in rows.fetchall()}

    def delete_files(self, resource_id: str) -> None:
        """Delete the files of a resource."""
        self.db.execute("DELETE FROM file WHERE resource_id = ?", (resource_id,))

    # Idempotency

    def get_reply(self, api_key: str, idempotency_key: str) -> StoredReply | None:
        """Read the first reply to an idempotency key, or None."""
        row = self.db.execute(
            "SELECT at, fingerprint, status, media_type, version, body FROM reply WHERE api_key = ? AND idempotency_key = ?",
            (api_key, _digest(idempotency_key)),
        ).fetchone()
        if row is None:
            return None
        at, fingerprint, status, media_type, version, body = row
        return StoredReply(at=at, fingerprint=fingerprint, status=status, media_type=media_type, version=version, body=body)

    def put_reply(self, api_key: str, idempotency_key: str, reply: StoredReply) -> None:
        """Store the reply to an idempotency key, in the place of one that has expired."""
        self.db.execute(
            "INSERT OR REPLACE INTO reply (api_key, idempotency_key, at, fingerprint, status, media_type, version, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                api_key,
                _digest(idempotency_key),
                reply.at,
                reply.fingerprint,
                reply.status,
                reply.media_type,
                reply.version,
                reply.body,
            ),
        )

    def rewrite_replies(self, rewrite: Callable[[bytes], bytes | None]) -> None:
        """Replace the bodies of stored replies by what `rewrite` returns for them; None leaves one as it is."""
        rows = self.db.execute("SELECT api_key, idempotency_key, body FROM reply").fetchall()
        changed = [(body, *place) for *place, stored in rows if (body := rewrite(stored)) is not None]
        self.db.executemany("UPDATE reply SET body = ? WHERE api_key = ? AND idempotency_key = ?", changed)


def _digest(idempotency_key: str) -> str:
    """Return what a key is stored as, so that nothing that a caller put into it is."""
    return hashlib.sha256(idempotency_key.encode("utf-8", "surrogatepass")).hexdigest()


def _where(filters: list[Filter]) -> tuple[str, list[Any]]:
    """Return filters as SQL and the values to bind; a column that is no filter raises ValueError."""
    where, values = "", []
    for column, accepted in filters:
        if column not in _FILTER_COLUMNS:
            raise ValueError(f"{column} is not a column to filter by")
        where += f" AND {column} IN ({', '.join('?' * len(accepted))})" if len(accepted) != 1 else f" AND {column} = ?"
        values += accepted
    return where, values


def _changing_columns(resource: Resource) -> dict[str, Any]:
    """Return the columns that follow from a resource's present state, and its place."""
    attributes = resource.attributes
    document = {
        "attributes": attributes,
        "relationships": resource.relationships,
        "private": resource.private,
        "files": resource.files,
    }
    return {
        "seq": resource.seq,
        "due": resource.due,
        "status": attributes.get("status"),
        "reference_id": attributes.get("reference-id", resource.private.get("reference-id")),
        "account_id": related(resource, "account", "accounts"),
        "inquiry_id": related(resource, "inquiry", "inquiries"),
        "template_id": related(resource, "inquiry-template", "template", "case-template", "report-template"),
        "note": attributes.get("note"),
        "document": _ENCODE(document),
    }


def _resource(row: tuple[Any, ...]) -> Resource:
    seq, id, type_, environment, created, due, document = row
    return Resource(id=id, type=type_, environment=environment, created=created, due=due, seq=seq, **json.loads(document))
