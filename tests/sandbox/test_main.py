"""The sandbox as a process: what a killed one keeps, and how an interrupted one ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from persona_block.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.process


@contextmanager
def process(*options: str, errors: int | None = None) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Run a served sandbox, and yield its process and a client of it."""
    command = [sys.executable, "-m", "persona_block.sandbox", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT) as running:
        try:
            assert running.stdout
            announced = json.loads(running.stdout.readline())
            headers = {"Authorization": f"Bearer {announced['apiKey']}"}
            with httpx.Client(base_url=announced["baseUrl"], headers=headers) as http:
                yield running, http
        finally:
            running.kill()


def test_a_killed_process_loses_no_answer(tmp_path: Path) -> None:
    """Four clients write as fast as they can, the process is killed, and the next process knows everything it answered."""
    state = str(tmp_path / "state.db")
    answered: list[Any] = []

    def write(http: httpx.Client, number: int) -> None:
        try:
            for index in range(10_000):
                attributes = {"reference-id": f"r-{number}-{index}"}
                headers = {"Idempotency-Key": f"k-{number}-{index}"}
                reply = http.post("/accounts", json={"data": {"attributes": attributes}}, headers=headers)
                answered.append((number, index, reply.json()))
        except httpx.HTTPError:
            return

    with process("--state", state) as (running, http):
        writers = [threading.Thread(target=write, args=(http, number)) for number in range(4)]
        for writer in writers:
            writer.start()
        while len(answered) < 300:
            writers[0].join(0.01)
        running.send_signal(signal.SIGKILL)
        for writer in writers:
            writer.join()
    with process("--state", state) as (_, http):
        for number, index, body in answered:
            assert http.get(f"/accounts/{body['data']['id']}").json() == body
            attributes = {"reference-id": f"r-{number}-{index}"}
            headers = {"Idempotency-Key": f"k-{number}-{index}"}
            assert http.post("/accounts", json={"data": {"attributes": attributes}}, headers=headers).json() == body
    with Sandbox(state=state) as sandbox:
        created = [effect.resource_id for effect in sandbox.effects if effect.name == "account.created"]
    assert len(set(created)) == len(created)
    # Each client may have had one more request under way.
    assert len(answered) <= len(created) <= len(answered) + 4


def test_a_long_import_delays_no_request_and_survives_a_kill(tmp_path: Path) -> None:
    state, rows = str(tmp_path / "state.db"), 6_000
    content = "reference_id,name_first,birthdate\n" + "".join(f"r-{row},Jane,1990-01-02\n" for row in range(rows - 2))
    content += "r-7,Twin,\nr-x,Jane,tomorrow\n"
    slowest = 0.0
    with process("--state", state, "--speed", "60") as (running, http):
        file = {"data[attributes][file]": ("a.csv", content)}
        importer = http.post("/importer/accounts", files=file).json()["data"]["id"]
        while not http.get("/accounts").json()["data"]:
            threading.Event().wait(0.005)
        for _ in range(5):
            started = time.monotonic()
            under_way = http.get(f"/importers/{importer}").json()["data"]["attributes"]
            slowest = max(slowest, time.monotonic() - started)
        running.send_signal(signal.SIGKILL)
    assert (under_way["status"], under_way["successful-count"], under_way["completed-at"]) == ("pending", 0, None)
    assert slowest < 0.3, f"a request waited {slowest:.2f} s"
    with process("--state", state, "--speed", "60") as (_, http):
        give_up = time.monotonic() + 30
        while (done := http.get(f"/importers/{importer}").json()["data"]["attributes"])["status"] == "pending":
            assert time.monotonic() < give_up
            threading.Event().wait(0.05)
    counts = [done[f"{name}-count"] for name in ("successful", "duplicate", "error")]
    assert (done["status"], counts) == ("ready", [rows - 2, 1, 1])
    with Sandbox(state=state) as sandbox:
        created = [effect for effect in sandbox.effects if effect.name == "account.created"]
    assert len({effect.resource_id for effect in created}) == len(created) == rows - 2
    assert [effect.at for effect in created] == sorted(effect.at for effect in created)
    assert len({effect.at for effect in created}) > 2, "it was imported part by part"


def test_an_interrupt_ends_the_process_quietly(tmp_path: Path) -> None:
    with process("--state", str(tmp_path / "state.db"), "--populate", errors=subprocess.PIPE) as (running, http):
        assert http.get("/cases").status_code == 200
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 0
        assert running.stderr
        assert running.stderr.read() == ""
