"""Serving the sandbox on this machine, and on no other: only loopback addresses are bound."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    """A server inside somebody else's program, which keeps its own signal handlers."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any, host: str, port: int) -> AsyncIterator[str]:
    """Serve an application while the context lasts; gives its origin, `http://host:port`.

    Port 0 takes a free one. Raises ValueError for a host that is not loopback, OSError for a port that is taken.
    """
    with _bound(host, port) as listening:
        server = _Server(_config(app))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            # uvicorn tells of its start by a flag alone; connections wait in the socket's queue until then.
            while not server.started and not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            yield origin(listening)
        finally:
            server.should_exit = True
            await task


def run(app: Any, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve an application until it is interrupted, telling `announce` its origin first. Raises as `serving` does."""
    with _bound(host, port) as listening:
        announce(origin(listening))
        with suppress(KeyboardInterrupt):
            uvicorn.Server(_config(app)).run(sockets=[listening])


def origin(listening: socket.socket) -> str:
    """Give the origin that a listening socket is reached at."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _config(app: Any) -> uvicorn.Config:
    # Access logs would hold file tokens and one-time codes, and cost a third of the speed.
    return uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", server_header=False)


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    if not address.is_loopback:
        raise ValueError(f"The sandbox is only served on this machine itself, not on {host}")
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # asyncio only turns Nagle's algorithm off, and so 40 ms a request, for sockets that say they are TCP.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((str(address), port))
        listening.listen(512)
        yield listening
