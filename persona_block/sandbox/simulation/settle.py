"""What time alone changes: inquiries and sessions expire, reports and imports end.

It is brought up to date before anything is read or changed, one change after another in the order of their moments, and each
change gets its own moment. So nobody can tell it from changes that happen on time.

Long imports are the exception: they go on part by part, in the background, so that requests are answered in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

from ..objects import importers, inquiries, reports, sessions
from ..objects.importers import ROWS_AT_ONCE
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
_ALL = tuple(WHEN_DUE)
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
        # Requests of a server leave the imports to its background task.
        settle_until(organization, now, 0 if organization.serving else ROWS_AT_ONCE)
        yield max(now, organization.store.latest_change)
    if organization.store.latest_change > now:
        organization.clock.reach(organization.store.latest_change)


def settle_until(organization: Organization, now: int, rows: int = ROWS_AT_ONCE) -> None:
    """Change everything that is due by a moment, but import at most so many rows; used inside a transaction."""
    kinds = _ALL
    organization.is_importing = False
    while (resource := organization.store.next_due(now, kinds)) is not None:
        assert resource.due is not None
        if resource.kind == _IMPORTER:
            next_rows = organization.store.next_import_rows(resource.id)
            if next_rows > rows:
                kinds, organization.is_importing = _ALL_BUT_IMPORTERS, True
                continue
            rows -= max(1, next_rows)
        # What was due while something took its time, or while others were imported, comes after that.
        moment = max(resource.due, organization.store.latest_change)
        env = Environment(organization, resource.environment, moment, actor="clock")
        WHEN_DUE[resource.kind](env, env.get(resource.id))


def settle_part(organization: Organization) -> bool:
    """Bring the organisation up to date in a transaction, and return whether nothing is left to do.

    It imports no more than `ROWS_AT_ONCE` rows of all imports together.
    """
    with organization.store.transaction():
        settle_until(organization, organization.clock.milliseconds())
    organization.clock.reach(organization.store.latest_change)
    return not organization.is_importing


class BackgroundImports:
    """The task that goes on with long imports between the requests of a program that has no server."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Go on with the imports that are due in the running event loop, until they end."""
        if self._organization.serving or not self._organization.is_importing:
            return
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._import())

    async def _import(self) -> None:
        organization = self._organization
        while organization.is_importing and organization.store.is_open and not organization.serving:
            settle_part(organization)
            await asyncio.sleep(_PAUSE_BETWEEN_PARTS)


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
