"""The server of the sandbox, which binds loopback addresses alone."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn


class _EmbeddedServer(uvicorn.Server):
    """A server inside another program, which keeps its own signal handlers."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any, listening: socket.socket) -> AsyncIterator[None]:
    """Serve an application on a listening socket while the context lasts."""
    server = _EmbeddedServer(_config(app))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        # uvicorn shows its start by a flag alone; connections wait in the socket's queue until then.
        while not server.started and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        yield
    finally:
        server.should_exit = True
        await task


@contextmanager
def bound(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    """Listen on this machine, and yield the socket and its origin, `http://host:port`; port 0 takes a free one.

    Raises ValueError for a host that is not loopback, OSError for a port that is taken.
    """
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    if not address.is_loopback:
        raise ValueError(f"The sandbox is only served on this machine itself, not on {host}")
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # asyncio turns off Nagle's algorithm, which costs 40 ms a request, only for sockets created with the TCP protocol.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((str(address), port))
        listening.listen(512)
        bound_to, port = listening.getsockname()[:2]
        yield listening, f"http://[{bound_to}]:{port}" if ":" in bound_to else f"http://{bound_to}:{port}"


def _config(app: Any) -> uvicorn.Config:
    # An access log would hold file tokens and one-time codes, and cost a third of the speed.
    return uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", server_header=False)
