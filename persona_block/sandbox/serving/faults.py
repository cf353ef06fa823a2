"""Faults: the ways in which networks and servers spoil a call.

Each fault tells whether the sandbox processes the request first, so that a test can compare what happened with what its caller
saw. `inprocess` plays faults to a client in this process, `faulty` on real sockets.
"""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Fault:
    """One way in which a call goes wrong; `processed` tells whether the sandbox processes the request first.

    `stored` is a fault of Persona itself and not of the way to it: its answer is kept under the request's idempotency key.
    """

    name: str
    processed: bool
    means: str
    stored: bool = False


FAULTS: tuple[Fault, ...] = (
    Fault("refuse", False, "The connection is reset before the request's body is read."),
    Fault("reset-before", False, "The connection is reset after the request is read, before it is processed."),
    Fault("reset-after", True, "The connection is reset after the request is processed."),
    Fault("cut-body", True, "Half of the answer comes, then the connection closes."),
    Fault("stall", True, "The request is processed and the answer never comes."),
    Fault("garbage", True, "The answer is not HTTP."),
    Fault("html-502", False, "A gateway answers 502 with a page."),
    Fault("html-502-after", True, "A gateway answers 502 with a page although the request was processed."),
    Fault("empty-200", True, "The answer is 200 with nothing in it."),
    Fault("wrong-type", True, "The answer is 200 with a page."),
    Fault("gzip-bomb", True, "The answer is small and unpacks to more than anybody should read."),
    Fault("redirect", False, "The answer leads to another host."),
    Fault("rate-limit", False, "The answer is 429."),
    Fault("error-500", False, "The answer is 500."),
    Fault("stored-500", False, "The answer is 500, and the idempotency key keeps it.", stored=True),
    Fault("stored-500-after", True, "The same, although the request was processed.", stored=True),
    Fault("trickle", True, "The answer comes a few bytes at a time, but it comes."),
)
"""Every fault that there is."""

_BY_NAME = {fault.name: fault for fault in FAULTS}

_BOMB = 40 * 1024 * 1024
_PAGE = b"<html><body><h1>Bad gateway</h1></body></html>"


class Faults:
    """A random choice of the calls of the API that go wrong; the same seed makes the same choice.

    rate: the share of calls that go wrong, from 0 to 1. Default 0.2.
    kinds: names of the faults to choose from (see `FAULTS`). Default all.

    `injected` counts the faults so far by name. Raises ValueError for an unknown or no kind, and for another rate.
    """

    def __init__(self, rate: float = 0.2, kinds: Sequence[str] = tuple(_BY_NAME), seed: int = 0) -> None:
        unknown = [kind for kind in kinds if kind not in _BY_NAME]
        if unknown:
            raise ValueError(f"there is no fault called {unknown[0]}; there are {', '.join(_BY_NAME)}")
        if not kinds or not 0 <= rate <= 1:
            raise ValueError("faults need at least one kind and a rate from 0 to 1")
        self._random = random.Random(seed)  # noqa: S311 - repeatable, guards nothing
        self._rate = rate
        self._kinds = tuple(kinds)
        self.injected: Counter[str] = Counter()

    def __str__(self) -> str:
        kinds = "every kind" if set(self._kinds) == _BY_NAME.keys() else ", ".join(self._kinds)
        return f"{self._rate:.0%} of calls go wrong ({kinds})"

    def next(self) -> Fault | None:
        """Return the fault of the next request, or None for one that goes well, and count it."""
        if self._random.random() >= self._rate:
            return None
        fault = _BY_NAME[self._random.choice(self._kinds)]
        self.injected[fault.name] += 1
        return fault


FAILS = "persona_sandbox.fails"
"""What carries the side on which a request fails, `before` or `after` it is processed: its extension and its ASGI scope."""


def extensions(fault: Fault) -> dict[str, str]:
    """Return the extensions of a request that let the application itself answer with a stored fault."""
    return {FAILS: "after" if fault.processed else "before"} if fault.stored else {}


Replacement = tuple[int, dict[str, str], bytes]
"""The status, headers and body of an answer."""

_HTML = {"Content-Type": "text/html"}
_JSON = {"Content-Type": "application/json"}
_LIMIT_REACHED = {"RateLimit-Limit": "300", "RateLimit-Remaining": "0", "RateLimit-Reset": "0"}
_REPLACEMENTS: dict[str, Replacement] = {
    "html-502": (502, _HTML, _PAGE),
    "html-502-after": (502, _HTML, _PAGE),
    "empty-200": (200, _JSON, b""),
    "wrong-type": (200, _HTML, _PAGE),
    "redirect": (302, {"Location": "https://elsewhere.invalid/"}, b""),
    "rate-limit": (429, _JSON | _LIMIT_REACHED, b'{"errors": [{"title": "Rate limit exceeded"}]}'),
    "error-500": (500, _JSON, b'{"errors": [{"title": "Internal server error"}]}'),
}


def replacement(fault: str) -> Replacement | None:
    """Return the answer that a fault gives in the place of the sandbox's own, or None."""
    return _bomb() if fault == "gzip-bomb" else _REPLACEMENTS.get(fault)


@cache
def _bomb() -> Replacement:
    return 200, _JSON | {"Content-Encoding": "gzip"}, gzip.compress(b" " * _BOMB, 9)
