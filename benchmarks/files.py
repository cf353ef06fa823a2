"""A PDF and a CSV of 200 MB through the runner on loopback, over each wire.

Prints the additional peak memory of each, in MB, and its CPU over that of the bare library, which streams the same bytes
to or from a file. The check of the CSV, which reads every row, is left out.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

SIZE = 200 * 1024 * 1024
ROUNDS = 3
PIECE = b"%PDF-" + b"x" * (1024 * 1024 - 5)


async def server(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Gives a PDF of the size, and takes an import of any."""
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/pdf")]}
    if scope["method"] == "GET":
        await send(start)
        for _ in range(SIZE // len(PIECE)):
            await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    body = {"data": {"type": "importer/account", "id": "mprt_1", "attributes": {"successful-count": size}}}
    await send(start | {"status": 201, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def peak() -> int:
    """This process's peak memory in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


async def client(address: str, kind: str, folder: Path) -> None:
    """Move one file and print the additional peak memory."""
    from persona_block import FileRules, FileStore, Runner

    rules, store = FileRules(check=False), FileStore(folder / "out")
    async with Runner(api_key="k", base_url=address, files=store, file_rules=rules, timeout=120, deadline=120) as runner:
        warming = b"reference_id\nc\n" if kind == "download" else b"REFERENCE ID\nc\n"
        await runner.call("import_accounts", {"file": warming})
        before, began = peak(), time.process_time()
        if kind == "download":
            file = (await runner.call("print_inquiry_pdf", {"inquiryId": "inq_1"}))["file"]
            moved = file["size"]
        else:
            output = await runner.call("import_accounts", {"file": folder / "big.csv"})
            moved = output["importer"]["successfulCount"] or 0
        assert moved >= SIZE
        print((peak() - before) / 1024**2, time.process_time() - began)


async def bare(address: str, kind: str, folder: Path) -> None:
    """Move one file without the runner, and print as much."""
    import aiohttp
    import httpx

    url = f"{address}/{kind}"
    before, began = peak(), time.process_time()
    big, copy = folder / "big.csv", folder / "copy.pdf"
    if os.environ["PERSONA_WIRE"] == "aiohttp":
        async with aiohttp.ClientSession() as session:
            if kind == "download":
                async with session.get(url) as response:
                    with copy.open("wb") as stream:
                        async for piece in response.content.iter_any():
                            stream.write(piece)
            else:
                with big.open("rb") as stream, warnings.catch_warnings():
                    form = aiohttp.FormData()
                    form.add_field("file", stream, filename="big.csv", content_type="text/csv")
                    async with session.post(url, data=form) as response:
                        await response.read()
    else:
        async with httpx.AsyncClient(timeout=120) as http:
            if kind == "download":
                async with http.stream("GET", url) as streamed:
                    with copy.open("wb") as stream:
                        async for piece in streamed.aiter_raw():
                            stream.write(piece)
            else:
                with big.open("rb") as stream:
                    await http.post(url, files={"file": ("big.csv", stream, "text/csv")})
    print((peak() - before) / 1024**2, time.process_time() - began)


def write_csv(path: Path) -> None:
    """A CSV of the size whose header has to be respelled."""
    with path.open("w") as stream:
        stream.write("Reference ID,name_first,name_last,birthdate\n")
        number = 0
        while stream.tell() < SIZE:
            stream.writelines(f"customer-{each:08},Jane,Doe,1990-01-02\n" for each in range(number, number + 20_000))
            number += 20_000


def main() -> None:
    """Serve from one process, move the files in others."""
    with tempfile.TemporaryDirectory() as folder:
        write_csv(Path(folder) / "big.csv")
        port = "8497"
        serve = [sys.executable, "-m", "uvicorn", "benchmarks.files:server", "--port", port, "--log-level", "error"]
        process = subprocess.Popen([*serve, "--lifespan", "off"])
        try:
            subprocess.run([sys.executable, "-c", _WAIT, port], check=True)
            for wire in ("httpx", "aiohttp"):
                for kind in ("download", "upload"):
                    _compare(wire, kind, f"'http://127.0.0.1:{port}', '{kind}', pathlib.Path({folder!r})")
        finally:
            process.terminate()
            process.wait()


def _compare(wire: str, kind: str, arguments: str) -> None:
    def moved(function: str) -> tuple[float, float]:
        code = f"import asyncio, pathlib; from benchmarks import files; asyncio.run(files.{function}({arguments}))"
        environment = {**os.environ, "PERSONA_WIRE": wire}
        done = subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True)
        memory, used = map(float, done.stdout.split())
        return memory, used

    turns = [(moved("client"), moved("bare")) for _ in range(ROUNDS)]
    memory = max(ours[0] for ours, _ in turns)
    ratio = statistics.median(ours[1] / theirs[1] for ours, theirs in turns)
    print(
        f"{kind} of 200 MB over {wire}: {memory:.1f} MB of additional peak memory, {ratio:.2f} of the CPU of {wire} alone",
        flush=True,
    )


_WAIT = """
import socket, sys, time
for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
        break
    except OSError:
        time.sleep(0.1)
"""

if __name__ == "__main__":
    main()
