"""Files from Persona's file host, fetched without the API key and only from hosts that are trusted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from ..errors import InputError, PersonaError, Problem, ResponseError, TransportError, api_error_type
from ..files.rules import FILE_LIMIT
from .addresses import is_loopback, tls_context
from .observe import silent_libraries

FILE_HOST = "files.withpersona.com"
"""Where Persona's file URLs lead (docs.withpersona.com/downloading-files)."""

_REDIRECTS = 4


class Sink(Protocol):
    """Where the pieces of a file go; `restart` forgets what an attempt that failed has written."""

    def restart(self) -> None: ...

    def write(self, piece: bytes) -> None: ...


class FileHost:
    """Fetches file URLs with a client of its own, so that no header meant for the API can reach their host.

    `hosts` are trusted beside Persona's own; a file over `limit` bytes is refused while it comes.
    """

    def __init__(
        self,
        hosts: Collection[str] = (),
        *,
        timeout: httpx.Timeout | float,
        transport: httpx.AsyncBaseTransport | None = None,
        limit: int = FILE_LIMIT,
    ) -> None:
        self._hosts = frozenset({FILE_HOST, *hosts})
        self._limit = limit
        self._closed = False
        self._http = httpx.AsyncClient(timeout=timeout, transport=transport, follow_redirects=False, verify=tls_context())

    async def fetch(self, url: str, sink: Sink) -> None:
        """Fetch a file from a trusted host, without the API key, into `sink`; raises PersonaError.

        The URL holds an access token, so no message names more of it than its host.
        """
        if self._closed:
            raise PersonaError("The runner is closed; open a new one. Nothing was fetched.")
        for _ in range(_REDIRECTS):
            self._check(url)
            try:
                with silent_libraries():
                    async with self._http.stream("GET", url) as response:
                        if not response.is_redirect:
                            await self._store(response, sink)
                            return
                        url = str(response.next_request.url) if response.next_request else ""
            except httpx.HTTPError as error:
                raise TransportError(f"The file could not be fetched: {type(error).__name__}.", took_effect=None) from None
        raise ResponseError("The file host redirects without end.", took_effect=None)

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            host = ""
        trusted = host in self._hosts and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
        if not trusted:
            message = f"is on a host that is not trusted with files ({host or 'none'}); name it in FileRules(hosts=…)"
            raise InputError("download", [Problem("file", message)])

    async def _store(self, response: httpx.Response, sink: Sink) -> None:
        if not response.is_success:
            hint = " Its URL may have expired: read the object again for a new one." if response.status_code < 500 else ""
            raise api_error_type(response.status_code)(
                f"The file host answered {response.status_code}.{hint}", status=response.status_code, took_effect=None
            )
        sink.restart()
        size = 0
        async for piece in response.aiter_bytes():
            size += len(piece)
            if size > self._limit:
                raise ResponseError(f"The file is over {self._limit} bytes and was not read further.", took_effect=None)
            sink.write(piece)

    async def aclose(self) -> None:
        """Close every connection and refuse further files."""
        self._closed = True
        await self._http.aclose()
