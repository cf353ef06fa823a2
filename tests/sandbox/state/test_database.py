"""The database: files that cannot be used as a state."""

from __future__ import annotations

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
