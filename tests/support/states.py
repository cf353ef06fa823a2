"""States of sandboxes that many tests begin with: each is made once and copied, which costs less than to make it anew."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")


@contextmanager
def state_folder() -> Iterator[Path]:
    """Make a folder for states, in memory where the system has such a place: SQLite waits for a disk at every close."""
    place = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="persona-states-", dir=place) as folder:
        yield Path(folder)


@contextmanager
def copied_state(state: Path) -> Iterator[Path]:
    """Copy a state that no sandbox has open, and remove the copy in the end."""
    copy = state.with_name(f"{secrets.token_hex(8)}.db")
    shutil.copy(state, copy)
    try:
        yield copy
    finally:
        copy.unlink()
