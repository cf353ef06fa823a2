"""The sandbox as a server: on loopback only, and with a state that a killed process leaves whole."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from persona_block.sandbox import Sandbox, SandboxError
from persona_block.sandbox.objects import importers
from persona_block.sandbox.objects.importers import ROWS_AT_ONCE
from persona_block.sandbox.state.clock import MAX_SPEED, parse
from persona_block.sandbox.state.environment import Environment
from persona_block.sandbox.state.records import Resource
from tests.support.contract_client import Client

ROOT = Path(__file__).resolve().parents[3]


def test_serving_in_a_program() -> None:
    async def main() -> None:
        sandbox = Sandbox(speed=0)
        offline = sandbox.base_url
        async with sandbox.serve() as base_url, httpx.AsyncClient(base_url=base_url) as http:
            assert base_url.startswith("http://127.0.0.1:")
            assert sandbox.base_url == base_url
            key = {"Authorization": f"Bearer {sandbox.api_key}"}
            attributes = {"inquiry-template-id": sandbox.templates.inquiry}
            body = {"data": {"attributes": attributes}, "meta": {"auto-create-one-time-link": True}}
            created = (await http.post("/inquiries", json=body, headers=key)).json()
            assert "simulation" in (await http.get(created["meta"]["one-time-link"])).text.lower()
            finished = sandbox.complete(created["data"]["id"])["relationships"]
            document = await http.get(f"/documents/{finished['documents']['data'][0]['id']}", headers=key)
            photo = document.json()["data"]["attributes"]["front-photo"]
            assert photo["url"].startswith(base_url.removesuffix("/api/v1") + "/files/")
            assert len((await http.get(photo["url"])).content) == photo["byte-size"]
        assert sandbox.base_url == offline
        sandbox.close()

    asyncio.run(main())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_no_other_machine_is_served(host: str) -> None:
    async def main() -> None:
        with Sandbox() as sandbox, pytest.raises(ValueError, match="only served on this machine"):
            async with sandbox.serve(host):
                pass

    asyncio.run(main())


def test_a_port_that_is_taken() -> None:
    async def main() -> None:
        with Sandbox() as sandbox:
            async with sandbox.serve() as base_url:
                with pytest.raises(OSError, match="in use"):
                    async with sandbox.serve(port=httpx.URL(base_url).port or 0):
                        pass

    asyncio.run(main())


@contextmanager
def process(*options: str, errors: int | None = None) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Run a server of its own, with a client of it."""
    command = [sys.executable, "-m", "persona_block.sandbox", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT) as running:
        try:
            assert running.stdout
            told = json.loads(running.stdout.readline())
            with httpx.Client(base_url=told["baseUrl"], headers={"Authorization": f"Bearer {told['apiKey']}"}) as http:
                yield running, http
        finally:
            running.kill()


def test_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    """Four clients write as fast as they can, the process is killed, and the next one knows all they were told."""
    state = str(tmp_path / "state.db")
    answered: list[Any] = []

    def write(http: httpx.Client, number: int) -> None:
        try:
            for index in range(10_000):
                attributes = {"reference-id": f"r-{number}-{index}"}
                headers = {"Idempotency-Key": f"k-{number}-{index}"}
                answer = http.post("/accounts", json={"data": {"attributes": attributes}}, headers=headers)
                answered.append((number, index, answer.json()))
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
    # Each client can have had one more under way.
    assert len(answered) <= len(created) <= len(answered) + 4


def test_a_long_import_lets_others_through_and_survives_a_kill(tmp_path: Path) -> None:
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
    assert len({effect.at for effect in created}) > 2, "it went part by part"


@pytest.mark.parametrize("asked", [True, False], ids=["by its caller", "by nobody"])
def test_a_long_import_comes_to_its_end(asked: bool) -> None:
    with Sandbox(speed=0) as sandbox, sandbox.serve_in_thread() as base_url:
        key = {"Authorization": f"Bearer {sandbox.api_key}"}
        content = "name_first\n" + "Jane\n" * (2 * ROWS_AT_ONCE + 1)
        httpx.post(f"{base_url}/importer/accounts", files={"data[attributes][file]": ("a.csv", content)}, headers=key)
        sandbox.clock.advance(2)
        if asked:
            sandbox.settle()
        give_up = time.monotonic() + 30
        while sandbox.effects[-1].name != "importer.ready":
            assert not asked
            assert time.monotonic() < give_up
            threading.Event().wait(0.02)
        assert len(sandbox.effects) == 2 * ROWS_AT_ONCE + 3


def test_imports_take_turns_and_only_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests, pages and looks for the next event take no rows, and all imports together no more than one part at a time."""
    taken: list[tuple[str, int]] = []
    turns: Counter[int] = Counter()
    turn, run = 0, importers.run

    def counted(env: Environment, importer: Resource, limit: int | None = None) -> int:
        rows = run(env, importer, limit)
        taken.append((importer.id, rows))
        turns[turn] += rows
        return rows

    async def main() -> None:
        nonlocal turn
        answering = httpx.MockTransport(lambda request: httpx.Response(204))
        hook = {"webhook": "http://127.0.0.1:9/", "webhook_secret": "x", "webhook_transport": answering}
        with Sandbox(speed=0, **hook) as sandbox:  # type: ignore[arg-type]
            async with sandbox.serve() as base_url, httpx.AsyncClient(base_url=base_url) as http:
                key = {"Authorization": f"Bearer {sandbox.api_key}"}
                for _ in range(3):
                    content = "name_first\n" + "Jane\n" * (4 * ROWS_AT_ONCE - 1)
                    await http.post("/importer/accounts", files={"data[attributes][file]": ("a.csv", content)}, headers=key)
                sandbox.clock.advance(2)
                before = len(taken)
                for _ in range(5):
                    answer = httpx.ASGITransport(sandbox.app)
                    async with httpx.AsyncClient(transport=answer, base_url=base_url, headers=key) as here:
                        assert (await here.get("/accounts")).status_code == 200
                        assert (await here.get(f"{base_url.removesuffix('/api/v1')}/")).status_code == 200
                assert len(taken) - before <= 1, "no more than the task's own look"
                while [effect.name for effect in sandbox.effects].count("importer.ready") < 3:
                    turn += 1
                    await asyncio.sleep(0)

    monkeypatch.setattr(importers, "run", counted)
    asyncio.run(main())
    assert turns.total() == 3 * (4 * ROWS_AT_ONCE - 1)
    assert max(turns.values()) <= ROWS_AT_ONCE
    assert len({importer for importer, _ in taken[:3]}) == 3, "they take turns"


def test_an_interrupt_ends_it_quietly(tmp_path: Path) -> None:
    with process("--state", str(tmp_path / "state.db"), "--populate", errors=subprocess.PIPE) as (running, http):
        assert http.get("/cases").status_code == 200
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 0
        assert running.stderr
        assert running.stderr.read() == ""


def test_a_state_that_cannot_be_used(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with Sandbox(state=state), pytest.raises(OSError, match="another sandbox has it open"):
        Sandbox(state=state)
    Sandbox(state=state).close()
    other = tmp_path / "other"
    other.write_text("this is a text, and not a database at all" * 10)
    with pytest.raises(OSError, match="not a database"):
        Sandbox(state=other)
    with pytest.raises(OSError, match="unable to open"):
        Sandbox(state=tmp_path / "missing" / "state.db")


def test_reads_are_forgotten_in_time_and_writes_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_block.sandbox.state.log.REMEMBERED_READS", 5)
    with Client() as client:
        account = client.account().id
        for _ in range(20):
            client.get(f"/accounts/{account}")
        methods = [record.method for record in client.sandbox.requests]
    assert methods[0] == "POST"
    assert len(methods) <= 11


def test_a_file_keeps_its_time_its_seed_and_its_ids(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with Sandbox(state=state, seed=7, speed=0) as sandbox:
        sandbox.clock.advance(100_000)
        sandbox.settle()
        first = _account(sandbox)
        link = sandbox.clock.now()
    with Sandbox(state=state, seed=8, speed=0, populate=True) as sandbox:
        assert sandbox.clock.now() >= link
        second = _account(sandbox)
        assert second != first
        assert len([effect for effect in sandbox.effects if effect.name == "account.created"]) == 2
        with pytest.raises(SandboxError):
            sandbox.complete(first)


def _account(sandbox: Sandbox) -> str:
    async def create() -> str:
        async with httpx.AsyncClient(transport=sandbox.transport, base_url=sandbox.base_url) as http:
            answer = await http.post("/accounts", json={}, headers={"Authorization": f"Bearer {sandbox.api_key}"})
            return str(answer.json()["data"]["id"])

    return asyncio.run(create())


def test_settings_are_checked() -> None:
    for options in (
        {"rate_limit": 0},
        {"mismatch_status": 500},
        *({"report_delay": each} for each in (-1, float("nan"), float("inf"))),
        *({"speed": each} for each in (-1, float("nan"), float("inf"), 1e12)),
    ):
        with pytest.raises(ValueError, match="must"):
            Sandbox(**options)  # type: ignore[arg-type]
    with Sandbox() as sandbox, pytest.raises(ValueError, match="forward"):
        sandbox.clock.advance(-1)


def test_time_stands_still_in_the_year_9000() -> None:
    for seconds in (float("nan"), float("inf"), 1e300, 300_000_000_000):
        with Sandbox(speed=0) as sandbox, pytest.raises(ValueError, match="year 9000"):
            sandbox.clock.advance(seconds)
    with Client(speed=MAX_SPEED) as client:
        clock = client.sandbox.clock
        clock.advance((parse("9000-01-01") - clock.milliseconds()) / 1000 - 1000)
        threading.Event().wait(0.01)
        created = client.inquiry().attributes
        assert (created["created-at"], created["expires-at"]) == ("9000-01-01T00:00:00.000Z", "9000-01-02T00:00:00.000Z")


def test_an_applicant_of_no_inquiry() -> None:
    with Sandbox() as sandbox, pytest.raises(SandboxError, match="There is no inquiry with this id"):
        sandbox.complete("inq_x")


def test_time_can_run_faster() -> None:
    with Sandbox(speed=10_000) as sandbox:
        before = sandbox.clock.milliseconds()
        threading.Event().wait(0.02)
        assert sandbox.clock.milliseconds() - before >= 200_000


def test_the_package_costs_nothing_until_it_is_used() -> None:
    # Of the block it shares next to nothing, so that a fault of the one can hide none of the other.
    script = (
        "import sys, persona_block.sandbox as s; assert 'starlette' not in sys.modules; s.Sandbox();"
        "assert not {'uvicorn', 'fpdf', 'PIL'} & set(sys.modules), sorted(sys.modules);"
        "names = {name for name in sys.modules if name.startswith('persona_block.') and '.sandbox' not in name};"
        "shared = ('version', 'errors', 'spec', 'spec.inflection', 'call', 'call.addresses');"
        "assert names == {'persona_block.' + name for name in shared}, names"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


@pytest.mark.parametrize("speed", ["x", None, -1, float("nan")])
def test_a_speed_that_is_none(speed: Any) -> None:
    with pytest.raises(ValueError, match="speed must be a number from 0 to 1000000"):
        Sandbox(speed=speed)
