"""The database: files that cannot be used as a state."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from persona_block.sandbox import Sandbox


@pytest.mark.slow
def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with Sandbox(state=state), pytest.raises(OSError, match="another sandbox has it open"):
        Sandbox(state=state)
    Sandbox(state=state).close()
    other = tmp_path / "other"
    other.write_text("a text and no database" * 20)
    with pytest.raises(OSError, match="not a database"):
        Sandbox(state=other)
    with pytest.raises(OSError, match="unable to open"):
        Sandbox(state=tmp_path / "missing" / "state.db")


def test_a_state_of_another_schema_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    Sandbox(state=state).close()
    for statement in ("PRAGMA user_version = 0", "CREATE TABLE song (title TEXT)"):
        with closing(sqlite3.connect(state)) as db:
            db.execute(statement)
            before = db.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
        with pytest.raises(OSError, match="another version of the sandbox wrote it, or another program"):
            Sandbox(state=state)
        with closing(sqlite3.connect(state)) as db:
            assert db.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall() == before
        state = tmp_path / "other.db"
