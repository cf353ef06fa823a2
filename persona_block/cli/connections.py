"""The connections of the MCP server over HTTP, of which those that ask for nothing lock nobody out."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 1000
"""Connections at once; fewer where the system lets this process open few files."""


class HeaderDeadlineProtocol(H11Protocol):
    """A connection that is dropped where the whole header of a request does not come in time.

    Where there are as many connections as the server takes, a new one also drops the one that has waited longest for its
    header. A request beyond is answered 503.
    """

    header_seconds = 10.0
    """Seconds from a connection, or from the first byte of its next request, to the end of the request's header."""

    header_deadline: asyncio.TimerHandle | None = None
    """What drops the connection; None where no header is waited for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a header."""
        super().connection_made(transport)
        # An answer is sent in two parts, and Nagle's algorithm would hold the second for 40 ms. asyncio turns it off only for
        # sockets that name their protocol, which uvicorn's do not.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self._drop_oldest_waiting()
        self._await_header()

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request; more of a header that is not whole gives it no more time."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._await_header()
        else:
            self._end_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """End waiting."""
        self._end_waiting()
        super().connection_lost(exc)

    def _await_header(self) -> None:
        if self.header_deadline is None:
            self.header_deadline = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _end_waiting(self) -> None:
        if self.header_deadline is not None:
            self.header_deadline.cancel()
            self.header_deadline = None

    def _drop_oldest_waiting(self) -> None:
        waiting = [
            (each.header_deadline.when(), each)
            for each in self.connections
            if isinstance(each, HeaderDeadlineProtocol) and each.header_deadline is not None
        ]
        if waiting:
            _, oldest = min(waiting, key=lambda pair: pair[0])
            self.connections.discard(oldest)
            oldest.transport.abort()


def server_config(app: Any, host: str, port: int, *, most_connections: int | None = None) -> uvicorn.Config:
    """Return how an application is served; `most_connections` is by default what the system allows, at most 1,000."""
    return uvicorn.Config(
        app,
        host,
        port,
        http=HeaderDeadlineProtocol,
        ws="none",
        limit_concurrency=most_connections or min(MOST_CONNECTIONS, _open_files() // 2),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def _open_files() -> int:
    """Return how many files this process may open; half of them are left for its own requests to Persona."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows, where sockets are no files
        return 2 * MOST_CONNECTIONS
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2 * MOST_CONNECTIONS if allowed == resource.RLIM_INFINITY else allowed
