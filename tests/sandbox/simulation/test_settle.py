"""Long imports while a server runs."""

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
from persona_block.sandbox.state.environment import Environment
from persona_block.sandbox.state.records import Resource


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
    turn, run = 0, importers.run

    def counted(env: Environment, importer: Resource, limit: int | None = None) -> int:
        rows = run(env, importer, limit)
        parts.append((importer.id, rows))
        rows_in_turn[turn] += rows
        return rows

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

    monkeypatch.setattr(importers, "run", counted)
    asyncio.run(main())
    assert rows_in_turn.total() == 3 * (4 * ROWS_AT_ONCE - 1)
    assert max(rows_in_turn.values()) <= ROWS_AT_ONCE
    assert len({importer for importer, _ in parts[:3]}) == 3, "the imports take turns"
