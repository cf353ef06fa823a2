"""Slowing down before the rate limit instead of running into it, for all calls of one key in one process.

Persona counts requests in a fixed window that begins with its first request and tells in every answer how many are left and in
how many seconds the window ends (docs.withpersona.com/rate-limiting). A pacer keeps count of what it has let through since.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType

_SLACK = 0.005
"""Seconds past the end of a window before the next is taken to have begun."""

LONGEST_WINDOW = 60.0
"""Seconds that a window lasts at most, whatever an answer says (docs.withpersona.com/rate-limiting)."""

_Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class WindowClosed(Exception):
    """The window has no room within the seconds that the caller has; `wait` is how many seconds it takes."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"no room for {wait:.1f} s")
        self.wait = wait


_sharing = 1
"""How many processes share the windows of this one's keys."""


def share_among(processes: int) -> None:
    """Let each pacer of this process use one of so many equal parts of a window, and others the rest; 1 takes all of it."""
    global _sharing
    _sharing = max(1, processes)


class Pacer:
    """Lets calls through while the window has budget and holds the others until it ends; it never delays before that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: deque[_Waiter] = deque()
        self._limit: int | None = None
        self._left: int | None = None
        self._ends: float | None = None
        self._window = 0
        self._in_flight = 0
        self._sent = 0
        self._sent_before = 0
        """How much of what was sent is of earlier windows."""

    async def admit(self, seconds: float) -> Ticket:
        """Return a ticket for one request, as soon as the window has room; use it as a context around the request.

        Raises WindowClosed where that is not within so many seconds: at once, unless an answer that is still to come may tell
        of more room.
        """
        ends = time.monotonic() + seconds
        while True:
            admitted = self.try_admit()
            if isinstance(admitted, Ticket):
                return admitted
            left = ends - time.monotonic()
            if admitted > left and (left <= 0 or not self._in_flight):
                raise WindowClosed(admitted)
            await self._room(min(admitted, left))

    async def _room(self, seconds: float) -> None:
        """Wait until there may be room again, so many seconds at most."""
        loop = asyncio.get_running_loop()
        waiter = loop, loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter[1]
        except TimeoutError:
            pass
        finally:
            with contextlib.suppress(ValueError):
                self._waiters.remove(waiter)

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
                    return LONGEST_WINDOW  # woken as soon as one of them tells of room, or all have ended
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
        self._sent_before = self._sent - self._in_flight
        self._left = None if self._limit is None else max(1, self._limit // _sharing - self._in_flight)

    def finish(self, window: int, counted: int, headers: Mapping[str, str] | None) -> None:
        """Take note of a request's end; `counted` is how many Persona had counted for certain when it answered."""
        reported = _read(headers) if headers is not None else None
        with self._lock:
            self._in_flight -= 1
            if reported is not None and window == self._window:
                self._adjust(counted, *reported)
            # Whoever waits learns of new room, and that nothing is to come any more that could tell of it.
            woken = len(self._waiters) if not self._in_flight else max(0, self._left or 0)
        self._wake(woken)

    def _adjust(self, counted: int, limit: int, remaining: int, reset: float) -> None:
        """Correct the count by what an answer tells; call it with the lock."""
        self._limit = limit
        # An answer is read after it was written, so each tells the window's end too late, and the earliest is the best.
        ends = time.monotonic() + reset + _SLACK
        self._ends = ends if self._ends is None else min(self._ends, ends)
        # Answers come late and out of order: of what one tells, only what was sent around or after it is uncertain.
        lowest = remaining - (self._sent - counted)
        self._left = min(lowest if self._left is None else max(self._left, lowest), remaining)
        if _sharing > 1:
            self._left = min(self._left, max(1, limit // _sharing) - (self._sent - self._sent_before))

    def _wake(self, count: int) -> None:
        """Let so many waiters ask again."""
        for _ in range(min(count, len(self._waiters))):
            with contextlib.suppress(IndexError, RuntimeError):  # another thread took it, or its loop is closed
                loop, woken = self._waiters.popleft()
                loop.call_soon_threadsafe(_end_wait, woken)

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


def reset_seconds(text: str | None) -> float | None:
    """Return the seconds that `RateLimit-Reset` tells, at most `LONGEST_WINDOW`; None where it tells no number of seconds."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return None
    return min(seconds, LONGEST_WINDOW) if math.isfinite(seconds) and seconds >= 0 else None


def _end_wait(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _read(headers: Mapping[str, str]) -> tuple[int, int, float] | None:
    """Return limit, remaining and seconds to the reset; None where an answer does not give all three."""
    reset = reset_seconds(headers.get("RateLimit-Reset"))
    if reset is None:
        return None
    try:
        limit, remaining = int(headers["RateLimit-Limit"]), int(headers["RateLimit-Remaining"])
    except (KeyError, ValueError):
        return None
    return None if limit <= 0 else (limit, remaining, reset)


_pacers: weakref.WeakValueDictionary[str, Pacer] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def pacer_for(base_url: str, key_digest: str) -> Pacer:
    """Return the pacer that every call with one key to one address shares; it lives as long as somebody holds it."""
    name = hashlib.sha256(f"{base_url}\n{key_digest}".encode()).hexdigest()
    with _lock:
        return _pacers.setdefault(name, Pacer())
