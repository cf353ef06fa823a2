"""Requests of aiohttp that are sent once, and on no connection that holds what was not asked for."""

from __future__ import annotations

import asyncio
import select
import weakref
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import ClientRequest, ClientResponse

from .exchange import Lost, Unsent

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection


@dataclass(slots=True)
class Beginning:
    """Whether an exchange has begun to send, and until then what it waits for."""

    waits_for: str = "none became free"
    has_begun: bool = False
    transport: asyncio.Transport | None = field(default=None, repr=False)

    def end(self) -> None:
        """Drop what a connection that is closed has not sent yet; a peer that reads nothing would hold it open for ever."""
        if self.transport is not None and self.transport.is_closing():
            self.transport.abort()


beginning: ContextVar[Beginning] = ContextVar("persona_block_beginning")
"""That of the exchange of this task."""


class Stale(Unsent):
    """A kept connection is at its end, or holds what was not asked for; another one may be taken, since nothing was sent."""


_used: weakref.WeakSet[object] = weakref.WeakSet()
"""The connections that carried a request before."""


class GuardedRequest(ClientRequest):
    """A request that takes note of when it is sent; what a proxy is asked before, to open a tunnel, is none."""

    async def send(self, conn: Connection) -> ClientResponse:
        """Send the request; raises Stale, Unsent or Lost where it must not be."""
        _begin(conn)
        return await super().send(conn)


def begin_on(conn: Connection, request: bytes, bounds: Mapping[str, Any]) -> ResponseHandler:
    """Write a request to a connection, and return where its answer is read; raises Stale, Unsent or Lost.

    bounds: of the answer, as aiohttp takes them.
    """
    protocol = _begin(conn)
    protocol.set_response_params(**bounds)
    assert protocol.transport is not None
    protocol.transport.write(request)
    protocol.start_timeout()
    return protocol


def _begin(conn: Connection) -> ResponseHandler:
    """Take note that a request is sent on a connection; raises Stale, Unsent or Lost where it must not be."""
    begun = beginning.get()
    if begun.has_begun:
        raise Lost("ReadError")
    protocol, is_used = conn.protocol, conn.protocol in _used
    # What came unasked would be taken for the answer, whether aiohttp has read it or the system still holds it.
    if protocol is None or protocol.transport is None or protocol.should_close or (is_used and not _is_idle(conn)):
        raise (Stale if is_used else Unsent)("unasked answer")
    if not is_used:
        _used.add(protocol)
    begun.has_begun, begun.transport = True, protocol.transport
    return protocol


def _is_idle(conn: Connection) -> bool:
    """Return whether a connection has nothing to read, its end included, and has sent all of the request before."""
    transport = conn.transport
    found = None if transport is None or transport.get_write_buffer_size() else transport.get_extra_info("socket")
    if found is None:
        return False
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(found.fileno(), select.POLLIN)
        return not poll.poll(0)
    return not select.select([found.fileno()], [], [], 0)[0]
