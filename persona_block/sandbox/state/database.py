"""The sandbox's database: SQLite, in memory or in a file, one transaction at a time.

Each request is one transaction, committed before its answer is sent. Because SQLite writes ahead to a log, a killed process
loses nothing that it answered. A file is its owner's alone.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .schema import SCHEMA, SCHEMA_VERSION

_OWNER_ALONE = 0o600


class Database:
    """An open database with the sandbox's tables, in the file `path`, or in memory for None.

    Raises OSError for a file that is not the state of a sandbox, or that another sandbox has open.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        # A server in one thread and a test in another share the connection, one transaction at a time.
        self._lock = threading.RLock()
        self._path = path
        self._purges = False
        if path is not None:
            with suppress(OSError):  # where it exists or cannot be created, SQLite says what is wrong
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, _OWNER_ALONE))
        try:
            self.db = sqlite3.connect(
                path or ":memory:", timeout=1, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            # A sandbox that a program drops without closing it must not leave its connection open.
            self._finalizer = weakref.finalize(self, self.db.close)
            self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._check_version(path)
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = NORMAL")
            # What is deleted or written over is overwritten with zeros in the file (sqlite.org/pragma.html).
            self.db.execute("PRAGMA secure_delete = ON")
            self.db.executescript(SCHEMA)
            self._restrict()
        except sqlite3.DatabaseError as error:
            is_open = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            raise OSError(f"The state {path} cannot be used: {'another sandbox has it open' if is_open else error}") from None

    def _check_version(self, path: str | Path | None) -> None:
        """Check that a database is new or of the present schema, and mark a new one. Raises OSError."""
        is_new = not self.scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master)")
        if is_new:
            self.db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif self.scalar("PRAGMA user_version") != SCHEMA_VERSION:
            self.close()
            raise OSError(f"The state {path} cannot be used: another version of the sandbox wrote it, or another program")

    def _restrict(self) -> None:
        """Take the file, and those that SQLite keeps beside it, from everybody but its owner."""
        if self._path is not None:
            for suffix in ("", "-wal", "-shm", "-journal"):
                with suppress(OSError):  # one that is missing, or another user's
                    os.chmod(f"{self._path}{suffix}", _OWNER_ALONE)

    @property
    def is_open(self) -> bool:
        """Whether the database has not been closed."""
        return self._finalizer.alive

    def close(self) -> None:
        """Close the database; a file can be opened again."""
        self._finalizer()

    def snapshot(self) -> object:
        """Return what is kept beside the tables and is to be undone with them."""
        return None

    def restore(self, snapshot: Any) -> None:
        """Bring back what `snapshot` returned, after its changes have been undone."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside, or undo all of it if it raises."""
        with self._lock:
            self.db.execute("BEGIN IMMEDIATE")
            before = self.snapshot()
            try:
                yield
            except BaseException:
                self.db.execute("ROLLBACK")
                self.restore(before)
                self._purges = False
                raise
            self.db.execute("COMMIT")
            if self._purges:
                self._purge()

    def purge_on_commit(self) -> None:
        """Leave nothing of what was deleted or written over in the log of writes either, after this transaction."""
        self._purges = self._path is not None

    def _purge(self) -> None:
        self._purges = False
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happens inside if it raises, and leave the rest of the transaction as it is."""
        self.db.execute("SAVEPOINT attempt")
        before = self.snapshot()
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO attempt")
            self.db.execute("RELEASE attempt")
            self.restore(before)
            raise
        self.db.execute("RELEASE attempt")

    def setting(self, name: str, value: str) -> str:
        """Return the stored setting of that name, and store `value` first if there is none."""
        self.db.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, value))
        return str(self.scalar("SELECT value FROM setting WHERE name = ?", name))

    def scalar(self, sql: str, *values: Any) -> Any:
        """Read the one value of a query's one row."""
        return self.db.execute(sql, values).fetchone()[0]
