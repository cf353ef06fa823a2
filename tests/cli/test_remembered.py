"""The offline Persona of `run --sandbox`, which remembers from one run to the next."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
from pathlib import Path

import pytest

from persona_block.cli import remembered
from persona_block.sandbox import Sandbox
from tests.cli.conftest import RunHere

CREATE = ("run", "create_account", "referenceId=kept", "--sandbox")
LIST = ("run", "list_accounts", "referenceId=kept", "--sandbox")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the state into a cache folder that is not there yet, and populate no sandbox, which takes its time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make = Sandbox.__init__
    monkeypatch.setattr(Sandbox, "__init__", lambda sandbox, **options: make(sandbox, **{**options, "populate": False}))
    return tmp_path / "cache" / "persona-block" / "sandbox.db"


def accounts(run_here: RunHere, *options: str) -> int:
    done = run_here(*LIST, *options)
    assert done.returncode == 0
    return len(json.loads(done.stdout)["output"]["accounts"])


def test_what_one_run_creates_the_next_reads(state: Path, run_here: RunHere) -> None:
    first = run_here(*CREATE)
    assert first.returncode == 0
    assert first.stderr == f"What you do in the sandbox is remembered in {state}; --fresh forgets it.\n"
    again = run_here(*LIST)
    assert again.stderr == ""
    assert len(json.loads(again.stdout)["output"]["accounts"]) == 1
    assert accounts(run_here, "--fresh") == 0
    assert accounts(run_here) == 0


def test_nobody_else_reads_it(state: Path, run_here: RunHere) -> None:
    before = os.umask(0)
    try:
        run_here(*CREATE)
    finally:
        os.umask(before)
    assert state.parent.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in state.parent.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {"XDG_CACHE_HOME": "/elsewhere"}, "/elsewhere/persona-block"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "/home/ann/.cache/persona-block"),
        ("linux", {}, "/home/ann/.cache/persona-block"),
        ("darwin", {}, "/home/ann/Library/Caches/persona-block"),
        ("darwin", {"XDG_CACHE_HOME": "/elsewhere"}, "/elsewhere/persona-block"),
        ("win32", {"LOCALAPPDATA": "/data"}, "/data/persona-block"),
        ("win32", {}, "/home/ann/AppData/Local/persona-block"),
    ],
)
def test_the_cache_folder_is_the_platforms(
    platform: str, environment: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/ann", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert remembered.cache_folder() == Path(folder)


@pytest.mark.parametrize("content", ["other", "older"])
def test_a_state_that_cannot_be_used_says_what_to_do(content: str, state: Path, run_here: RunHere) -> None:
    state.parent.mkdir(parents=True)
    if content == "other":
        state.write_text("not a database, but long enough to be taken for one" * 99)
    else:
        with sqlite3.connect(state) as database:
            database.execute("CREATE TABLE x (y)")
            database.execute("PRAGMA user_version = 999")
        database.close()
    done = run_here(*LIST)
    assert done.returncode == 2
    assert f"--sandbox: its state {state}: cannot be used" in done.stderr
    assert "--fresh begins anew" in done.stderr
    assert accounts(run_here, "--fresh") == 0


def test_a_folder_that_cannot_be_written_is_no_traceback(state: Path, run_here: RunHere) -> None:
    state.parents[1].write_text("a file")
    done = run_here(*LIST)
    assert done.returncode == 2
    assert "XDG_CACHE_HOME moves it" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_runs_at_once_take_turns(state: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    run_here(*CREATE)
    holding = Sandbox(state=state)
    release = threading.Timer(0.3, holding.close)
    release.start()
    assert accounts(run_here) == 1
    release.join()
    monkeypatch.setattr(remembered, "_PATIENCE", 0)
    with Sandbox(state=state):
        done = run_here(*LIST)
    assert done.returncode == 2
    assert "another sandbox has it open" in done.stderr


def test_fresh_takes_nothing_from_a_run_that_goes_on(state: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    run_here(*CREATE)
    with monkeypatch.context() as patch, Sandbox(state=state):
        patch.setattr(remembered, "_PATIENCE", 0)
        done = run_here(*LIST, "--fresh")
    assert done.returncode == 2
    assert "another sandbox has it open" in done.stderr
    assert accounts(run_here) == 1
    holding = Sandbox(state=state)
    release = threading.Timer(0.3, holding.close)
    release.start()
    assert accounts(run_here, "--fresh") == 0
    release.join()


def test_fresh_is_for_the_sandbox_alone(run_here: RunHere) -> None:
    done = run_here("run", "list_accounts", "--fresh", PERSONA_API_KEY="k")
    assert done.returncode == 2
    assert "--fresh: is only for --sandbox" in done.stderr
