"""The wire: one pooled httpx client that sends request parts and reads answers within bounds."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import httpx

from . import catalog
from .errors import InputError, Problem, ResponseError, TransportError
from .parse import Answer
from .serialize import RequestParts

JSON_LIMIT = 32 * 1024 * 1024
"""The largest JSON answer that is read, in bytes after decompression."""

FILE_LIMIT = 512 * 1024 * 1024
"""The largest file that is read unless the client is told otherwise, in bytes."""

TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class Sink(Protocol):
    """Where the pieces of a file go."""

    def write(self, piece: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Upload:
    """The file of a multipart request: the field's name, its own name and its bytes, in a stream that can be rewound."""

    part: str
    name: str
    stream: IO[bytes] = field(repr=False)
    media_type: str = "text/csv"


@dataclass(slots=True)
class Trace:
    """What became of one call, filled in while it runs."""

    attempts: int = 0
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation: what to send, as whom, under which idempotency key."""

    operation: str
    parts: RequestParts
    api_key: str = field(repr=False)
    idempotency_key: str | None = None
    upload: Upload | None = None
    trace: Trace = field(default_factory=Trace)


def new_idempotency_key() -> str:
    """A key under which Persona acts once, however often the request comes (docs.withpersona.com/idempotence)."""
    return str(uuid.uuid4())


def check_base_url(url: str) -> str:
    """The base URL without a trailing slash; raises InputError unless it is https, or http on this machine only."""
    parts = urlsplit(url.strip())
    try:
        plain = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
        whole = bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        plain = whole = False
    if not (plain and whole):
        message = "must be an https URL (http only on loopback) without user, query or fragment; see PERSONA_BASE_URL"
        raise InputError("runner", [Problem("base_url", message)])
    return url.strip().rstrip("/")


class Client:
    """Sends calls to one base URL; used within one event loop."""

    def __init__(
        self,
        base_url: str | None = None,
        *,
        timeout: httpx.Timeout | float = TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
        file_limit: int = FILE_LIMIT,
    ) -> None:
        wire = catalog.read("block.json")["wire"]
        self.base_url = check_base_url(base_url or wire["baseUrl"])
        self.file_limit = file_limit
        self._auth: Mapping[str, str] = wire["auth"]
        self._idempotency_header: str = wire["idempotencyHeader"]
        self._http = httpx.AsyncClient(
            headers=wire["headers"],
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
            trust_env=not _is_loopback(urlsplit(self.base_url).hostname or ""),
        )

    async def send(self, call: Call, sink: Sink | None = None, media_type: str = "application/json") -> Answer:
        """The answer to `call`; a 2xx body of `media_type` goes to `sink` where there is one, and stays out of the answer.

        Raises TransportError where no answer came, ResponseError where it is larger than the limit.
        """
        call.trace.attempts += 1
        request = self._request(call, media_type)
        try:
            response = await self._http.send(request, stream=True)
            try:
                call.trace.request_id = response.headers.get("Request-Id")
                return await self._read(call, response, sink, media_type)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise _unanswered(call, error) from None

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    def _request(self, call: Call, media_type: str) -> httpx.Request:
        headers = {self._auth["header"]: f"{self._auth['scheme']} {call.api_key}", "Accept": media_type}
        if media_type != "application/json":
            headers["Accept"] = f"{media_type}, application/json"
        if call.idempotency_key is not None:
            headers[self._idempotency_header] = call.idempotency_key
        content: dict[str, Any] = {}
        if call.upload is not None:
            call.upload.stream.seek(0)
            content["files"] = {call.upload.part: (call.upload.name, call.upload.stream, call.upload.media_type)}
        elif call.parts.body is not None:
            content["json"] = call.parts.body
        try:
            return self._http.build_request(call.parts.method, self.base_url + call.parts.target, headers=headers, **content)
        except httpx.InvalidURL:
            raise InputError(call.operation, [Problem("params", "are too long for a URL")]) from None

    async def _read(self, call: Call, response: httpx.Response, sink: Sink | None, media_type: str) -> Answer:
        found = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        to_sink = sink if response.is_success and found == media_type else None
        limit = self.file_limit if to_sink else JSON_LIMIT
        kept = bytearray()
        size = 0
        async for piece in response.aiter_bytes():
            size += len(piece)
            if size > limit:
                raise ResponseError(
                    f"Persona's answer to {call.operation} is over {limit} bytes and was not read further.",
                    status=response.status_code,
                    request_id=call.trace.request_id,
                )
            if to_sink:
                to_sink.write(piece)
            else:
                kept += piece
        return Answer(response.status_code, found, bytes(kept), call.trace.request_id)


def _unanswered(call: Call, error: httpx.HTTPError) -> TransportError:
    """The error for a request without an answer; it names the kind of failure, never the URL or the headers."""
    kind = type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return TransportError(f"Persona could not be reached for {call.operation} ({kind}); nothing was sent.")
    effect = "" if call.parts.method == "GET" else " Whether it took effect is unknown: read the object before trying again."
    return TransportError(f"No whole answer to {call.operation} came from Persona ({kind}).{effect}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
