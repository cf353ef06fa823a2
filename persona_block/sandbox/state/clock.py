"""Simulated time: milliseconds since the epoch that can run faster than real time, or be moved forward."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_SPEED = 1_000_000
"""Simulated seconds in a real one, at most."""


@lru_cache(maxsize=256)
def iso(milliseconds: int) -> str:
    """Write a moment as the API does: ISO 8601, UTC, with milliseconds."""
    seconds, rest = divmod(milliseconds, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def parse(text: str) -> int:
    """Read an ISO 8601 moment as milliseconds; one without an offset is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * SECOND)


# Beyond it, expiries would leave the range of dates.
_LAST = parse("9000-01-01")


class Clock:
    """A clock that starts at a given moment, never runs backwards, and stands still in the end, at the year 9000.

    `speed` is how many simulated seconds pass in a real one; 0 makes a clock that only `advance` moves.
    """

    def __init__(self, start: int | None = None, speed: float = 1.0) -> None:
        if not isinstance(speed, int | float) or not 0 <= speed <= MAX_SPEED:  # NaN is neither
            raise ValueError(f"speed must be a number from 0 to {MAX_SPEED}")
        self.speed = speed
        self._base = round(time.time() * SECOND) if start is None else start
        self._origin = time.monotonic()

    def milliseconds(self) -> int:
        """Give the simulated moment in milliseconds since the epoch."""
        return min(self._base + int((time.monotonic() - self._origin) * self.speed * SECOND), _LAST)

    def now(self) -> datetime:
        """Give the simulated moment, in UTC."""
        return datetime.fromtimestamp(self.milliseconds() / SECOND, UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock forward by simulated seconds. Raises ValueError for a number that is negative or too large."""
        if not 0 <= seconds <= (_LAST - self.milliseconds()) / SECOND:
            raise ValueError("a clock is only moved forward, and not past the year 9000")
        self._base += round(seconds * SECOND)
