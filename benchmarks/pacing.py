"""2,000 calls, 50 at a time, against a loopback server that allows 300 in a window of 2 s; and against one without a limit.

Prints the refusals that callers saw, the wall time over the ideal, and the wall time of paced over unpaced calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import statistics
import time
from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import uvicorn

from persona_block import Runner
from persona_block.call import pacing

CALLS, AT_ONCE, LIMIT, WINDOW = 2_000, 50, 300, 2.0
BODY = b'{"data": {"type": "account", "id": "act_1"}}'


class Limited:
    """An ASGI application with a fixed window that begins with its first request; no limit where `limit` is None."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.refused = 0
        self._ends = 0.0
        self._used = 0

    async def __call__(self, _scope: MutableMapping[str, Any], _receive: Any, send: Any) -> None:
        now = time.monotonic()
        if now >= self._ends:
            self._ends, self._used = now + WINDOW, 0
        self._used += 1
        status, headers = 200, [(b"content-type", b"application/json")]
        if self.limit is not None:
            left = max(0, self.limit - self._used)
            told = {"limit": self.limit, "remaining": left, "reset": round(self._ends - now, 3)}
            headers += [(f"ratelimit-{name}".encode(), str(value).encode()) for name, value in told.items()]
            if self._used > self.limit:
                status = 429
                self.refused += 1
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})


@contextlib.asynccontextmanager
async def served(app: Limited) -> AsyncIterator[str]:
    """The application on a free loopback port; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def run(base_url: str, key: str, calls: int = CALLS) -> tuple[float, int]:
    """Seconds for so many calls, and how many of them failed."""
    gate = asyncio.Semaphore(AT_ONCE)
    failed = 0

    async def one(runner: Runner) -> None:
        nonlocal failed
        async with gate:
            failed += not (await runner.run("get_account", {"accountId": "act_1"})).success

    async with Runner(api_key=key, base_url=base_url) as runner:
        await runner.run("get_account", {"accountId": "act_1"})
        started = time.perf_counter()
        await asyncio.gather(*(one(runner) for _ in range(calls - 1)))
        return time.perf_counter() - started, failed


@contextlib.contextmanager
def unpaced() -> Iterator[None]:
    """Calls without a pacer's count, to measure what it costs."""
    kept = pacing.Pacer.try_admit
    pacing.Pacer.try_admit = lambda self: pacing.Ticket(self, -1, 0, 0)  # type: ignore[method-assign]
    try:
        yield
    finally:
        pacing.Pacer.try_admit = kept  # type: ignore[method-assign]


async def main() -> None:
    """Measure and print."""
    limited = Limited(LIMIT)
    async with served(limited) as address:
        took, failed = await run(address, "limited")
    ideal = (math.ceil(CALLS / LIMIT) - 1) * WINDOW
    print(
        f"limited: {failed} calls failed, {limited.refused} refusals, {took:.2f} s,"
        f" {took / ideal:.3f} times the ideal {ideal:.0f} s"
    )

    ratios = []
    async with served(Limited(None)) as address:
        await run(address, "warm", 200)
        for round_number in range(5):
            paced, _ = await run(address, f"paced-{round_number}", 1_000)
            with unpaced():
                bare, _ = await run(address, f"bare-{round_number}", 1_000)
            ratios.append(paced / bare)
    print(f"without a limit: {statistics.median(ratios):.3f} times the unpaced time (median of {len(ratios)})")


if __name__ == "__main__":
    asyncio.run(main())
