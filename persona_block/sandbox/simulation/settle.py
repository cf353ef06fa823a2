"""What time alone changes: inquiries and sessions expire, reports and imports finish.

It is brought up to date before anything is read or changed, one thing at a time in the order of their moments, and each
is stamped with its own moment. Nobody can tell it from a clockwork that runs all along. Only imports are another matter while
serving: a task of their own takes their rows part by part, at the moment it comes to them, and requests get their turn in
between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from ..objects import importers, inquiries, reports, sessions
from ..state.environment import Environment, Organization
from ..state.records import Resource

WHEN_DUE: dict[str, Callable[[Environment, Resource], object]] = {
    "inquiry": lambda env, inquiry: inquiries.move(env, inquiry, "expire"),
    "inquiry-session": sessions.expire,
    "report": reports.run,
    "importer": importers.run,
}

_IMPORTER = "importer"
_AT_ONCE = tuple(kind for kind in WHEN_DUE if kind != _IMPORTER)

_PAUSE = 0.05  # between two looks for what time has made due
_TURN = 0.005  # that other requests have between two parts of an import


def settle(organization: Organization, now: int) -> None:
    """Do everything that is due by now, except imports while serving. Used inside a transaction."""
    kinds = _AT_ONCE if organization.serving else tuple(WHEN_DUE)
    while (resource := organization.store.next_due(now, kinds)) is not None:
        assert resource.due is not None
        env = Environment(organization, resource.environment, resource.due, actor="clock")
        WHEN_DUE[resource.kind](env, env.get(resource.id))


def settle_part(organization: Organization, now: int) -> bool:
    """Do everything that is due by now, but of imports while serving no more than one part, of whichever they are.

    Gives whether nothing is left. Used inside a transaction.
    """
    settle(organization, now)
    rows = importers.ROWS_AT_ONCE
    while rows > 0 and (importer := organization.store.next_due(now, (_IMPORTER,))) is not None:
        env = Environment(organization, importer.environment, now, actor="clock")
        rows -= max(1, importers.run(env, env.get(importer.id), rows))
    return rows > 0


@contextlib.asynccontextmanager
async def settling(organization: Organization) -> AsyncIterator[None]:
    """Bring up to date by itself what takes several turns, while the context lasts."""

    async def work() -> None:
        while True:
            with organization.store.transaction():
                done = settle_part(organization, organization.clock.milliseconds())
            await asyncio.sleep(_PAUSE if done else _TURN)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
