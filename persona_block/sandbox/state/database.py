"""The sandbox's database: SQLite, in memory or in a file, one transaction at a time.

Whatever one request reads and writes is one transaction, committed before the request is answered. With the write-ahead
log, a process that is killed therefore loses nothing that it answered.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .schema import SCHEMA


class Database:
    """An open database with the sandbox's tables. `path` None keeps it in memory.

    Raises OSError for a file that is no state of a sandbox, or that another sandbox has open.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        # A server in a thread and the test that steers it share the connection, one transaction at a time.
        self._turn = threading.RLock()
        try:
            self.db = sqlite3.connect(
                path or ":memory:", timeout=1, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            # A sandbox that is simply dropped, as tests do, must not leave its connection open.
            self._finalizer = weakref.finalize(self, self.db.close)
            self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = NORMAL")
            self.db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            is_open = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            raise OSError(f"The state {path} cannot be used: {'another sandbox has it open' if is_open else error}") from None

    def close(self) -> None:
        """Close the database; a file remains and can be opened again."""
        self._finalizer()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside happen together, or not at all if it raises."""
        with self._turn:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happens inside if it raises, and leave the rest of the transaction as it is."""
        self.db.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO attempt")
            self.db.execute("RELEASE attempt")
            raise
        self.db.execute("RELEASE attempt")

    def setting(self, name: str, value: str) -> str:
        """Give the stored setting of that name, which is `value` if there was none."""
        self.db.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, value))
        return str(self.scalar("SELECT value FROM setting WHERE name = ?", name))

    def scalar(self, sql: str, *values: Any) -> Any:
        """Read the one value of a query's one row."""
        return self.db.execute(sql, values).fetchone()[0]
