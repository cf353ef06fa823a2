"""Requests of aiohttp that are sent once, and on no connection that holds what was not asked for."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import ClientRequest, ClientResponse

from .exchange import Lost, Unsent

if TYPE_CHECKING:
    from aiohttp.connector import Connection


@dataclass(slots=True)
class Beginning:
    """Whether an exchange has begun to send, and until then what it waits for."""

    waits_for: str = "none became free"
    has_begun: bool = False


beginning: ContextVar[Beginning] = ContextVar("persona_block_beginning")
"""That of the exchange of this task."""


class GuardedRequest(ClientRequest):
    """A request that takes note of when it is sent; what a proxy is asked before, to open a tunnel, is none."""

    async def send(self, conn: Connection) -> ClientResponse:
        """Send the request; raises Unsent or Lost where it must not be."""
        begun = beginning.get()
        if begun.has_begun:
            raise Lost("ReadError")
        # What came unasked would be taken for the answer.
        if conn.protocol is None or conn.protocol.should_close:
            raise Unsent("unasked answer")
        begun.has_begun = True
        return await super().send(conn)
