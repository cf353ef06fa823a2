"""The offline Persona of `run --sandbox`, which remembers from one run to the next in the user's cache folder."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..errors import InputError, Problem
from .terminal import print_error

if TYPE_CHECKING:
    from ..sandbox import Sandbox

_FILE = "sandbox.db"
_BESIDE = ("", "-wal", "-shm", "-journal")
"""What the names of the files that SQLite keeps end in."""
_PATIENCE = 10.0
"""Seconds to wait for another run that has the state open."""
_PAUSE = 0.1
_IN_USE = "another sandbox has it open"
"""What the OSError says that a sandbox raises for a state in use."""

Result = TypeVar("Result")


def cache_folder() -> Path:
    """Return the user's cache folder of this program: below XDG_CACHE_HOME where it is set, else the platform's own."""
    if (chosen := os.environ.get("XDG_CACHE_HOME", "")) and Path(chosen).is_absolute():
        base = Path(chosen)
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path.home() / ".cache"
    return base / "persona-block"


@contextmanager
def remembered_sandbox(sandbox_type: type[Sandbox], *, fresh: bool = False) -> Iterator[Sandbox]:
    """Open the state that earlier runs left, or begin one and say on stderr where it is; nobody else can read it.

    fresh: forget what earlier runs left. Raises InputError where the state cannot be used.
    """
    path = cache_folder() / _FILE
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if fresh:
            _forget(path)
        is_new = fresh or not path.exists()
        sandbox = _opened(sandbox_type, path)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).removeprefix(f"The state {path} ")
        ways = "XDG_CACHE_HOME moves it" if fresh else "--fresh begins anew, and XDG_CACHE_HOME moves it"
        message = f"its state {path}: {reason}; {ways}"
        raise InputError("run", [Problem("--sandbox", message)]) from None
    try:
        if is_new:
            print_error(f"What you do in the sandbox is remembered in {path}; --fresh forgets it.")
        yield sandbox
    finally:
        sandbox.close()


def _opened(sandbox_type: type[Sandbox], path: Path) -> Sandbox:
    """Return a sandbox with its state in a file; waits while another run has it open."""
    return _when_free(lambda: sandbox_type(populate=True, state=path))


def _forget(path: Path) -> None:
    """Empty the state; waits while another run has it open, from which its file must not be taken."""
    if path.exists():
        _when_free(lambda: _empty(path))


def _when_free(work: Callable[[], Result]) -> Result:
    """Return what `work` gives, which raises OSError as long as another run has the state open."""
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            return work()
        except OSError as error:
            if _IN_USE not in str(error) or time.monotonic() > ends:
                raise
        time.sleep(_PAUSE)


def _empty(path: Path) -> None:
    """Leave an empty database, whatever its tables were; what is none is removed. Raises OSError where it is in use."""
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as database:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            database.execute("PRAGMA writable_schema = ON")
            database.execute("DELETE FROM sqlite_master")
            database.execute("PRAGMA user_version = 0")
            database.execute("COMMIT")
            database.execute("PRAGMA writable_schema = RESET")
            database.execute("VACUUM")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise OSError(f"The state {path} cannot be used: {_IN_USE}") from None
        for suffix in _BESIDE:
            with suppress(FileNotFoundError):
                os.unlink(f"{path}{suffix}")
