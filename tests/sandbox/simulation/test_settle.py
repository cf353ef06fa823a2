"""Long imports, while a server runs and in process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import httpx
import pytest

from persona_block.sandbox import Sandbox, Webhook
from persona_block.sandbox.objects import importers
from persona_block.sandbox.objects.importers import ROWS_AT_ONCE
from persona_block.sandbox.simulation.settle import WHEN_DUE
from persona_block.sandbox.state.environment import Environment
from persona_block.sandbox.state.records import Resource
from tests.support.contract_client import ContractClient


@pytest.mark.parametrize("settles", [True, False], ids=["by settle", "in the background"])
def test_a_long_import_ends(settles: bool) -> None:
    with Sandbox(speed=0) as sandbox, sandbox.serve_in_thread() as base_url:
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        content = "name_first\n" + "Jane\n" * (2 * ROWS_AT_ONCE + 1)
        httpx.post(f"{base_url}/importer/accounts", files={"data[attributes][file]": ("a.csv", content)}, headers=headers)
        sandbox.clock.advance(2)
        if settles:
            sandbox.settle()
        give_up = time.monotonic() + 30
        while sandbox.effects[-1].name != "importer.ready":
            assert not settles
            assert time.monotonic() < give_up
            threading.Event().wait(0.02)
        assert len(sandbox.effects) == 2 * ROWS_AT_ONCE + 3


@pytest.mark.slow
def test_only_the_background_task_imports_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests, pages and the courier import no rows, and the background task one part of all imports at a time."""
    parts: list[tuple[str, int]] = []
    rows_in_turn: Counter[int] = Counter()
    turn = 0

    def counted(env: Environment, importer: Resource) -> None:
        rows = env.store.next_import_rows(importer.id)
        parts.append((importer.id, rows))
        rows_in_turn[turn] += rows
        importers.run(env, importer)

    async def main() -> None:
        nonlocal turn
        answering = httpx.MockTransport(lambda _: httpx.Response(204))
        webhook = Webhook("http://127.0.0.1:9/", "x", transport=answering)
        with Sandbox(speed=0, webhook=webhook) as sandbox:
            async with sandbox.serve() as base_url, httpx.AsyncClient(base_url=base_url) as http:
                headers = {"Authorization": f"Bearer {sandbox.api_key}"}
                for _ in range(3):
                    content = "name_first\n" + "Jane\n" * (4 * ROWS_AT_ONCE - 1)
                    await http.post(
                        "/importer/accounts", files={"data[attributes][file]": ("a.csv", content)}, headers=headers
                    )
                sandbox.clock.advance(2)
                before = len(parts)
                for _ in range(5):
                    reply = httpx.ASGITransport(sandbox.app)
                    async with httpx.AsyncClient(transport=reply, base_url=base_url, headers=headers) as here:
                        assert (await here.get("/accounts")).status_code == 200
                        assert (await here.get(f"{base_url.removesuffix('/api/v1')}/")).status_code == 200
                assert len(parts) - before <= 1, "no more than one part of the background task"
                while [effect.name for effect in sandbox.effects].count("importer.ready") < 3:
                    turn += 1
                    await asyncio.sleep(0)

    monkeypatch.setitem(WHEN_DUE, "importer", counted)
    asyncio.run(main())
    assert rows_in_turn.total() == 3 * (4 * ROWS_AT_ONCE - 1)
    assert max(rows_in_turn.values()) <= ROWS_AT_ONCE
    assert len({importer for importer, _ in parts[:3]}) == 3, "the imports take turns"


@pytest.mark.slow
async def test_a_long_import_in_process_delays_nothing(persona_sandbox: Sandbox) -> None:
    """While 40,000 rows are imported, requests are answered and the event loop goes on."""
    gaps, answers, pending = [0.0], 0, True

    async def tick() -> None:
        while pending:
            began = time.thread_time()  # which other programs on this machine do not lengthen
            await asyncio.sleep(0)
            gaps.append(time.thread_time() - began)

    content = "reference_id,name_first,tags\n" + "".join(f'{number},Jane,"a,{number}"\n' for number in range(40_000))
    headers = {"Authorization": f"Bearer {persona_sandbox.api_key}"}
    async with httpx.AsyncClient(
        transport=persona_sandbox.transport, base_url=persona_sandbox.base_url, headers=headers, timeout=None
    ) as http:
        file = {"data[attributes][file]": ("a.csv", content)}
        importer = (await http.post("/importer/accounts", files=file)).json()["data"]["id"]
        persona_sandbox.clock.advance(2)
        ticking = asyncio.create_task(tick())
        while pending:
            attributes = (await http.get(f"/importers/{importer}")).json()["data"]["attributes"]
            pending, answers = attributes["status"] == "pending", answers + 1
            await asyncio.sleep(0.01)
        await ticking
    assert (attributes["status"], attributes["successful-count"], attributes["error-count"]) == ("ready", 40_000, 0)
    assert answers > 20
    assert max(gaps) < 0.3


async def test_a_program_that_only_waits_finishes_its_import(persona_sandbox: Sandbox) -> None:
    content = "name_first\n" + "Jane\n" * (3 * ROWS_AT_ONCE)
    headers = {"Authorization": f"Bearer {persona_sandbox.api_key}"}
    async with httpx.AsyncClient(
        transport=persona_sandbox.transport, base_url=persona_sandbox.base_url, headers=headers
    ) as http:
        await http.post("/importer/accounts", files={"data[attributes][file]": ("a.csv", content)})
        persona_sandbox.clock.advance(2)
        assert (await http.get("/accounts")).status_code == 200
    async with asyncio.timeout(10):
        while persona_sandbox.effects[-1].name != "importer.ready":  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert len(persona_sandbox.effects) == 3 * ROWS_AT_ONCE + 2


def test_an_import_goes_on_from_one_event_loop_to_the_next() -> None:
    with ContractClient() as client:
        importer = client.upload(b"name_first\n" + b"Jane\n" * (6 * ROWS_AT_ONCE)).id
        client.sandbox.clock.advance(2)
        other = ContractClient(client.sandbox)
        statuses = []
        for _ in range(9):
            for each in (client, other):
                statuses.append(each.get(f"/importers/{importer}").attributes["status"])
        assert statuses[0] == "pending"
        assert statuses[-1] == "ready"
        assert client.get(f"/importers/{importer}").attributes["successful-count"] == 6 * ROWS_AT_ONCE
        other.close()


async def test_a_sandbox_is_closed_while_it_imports() -> None:
    sandbox = Sandbox(speed=0)
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    async with httpx.AsyncClient(transport=sandbox.transport, base_url=sandbox.base_url, headers=headers) as http:
        content = "name_first\n" + "Jane\n" * (5 * ROWS_AT_ONCE)
        await http.post("/importer/accounts", files={"data[attributes][file]": ("a.csv", content)})
        sandbox.clock.advance(2)
        await http.get("/accounts")
    background = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    sandbox.close()
    await asyncio.wait_for(asyncio.gather(*background), 5)
    assert background
