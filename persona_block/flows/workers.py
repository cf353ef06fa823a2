"""The processes that run the flows of one Postgres database together: how many they are, and what dead ones left.

Each holds two advisory locks for as long as it lives: one of its name, and one that all of them share. Both end with its
session, so that no clock and no heartbeat has to be believed. A name whose flows are under way and whose lock is free for some
seconds belongs to a process that died: one of the others resumes its flows, while it holds that lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any

import psycopg
import sqlalchemy as sa
from dbos import DBOSClient

from ..call import pacing
from .database import Claim, lasting_session, lock_number
from .naming import QUEUE

logger = logging.getLogger("persona_block.flows")

BEAT = 1.0
"""Seconds between two looks at the others."""
GRACE = 5.0
"""Seconds for which a name must be free before its flows are resumed: a process that lost its session takes its name again."""
BATCH = 500
"""How many flows are resumed in one transaction."""

_PRESENCE = ""
"""The name of the lock that all share; no process can have it."""
_LOCKED = (
    "SELECT (classid::bigint << 32) | objid::bigint, mode FROM pg_locks"
    " WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_AT_WORK = sa.text(
    "SELECT DISTINCT executor_id FROM dbos.workflow_status WHERE status = 'PENDING' AND executor_id IS NOT NULL"
)


class Workforce:
    """One process among those that run the flows of a Postgres database.

    Each gets an equal part of Persona's limit: `processes` is how many share it, and the pacers of this process follow it.
    """

    def __init__(self, connections: sa.Engine, claim: Claim, dbos: DBOSClient) -> None:
        self._connections = connections
        self._claim = claim
        self._dbos = dbos
        self._session: Any = None
        self._free_since: dict[str, float] = {}
        self.processes = 1

    async def attend(self) -> None:
        """Look at the others again and again, until this is cancelled."""
        try:
            while True:
                try:
                    await _to_its_end(asyncio.create_task(asyncio.to_thread(self.look)))
                except (psycopg.Error, sa.exc.SQLAlchemyError) as error:
                    # Locks end with the sessions that hold them, so what was seen free may belong to somebody who lives.
                    self._free_since.clear()
                    self._leave()
                    logger.warning("The database of flows is away (%s); looking again in %.0f s", type(error).__name__, BEAT)
                await asyncio.sleep(BEAT)
        finally:
            pacing.share_among(1)
            self._leave()

    def look(self) -> list[str]:
        """Keep this process's name, count the others, and resume what dead ones left; return the ids of what was resumed."""
        if not self._claim.hold():
            logger.error("Another process runs flows as %s by now; stop this one.", self._claim.executor_id)
            return []
        if self._session is None:
            self._session = lasting_session(self._connections)
            self._session.execute("SELECT pg_advisory_lock_shared(%s)", (lock_number(_PRESENCE),))
        locks = self._session.execute(_LOCKED).fetchall()
        present = _unsigned(lock_number(_PRESENCE))
        self.processes = max(1, sum(_unsigned(number) == present for number, _ in locks))
        pacing.share_among(self.processes)
        held = {_unsigned(number) for number, _ in locks}
        with self._connections.connect() as connection:
            at_work = {str(name) for name in connection.execute(_AT_WORK).scalars()}
        free = {name for name in at_work if _unsigned(lock_number(name)) not in held}
        now = time.monotonic()
        self._free_since = {name: self._free_since.get(name, now) for name in free}
        dead = [name for name, since in self._free_since.items() if now - since >= GRACE]
        return [workflow_id for name in dead for workflow_id in self._take_over(name)]

    def _take_over(self, name: str) -> list[str]:
        """Resume the flows of a process that died, so that any of those that live goes on with them."""
        if not self._session.execute("SELECT pg_try_advisory_lock(%s)", (lock_number(name),)).fetchone()[0]:
            return []
        resumed: list[str] = []
        try:
            while found := self._dbos.list_workflows(
                status="PENDING", executor_id=name, limit=BATCH, load_input=False, load_output=False
            ):
                ids = [each.workflow_id for each in found]
                self._dbos.resume_workflows(ids, queue_name=QUEUE)
                resumed += ids
        finally:
            self._session.execute("SELECT pg_advisory_unlock(%s)", (lock_number(name),))
        self._free_since.pop(name, None)
        logger.warning("%s is gone: %d of its flows were resumed", name, len(resumed))
        return resumed

    def _leave(self) -> None:
        if self._session is not None:
            with contextlib.suppress(psycopg.Error):
                self._session.close()
            self._session = None


async def _to_its_end(looking: asyncio.Task[Any]) -> None:
    """Wait for a look; one that is under way when this is cancelled ends first, so that it leaves no session behind."""
    try:
        await asyncio.shield(looking)
    except asyncio.CancelledError:
        await asyncio.gather(looking, return_exceptions=True)
        raise


def _unsigned(number: int) -> int:
    return number % 2**64
