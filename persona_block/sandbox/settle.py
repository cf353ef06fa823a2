"""What time alone changes: inquiries and sessions expire, reports and imports finish.

It is brought up to date before anything is read or changed, one thing at a time in the order of their moments, and each
is stamped with its own moment. Nobody can tell it from a clockwork that runs all along. Only a long import takes several
turns while serving, and other requests get theirs in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from . import importers, inquiries, reports, sessions
from .environment import Environment, Organization
from .records import Resource

WHEN_DUE: dict[str, Callable[[Environment, Resource], None]] = {
    "inquiry": lambda env, inquiry: inquiries.move(env, inquiry, "expire"),
    "inquiry-session": sessions.expire,
    "report": reports.run,
    "importer": importers.run,
}

_PAUSE = 0.05  # between two looks for what time has made due
_TURN = 0.005  # that other requests have between two parts of an import


def settle(organization: Organization, now: int) -> bool:
    """Do everything that is due by now; gives whether nothing is left of it. Used inside a transaction."""
    under_way: list[str] = []
    while (resource := organization.store.next_due(now, under_way)) is not None:
        assert resource.due is not None
        env = Environment(organization, resource.environment, resource.due, actor="clock")
        resource = env.get(resource.id)
        WHEN_DUE[resource.kind](env, resource)
        if resource.due is not None:  # an import that goes on, at a moment after everything that was due by now
            resource.due = now
            organization.store.update(resource)
            under_way.append(resource.id)
    return not under_way


@contextlib.asynccontextmanager
async def settling(organization: Organization) -> AsyncIterator[None]:
    """Bring up to date by itself what takes several turns, while the context lasts."""

    async def work() -> None:
        while True:
            with organization.store.transaction():
                done = settle(organization, organization.clock.milliseconds())
            await asyncio.sleep(_PAUSE if done else _TURN)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
