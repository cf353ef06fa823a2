"""A PDF and a CSV of 200 MB through the runner on loopback: the additional peak memory of each, in MB."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

SIZE = 200 * 1024 * 1024
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
    from persona_block import FileStore, Runner

    async with Runner(api_key="k", base_url=address, files=FileStore(folder / "out"), timeout=120) as runner:
        warming = b"reference_id\nc\n" if kind == "download" else b"REFERENCE ID\nc\n"
        await runner.call("import_accounts", {"file": warming})
        before = peak()
        if kind == "download":
            file = (await runner.call("print_inquiry_pdf", {"inquiryId": "inq_1"}))["file"]
            moved = file["size"]
        else:
            output = await runner.call("import_accounts", {"file": folder / "big.csv"})
            moved = output["importer"]["successfulCount"] or 0
        print(f"{kind}: {moved / 1024**2:.0f} MB moved with {(peak() - before) / 1024**2:.1f} MB of additional peak memory")


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
            for kind in ("download", "upload"):
                arguments = f"'http://127.0.0.1:{port}', '{kind}', pathlib.Path({folder!r})"
                code = f"import asyncio, pathlib; from benchmarks.files import client; asyncio.run(client({arguments}))"
                subprocess.run([sys.executable, "-c", code], check=True)
        finally:
            process.terminate()
            process.wait()


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
