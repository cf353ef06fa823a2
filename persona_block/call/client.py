"""The client: sends request parts over the wire, again where that is right, and reads answers within bounds."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from ..credentials import ApiKey
from ..errors import InputError, PersonaError, Problem, RateLimited, ResponseError, TookEffect, TransportError
from ..files.rules import FILE_LIMIT
from ..spec import catalog
from ..spec.grammar import ToolSpec
from .addresses import check_base_url, is_loopback
from .filehost import Sink
from .pacing import Pacer, Ticket, WindowClosed, pacer_for, reset_seconds
from .parse import Answer, media_type_of
from .retry import DEADLINE, Attempt, Stop, decide, is_in_doubt
from .serialize import RequestParts
from .trace import Trace
from .wire import (
    Allowance,
    Credential,
    Lost,
    Oversized,
    Request,
    Response,
    UnaskedEncoding,
    Unsent,
    Upload,
    make_wire,
    pieces,
    whole,
)

log = logging.getLogger("persona_block")
Number = TypeVar("Number", int, float)

JSON_LIMIT = 32 * 1024 * 1024
"""The largest JSON answer that is read, in bytes after decompression."""

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds for connecting, and for each read and write, unless the runner is told otherwise."""

_PACERS = 256
"""How many keys' pacers one client keeps."""

_HEADER_TEXT = re.compile(r"[!-~]([ -~]*[!-~])?")
_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_LONGEST_URL = 65_536

_LEAST = 1.0
"""Seconds that an attempt gets even at the end of the deadline."""


@dataclass(slots=True)
class Call:
    """One call of an operation: what to send, with which API key, under which idempotency key."""

    spec: ToolSpec
    parts: RequestParts
    api_key: ApiKey
    idempotency_key: str | None = None
    upload: Upload | None = None
    trace: Trace = field(default_factory=Trace)
    in_doubt: bool = False
    """Whether an attempt before the latest may have taken effect."""


def new_idempotency_key() -> str:
    """Return a new key under which Persona acts once, however often the request comes (docs.withpersona.com/idempotence)."""
    return str(uuid.uuid4())


def check_idempotency_key(operation: str, idempotency_key: str) -> str:
    """Return a key that can stand in a header; raises InputError."""
    if not (isinstance(idempotency_key, str) and _HEADER_TEXT.fullmatch(idempotency_key) and len(idempotency_key) <= 255):
        message = "must be 1 to 255 printable ASCII characters, the first and the last no space"
        raise InputError(operation, [Problem("idempotency_key", message)])
    return idempotency_key


class Client:
    """Sends calls to one base URL; used within one event loop.

    `timeout` holds for connecting, reading and writing, `deadline` for one call with all its attempts; both in seconds. `wire`
    is the HTTP library (see `wire.make_wire`).
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        timeout: httpx.Timeout | float = TIMEOUT,
        deadline: float = DEADLINE,
        transport: httpx.AsyncBaseTransport | None = None,
        file_limit: int = FILE_LIMIT,
        wire: str | None = None,
    ) -> None:
        settings = catalog.read("block.json")["wire"]
        self.base_url = check_base_url(base_url or settings["baseUrl"])
        self._deadline = deadline
        self._file_limit = file_limit
        self._auth: Mapping[str, str] = settings["auth"]
        self._idempotency_header: str = settings["idempotencyHeader"]
        self._pacers: OrderedDict[str, Pacer] = OrderedDict()
        self._latest: tuple[ApiKey, Pacer] | None = None
        self._closed = False
        self._wire = make_wire(
            wire,
            timeout=timeout,
            transport=transport,
            headers=settings["headers"],
            trust_env=not is_loopback(urlsplit(self.base_url).hostname or ""),
        )

    async def send(self, call: Call, sink: Sink | None = None, media_type: str = "application/json") -> Answer:
        """Return the answer to `call` after as many attempts as `retry.decide` allows, an error's answer included.

        A 2xx body of `media_type` goes to `sink` where there is one, and stays out of the answer. Raises TransportError where
        no answer came, ResponseError where it is larger than the limit.
        """
        started = time.monotonic()
        before = call.trace.attempts
        while True:
            if self._closed:
                raise _closed(call)
            left = self._deadline - (time.monotonic() - started)
            try:
                ticket = await self._pacer(call.api_key).admit(max(_LEAST, left))
            except WindowClosed as closed:
                raise _not_admitted(call, closed.wait) from None
            started = time.monotonic() if call.trace.attempts == before else started
            left = self._deadline - (time.monotonic() - started)
            with ticket:
                ended, answer = await self._attempt(call, ticket, sink, media_type, max(_LEAST, left))
            if answer is not None and answer.status < 400:
                return answer
            verdict = decide(
                call.spec,
                call.trace.attempts - before,
                ended,
                time.monotonic() - started,
                deadline=self._deadline,
                jitter=random.random(),  # noqa: S311 - spreads callers out, guards nothing
            )
            if isinstance(verdict, Stop):
                if answer is None:
                    raise _unanswered(call, ended, verdict)
                after = ended.reset if ended.status == 429 and verdict.may_help else None
                return replace(answer, note=verdict.because, may_help=verdict.may_help, retry_after=after)
            call.in_doubt = call.in_doubt or is_in_doubt(ended)
            call.trace.retries.append({"reason": ended.reason, "after": round(verdict.after, 3)})
            log.info("%s: %s, trying again in %.2f s", call.spec.name, ended.reason, verdict.after)
            call.trace.tell(f"{call.spec.name}: {ended.reason}, trying again in {verdict.after:.1f} s")
            await asyncio.sleep(verdict.after)

    async def aclose(self) -> None:
        """Close every connection and refuse further calls."""
        self._closed = True
        await self._wire.aclose()

    def _pacer(self, api_key: ApiKey) -> Pacer:
        """Return the pacer of a key; those of the keys that were used last are kept, by names that tell nothing of them."""
        if self._latest is not None and self._latest[0] is api_key:
            return self._latest[1]
        digest = api_key.digest()
        pacer = self._pacers.pop(digest, None) or pacer_for(self.base_url, digest)
        self._pacers[digest] = pacer
        while len(self._pacers) > _PACERS:
            self._pacers.popitem(last=False)
        self._latest = api_key, pacer
        return pacer

    async def _attempt(
        self, call: Call, ticket: Ticket, sink: Sink | None, media_type: str, seconds: float
    ) -> tuple[Attempt, Answer | None]:
        """Make one request of at most so many seconds: how it ended, and its answer where a whole one came.

        A file that comes or goes may take longer while it moves at a sensible pace (see `wire.SLOWEST`).
        """
        call.trace.attempts += 1
        allowance = Allowance(seconds, earns=sink is not None or call.upload is not None)
        request = self._request(call, media_type)
        if sink is not None:
            sink.restart()

        async def receive(response: Response) -> tuple[Response, Answer]:
            ticket.answered(response.headers)
            call.trace.request_id = _request_id(response)
            call.trace.status = response.status
            return response, await self._read(call, response, allowance, sink, media_type)

        try:
            response, answer = await self._wire.exchange(request, receive, allowance)
        except TimeoutError:
            return Attempt(reason=f"no whole answer in {seconds:.0f} s"), None
        except Unsent as error:
            return Attempt(sent=False, reason=f"no connection ({error})"), None
        except Lost as error:
            return Attempt(reason=f"no answer ({error})"), None
        ended = _ended(response)
        if ended.status == 429 and (ended.remaining or 0) <= 0:
            ticket.refused(ended.reset or 0.0)
        return ended, answer

    def _request(self, call: Call, media_type: str) -> Request:
        headers = {"Accept": media_type}
        if media_type != "application/json":
            headers["Accept"] = f"{media_type}, application/json"
        if call.idempotency_key is not None:
            headers[self._idempotency_header] = call.idempotency_key
        content = None
        if call.upload is None and call.parts.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(call.parts.body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        url = self.base_url + call.parts.target
        if len(url) > _LONGEST_URL:
            raise InputError(call.spec.name, [Problem("params", "are too long for a URL")])
        credential = Credential(self._auth["header"], self._auth["scheme"], call.api_key)
        return Request(call.parts.method, url, headers, content, call.upload, credential)

    async def _read(self, call: Call, response: Response, allowance: Allowance, sink: Sink | None, media_type: str) -> Answer:
        received = media_type_of(response.headers.get("Content-Type", ""))
        # No other success promises the whole of a file.
        to_sink = sink if response.status == 200 and received == media_type else None
        limit, body = self._file_limit if to_sink else JSON_LIMIT, b""
        try:
            if to_sink is None:
                body = await whole(response, limit)
            else:
                async for piece in pieces(response, limit, allowance):
                    to_sink.write(piece)
        except Oversized:
            raise _unread(call, response, f"is over {limit} bytes and was not read further") from None
        except UnaskedEncoding:
            raise _unread(call, response, "is packed in a way that was not asked for and was not read") from None
        return Answer(response.status, received, body, call.trace.request_id)


def _unread(call: Call, response: Response, what: str) -> ResponseError:
    """Return the error for an answer that is not read to its end."""
    return ResponseError(
        f"Persona's answer to {call.spec.name} {what}.",
        status=response.status,
        request_id=call.trace.request_id,
        took_effect=None if call.spec.effect == "read" else "unknown",
    )


def _ended(response: Response) -> Attempt:
    if response.status < 400:
        return Attempt(status=response.status, reason="an answer")
    return Attempt(
        status=response.status,
        remaining=_number(response.headers.get("RateLimit-Remaining"), int),
        reset=reset_seconds(response.headers.get("RateLimit-Reset")),
        reason=f"status {response.status}",
    )


def _number(text: str | None, kind: Callable[[str], Number]) -> Number | None:
    try:
        return None if text is None else kind(text)
    except ValueError:
        return None


def _closed(call: Call) -> PersonaError:
    """Return the error for a call whose runner was closed before it, or between two attempts of it."""
    what = "It was not sent again, and whether it took effect is unknown." if call.in_doubt else "Nothing was sent."
    doubt: TookEffect = "unknown" if call.in_doubt else "no"
    took_effect = None if call.spec.effect == "read" else doubt
    return PersonaError(f"{call.spec.name}: the runner is closed; open a new one. {what}", took_effect=took_effect)


def _request_id(response: Response) -> str | None:
    """Return Persona's id of the request, if it is text that a log can hold."""
    text = response.headers.get("Request-Id", "")
    return text if _REQUEST_ID.fullmatch(text) else None


def _not_admitted(call: Call, wait: float) -> RateLimited:
    """Return the error for a call that the rate limit has no room for within its deadline."""
    what = "was not sent again" if call.in_doubt else "was not sent"
    message = f"{call.spec.name} {what}: the rate limit has no room for {wait:.0f} s, which is beyond the deadline."
    doubt: TookEffect = "unknown" if call.in_doubt else "no"
    took_effect = None if call.spec.effect == "read" else doubt
    return RateLimited(message, status=429, request_id=call.trace.request_id, took_effect=took_effect, retry_after=wait)


def _unanswered(call: Call, ended: Attempt, verdict: Stop) -> TransportError:
    """Return the error for a request without an answer; it names the kind of failure, never the URL or the headers."""
    took_effect: TookEffect | None
    name, lost = call.spec.name, call.in_doubt or ended.sent
    if call.spec.effect == "read":
        message, took_effect = f"{name} got {ended.reason} from Persona.", None
    elif lost:
        message = f"{name} got {ended.reason} from Persona. Whether it took effect is unknown: read the object first."
        took_effect = "unknown"
    else:
        message, took_effect = f"{name} could not reach Persona: {ended.reason}. Nothing was sent.", "no"
    return TransportError(" ".join(filter(None, [message, verdict.because])), took_effect=took_effect)
