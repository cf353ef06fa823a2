"""The database: files that cannot be used as a state."""

from __future__ import annotations

import os
import sqlite3
import stat
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
        before = state.read_bytes()
        with pytest.raises(OSError, match="another version of the sandbox wrote it, or another program"):
            Sandbox(state=state)
        assert state.read_bytes() == before
        state = tmp_path / "other.db"


@pytest.mark.skipif(os.name != "posix", reason="only there are files kept from others by their mode")
@pytest.mark.parametrize("existing_mode", [None, 0o644, 0o666, 0o600])
def test_a_state_is_its_owners_alone(tmp_path: Path, existing_mode: int | None) -> None:
    state = tmp_path / "state.db"
    if existing_mode is not None:
        Sandbox(state=state).close()
        state.chmod(existing_mode)
    before = os.umask(0)
    try:
        with Sandbox(state=state, populate=True) as sandbox:
            sandbox.settle()
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes.keys() >= {"state.db", "state.db-wal"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(state.stat().st_mode) == 0o600


def test_a_file_that_is_no_state_keeps_its_mode(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("a text and no database" * 20)
    other.chmod(0o644)
    with pytest.raises(OSError, match="not a database"):
        Sandbox(state=other)
    assert stat.S_IMODE(other.stat().st_mode) == 0o644


@pytest.mark.skipif(os.name != "posix", reason="only there are files kept from others by their mode")
def test_a_new_state_is_never_anybody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "chmod", lambda *_: None)
    before = os.umask(0)
    try:
        Sandbox(state=tmp_path / "state.db").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state.db").stat().st_mode) == 0o600
