"""A receiver of JSON as a target: `https://…`, or `http://` on this machine.

Each request is signed as Persona signs its webhooks: `Persona-Block-Signature: t=…,v1=…`, where `v1` is the HMAC-SHA256, in
hexadecimal, of the time `t`, a dot and the raw body. `persona_block.webhooks.verify` checks it. `Idempotency-Key` is the same
each time the same step of a flow sends, and a receiver acts on it once. The secret is that of the host, in
`PERSONA_FLOWS_HTTPS_SECRET_HOOKS_EXAMPLE_COM` for hooks.example.com (a dash is written `__`), or else that of
`PERSONA_FLOWS_HTTPS_SECRET`. Receivers that share a secret could replay each other's requests.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from functools import partial
from urllib.parse import urlsplit

import httpx

from ... import webhooks
from ...call.addresses import check_base_url
from ...call.wire import Allowance, HttpxWire, Lost, Request, Response, Unsent, Wire
from ...credentials import Secret
from ...errors import DeliveryError, InputError
from ...files.names import safe_name
from ...files.threads import run_in_thread
from ..ports import Message
from .delivery import check_dedupe_id, in_doubt, not_sent, readable, refused, seconds_of
from .secrets import configured

SIGNING_VARIABLE = "PERSONA_FLOWS_HTTPS_SECRET"
"""The environment variable with the signing secret of every host that has none of its own."""
SIGNATURE_HEADER = "Persona-Block-Signature"
IDEMPOTENCY_HEADER = "Idempotency-Key"
BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of the attachments of one request, before they are encoded."""
TIMEOUT = 30.0
"""Seconds that one request with its answer may take."""
PATIENCE = 30.0
"""Seconds in all that are spent waiting because the receiver asked for it, before that is left to the step."""

_NOT_TAKEN = frozenset({400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 426, 429, 431, 451})
"""Statuses that say the request was not acted on (RFC 9110, section 15.5)."""


class HttpsNotifier:
    """Posts a message as JSON, signed; it follows no redirect."""

    async def send(self, target: str, message: Message, dedupe_id: str) -> None:
        """Post the message; a question is answered with `flows.answer` by whoever receives it.

        dedupe_id: stands in the header `Idempotency-Key` and in the body as `id`.

        Raises InputError for an address or a setting that can never work, and DeliveryError where sending failed. Any 2xx is
        success.
        """
        check_dedupe_id(dedupe_id)
        host = check_target(target)
        secret, body = await run_in_thread(partial(_prepared, host, message, dedupe_id))
        wire = HttpxWire(timeout=TIMEOUT)
        left = PATIENCE
        try:
            while True:
                failure = await _attempt(wire, target, body, secret, dedupe_id)
                if failure is None:
                    return
                if failure.retry_after is None or not failure.retryable or failure.retry_after > left:
                    raise failure
                left -= max(failure.retry_after, 1.0)
                await asyncio.sleep(failure.retry_after)
        finally:
            await wire.aclose()


def check_target(target: str) -> str:
    """Return the host of an address; raises InputError, which repeats nothing of it, unless it is a fit one."""
    url, _, query = target.partition("?")
    try:
        check_base_url(url)
        is_fit = url == url.strip() and re.fullmatch(r"[!-~]*", query) is not None and "#" not in query
    except InputError as error:
        raise refused("to", error.problems[0].message.partition("; see ")[0]) from None
    if not is_fit:
        raise refused("to", "must be an https URL without spaces and without a fragment")
    return urlsplit(url).hostname or ""


def _prepared(host: str, message: Message, dedupe_id: str) -> tuple[Secret, bytes]:
    variable = f"{SIGNING_VARIABLE}_{host.upper().replace('-', '__').replace('.', '_').replace(':', '_')}"
    secret = configured(variable) or configured(SIGNING_VARIABLE)
    if secret is None:
        names = f"{SIGNING_VARIABLE} or {variable}"
        raise refused("to", f"is a receiver of signed requests: set {names} to a secret that you share with it")
    return secret, body_of(message, dedupe_id)


def body_of(message: Message, dedupe_id: str) -> bytes:
    """Return a message as the JSON that is sent; raises InputError for attachments over the limit, and DeliveryError."""
    attachments, size = [], 0
    for content in message.attachments:
        try:
            with content.open() as stream:
                data = stream.read(BODY_LIMIT + 1 - size)
        except OSError as error:
            raise not_sent(f"An attachment cannot be read: {error.strerror}.") from None
        size += len(data)
        if size > BODY_LIMIT:
            raise refused("attachments", f"are over {BODY_LIMIT} bytes; store them, and tell where they are")
        described = {"name": safe_name(content.name), "mimeType": content.media_type, "size": len(data)}
        attachments.append({**described, "content": base64.b64encode(data).decode()})
    question = None
    if message.options:
        question = {"workflowId": message.workflow_id, "questionId": message.question_id, "options": list(message.options)}
    document = {"id": dedupe_id, "text": readable(message.text), "question": question, "attachments": attachments}
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


async def _attempt(wire: Wire, target: str, body: bytes, secret: Secret, dedupe_id: str) -> DeliveryError | None:
    """Return what kept a request from being taken, or None."""
    headers = {
        "Content-Type": "application/json",
        IDEMPOTENCY_HEADER: dedupe_id,
        SIGNATURE_HEADER: webhooks.sign(body, secret.reveal()),
        "User-Agent": "persona-block",
    }
    try:
        request = Request("POST", str(httpx.URL(target)), headers, body)
    except (httpx.InvalidURL, ValueError):
        raise refused("to", "is no URL") from None
    try:
        return await wire.exchange(request, partial(_judged, dedupe_id), Allowance(TIMEOUT))
    except Unsent as error:
        return not_sent(f"The receiver could not be reached: {error}.", may_help=True)
    except TimeoutError:
        return in_doubt(f"The receiver gave no answer within {TIMEOUT:g} s.", idempotency_key=dedupe_id)
    except Lost as error:
        return in_doubt(f"The receiver gave no answer: {error}.", idempotency_key=dedupe_id)


async def _judged(dedupe_id: str, response: Response) -> DeliveryError | None:
    """Return what an answer means, going by its status alone."""
    status = response.status
    if 200 <= status < 300:
        return None
    words = f"The receiver answered {status}."
    if 300 <= status < 400:
        return in_doubt(f"{words} No redirect is followed: write the address it leads to.")
    retry_after = seconds_of(response.headers.get("Retry-After"))
    if status in _NOT_TAKEN:
        is_limited = status == 429
        return not_sent(words, may_help=is_limited, retry_after=retry_after if is_limited else None)
    may_repeat = status >= 500 or status in (408, 409, 425)
    return in_doubt(words, idempotency_key=dedupe_id if may_repeat else None, retry_after=retry_after)
