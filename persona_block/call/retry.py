"""Whether a call is tried again, and after how long: one pure function of what is known.

Sources: docs.withpersona.com/idempotence (what is stored under a key and replayed), docs.withpersona.com/rate-limiting and
the `RateLimit-*` headers of the OpenAPI (`RateLimit-Reset` is in seconds).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..spec.grammar import ToolSpec

DEADLINE = 60.0
"""Seconds that one call may take with all its attempts, unless the runner is told otherwise."""

BASE, CAP = 0.5, 8.0
"""The first delay and the longest, in seconds; each is twice the one before, less a random part."""

_TRY_AGAIN = frozenset({408, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended: with a status, or without an answer."""

    status: int | None = None
    """The HTTP status; None where no whole answer came."""
    sent: bool = True
    """Whether anything can have reached Persona."""
    remaining: int | None = None
    """`RateLimit-Remaining`, where it was given."""
    reset: float | None = None
    """`RateLimit-Reset` in seconds, where it was given."""
    reason: str = ""
    """What happened, in a few words for the log."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after so many seconds."""

    after: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Give up; `because` says why in a sentence, or nothing where the attempt speaks for itself."""

    because: str = ""
    may_help: bool = True
    """Whether the same call may still succeed when somebody sends it again later."""


def decide(
    spec: ToolSpec, number: int, ended: Attempt, elapsed: float, *, deadline: float = DEADLINE, jitter: float = 0.5
) -> Retry | Stop:
    """Return what to do after attempt number `number` (from 1) that ended as `ended`, `elapsed` seconds into the call.

    deadline: seconds that the call may take with all its attempts.
    jitter: a random number from 0 to 1 that spreads callers out.
    """
    if ended.status == 429:
        delay = _after_rate_limit(number, ended, jitter)
    elif _is_repeated(spec, ended):
        delay = _backoff(number, jitter)
    else:
        delay = None
    if delay is None:
        return _final(spec, ended)
    if elapsed + delay > deadline:
        return Stop(f"Given up after {number} attempts, because the next would pass the deadline of {deadline:g} s.")
    return Retry(delay)


def _after_rate_limit(number: int, ended: Attempt, jitter: float) -> float | None:
    """Return the seconds to the window's end; None for a used-up quota, which no wait of ours refills."""
    if (ended.remaining or 0) > 0:
        return None
    reset = 1.0 if ended.reset is None else max(0.0, ended.reset)
    # A window that is said to end at once would have the same refused again and again.
    return max(reset, _backoff(number, 1.0)) + 0.25 * jitter


def is_in_doubt(ended: Attempt) -> bool:
    """Return whether an attempt that ended so may have taken effect all the same."""
    if ended.status is None:
        return ended.sent
    return ended.status >= 500 or ended.status == 408


def _is_repeated(spec: ToolSpec, ended: Attempt) -> bool:
    if ended.status is None or ended.status in _TRY_AGAIN:
        return True
    return ended.status == 500 and spec.request.method != "POST"


def _backoff(number: int, jitter: float) -> float:
    """Return an exponential delay in seconds, of which a random half at most is taken away."""
    longest = min(CAP, BASE * 2.0 ** (number - 1))
    return longest * (1 - jitter / 2)


def _final(spec: ToolSpec, ended: Attempt) -> Stop:
    if ended.status == 429:
        return Stop("This is a quota of the organisation and not the rate limit, so waiting does not help.", may_help=False)
    if ended.status == 500 and spec.request.method == "POST":
        return Stop(
            "It was not tried again, because Persona keeps this answer under the idempotency key and would only repeat it. "
            "Whether it took effect is unknown: read the object before trying again.",
            may_help=False,
        )
    return Stop()
