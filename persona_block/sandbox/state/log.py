"""The sandbox's logs: the requests it answered, the changes that happened, and the events for the webhook.

An event is written in the transaction of its change and sent after that commits. So no event tells of a change that was
undone, and an event that a killed process did not deliver is still in the log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from .database import Database
from .records import Delivery, Effect, OutgoingEvent, RequestRecord

REMEMBERED_READS = 20_000
"""The age, in later requests, from which a GET may be deleted from the log; other requests stay."""


class Log(Database):
    """A database that appends to its logs and reads them."""

    def __init__(self, path: str | Path | None = None) -> None:
        super().__init__(path)
        self._requests: int = self.scalar("SELECT coalesce(max(seq), 0) FROM request")
        # What changed at the latest moment of a change so far; of a file's last moment that is not known, so it is over.
        last_moment: int | None = self.scalar("SELECT max(at) FROM effect")
        self.latest_change = 0 if last_moment is None else last_moment + 1
        self._changed: set[str] = set()

    def snapshot(self) -> tuple[int, set[str]]:
        """Return the latest moment of a change, and what changed at it."""
        return self.latest_change, self._changed

    def restore(self, snapshot: tuple[int, set[str]]) -> None:
        """Forget the moments of changes that have been undone."""
        self.latest_change, self._changed = snapshot

    def next_request(self) -> int:
        """Return the next unused number of a request."""
        self._requests += 1
        return self._requests

    def latest(self) -> int:
        """Return the latest moment in the logs, in milliseconds since the epoch, or 0."""
        tables = ("request", "effect", "delivery")
        return max(int(self.scalar(f"SELECT coalesce(max(at), 0) FROM {table}")) for table in tables)  # noqa: S608

    # Requests

    def add_request(self, seq: int, record: RequestRecord) -> None:
        """Append a request to the log."""
        self.db.execute(_INSERT_REQUEST, (seq, *_REQUEST.values(record)))
        if seq % REMEMBERED_READS == 0:
            self.db.execute("DELETE FROM request WHERE seq <= ? AND method = 'GET'", (seq - REMEMBERED_READS,))

    def requests(self) -> list[RequestRecord]:
        """Read the logged requests, oldest first."""
        return self._request_records("ORDER BY seq")

    def latest_requests(self, environment: str, limit: int, skip: int = 0) -> list[RequestRecord]:
        """Read the requests of an environment, and those without a known key, newest first."""
        clauses = "WHERE environment = ? OR environment IS NULL ORDER BY seq DESC LIMIT ? OFFSET ?"
        return self._request_records(clauses, environment, limit, skip)

    def request(self, id: str) -> RequestRecord | None:
        """Read a logged request by its id."""
        return next(iter(self._request_records("WHERE id = ?", id)), None)

    def _request_records(self, clauses: str, *values: Any) -> list[RequestRecord]:
        rows = self.db.execute(f"SELECT {_REQUEST.columns} FROM request {clauses}", values).fetchall()  # noqa: S608
        columns_of_rows = (dict(zip(_REQUEST.names, row, strict=True)) for row in rows)
        return [RequestRecord(**{**row, "replayed": bool(row["replayed"])}) for row in columns_of_rows]

    def rewrite_requests(
        self, resource_ids: Iterable[str], rewrite: Callable[[str], str], rewrite_key: Callable[[str], str]
    ) -> None:
        """Replace the path, query and idempotency key of each logged request by what `rewrite` returns for them.

        rewrite_key: for the idempotency key of a request that changed one of the resources.
        """
        changes = "SELECT request_id FROM effect WHERE resource_id IN (SELECT value FROM json_each(?)) AND request_id NOT NULL"
        sql = f"SELECT path, query, idempotency_key, id IN ({changes}), seq FROM request"  # noqa: S608
        changed = []
        for path, query, idempotency_key, has_changed, seq in self.db.execute(
            sql, (json.dumps(list(resource_ids)),)
        ).fetchall():
            written = [path, query, idempotency_key]
            rewritten = [text and rewrite(text) for text in written]
            if idempotency_key and has_changed:
                rewritten[2] = rewrite_key(idempotency_key)
            if rewritten != written:
                changed.append((*rewritten, seq))
        self.db.executemany("UPDATE request SET path = ?, query = ?, idempotency_key = ? WHERE seq = ?", changed)

    # Changes

    def moment_of_change(self, resource_id: str, now: int) -> int:
        """Return the first moment from now on that comes after all changes of a resource and before no logged change."""
        if now > self.latest_change:
            return now
        return self.latest_change + (resource_id in self._changed)

    def add_effect(self, effect: Effect) -> None:
        """Append a change to the log."""
        self.db.execute(_INSERT_EFFECT, _EFFECT.values(effect))
        if effect.at > self.latest_change:
            self.latest_change, self._changed = effect.at, set()
        self._changed.add(effect.resource_id)

    def effects(self, resource_id: str | None = None, request_id: str | None = None) -> list[Effect]:
        """Read the logged changes, oldest first: all of them, or one resource's or one request's."""
        clauses = "WHERE (?1 IS NULL OR resource_id = ?1) AND (?2 IS NULL OR request_id = ?2) ORDER BY seq"
        return self._effects(clauses, resource_id, request_id)

    def latest_effects(self, environment: str, limit: int) -> list[Effect]:
        """Read an environment's changes, newest first."""
        return self._effects("WHERE environment = ? ORDER BY seq DESC LIMIT ?", environment, limit)

    def _effects(self, clauses: str, *values: Any) -> list[Effect]:
        rows = self.db.execute(f"SELECT {_EFFECT.columns} FROM effect {clauses}", values).fetchall()  # noqa: S608
        return [Effect(**dict(zip(_EFFECT.names, row, strict=True))) for row in rows]

    # Events and their deliveries

    def next_event(self) -> int:
        """Return the number of the next event; used inside a transaction."""
        return int(self.scalar("SELECT coalesce(max(seq), 0) + 1 FROM event"))

    def add_event(self, event: OutgoingEvent) -> None:
        """Append an event, to be delivered when it is due."""
        self.db.execute(_INSERT_EVENT, _EVENT.values(event))

    def due_events(self, now: int, limit: int) -> list[OutgoingEvent]:
        """Read the events that are due by now, the one that is due longest first."""
        sql = f"SELECT {_EVENT.columns} FROM event WHERE next_at <= ? ORDER BY next_at, seq LIMIT ?"  # noqa: S608
        rows = self.db.execute(sql, (now, limit)).fetchall()
        return [OutgoingEvent(**dict(zip(_EVENT.names, row, strict=True))) for row in rows]

    def rewrite_events(self, resource_ids: Iterable[str], rewrite: Callable[[bytes], bytes | None]) -> None:
        """Replace the bodies of resources' events by what `rewrite` returns for them; None leaves one as it is."""
        ids = json.dumps(list(resource_ids))
        sql = "SELECT seq, body FROM event WHERE resource_id IN (SELECT value FROM json_each(?))"
        rows = self.db.execute(sql, (ids,)).fetchall()
        changed = [(body, seq) for seq, stored in rows if (body := rewrite(stored)) is not None]
        self.db.executemany("UPDATE event SET body = ? WHERE seq = ?", changed)

    def add_delivery(self, event: OutgoingEvent, delivery: Delivery) -> None:
        """Append an attempt to deliver an event, and note when its next one is due."""
        row = (event.seq, delivery.at, delivery.url, delivery.attempt, delivery.status, delivery.error, delivery.next_at)
        self.db.execute("INSERT INTO delivery VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", row)
        self.db.execute(
            "UPDATE event SET attempts = ?, first_at = coalesce(first_at, ?), next_at = ? WHERE seq = ?",
            (delivery.attempt, delivery.at, delivery.next_at, event.seq),
        )

    def deliveries(self, limit: int = 100) -> list[Delivery]:
        """Read the latest attempts to deliver an event, newest first."""
        rows = self.db.execute(
            "SELECT event.id, event.name, event.resource_id, delivery.at, url, attempt, status, error, delivery.next_at"
            " FROM delivery JOIN event ON event.seq = delivery.event_seq ORDER BY delivery.seq DESC LIMIT ?",
            (limit,),
        ).fetchall()
        return [Delivery(**dict(zip(_DELIVERY.names, row, strict=True))) for row in rows]


class _Columns:
    """The columns of a table, which are the fields of its record."""

    def __init__(self, record: Any) -> None:
        self.names = tuple(field.name for field in fields(record))
        self.columns = ", ".join(self.names)
        # dataclasses.astuple copies deeply, which these flat records do not need.
        self.values: Callable[[Any], tuple[Any, ...]] = attrgetter(*self.names)

    def insertion(self, table: str, *before: str) -> str:
        """Return the statement that adds a row: the columns `before`, then those of the record."""
        names = (*before, *self.names)
        return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608


_REQUEST, _EFFECT = _Columns(RequestRecord), _Columns(Effect)
_EVENT, _DELIVERY = _Columns(OutgoingEvent), _Columns(Delivery)
_INSERT_REQUEST = _REQUEST.insertion("request", "seq")
_INSERT_EFFECT = _EFFECT.insertion("effect")
_INSERT_EVENT = _EVENT.insertion("event")
