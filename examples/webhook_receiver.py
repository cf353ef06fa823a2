"""Receive Persona's webhooks: believe what is signed, note each event once, and work through them after answering.

    PERSONA_WEBHOOK_SECRET=… python examples/webhook_receiver.py
    PERSONA_WEBHOOK_SECRET=… persona-block sandbox --webhook http://127.0.0.1:8000/webhooks \\
        --webhook-secret-env PERSONA_WEBHOOK_SECRET

The first line serves it, and the second lets an offline Persona send it events. While one secret replaces another, the
receiver's variable holds both, with a comma between. It needs `persona-block[sandbox]`, which brings Starlette and uvicorn. Of
an event it keeps ids, names and times, and no personal data: the object itself is read again when its turn comes.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from persona_block import PersonaError, WebhookError, webhooks

Handle = Callable[["Noted"], Awaitable[None]]


@dataclass(frozen=True)
class Noted:
    """What is kept of an event: its id and name, and the id of its object."""

    id: str
    name: str
    resource_id: str


class Inbox:
    """The events that arrived, in a file of SQLite."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._connection() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS event"
                " (id TEXT PRIMARY KEY, name TEXT, resource_id TEXT, created_at TEXT, handled INTEGER DEFAULT 0)"
            )

    def note(self, event: webhooks.Event) -> bool:
        """Keep an event, and return whether it is new."""
        row = (event.id, event.name, event.resource_id, event.created_at.isoformat())
        with self._connection() as connection:
            insert = "INSERT OR IGNORE INTO event (id, name, resource_id, created_at) VALUES (?, ?, ?, ?)"
            return connection.execute(insert, row).rowcount == 1

    def waiting(self) -> list[Noted]:
        """Return the events that were not handled, in the order in which they happened."""
        with self._connection() as connection:
            select = "SELECT id, name, resource_id FROM event WHERE NOT handled ORDER BY created_at, id"
            return [Noted(*row) for row in connection.execute(select)]

    def mark_handled(self, event_id: str) -> None:
        """Note that an event was dealt with."""
        with self._connection() as connection:
            connection.execute("UPDATE event SET handled = 1 WHERE id = ?", (event_id,))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            yield connection


async def work_through(inbox: Inbox, handle: Handle) -> None:
    """Handle the events that wait; one that fails stays, and is tried again later."""
    for event in inbox.waiting():
        try:
            await handle(event)
        except PersonaError as error:
            print(f"{event.id} {event.name}: {error.kind}, later again")
        else:
            inbox.mark_handled(event.id)


def create_app(inbox: Inbox, handle: Handle, secrets: list[str], pause: float = 30) -> Starlette:
    """Return the receiver.

    secrets: the webhook's secret, or two while one replaces another.
    pause: seconds until events that failed are tried again.
    """
    arrived = asyncio.Event()

    async def receive(request: Request) -> Response:
        try:
            event = webhooks.read(await request.body(), request.headers.get(webhooks.SIGNATURE_HEADER), secrets)
        except WebhookError:
            return Response(status_code=400)
        if inbox.note(event):
            arrived.set()
        return Response(status_code=204)

    async def keep_working() -> None:
        while True:
            await work_through(inbox, handle)
            arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await arrived.wait()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        worker = asyncio.create_task(keep_working())
        yield
        worker.cancel()

    return Starlette(routes=[Route("/webhooks", receive, methods=["POST"])], lifespan=lifespan)


async def tell(event: Noted) -> None:
    """Print what happened, in the place of what you do about it.

    `Runner.call("get_inquiry", …)` reads the object as it is now, which a later event may have changed already.
    """
    print(f"{event.name} {event.resource_id}")


def main() -> None:
    """Serve the receiver on this machine."""
    import uvicorn

    secrets = os.environ["PERSONA_WEBHOOK_SECRET"].split(",")
    uvicorn.run(create_app(Inbox(Path("events.sqlite")), tell, secrets), host="127.0.0.1", port=8000)


if __name__ == "__main__":
    main()
