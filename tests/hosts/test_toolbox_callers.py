"""Many callers of one toolbox: each with its own key, each stopped alone, each event loop with its own connections."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from persona_block import Runner, Sandbox
from tests.hosts.conftest import MakeToolbox


async def test_concurrent_calls_keep_their_own_keys(make_toolbox: MakeToolbox) -> None:
    running = 0
    peak = 0

    async def echo(request: httpx.Request) -> httpx.Response:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        key = request.headers["Authorization"].removeprefix("Bearer ")
        await asyncio.sleep(0.05 - int(key[-2:]) / 2000)
        running -= 1
        return httpx.Response(200, json={"data": {"type": "account", "id": f"act_{key}", "attributes": {}}})

    def runner() -> Runner:
        return Runner(base_url="https://persona.invalid", transport=httpx.MockTransport(echo))

    async with make_toolbox(runner=runner) as toolbox:
        calls = [
            toolbox.dispatch("get_account", {"accountId": f"act_{number:02}"}, api_key=f"persona_{number:02}")
            for number in range(50)
        ]
        answers = await asyncio.gather(*calls)
    assert [answer.data["account"]["id"] for answer in answers] == [f"act_persona_{number:02}" for number in range(50)]
    assert peak == 50


async def test_cancelling_stops_the_work(make_toolbox: MakeToolbox) -> None:
    reached, stopped = asyncio.Event(), asyncio.Event()
    requests = 0

    async def hang_on_the_second_page(_request: httpx.Request) -> httpx.Response:
        nonlocal requests
        requests += 1
        if requests == 2:
            reached.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                stopped.set()
                raise
        page = [{"type": "account", "id": f"act_{number}", "attributes": {}} for number in range(100)]
        return httpx.Response(200, json={"data": page, "links": {"next": "/api/v1/accounts?page%5Bafter%5D=act_99"}})

    def runner() -> Runner:
        return Runner(base_url="https://persona.invalid", transport=httpx.MockTransport(hang_on_the_second_page))

    async with make_toolbox(runner=runner) as toolbox:
        call = asyncio.create_task(toolbox.dispatch("list_accounts", {"maxItems": 500}))
        await asyncio.wait_for(reached.wait(), 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(stopped.wait(), 5)
        await asyncio.sleep(0)
    assert requests == 2


def test_each_event_loop_gets_connections_of_its_own(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    runners = []

    def runner() -> Runner:
        runners.append(Runner(base_url=sandbox.base_url, transport=sandbox.transport))
        return runners[-1]

    toolbox = make_toolbox(runner=runner)

    async def twice() -> None:
        async with toolbox:
            for _ in range(2):
                assert not (await toolbox.dispatch("list_cases")).is_error

    asyncio.run(twice())
    asyncio.run(twice())
    assert len(runners) == 2
