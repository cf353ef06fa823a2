"""One contestant of a benchmark of calls, in a process of its own.

It takes a line such as `page 20 1` (what, how often, how many at a time) and answers with its own CPU seconds for a call, and
with the seconds that passed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

Call = Callable[[str], Awaitable[Any]]
"""Makes one call: `one` reads an inquiry, `page` a page of 100."""

PATHS = {"one": "/inquiries/inq_0001", "page": "/inquiries?page%5Bsize%5D=100"}
_KEY = "persona_sandbox_key"
_HEADERS = {"Authorization": f"Bearer {_KEY}", "Accept": "application/json", "Persona-Version": "2023-01-05"}


@contextlib.asynccontextmanager
async def runner(base_url: str) -> AsyncIterator[Call]:
    """Run operations as users do, with whatever extra is installed."""
    from persona_block import Runner

    params: Any = {"one": ("get_inquiry", {"inquiryId": "inq_0001"}), "page": ("list_inquiries", {"pageSize": 100})}

    async def call(what: str) -> Any:
        operation, given = params[what]
        result = await opened.run(operation, given)
        assert result.success, result.error
        return result.output

    async with Runner(api_key=_KEY, base_url=base_url) as opened:
        yield call


@contextlib.asynccontextmanager
async def runner_over_httpx(base_url: str) -> AsyncIterator[Call]:
    """Run operations with all extras, but over httpx."""
    os.environ["PERSONA_WIRE"] = "httpx"
    async with runner(base_url) as call:
        yield call


@contextlib.asynccontextmanager
async def runner_without_extras(base_url: str) -> AsyncIterator[Call]:
    """Run operations as users do who have installed no extra."""
    for extra in ("msgspec", "aiohttp", "opentelemetry"):
        sys.modules[extra] = None  # type: ignore[assignment]  # Importing it fails, as where it is not installed.
    async with runner(base_url) as call:
        yield call


@contextlib.asynccontextmanager
async def bare_httpx(base_url: str) -> AsyncIterator[Call]:
    """Send the same request with httpx and read the answer with `json`."""
    import httpx

    async def call(what: str) -> Any:
        return json.loads((await client.get(base_url + PATHS[what])).content)

    async with httpx.AsyncClient(headers=_HEADERS) as client:
        yield call


@contextlib.asynccontextmanager
async def bare_aiohttp(base_url: str) -> AsyncIterator[Call]:
    """Send the same request with aiohttp and read the answer with `json`."""
    import aiohttp

    async def call(what: str) -> Any:
        async with session.get(base_url + PATHS[what]) as response:
            return json.loads(await response.read())

    async with aiohttp.ClientSession(headers=_HEADERS, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield call


CONTESTANTS = {
    "runner": runner,
    "runner over httpx": runner_over_httpx,
    "runner without extras": runner_without_extras,
    "bare httpx": bare_httpx,
    "bare aiohttp": bare_aiohttp,
}
"""The contestants in Python, by name."""


async def main(name: str, base_url: str) -> None:
    """Answer each line of the standard input."""
    async with CONTESTANTS[name](base_url) as call:
        while line := await asyncio.to_thread(sys.stdin.readline):
            what, count, at_once = line.split()
            print(*await _measured(call, what, int(count), int(at_once)), flush=True)


async def _measured(call: Call, what: str, count: int, at_once: int) -> tuple[float, float]:
    async def one_after_another(times: int) -> None:
        for _ in range(times):
            await call(what)

    began, begun_at = time.process_time(), time.monotonic()
    if at_once == 1:
        await one_after_another(count)
    else:
        await asyncio.gather(*(one_after_another(count // at_once) for _ in range(at_once)))
    calls = count // at_once * at_once
    return (time.process_time() - began) / calls, (time.monotonic() - begun_at) / calls


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
