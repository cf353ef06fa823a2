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
class Outcome:
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
    """Give up; `because` says why in a sentence, or nothing where the outcome speaks for itself."""

    because: str = ""


def decide(
    spec: ToolSpec, attempt: int, outcome: Outcome, elapsed: float, *, deadline: float = DEADLINE, jitter: float = 0.5
) -> Retry | Stop:
    """What to do after attempt number `attempt` (from 1) that ended as `outcome`, `elapsed` seconds into the call.

    `jitter` is a random number from 0 to 1 that spreads callers out.
    """
    if outcome.status == 429:
        delay = _after_rate_limit(outcome, jitter)
    elif _is_repeated(spec, outcome):
        delay = _backoff(attempt, jitter)
    else:
        delay = None
    if delay is None:
        return Stop(_why_not(spec, outcome))
    if elapsed + delay > deadline:
        return Stop(f"Given up after {attempt} attempts, because the next would pass the deadline of {deadline:g} s.")
    return Retry(delay)


def _after_rate_limit(outcome: Outcome, jitter: float) -> float | None:
    """The wait for the window's end; None for a used-up quota, which no wait of ours refills."""
    if outcome.remaining:
        return None
    reset = 1.0 if outcome.reset is None else max(0.0, outcome.reset)
    return reset + 0.25 * jitter


def _is_repeated(spec: ToolSpec, outcome: Outcome) -> bool:
    if outcome.status is None or outcome.status in _TRY_AGAIN:
        return True
    return outcome.status == 500 and spec.request.method != "POST"


def _backoff(attempt: int, jitter: float) -> float:
    """Exponential, of which a random half at most is taken away."""
    longest = min(CAP, BASE * 2.0 ** (attempt - 1))
    return longest * (1 - jitter / 2)


def _why_not(spec: ToolSpec, outcome: Outcome) -> str:
    if outcome.status == 429:
        return "This is a quota of the organisation and not the rate limit, so waiting does not help."
    if outcome.status == 500 and spec.request.method == "POST":
        return (
            "It was not tried again, because Persona keeps this answer under the idempotency key and would only repeat it. "
            "Whether it took effect is unknown: read the object before trying again."
        )
    return ""
