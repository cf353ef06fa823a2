"""`persona-block flow`: workflows are shown, checked, run offline, managed, and started for each row of a file."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from persona_block import manifest
from tests.cli.conftest import RunHere

importlib.import_module("persona_block.flows.engine")  # which starts a program where it is imported for the first time

ASKING = {
    "name": "release",
    "inputs": {"who": {"type": "string"}, "team": {"type": "string"}},
    "steps": [
        {"id": "decide", "host": "ask", "to": "{input.team}", "text": "Release {input.who}?", "options": ["yes", "no"]},
        {"id": "tell", "host": "notify", "to": "{input.team}", "text": "{decide.answer} for {input.who}"},
    ],
}


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A workflow that asks, as a file in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "release.json").write_text(json.dumps(ASKING), "utf-8")
    return "release.json"


def test_workflows_are_listed_and_described(run_here: RunHere) -> None:
    listed = run_here("flow", "list").stdout
    assert all(each["name"] in listed for each in manifest()["templates"])
    told = run_here("flow", "describe", "onboard-customer").stdout
    assert "ask (to {input.reviewers}, waits)" in told
    assert json.loads(run_here("flow", "describe", "onboard-customer", "--json").stdout)["name"] == "onboard-customer"
    assert "did you mean onboard-customer?" in run_here("flow", "describe", "onbord-customer").stderr


def test_a_document_is_checked_with_every_problem_at_once(run_here: RunHere, document: str, tmp_path: Path) -> None:
    assert run_here("flow", "check", document).returncode == 0
    wrong = {"inputs": {"unread": {"type": "string"}}, "steps": [{"id": "x", "operation": "creat_inquiry"}]}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong), "utf-8")
    done = run_here("flow", "check", "wrong.json")
    assert done.returncode == 2
    assert "steps[0].operation: there is no operation creat_inquiry; did you mean create_inquiry?" in done.stderr
    assert "inputs.unread: is never read by a step" in done.stderr


@pytest.mark.process
@pytest.mark.slow
def test_a_whole_onboarding_on_the_offline_persona(run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run_here("flow", "run", "onboard-customer", "--sandbox", "--answer", "approve", "--id", "signup-1")
    assert done.returncode == 0, done.stderr
    assert re.search(r"http://127\.0\.0\.1:\d+/verify\?code=", done.stdout)
    kept = re.search(r"^keep: file://(.*)$", done.stdout, re.MULTILINE)
    assert kept
    assert Path(kept[1]).read_bytes().startswith(b"%PDF")
    told = run_here("flow", "status", "signup-1", "--sandbox").stdout
    assert "signup-1: done" in told
    assert "decline_inquiry: not taken" in told
    assert "Jane" not in told
    assert "Jane Q Doe" in run_here("flow", "status", "signup-1", "--sandbox", "--values").stdout
    shown = json.loads(run_here("flow", "status", "signup-1", "--sandbox", "--json").stdout)
    assert [step["name"] for step in shown["steps"]][:3] == ["start", "link", "invite"]
    assert "Jane" not in json.dumps(shown)
    # The same id is the same flow: nothing happens again.
    again = run_here("flow", "run", "onboard-customer", "--sandbox", "--answer", "decline", "--id", "signup-1")
    assert again.returncode == 0
    assert "verify?code=" not in again.stdout


def test_flows_are_started_answered_cancelled_and_resumed(run_here: RunHere, document: str) -> None:
    started = run_here("flow", "start", document, "who=Planted", "team=console:", "--id", "one")
    assert started.stdout == "one\n"
    assert run_here("flow", "start", document, "who=Other", "team=console:", "--id", "one").returncode == 0
    assert "queued" in run_here("flow", "status").stdout
    assert "flow: asks nothing at the moment" in run_here("flow", "answer", "one", "yes").stderr
    assert "is queued, and not cancelled" in run_here("flow", "resume", "one").stderr
    assert run_here("flow", "cancel", "one").returncode == 0
    assert "one: cancelled" in run_here("flow", "status", "one").stdout
    assert run_here("flow", "resume", "one").returncode == 0
    for action in ("status", "cancel", "resume"):
        gone = run_here("flow", action, "none")
        assert gone.returncode == 2
        assert "there is no flow of this id" in gone.stderr
    missing = run_here("flow", "start", document, "team=console:")
    assert "inputs.who: is required" in missing.stderr
    assert run_here("flow", "run", document, "--answer", "yes").returncode == 2
    without_key = run_here("flow", "run", document, "who=Planted", "team=console:")
    assert "PERSONA_API_KEY: set it to the API key that flows call Persona with" in without_key.stderr


def _worker(**environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "persona_block.cli", "flow", "worker"]
    return subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.process
@pytest.mark.slow
def test_a_worker_runs_a_campaign_and_another_goes_on(run_here: RunHere, document: str, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("who\nc-1\n=c-2\nc-1\n", "utf-8")
    start = ["flow", "campaign", document, "team=console:", "--items", "items.csv"]
    key = {"PERSONA_API_KEY": "persona_sandbox_unused", "PERSONA_BASE_URL": "http://127.0.0.1:9"}
    begun = run_here(*start, "--start-only")
    assert "2 rows, 2 started now, 0 before" in begun.stderr
    assert "start no flow of their own: 1" in begun.stderr
    ids = [each["id"] for each in json.loads(run_here("flow", "status", "--json").stdout)]

    def asking() -> list[dict[str, Any]]:
        return [each for each in json.loads(run_here("flow", "status", "--json").stdout) if each["questions"]]

    for ending in (signal.SIGKILL, signal.SIGTERM):
        process = _worker(**key)
        try:
            ends = time.monotonic() + 60
            while len(asking()) < (2 if ending == signal.SIGKILL else 1):
                assert time.monotonic() < ends, process.communicate(timeout=5)
                time.sleep(0.1)
            if ending == signal.SIGKILL:
                assert run_here("flow", "answer", ids[0], "maybe").returncode == 2
                assert run_here("flow", "answer", ids[0], "yes").stdout == "Answered.\n"
            else:
                assert run_here("flow", "answer", ids[1], "no", "--comment", "Known").returncode == 0
                while any(each["state"] != "done" for each in json.loads(run_here("flow", "status", "--json").stdout)):
                    assert time.monotonic() < ends
                    time.sleep(0.1)
        finally:
            process.send_signal(ending)
            process.communicate(timeout=30)
    again = run_here(*start, "--start-only", "--report", "report.csv")
    assert "2 rows, 0 started now, 2 before" in again.stderr
    assert again.stdout == "2 done\n"
    report = (tmp_path / "report.csv").read_text("utf-8").splitlines()
    assert report[2].startswith("2,'=c-2,console:,campaign-")
    assert (tmp_path / "report.csv").stat().st_mode & 0o777 == 0o600


def test_what_serving_needs(run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run_here("flow", "serve", "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "--host: other than loopback also needs --public-url" in refused.stderr
    short = run_here("flow", "serve", "--token", "env:SHORT", SHORT="short")
    assert "--token: must lead to at least 16 characters" in short.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.process
@pytest.mark.slow
def test_the_page_is_served_until_it_is_ended(tmp_path: Path) -> None:
    import httpx

    command = [sys.executable, "-m", "persona_block.cli", "flow", "serve", "--port", "0", "--db", str(tmp_path / "f.sqlite")]
    environment = {**os.environ, "PERSONA_FLOWS_TOKEN": "0123456789abcdef"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stderr is not None
        told = ""
        while not told.endswith("Ctrl-C ends it.\n"):
            line = process.stderr.readline()
            assert line, told
            told += line
        found = re.search(r"The page of flows: (\S+)/\n", told)
        assert found
        assert "0123456789abcdef" not in told
        assert httpx.get(f"{found[1]}/sign-in").status_code == 200
        assert httpx.post(f"{found[1]}/webhooks/persona", content=b"{}").status_code == 503
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
