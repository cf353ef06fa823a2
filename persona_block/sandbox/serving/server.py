"""Serving the sandbox on this machine, and on no other: only loopback addresses are bound."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    """A server inside somebody else's program, which keeps its own signal handlers."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any, listening: socket.socket) -> AsyncIterator[None]:
    """Serve an application on a listening socket while the context lasts."""
    server = _Server(_config(app))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        # uvicorn tells of its start by a flag alone; connections wait in the socket's queue until then.
        while not server.started and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        yield
    finally:
        server.should_exit = True
        await task


async def interruption() -> None:
    """Wait until the program is asked to end, by Ctrl-C or SIGTERM."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    with ExitStack() as handled:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Where a loop takes no handlers, asyncio.run cancels us for Ctrl-C.
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, asked.set)
                handled.callback(loop.remove_signal_handler, number)
        await asked.wait()


@contextmanager
def bound(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    """Listen on this machine; gives the socket and its origin, `http://host:port`. Port 0 takes a free one.

    Raises ValueError for a host that is not loopback, OSError for a port that is taken.
    """
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    if not address.is_loopback:
        raise ValueError(f"The sandbox is only served on this machine itself, not on {host}")
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # asyncio only turns Nagle's algorithm off, and so 40 ms a request, for sockets that say they are TCP.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((str(address), port))
        listening.listen(512)
        bound_to, port = listening.getsockname()[:2]
        yield listening, f"http://[{bound_to}]:{port}" if ":" in bound_to else f"http://{bound_to}:{port}"


def _config(app: Any) -> uvicorn.Config:
    # Access logs would hold file tokens and one-time codes, and cost a third of the speed.
    return uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", server_header=False)
