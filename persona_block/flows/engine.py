"""The engine that runs durable flows in this process: DBOS, set up so that flows survive crashes, deploys and weeks."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from dbos import DBOS

from ..credentials import Secret
from ..errors import InputError, Problem
from ..runner import Runner
from .client import FlowClient
from .database import Claim, claim, engine_url, open_database
from .key_check import check_keys
from .naming import APPLICATION, APPLICATION_VERSION, QUEUE
from .ports import Ports
from .serialization import serializer
from .tables import Tables
from .workers import Workforce
from .workfiles import delete_files, is_local

logger = logging.getLogger("persona_block.flows")

_GIVEN_BACK = 2.0
"""Seconds that an engine which is left waits for its connections."""

HOLDS_PERSONAL_DATA = "workflow_input, workflow_output, operation_outputs, notifications and persona_flow_questions"

DAY = 86_400.0

_SHARED_QUEUE: dict[str, Any] = {"limiter": {"limit": 25, "period": 0.25}, "polling_interval_sec": 0.25}
"""How processes on one database take flows from the queue: in turns. Without a limit the first would take all of them."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How flows are run; times are in seconds.

    encryption_keys: Fernet keys: the first encrypts what the engine stores, each of them decrypts. Without any, it is stored
        in clear, and a warning says so.
    executor_id: the name of this process among those that share a database; None takes the first that is free.
    files: the folder, or storage URL with the extra `storage`, of files between two steps, such as a printed PDF.
    shared: whether several processes run the flows of this database. Then files have to be at storage URLs, since a local
        path means nothing to another machine.
    retention: how long what a finished flow stored is kept, by default 30 days; None keeps it for good.
    first_poll: how long a wait goes without an event before it looks by itself, doubling each time up to longest_poll; by
        default what the operation's spec says, up to an hour. With webhooks delivered, some minutes save requests.
    wake_poll: how often an SQLite file is looked through for messages that wake flows, by default each second; Postgres tells
        of them at once.
    retry_for: how long a step tries again what fails in a way that may pass, by default a day.
    concurrency: how many calls and messages are under way at once, by default 16.
    log_level: of the engine's log, by default WARNING.
    clock: gives seconds since the epoch, by default the real time.
    """

    encryption_keys: Sequence[Secret | str] = field(default=(), repr=False)
    executor_id: str | None = None
    files: str = "persona-flow-files"
    shared: bool = False
    retention: float | None = 30 * DAY
    first_poll: float | None = None
    longest_poll: float = 3600.0
    wake_poll: float = 1.0
    retry_for: float = DAY
    concurrency: int = 16
    log_level: str = "WARNING"
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        durations = {
            name: getattr(self, name) for name in ("retention", "first_poll", "longest_poll", "wake_poll", "retry_for")
        }
        problems = [
            Problem(name, "must be a number of seconds, at least 0")
            for name, value in durations.items()
            if value is not None and not (type(value) in (int, float) and value >= 0)
        ]
        if type(self.concurrency) is not int or self.concurrency < 1:
            problems.append(Problem("concurrency", "must be a whole number, at least 1"))
        if self.shared and is_local(self.files):
            problems.append(Problem("files", "must be a storage URL, such as s3://…, where several processes share the work"))
        if problems:
            raise InputError("flows", problems)


class Engine:
    """Runs the flows of one database in this process; use it as `async with`, in the event loop that flows run in.

    database: `sqlite:///flows.sqlite` or the path of such a file, for one process; `postgresql://…` for several.
    runner: makes the runner of all calls, within the loop; the default is `Runner()`, with the key of PERSONA_API_KEY.
    ports: whom flows tell and ask, and where they keep files; by default what each target names.
    settings: see `Settings`.

    There is one engine to a process at a time. Entering it goes on with the flows that were under way when this process, or
    one of the same name, was killed. Leaving it stops them where they are; the next engine goes on. Raises InputError for
    arguments that cannot be used, and where another process runs the flows of the SQLite file.
    """

    def __init__(
        self,
        database: str = "sqlite:///persona-flows.sqlite",
        *,
        runner: Callable[[], Runner] = Runner,
        ports: Ports | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.ports = ports or Ports()
        self._serializer = serializer(self.settings.encryption_keys)
        self._connections = open_database(database)
        self._make_runner = runner
        self._claim: Claim | None = None
        self._background: list[asyncio.Task[None]] = []
        self._tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self.tables = Tables(self._connections, self._serializer)
        self.runner: Runner
        self.client: FlowClient
        self.slots: asyncio.Semaphore
        """Held by each call and message while it is under way."""

    @property
    def executor_id(self) -> str:
        """The name of this process among those that run the database's flows, such as `executor-1`."""
        return self._claim.executor_id if self._claim else ""

    @property
    def is_postgres(self) -> bool:
        """Whether the database is Postgres, which tells of messages at once."""
        return self._connections.dialect.name != "sqlite"

    async def __aenter__(self) -> Self:
        if _running:
            raise RuntimeError("an engine of flows runs in this process already")
        # Made here, since flows run in the loop that the engine is launched in.
        try:
            self._claim = claim(self._connections, self.settings.executor_id)
            self._launch()
        except BaseException:
            self._destroy()
            raise
        self.runner = self._make_runner()
        self.slots = asyncio.Semaphore(self.settings.concurrency)
        _running.append(self)
        await DBOS.register_queue_async(QUEUE, **(_SHARED_QUEUE if self.is_postgres else {}))
        if not self.settings.encryption_keys:
            logger.warning(
                "No encryption key: what flows read and write, personal data included, is in clear in the tables %s.",
                HOLDS_PERSONAL_DATA,
            )
        self._background.append(asyncio.create_task(self._sweep_now_and_then()))
        if self.is_postgres:
            workforce = Workforce(self._connections, self._claim, self.client.dbos)
            self._background.append(asyncio.create_task(workforce.attend()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ending = [task for task in self._tasks if not task.done() and task is not asyncio.current_task()]
        for task in [*ending, *self._background]:
            task.cancel()
        await asyncio.gather(*ending, *self._background, return_exceptions=True)
        _running.remove(self)
        await asyncio.to_thread(self._destroy)
        # DBOS made its threads the loop's own, and ended them.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
        await self.runner.aclose()

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self.settings.clock()

    def watch(self, task: asyncio.Task[Any] | None) -> None:
        """Note a task of a flow, which is stopped when the engine is left."""
        if task is not None:
            self._tasks.add(task)

    def _launch(self) -> None:
        # The engine goes on only with workflows that are registered. That module stands above this one.
        importlib.import_module(".templates", __package__)
        check_keys(self._connections, self._serializer)
        _mend_logging()
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": engine_url(self._connections),
                "system_database_engine": self._connections,
                "application_version": APPLICATION_VERSION,
                "executor_id": self._claim.executor_id if self._claim else None,
                "serializer": self._serializer,
                "max_executor_threads": 32,
                "log_level": self.settings.log_level,
                "notification_listener_polling_interval_sec": max(0.001, self.settings.wake_poll),
            }
        )
        DBOS.launch()
        self.tables.create()
        self.client = FlowClient(self._connections, self._serializer, self.tables, clock=self.settings.clock)

    def _destroy(self) -> None:
        DBOS.destroy()
        if self._claim is not None:
            self._claim.release()
        # A thread whose work was cancelled gives its connection back a moment later, and it would stay open without the pool.
        checked_out = getattr(self._connections.pool, "checkedout", lambda: 0)
        ends = time.monotonic() + _GIVEN_BACK
        while checked_out() and time.monotonic() < ends:
            time.sleep(0.01)
        self._connections.dispose()

    async def _sweep_now_and_then(self) -> None:
        pause = 60.0 if self.settings.retention is None else max(1.0, min(60.0, self.settings.retention / 4))
        while True:
            await asyncio.sleep(pause)
            # A database that is away for a moment is swept the next time.
            with contextlib.suppress(sa.exc.DBAPIError):
                await self.sweep()

    async def sweep(self) -> list[str]:
        """Delete what is over its retention, or of somebody who was erased, and return the ids of those flows."""
        return await self.client.sweep(self.settings.retention, delete_files=partial(delete_files, self.settings.files))


_running: list[Engine] = []


def current() -> Engine:
    """Return the engine of this process; raises RuntimeError where none runs."""
    if not _running:
        raise RuntimeError("no engine of flows runs here: use `async with Engine(…):` around it")
    return _running[0]


def _mend_logging() -> None:
    """Let DBOS log to the standard error of now, where the one that it was imported under has been closed."""
    for handler in logging.getLogger("dbos").handlers:
        if type(handler) is logging.StreamHandler and getattr(handler.stream, "closed", False):
            handler.stream = sys.stderr
