"""What a wire is: requests, answers, the time that an exchange may take, and how it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Protocol, TypeVar

from ...credentials import Secret

Received = TypeVar("Received")

CONNECTIONS = 100
"""Requests under way at a time; further ones wait here, where they can be cancelled without a trace."""

SLOWEST = 16 * 1024
"""Bytes a second below which a file that comes or goes is taken to stand still, averaged over the whole exchange."""

ENCODING = "gzip"
"""The one content encoding that is asked for, since what it unpacks to can be counted on the way."""

PIECE = 64 * 1024
"""Bytes that are unpacked, or read of an upload, at a time."""


class Unsent(Exception):
    """No request could be sent; the text says in a word why."""


class Lost(Exception):
    """No whole answer came, and something may have been sent; the text says in a word why, as httpx names it."""


class Oversized(Exception):
    """A body is larger than its reader takes."""


class UnaskedEncoding(Exception):
    """A body is packed in a way that was not asked for."""


class Allowance:
    """Seconds that one exchange may take; a file earns more for each byte that moves.

    What it has earned never lets it stand still for longer than those seconds.
    """

    def __init__(self, seconds: float, *, earns: bool = False) -> None:
        self._seconds = seconds
        self._earns = earns
        self._loop = asyncio.get_running_loop()
        self._bound: asyncio.Timeout | None = None
        self._standing: float | None = None
        self.ends = self._loop.time() + seconds

    def moved(self, count: int) -> None:
        """Take note that so many bytes of a file came or went over the wire."""
        if not self._earns:
            return
        self.ends = max(self.ends, min(self.ends + count / SLOWEST, self._loop.time() + self._seconds))
        self._follow()

    def bind(self, bound: asyncio.Timeout | None, standing: float | None = None) -> None:
        """Let a timeout follow the end of this allowance, or none any more.

        standing: seconds that an upload may stand still until it is sent.
        """
        self._bound = bound
        self._standing = standing

    def sent(self) -> None:
        """Take note that an upload is sent, and its answer is waited for."""
        self._standing = None
        self._follow()

    def _follow(self) -> None:
        if self._bound is not None and not self._bound.expired():
            still = float("inf") if self._standing is None else self._loop.time() + self._standing
            self._bound.reschedule(min(self.ends, still))


@dataclass(frozen=True, slots=True)
class Upload:
    """The file of a multipart request: the field's name, its own name and its bytes, in a stream that can be rewound."""

    part: str
    name: str
    stream: IO[bytes] = field(repr=False)
    media_type: str = "text/csv"


@dataclass(frozen=True, slots=True)
class Credential:
    """A header whose value holds a secret, which is put in at the last moment."""

    header: str
    scheme: str
    secret: Secret

    def headers(self) -> dict[str, str]:
        """Return the header with the secret in it."""
        return {self.header: f"{self.scheme} {self.secret.reveal()}"}


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; its `repr` shows nothing that may name a person.

    url: absolute, and percent-encoded.
    content: the body, unless there is an upload or none at all.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    content: bytes | None = field(repr=False, default=None)
    upload: Upload | None = field(repr=False, default=None)
    credential: Credential | None = field(repr=False, default=None)

    def all_headers(self) -> dict[str, str]:
        """Return the headers, the one with the secret included."""
        return {**self.headers, **(self.credential.headers() if self.credential else {})}


class Response(Protocol):
    """An answer whose body is read piece after piece."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by name, in any case; several of one name are joined by commas."""

    @property
    def encoding(self) -> str:
        """How the pieces are packed, as `Content-Encoding` says; blank for not at all."""

    async def read(self) -> bytes:
        """Return the next bytes as they came, or none at the end; raises Lost."""


class Wire(Protocol):
    """Connections that are used within one event loop.

    A wire keeps no cookie, follows no redirect and sends no request twice. Headers that it was made with go with each request.
    """

    async def exchange(
        self, request: Request, receive: Callable[[Response], Awaitable[Received]], allowance: Allowance
    ) -> Received:
        """Send a request and return what `receive` makes of its answer.

        Raises Unsent where nothing was sent, TimeoutError where the allowance ran out, Lost where no whole answer came, and
        what `receive` does.
        """

    async def aclose(self) -> None:
        """Close every connection; exchanges that are under way end, and none is begun any more."""
