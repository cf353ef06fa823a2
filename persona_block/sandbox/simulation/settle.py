"""What time alone changes: inquiries and sessions expire, reports and imports end.

It is brought up to date before anything is read or changed, one change after another in the order of their moments, and each
change gets its own moment. So nobody can tell it from changes that happen on time.

Imports are the exception while a server runs: a background task imports their rows part by part, at the moment of each part,
so that requests are answered in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

from ..objects import importers, inquiries, reports, sessions
from ..state.environment import Environment, Organization
from ..state.records import Resource

WHEN_DUE: dict[str, Callable[[Environment, Resource], object]] = {
    "inquiry": lambda env, inquiry: inquiries.move(env, inquiry, "expire"),
    "inquiry-session": sessions.expire,
    "report": reports.run,
    "importer": importers.run,
}
"""What happens to each kind of resource when it is due."""

_IMPORTER = "importer"
_ALL_BUT_IMPORTERS = tuple(kind for kind in WHEN_DUE if kind != _IMPORTER)

# Real seconds
_PAUSE_WHEN_IDLE = 0.05
_PAUSE_BETWEEN_PARTS = 0.005


@contextlib.contextmanager
def settled(organization: Organization) -> Iterator[int]:
    """Open a transaction, bring the organisation up to date, and yield the simulated time in milliseconds.

    What happens inside may take simulated time, by which the clock is moved on in the end.
    """
    with organization.store.transaction():
        now = organization.clock.milliseconds()
        settle_until(organization, now)
        yield max(now, organization.store.latest_change)
    organization.clock.reach(organization.store.latest_change)


def settle_until(organization: Organization, now: int) -> None:
    """Change everything that is due by a moment, except imports while a server runs; used inside a transaction."""
    kinds = _ALL_BUT_IMPORTERS if organization.serving else tuple(WHEN_DUE)
    while (resource := organization.store.next_due(now, kinds)) is not None:
        assert resource.due is not None
        env = Environment(organization, resource.environment, resource.due, actor="clock")
        WHEN_DUE[resource.kind](env, env.get(resource.id))


def settle_part(organization: Organization) -> bool:
    """Bring the organisation up to date in a transaction, and return whether nothing is left to do.

    While a server runs, it imports no more than `ROWS_AT_ONCE` rows of all imports together.
    """
    with settled(organization) as now:
        rows = importers.ROWS_AT_ONCE
        while rows > 0 and (importer := organization.store.next_due(now, (_IMPORTER,))) is not None:
            env = Environment(organization, importer.environment, now, actor="clock")
            rows -= max(1, importers.run(env, env.get(importer.id), rows))
        return rows > 0


@contextlib.asynccontextmanager
async def settling(organization: Organization) -> AsyncIterator[None]:
    """Bring the organisation up to date in the background while the context lasts."""

    async def work() -> None:
        while True:
            done = settle_part(organization)
            await asyncio.sleep(_PAUSE_WHEN_IDLE if done else _PAUSE_BETWEEN_PARTS)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
