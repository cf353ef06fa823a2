"""The speed of the offline Persona: its start, its answers and its lists.

- start: creating a Sandbox in this process, beyond its imports.
- answers: requests over loopback to a server process on a core of its own, counted per second of the clock and per second of
  that core, which other work on the machine disturbs less. (Linux only.)
- lists: 100,000 accounts, page by page; the median time of a page at the end over that of one at the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from persona_block.sandbox import Sandbox, Settings

ACCOUNTS, SAMPLE = 100_000, 50
AT_ONCE, SECONDS = 8, 5.0
SECRET = "HOOK_SECRET"


# Start


def start(rounds: int = 20) -> float:
    """Return the median time to create a Sandbox after its imports, in seconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        sandbox = Sandbox()
        times.append(time.perf_counter() - began)
        sandbox.close()
    return statistics.median(times)


# Lists


async def paging(accounts: int, size: int = 100) -> tuple[float, float]:
    """Return the median times of a page at the start and at the end of a list of accounts, in seconds of this process.

    The list is followed from end to end for its links; then pages of both ends are read in turns.
    """
    rows = "\n".join(f"customer-{number}" for number in range(accounts))
    sandbox = Sandbox(speed=0, settings=Settings(import_delay=0))
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    async with httpx.AsyncClient(
        transport=sandbox.transport, base_url=sandbox.base_url, headers=headers, timeout=None
    ) as http:

        async def page(link: str) -> tuple[httpx.Response, float]:
            began = time.process_time()
            answer = await http.get(link.removeprefix("/api/v1"))
            return answer, time.process_time() - began

        await http.post("/importer/accounts", files={"data[attributes][file]": ("a.csv", f"reference_id\n{rows}")})
        sandbox.settle()
        links, listed = [f"/accounts?page%5Bsize%5D={size}"], 0
        while links[-1]:
            body = (await page(links[-1]))[0].json()
            listed += len(body["data"])
            links.append(body["links"]["next"])
        both = [[(await page(link))[1] for link in pair] for pair in zip(links[:SAMPLE], links[-SAMPLE - 1 : -1], strict=True)]
    sandbox.close()
    assert listed == accounts, f"{listed} of {accounts} accounts listed"
    first, last = (statistics.median(times) for times in zip(*both, strict=True))
    return first, last


# Answers


@contextlib.contextmanager
def served(*options: str) -> Iterator[tuple[int, str, str]]:
    """Run a server on the last core alone, and yield its process id, its base URL and its key."""
    command = [sys.executable, "-m", "persona_block.cli", "sandbox", "--port", "0", *options]
    environment = os.environ | {SECRET: "wbhsec_benchmark"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
            assert process.stderr
            announced = None
            while announced is None:
                announced = re.search(r"PERSONA_BASE_URL=(\S+) PERSONA_API_KEY=(\S+)", process.stderr.readline())
            yield process.pid, announced[1], announced[2]
        finally:
            process.kill()


class Load:
    """A client that sends requests as fast as a server answers, with as little work of its own as possible."""

    def __init__(self, process: int, base_url: str, api_key: str) -> None:
        self._process = process
        parts = urlsplit(base_url)
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path
        self._head = f"Host: {parts.netloc}\r\nAuthorization: Bearer {api_key}\r\n"
        with httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {api_key}"}) as http:
            listed = {path: [each["id"] for each in http.get(path).json()["data"]] for path in ("/accounts", "/inquiries")}
        reads = [f"{path}/{id}" for path, ids in listed.items() for id in ids]
        self.reads = [self._request("GET", path) for path in [*reads, "/accounts?page%5Bsize%5D=5", "/cases?page%5Bsize%5D=5"]]
        inquiry = {"data": {"attributes": {"inquiry-template-id": "itmpl_GovernmentIdAndSelfie"}}}
        update = {"data": {"attributes": {"note": "seen", "tags": ["a"]}}}
        self.mix = [
            *self.reads[:14],
            self._request("POST", "/accounts", {"data": {"attributes": {"name-first": "Ada"}}}),
            self._request("POST", "/inquiries", inquiry),
            *(self._request("PATCH", f"/inquiries/{id}", update) for id in listed["/inquiries"][:2]),
        ]

    def _request(self, method: str, path: str, body: object = None) -> bytes:
        content = json.dumps(body) if body is not None else ""
        kind = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n" if content else ""
        return f"{method} {self._path}{path} HTTP/1.1\r\n{self._head}{kind}\r\n{content}".encode()

    async def rate(self, requests: Sequence[bytes], seconds: float = SECONDS) -> tuple[float, float]:
        """Return the requests answered per second of the clock, and per second of the server's core."""
        began, before = time.perf_counter(), self._core_seconds()
        counts = await asyncio.gather(*(self._send(requests, number, began + seconds) for number in range(AT_ONCE)))
        return sum(counts) / (time.perf_counter() - began), sum(counts) / (self._core_seconds() - before)

    def _core_seconds(self) -> float:
        """Return the seconds that the server has used of its core."""
        spent = Path(f"/proc/{self._process}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")

    async def _send(self, requests: Sequence[bytes], first: int, ends: float) -> int:
        """Send requests one after another until a moment, and return how many were answered."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        count = 0
        while time.perf_counter() < ends:
            writer.write(requests[(first + count) % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 20" in head[:12], head[:40]
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0]))
            count += 1
        writer.close()
        return count


async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer webhooks on one connection, each with a 204."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0]))
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    writer.close()


async def answers(name: str, *options: str) -> None:
    """Measure the answers of a served sandbox, and print them."""
    with served(*options) as server:
        load = Load(*server)
        await load.rate(load.reads, 1.0)
        for what, requests in (("reads", load.reads), ("reads and writes", load.mix)):
            by_clock, by_core = await load.rate(requests)
            print(f"{what}{name}: {by_clock:,.0f} requests a second, {by_core:,.0f} a second of the core")


async def main() -> None:
    """Measure everything, and print it."""
    print(f"start: {start() * 1000:.1f} ms beyond imports")
    await answers("")
    receiver = await asyncio.start_server(receive, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/"
    await answers(", with a webhook", "--webhook", url, "--webhook-secret-env", SECRET)
    receiver.close()
    first, last = await paging(ACCOUNTS)
    times = f"{first * 1000:.2f} ms first, {last * 1000:.2f} ms last"
    print(f"a page of 100 out of {ACCOUNTS:,} accounts: {times}, {last / first:.2f} times as long")


if __name__ == "__main__":
    asyncio.run(main())
