"""The offline Persona of `run --sandbox`, which remembers from one run to the next in the user's cache folder."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

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
        is_new = not path.exists()
        sandbox = _opened(sandbox_type, path)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).removeprefix(f"The state {path} ")
        message = f"its state {path}: {reason}; --fresh begins anew, and XDG_CACHE_HOME moves it"
        raise InputError("run", [Problem("--sandbox", message)]) from None
    try:
        if is_new:
            print_error(f"What you do in the sandbox is remembered in {path}; --fresh forgets it.")
        yield sandbox
    finally:
        sandbox.close()


def _opened(sandbox_type: type[Sandbox], path: Path) -> Sandbox:
    """Return a sandbox with its state in a file; waits while another run has it open."""
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            return sandbox_type(populate=True, state=path)
        except OSError as error:
            if "another sandbox has it open" not in str(error) or time.monotonic() > ends:
                raise
        time.sleep(_PAUSE)


def _forget(path: Path) -> None:
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")
