"""Files from Persona's file host, fetched without the API key and only from hosts that are trusted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from ..errors import InputError, PersonaError, Problem, ResponseError, TransportError, api_error_type, printable
from ..files.rules import FILE_LIMIT
from .addresses import is_loopback
from .retry import DEADLINE
from .wire import Allowance, Lost, Oversized, Request, Response, UnaskedEncoding, Unsent, make_wire, pieces

FILE_HOST = "files.withpersona.com"
"""Where Persona's file URLs lead (docs.withpersona.com/downloading-files)."""

_REDIRECTS = 4
_REDIRECTING = frozenset({301, 302, 303, 307, 308})


class Sink(Protocol):
    """Where the pieces of a file go; `restart` forgets what an attempt that failed has written."""

    def restart(self) -> None: ...

    def write(self, piece: bytes) -> None: ...


class FileHost:
    """Fetches file URLs with a client of its own, so that no header meant for the API can reach their host.

    hosts: trusted beside Persona's own.
    limit: bytes beyond which a file is refused while it comes.
    deadline: seconds for a file that does not come at a sensible pace (see `wire.SLOWEST`).
    """

    def __init__(
        self,
        hosts: Collection[str] = (),
        *,
        timeout: httpx.Timeout | float,
        transport: httpx.AsyncBaseTransport | None = None,
        limit: int = FILE_LIMIT,
        deadline: float = DEADLINE,
        wire: str | None = None,
    ) -> None:
        self._hosts = frozenset({FILE_HOST, *hosts})
        self._limit = limit
        self._closed = False
        self._deadline = deadline
        self._wire = make_wire(wire, timeout=timeout, transport=transport)

    async def fetch(self, url: str, sink: Sink) -> None:
        """Fetch a file from a trusted host, without the API key, into `sink`; raises PersonaError.

        The URL holds an access token, so no message names more of it than its host.
        """
        allowance = Allowance(self._deadline, earns=True)
        for _ in range(_REDIRECTS):
            if self._closed:
                raise PersonaError("The runner is closed; open a new one. Nothing was fetched.", took_effect=None)
            request = self._request(url)
            failure = ""
            try:
                location = await self._wire.exchange(
                    request, lambda response: self._store(response, sink, allowance), allowance
                )
            except TimeoutError:
                message = f"The file did not come within {self._deadline:g} s at a sensible pace."
                raise TransportError(message, took_effect=None) from None
            except (Unsent, Lost) as error:
                failure = str(error)
            if failure:
                raise TransportError(f"The file could not be fetched: {failure}.", took_effect=None)
            if location is None:
                return
            url = _joined(request.url, location)
        raise ResponseError("The file host redirects without end.", took_effect=None)

    def _request(self, url: str) -> Request:
        """Return the request for a URL; raises InputError where it is none, or leads to a host that is not trusted."""
        try:
            parsed = httpx.URL(url)
            host, scheme = parsed.host, parsed.scheme
            parts = urlsplit(url)
            # No port beyond the last one of TCP can be connected to; reading it raises ValueError there.
            has_user, has_port = "@" in parts.netloc, parts.port != 0
        except (httpx.InvalidURL, ValueError):
            raise InputError("download", [Problem("file", "is not a URL")]) from None
        trusted = host in self._hosts and (scheme == "https" or (scheme == "http" and is_loopback(host)))
        if not trusted or has_user or not has_port:
            place = printable(host) or "none"
            message = f"is on a host that is not trusted with files ({place}); name it in FileRules(hosts=…)"
            raise InputError("download", [Problem("file", message)])
        # As it was understood here, so that no other reading of it leads elsewhere.
        return Request("GET", str(parsed.copy_with(fragment=None)), {"Accept": "*/*"})

    async def _store(self, response: Response, sink: Sink, allowance: Allowance) -> str | None:
        """Store the body of an answer, or return where it leads to."""
        status = response.status
        if 300 <= status < 400:
            return response.headers.get("Location", "") if status in _REDIRECTING else ""
        if not 200 <= status < 300:
            hint = " Its URL may have expired: read the object again for a new one." if status < 500 else ""
            raise api_error_type(status)(f"The file host answered {status}.{hint}", status=status, took_effect=None)
        if status != 200:
            message = f"The file host answered {status}, which promises no whole file."
            raise ResponseError(message, status=status, took_effect=None)
        sink.restart()
        is_empty = True
        try:
            async for piece in pieces(response, self._limit, allowance):
                sink.write(piece)
                is_empty = is_empty and not piece
        except Oversized:
            raise ResponseError(f"The file is over {self._limit} bytes and was not read further.", took_effect=None) from None
        except UnaskedEncoding:
            raise ResponseError("The file is packed in a way that was not asked for.", took_effect=None) from None
        if is_empty:
            raise ResponseError("The file is empty.", took_effect=None)
        return None

    async def aclose(self) -> None:
        """Close every connection and refuse further files."""
        self._closed = True
        await self._wire.aclose()


def _joined(url: str, location: str) -> str:
    """Return where a redirect leads, or blank text where that is no URL."""
    try:
        return str(httpx.URL(url).join(location)) if location else ""
    except (httpx.InvalidURL, ValueError):
        return ""


def file_address(file: Any) -> tuple[str, str | None]:
    """Return the URL of a file and its name, where it has one; raises InputError for what is no URL and no file object."""
    url, filename = (file.get("url"), file.get("filename")) if isinstance(file, Mapping) else (file, None)
    if not isinstance(url, str):
        raise InputError("download", [Problem("file", "must be a file URL or an object with a url")])
    if not isinstance(filename, str | None):
        raise InputError("download", [Problem("file", "has a filename that is no text")])
    return url, filename
