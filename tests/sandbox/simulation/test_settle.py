"""Imports that take long, while a server runs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import httpx
import pytest

from persona_block.sandbox import Sandbox
from persona_block.sandbox.objects import importers
from persona_block.sandbox.objects.importers import ROWS_AT_ONCE
from persona_block.sandbox.state.environment import Environment
from persona_block.sandbox.state.records import Resource


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
