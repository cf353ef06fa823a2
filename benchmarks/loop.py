"""A loop over every page of a list: CPU and additional memory of the process that reads, beside a bare client with `json`.

    python -m benchmarks.loop [accounts]
    python -m benchmarks.loop --read URL KEY    # one reading alone, to be paired with that of another version

The offline Persona holds the accounts, 100,000 of them by default, and serves them from a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

ACCOUNTS, PAGE, ROUNDS = 100_000, 100, 3


async def read(base_url: str, api_key: str, most: int | None = None) -> int:
    """Follow a list of accounts to its end with the runner, or to so many, and return how many came."""
    from persona_block import Runner

    count = 0
    async with Runner(api_key=api_key, base_url=base_url) as runner:
        async for page in runner.paginate("list_accounts", {"pageSize": PAGE}, max_items=most):
            count += len(page["accounts"])
    return count


async def read_bare(base_url: str, api_key: str, most: int | None = None) -> int:
    """Follow the same list with aiohttp and `json`."""
    import aiohttp

    count, link = 0, f"/api/v1/accounts?page%5Bsize%5D={PAGE}"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {api_key}"}) as session:
        while link and (most is None or count < most):
            async with session.get(base_url.removesuffix("/api/v1") + link) as response:
                body = json.loads(await response.read())
            count += len(body["data"])
            link = body["links"]["next"]
    return count


def measured(name: str, base_url: str, api_key: str) -> None:
    """Read once, and print the accounts, the CPU seconds and the MB of memory that came on top of those of one page."""
    reading = {"runner": read, "bare": read_bare}[name]
    asyncio.run(reading(base_url, api_key, PAGE))
    before, began = _peak(), time.process_time()
    count = asyncio.run(reading(base_url, api_key))
    print(count, time.process_time() - began, (_peak() - before) / 1024**2)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextlib.contextmanager
def served(accounts: int) -> Iterator[tuple[str, str]]:
    """Serve so many accounts from a process of their own, and yield its base URL and its key."""
    code = f"from benchmarks.loop import serve; serve({accounts})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url, api_key = process.stdout.readline().split()
        try:
            yield base_url, api_key
        finally:
            process.kill()


def serve(accounts: int) -> None:
    """Serve so many accounts until the process is ended, and print where."""
    import httpx

    from persona_block.sandbox import Sandbox, Settings

    sandbox = Sandbox(speed=0, settings=Settings(import_delay=0))

    async def fill() -> None:
        rows = "\n".join(f"customer-{number}" for number in range(accounts))
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        async with httpx.AsyncClient(
            transport=sandbox.transport, base_url=sandbox.base_url, headers=headers, timeout=None
        ) as http:
            await http.post("/importer/accounts", files={"data[attributes][file]": ("a.csv", f"reference_id\n{rows}")})

    asyncio.run(fill())
    sandbox.settle()
    with sandbox.serve_in_thread() as base_url:
        print(base_url, sandbox.api_key, flush=True)
        while True:
            time.sleep(60)


def main(accounts: int = ACCOUNTS, rounds: int = ROUNDS) -> None:
    """Read in turns with the runner and without it, and print the ratio."""
    with served(accounts) as (base_url, api_key):
        taken: dict[str, list[tuple[float, float]]] = {"runner": [], "bare": []}
        for _ in range(rounds):
            for name, each in taken.items():
                code = f"from benchmarks.loop import measured; measured({name!r}, {base_url!r}, {api_key!r})"
                done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
                count, used, memory = map(float, done.stdout.split())
                assert count == accounts, f"{count} of {accounts} accounts listed"
                each.append((used, memory))
    ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in zip(*taken.values(), strict=True))
    used, memory = (statistics.median(each) for each in zip(*taken["runner"], strict=True))
    print(f"loop over {accounts:,} accounts: {used:.2f} s of CPU, {ratio:.2f} of bare aiohttp, {memory:.1f} MB more memory")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--read", url, key]:
            measured("runner", url, key)
        case [number]:
            main(int(number))
        case _:
            main()
