"""Slowing down before the rate limit instead of running into it, for all calls of one key in one process.

Persona counts requests in a fixed window that begins with its first request and tells in every answer how many are left and in
how many seconds the window ends (docs.withpersona.com/rate-limiting). A pacer keeps count of what it has let through since.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType

_SLACK = 0.005
"""Seconds past the end of a window before the next is taken to have begun."""

_LONGEST = 300.0
"""Seconds beyond which no window is believed; Persona's last 60."""


class Pacer:
    """Lets calls through while the window has budget and holds the others until it ends; it never delays before that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limit: int | None = None
        self._left: int | None = None
        self._ends: float | None = None
        self._window = 0
        self._in_flight = 0
        self._sent = 0

    async def admit(self) -> Ticket:
        """Return a ticket for one request, as soon as the window has room; use it as a context around the request."""
        while True:
            admitted = self.try_admit()
            if isinstance(admitted, Ticket):
                return admitted
            await asyncio.sleep(admitted)

    def try_admit(self) -> Ticket | float:
        """Return a ticket, or in how many seconds to ask again."""
        now = time.monotonic()
        with self._lock:
            if self._ends is not None and now >= self._ends:
                self._open_window()
            if self._left is not None and self._left <= 0:
                if self._ends is not None:
                    return max(_SLACK, self._ends - now)
                if self._in_flight:
                    return _SLACK
                self._left = None  # nobody is left to tell of the window, so nothing is known of it
            if self._left is not None:
                self._left -= 1
            ticket = Ticket(self, self._window, self._sent, self._in_flight)
            self._sent += 1
            self._in_flight += 1
            return ticket

    def _open_window(self) -> None:
        """Begin the next window; requests still under way may be counted in it, so they are taken off its budget."""
        self._window += 1
        self._ends = None
        self._left = None if self._limit is None else max(1, self._limit - self._in_flight)

    def finish(self, window: int, counted: int, headers: Mapping[str, str] | None) -> None:
        """Take note of a request's end; `counted` is how many Persona had counted for certain when it answered."""
        reported = _read(headers) if headers is not None else None
        with self._lock:
            self._in_flight -= 1
            if reported is None or window != self._window:
                return
            limit, remaining, reset = reported
            self._limit = limit
            # An answer is read after it was written, so each tells the window's end too late, and the earliest is the best.
            ends = time.monotonic() + reset + _SLACK
            self._ends = ends if self._ends is None else min(self._ends, ends)
            # Answers come late and out of order: of what one tells, only what was sent around or after it is uncertain.
            lowest = remaining - (self._sent - counted)
            self._left = min(lowest if self._left is None else max(self._left, lowest), remaining)

    def close_window(self, window: int, reset: float) -> None:
        """Close a window early after a 429: somebody else used it up."""
        with self._lock:
            if window == self._window:
                self._left = 0
                self._ends = time.monotonic() + max(reset, _SLACK) + _SLACK


class Ticket(AbstractContextManager["Ticket"]):
    """One request's place in a window; tell it the answer's headers."""

    def __init__(self, pacer: Pacer, window: int, sent: int, in_flight: int) -> None:
        self._pacer = pacer
        self._window = window
        self._counted = sent + 1 - in_flight
        self._headers: Mapping[str, str] | None = None

    def answered(self, headers: Mapping[str, str]) -> None:
        """Take note of what the answer says of the window."""
        self._headers = headers

    def refused(self, reset: float) -> None:
        """Take note of a 429, `reset` seconds before the window ends."""
        self._pacer.close_window(self._window, reset)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pacer.finish(self._window, self._counted, self._headers)


def _read(headers: Mapping[str, str]) -> tuple[int, int, float] | None:
    """Return limit, remaining and seconds to the reset; None where an answer does not give all three."""
    try:
        limit, remaining = int(headers["RateLimit-Limit"]), int(headers["RateLimit-Remaining"])
        reset = float(headers["RateLimit-Reset"])
    except (KeyError, ValueError):
        return None
    return (limit, remaining, min(reset, _LONGEST)) if limit > 0 and reset >= 0 else None


_pacers: weakref.WeakValueDictionary[str, Pacer] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def pacer_for(base_url: str, api_key: str) -> Pacer:
    """Return the pacer that every call with this key to this address shares; it lives as long as somebody holds it."""
    name = hashlib.sha256(f"{base_url}\n{api_key}".encode()).hexdigest()
    with _lock:
        return _pacers.setdefault(name, Pacer())
