"""The simulated clock, in milliseconds since the epoch: it can run faster than real time, and be moved forward."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_SPEED = 1_000_000
"""The highest speed of a clock, in simulated seconds per real second."""


def iso(milliseconds: int) -> str:
    """Return a moment as the API writes it: ISO 8601, UTC, with milliseconds."""
    seconds, rest = divmod(milliseconds, SECOND)
    return f"{_iso_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=256)
def _iso_second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def parse(text: str) -> int:
    """Read an ISO 8601 moment as milliseconds; one without an offset is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * SECOND)


# After this moment, an expiry would leave the range of dates.
_LAST = parse("9000-01-01")


class Clock:
    """A clock that never runs backwards, and stops at the year 9000.

    start: its first moment, in milliseconds since the epoch; None (default) is the real time.
    speed: simulated seconds per real second, from 0 to `MAX_SPEED`, default 1; a clock of speed 0 moves by `advance` alone.

    Raises ValueError for another speed.
    """

    def __init__(self, start: int | None = None, speed: float = 1.0) -> None:
        if not isinstance(speed, int | float) or not 0 <= speed <= MAX_SPEED:  # NaN is neither
            raise ValueError(f"speed must be a number from 0 to {MAX_SPEED}")
        self.speed = speed
        self._base = round(time.time() * SECOND) if start is None else start
        self._origin = time.monotonic()

    def milliseconds(self) -> int:
        """Return the simulated time, in milliseconds since the epoch."""
        return min(self._base + int((time.monotonic() - self._origin) * self.speed * SECOND), _LAST)

    def reach(self, moment: int) -> None:
        """Move the clock forward to a moment, in milliseconds since the epoch, unless it is there already."""
        self._base += max(0, min(moment, _LAST) - self.milliseconds())

    def now(self) -> datetime:
        """Return the simulated time, in UTC."""
        return datetime.fromtimestamp(self.milliseconds() / SECOND, UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock forward by simulated seconds. Raises ValueError for a negative number, or one past the year 9000."""
        if not 0 <= seconds <= (_LAST - self.milliseconds()) / SECOND:
            raise ValueError("a clock is only moved forward, and not past the year 9000")
        self._base += round(seconds * SECOND)
