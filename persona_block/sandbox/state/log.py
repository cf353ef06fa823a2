"""What the sandbox did: the requests it answered, the changes that happened, and the events it tells a webhook of.

An event is written in the transaction of the change it tells of, and sent after that is committed. So nothing is told that
did not happen, and what a killed process had not delivered is still there to deliver.
"""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from .database import Database
from .records import Delivery, Effect, Event, RequestRecord

# Reads are remembered for looking at, not for proof: beyond this many they make room. Writes stay for good.
REMEMBERED_READS = 20_000

# dataclasses.astuple copies deeply, which these flat records do not need.
_REQUEST = attrgetter(*(field.name for field in fields(RequestRecord)))
_EFFECT = attrgetter(*(field.name for field in fields(Effect)))

_REQUEST_COLUMNS = ", ".join(field.name for field in fields(RequestRecord))
_EFFECT_COLUMNS = ", ".join(field.name for field in fields(Effect))
_EVENT_COLUMNS = "seq, id, at, name, resource_id, body, attempts, first_at, next_at"


class Log(Database):
    """Appends to the logs and reads them."""

    def __init__(self, path: str | Path | None = None) -> None:
        super().__init__(path)
        self._requests: int = self.scalar("SELECT coalesce(max(seq), 0) FROM request")

    def next_request(self) -> int:
        """Take the number of the next request."""
        self._requests += 1
        return self._requests

    def latest(self) -> int:
        """Give the latest moment that anything here remembers, or 0."""
        tables = ("request", "effect", "delivery")
        return max(int(self.scalar(f"SELECT coalesce(max(at), 0) FROM {table}")) for table in tables)  # noqa: S608

    # Requests

    def add_request(self, seq: int, record: RequestRecord) -> None:
        """Append a request to the log."""
        row = (seq, *_REQUEST(record))
        self.db.execute("INSERT INTO request VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        if seq % REMEMBERED_READS == 0:
            self.db.execute("DELETE FROM request WHERE seq <= ? AND method = 'GET'", (seq - REMEMBERED_READS,))

    def requests(self) -> list[RequestRecord]:
        """Read the logged requests, oldest first."""
        return self._request_records("ORDER BY seq")

    def latest_requests(self, environment: str, limit: int, skip: int = 0) -> list[RequestRecord]:
        """Read an environment's requests, and those that no key led anywhere, newest first."""
        where = "WHERE environment = ? OR environment IS NULL ORDER BY seq DESC LIMIT ? OFFSET ?"
        return self._request_records(where, environment, limit, skip)

    def request(self, id: str) -> RequestRecord | None:
        """Read a logged request by its id."""
        return next(iter(self._request_records("WHERE id = ?", id)), None)

    def _request_records(self, clauses: str, *values: Any) -> list[RequestRecord]:
        rows = self.db.execute(f"SELECT {_REQUEST_COLUMNS} FROM request {clauses}", values)  # noqa: S608
        return [RequestRecord(*(*row[:9], bool(row[9]), row[10])) for row in rows.fetchall()]

    # Changes

    def add_effect(self, effect: Effect) -> None:
        """Append a change to the log."""
        self.db.execute("INSERT INTO effect VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", _EFFECT(effect))

    def effects(self, resource_id: str | None = None, request_id: str | None = None) -> list[Effect]:
        """Read the logged changes, oldest first: all of them, or one resource's or one request's."""
        where = "WHERE (?1 IS NULL OR resource_id = ?1) AND (?2 IS NULL OR request_id = ?2) ORDER BY seq"
        return self._effects(where, resource_id, request_id)

    def latest_effects(self, environment: str, limit: int) -> list[Effect]:
        """Read an environment's changes, newest first."""
        return self._effects("WHERE environment = ? ORDER BY seq DESC LIMIT ?", environment, limit)

    def _effects(self, clauses: str, *values: Any) -> list[Effect]:
        rows = self.db.execute(f"SELECT {_EFFECT_COLUMNS} FROM effect {clauses}", values)  # noqa: S608
        return [Effect(*row) for row in rows.fetchall()]

    # Events and their deliveries

    def next_event(self) -> int:
        """Give the number of the next event; used inside a transaction."""
        return int(self.scalar("SELECT coalesce(max(seq), 0) + 1 FROM event"))

    def add_event(self, event: Event) -> None:
        """Put an event where it waits for its delivery."""
        row = (event.seq, event.id, event.at, event.name, event.resource_id, event.body, 0, None, event.next_at)
        self.db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def due_events(self, now: int, limit: int) -> list[Event]:
        """Read the events to be sent by now, the one that is due longest first."""
        sql = f"SELECT {_EVENT_COLUMNS} FROM event WHERE next_at <= ? ORDER BY next_at, seq LIMIT ?"  # noqa: S608
        rows = self.db.execute(sql, (now, limit))
        return [Event(*row) for row in rows.fetchall()]

    def add_delivery(self, event: Event, delivery: Delivery) -> None:
        """Keep how an attempt at an event went, and when the next one is due."""
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
        )
        return [Delivery(*row) for row in rows.fetchall()]
