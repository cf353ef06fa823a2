"""The database of flows: an SQLite file for one process, or Postgres for several."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any, Protocol

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from ..errors import InputError, Problem

BUSY_TIMEOUT = 30.0
"""Seconds that a writer waits for another one of an SQLite file."""
CLAIM_PATIENCE = 5.0
"""Seconds to wait for the name of a process to become free."""
_HIDING: dict[str, Any] = {"hide_parameters": True}
"""Errors of the database show no values of a statement, which are personal."""
MOST_EXECUTORS = 256
"""How many processes may run the flows of one Postgres database, unless they name themselves."""


def open_database(database: str, pool_size: int = 16) -> sa.Engine:
    """Return the connections to a database; raises InputError for a URL of another kind.

    database: `sqlite:///flows.sqlite`, `postgresql://user:password@host/name`, or the path of an SQLite file.
    """
    if "://" not in database:
        database = f"sqlite:///{database}"
    try:
        url = sa.make_url(database)
    except ArgumentError:
        url = None
    if url is not None and url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        # An engine that lost its connections, as Postgres was restarted, takes new ones.
        engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"), pool_size=pool_size, max_overflow=0, pool_pre_ping=True, **_HIDING
        )
        sa.event.listen(engine, "handle_error", _wait_while_away)
        return engine
    if url is None or url.drivername != "sqlite" or not url.database or url.database == ":memory:":
        raise InputError("flows", [Problem("database", "must be sqlite:///a-file, the path of one, or postgresql://…")])
    _make_private(Path(url.database))
    engine = sa.create_engine(url, pool_size=pool_size, max_overflow=0, **_HIDING)

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")
        connection.execute("PRAGMA foreign_keys=ON")
        # With a write-ahead log, readers and the writer do not wait for each other, and a step costs a sixth.
        connection.execute("PRAGMA journal_mode=WAL")
        # What is deleted, such as the copies of somebody who was erased, leaves no bytes behind.
        connection.execute("PRAGMA secure_delete=ON")

    @sa.event.listens_for(engine, "handle_error")
    def wait_while_full(context: sa.engine.ExceptionContext) -> None:
        # A lock is waited for, where any other error of SQLite ends the flow for good.
        if "disk is full" in str(context.original_exception):
            full = sqlite3.OperationalError("database is locked, as the disk is full")
            raise sa.exc.OperationalError(None, None, full, hide_parameters=True) from None

    return engine


def _wait_while_away(context: sa.engine.ExceptionContext) -> None:
    """Count a connection that is refused at once, as by the socket of a Postgres that restarts, as one that was lost.

    DBOS waits for those; any other error of a connection ends the flow for good.
    """
    if context.connection is None and "connection is bad" in str(context.original_exception):
        context.is_disconnect = True


def _make_private(path: Path) -> None:
    """Make an SQLite file that only its owner can read, as it is to hold personal data; one that is there stays as it is."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        message = f"cannot be made: {error.strerror}; give a file in a folder that is there and can be written to"
        raise InputError("flows", [Problem("database", message)]) from None


def empty_log(engine: sa.Engine) -> None:
    """Have an SQLite file take in what its write-ahead log holds, which keeps deleted data until then; on Postgres nothing.

    While somebody reads, it may stay until the next time.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def engine_url(engine: sa.Engine) -> str:
    """Return the database's URL as the workflow engine takes it, its password included."""
    return engine.url.render_as_string(hide_password=False)


class Claim(Protocol):
    """The right of one process to be an executor of flows, until it ends or gives it back."""

    executor_id: str

    def hold(self) -> bool:
        """Take the right again where the database has lost it, as by a restart; return whether this process has it."""
        ...

    def release(self) -> None:
        """Give the right back; does nothing the second time."""
        ...


def claim(engine: sa.Engine, executor_id: str | None) -> Claim:
    """Claim to be an executor of the flows in a database, so that no other process is the same one.

    executor_id: its name; None takes the first that nobody has, such as `executor-1`. A process that takes the name of a dead
        one goes on with its flows.

    Raises InputError where another process has the name, or the SQLite file.
    """
    if engine.dialect.name == "sqlite":
        # A link to the file leads to the same flows.
        return _FileClaim(Path(str(engine.url.database)).resolve(), executor_id or "executor-1")
    # A database that is away is told as the library of databases tells it, and not by the driver.
    engine.connect().close()
    session = lasting_session(engine)
    if executor_id and _waits_for(session, executor_id):
        return _SessionClaim(engine, session, executor_id)
    names = [] if executor_id else [f"executor-{number}" for number in range(1, MOST_EXECUTORS + 1)]
    for name in names:
        if session.execute("SELECT pg_try_advisory_lock(%s)", (lock_number(name),)).fetchone()[0]:
            return _SessionClaim(engine, session, name)
    session.close()
    raise InputError("flows", [Problem("executor_id", "another process that runs flows of this database has it")])


def lasting_session(engine: sa.Engine) -> Any:
    """Return a session of its own, which holds a lock for as long as it lasts."""
    connection = engine.raw_connection()
    connection.detach()
    session: Any = connection.dbapi_connection
    session.autocommit = True
    return session


def _waits_for(session: Any, executor_id: str) -> bool:
    """Return whether a session gets a name: the session of a process that was killed a moment ago may still have it."""
    session.execute("SELECT set_config('lock_timeout', %s, false)", (str(int(CLAIM_PATIENCE * 1000)),))
    try:
        session.execute("SELECT pg_advisory_lock(%s)", (lock_number(executor_id),))
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def lock_number(name: str) -> int:
    """Return the number of the advisory lock that the process of this name holds."""
    return int.from_bytes(hashlib.sha256(f"persona-flows:{name}".encode()).digest()[:8], "big", signed=True)


class _FileClaim:
    """A claim on an SQLite file, kept as a lock on a file beside it."""

    def __init__(self, path: Path, executor_id: str) -> None:
        self.executor_id = executor_id
        self._handle: int | None = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.release()
            message = "another process runs the flows of this file; several share a database only on Postgres"
            raise InputError("flows", [Problem("database", message)]) from None

    def hold(self) -> bool:
        return self._handle is not None

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class _SessionClaim:
    """A claim on Postgres, kept as an advisory lock that ends with its session."""

    def __init__(self, engine: sa.Engine, session: Any, executor_id: str) -> None:
        self.executor_id = executor_id
        self._engine = engine
        self._session = session

    def hold(self) -> bool:
        try:
            self._session.execute("SELECT 1")
        except psycopg.OperationalError:
            self._session.close()
            self._session = lasting_session(self._engine)
            return _waits_for(self._session, self.executor_id)
        return True

    def release(self) -> None:
        self._session.close()
