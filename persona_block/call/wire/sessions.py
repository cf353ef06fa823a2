"""One aiohttp session for each event loop, shared by all runners there and closed when the last of them goes."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import weakref
from typing import Any

import aiohttp

from .exchange import PIECE
from .guarded import GuardedRequest
from .tls import tls_context

_IDLE = 5.0
"""Seconds that an idle connection is kept, as httpx does; servers drop theirs after longer ones."""
_HEADER = 32 * 1024
"""Bytes of one header of an answer."""
ANSWER_BOUNDS: dict[str, Any] = {
    "auto_decompress": False,
    "read_bufsize": 4 * PIECE,  # of a body, before the connection is read further
    "max_line_size": _HEADER,
    "max_field_size": _HEADER,
    "max_headers": 128,
}
"""How answers are read, in bytes and counts, as aiohttp names it."""
_RESENDING = "_retry_connection"
"""aiohttp's own switch for sending a request again whose connection was dropped; `GuardedRequest` holds where it is gone."""


class SharedSession:
    """A session of one event loop, with a count of its users."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tls: ssl.SSLContext) -> None:
        connector = aiohttp.TCPConnector(ssl=tls, limit=0, keepalive_timeout=_IDLE, resolver=aiohttp.ThreadedResolver())
        self.session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type"),
            request_class=GuardedRequest,
            **ANSWER_BOUNDS,
        )
        self.connector = connector
        self.loop = loop
        setattr(self.session, _RESENDING, False)
        self.tls = tls
        self._users = 0
        self._abandoned = weakref.finalize(self, _abandon, self.session, connector, loop)

    @property
    def is_usable(self) -> bool:
        """Whether it is open, and verifies as is wanted now."""
        return not self.session.closed and self.tls is tls_context()

    def enter(self) -> None:
        """Count one user more."""
        self._users += 1

    async def leave(self) -> None:
        """Count one user less, and close every connection after the last."""
        self._users -= 1
        if not self._users:
            self._abandoned.detach()
            await self.session.close()


def _abandon(session: aiohttp.ClientSession, connector: aiohttp.BaseConnector, loop: asyncio.AbstractEventLoop) -> None:
    """Close the connections of a session that nobody closed, without a word."""

    async def closed() -> None:
        await connector.close()

    def close() -> None:
        task = loop.create_task(closed())
        _closing.add(task)
        task.add_done_callback(_closing.discard)

    session.detach()
    if loop.is_closed():
        # Nothing is left to wait for, and what is not awaited warns.
        with contextlib.suppress(StopIteration):
            closed().send(None)
        return
    with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
        loop.call_soon_threadsafe(close)


_closing: set[asyncio.Task[None]] = set()
_lock = threading.Lock()
_sessions: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[SharedSession]] = weakref.WeakKeyDictionary()


def shared_session() -> SharedSession:
    """Return the session of the running event loop, with its user counted."""
    loop = asyncio.get_running_loop()
    with _lock:
        found = _sessions.get(loop)
        shared = found() if found else None
        if shared is None or not shared.is_usable:
            shared = SharedSession(loop, tls_context())
            _sessions[loop] = weakref.ref(shared)
        shared.enter()
        return shared
