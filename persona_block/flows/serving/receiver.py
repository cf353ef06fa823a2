"""The endpoints that other programs send to: Persona's webhooks, and the buttons of questions in Slack.

Each takes the raw bytes that arrived, no more than it can use, and believes nothing that is not signed. A 2xx is answered only
once what arrived is stored; what cannot be stored at the moment is answered 503, and so is sent again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from ... import webhooks
from ...credentials import Secret
from ...errors import InputError, SignatureError, WebhookError
from ...files.threads import run_in_thread
from ..client import FlowClient
from ..targets import slack_clicks
from .events import Events

logger = logging.getLogger("persona_block.flows")

WEBHOOK_LIMIT = webhooks.BODY_LIMIT
"""The largest webhook that is read, in bytes."""
STORING, CLICK = 8.0, 2.5
"""Seconds in which an event, or a click, has to be stored; Slack waits three for its answer."""
_AWAY = (sa.exc.SQLAlchemyError, psycopg.Error, TimeoutError)
"""What a database raises that cannot be used at the moment."""

Secrets = Callable[[], Sequence[Secret]]
"""Returns the secrets that a webhook may be signed with; it may read files, and raises InputError where there is none."""


class Receiver:
    """The endpoints on a client of flows."""

    def __init__(self, client: FlowClient, secrets: Secrets) -> None:
        self._client = client
        self._secrets = secrets
        self._events = Events(client.connections)
        self._background: set[asyncio.Task[Any]] = set()

    async def webhook(self, request: Request) -> Response:
        """Take one event of Persona, and wake the flows that wait for what it happened to."""
        body = await _body(request, WEBHOOK_LIMIT)
        if body is None:
            return _told(413, "The webhook is too large.")
        try:
            event = await run_in_thread(lambda: self._read(body, request.headers.get(webhooks.SIGNATURE_HEADER)))
        except SignatureError:
            logger.warning("a webhook was refused: its signature does not fit")
            return _told(401, "The signature does not fit.")
        except WebhookError:
            return _told(400, "The webhook is signed but is no event.")
        except (InputError, ValueError):
            logger.error("a webhook could not be checked: no secret is set for it")
            return _told(503, "The receiver is not set up.")
        try:
            # The engine below waits for a database that is away; Persona does not, and sends the event again.
            async with asyncio.timeout(STORING):
                if await asyncio.to_thread(self._events.is_known, event.id):
                    return _told(200, "Known.")
                woken = await self._client.deliver(event)
                await asyncio.to_thread(self._events.note, event.id, time.time())
        except _AWAY as error:
            logger.warning("event %s could not be stored (%s); Persona sends it again", event.id, type(error).__name__)
            return _told(503, "The event could not be stored; send it again.", {"Retry-After": "5"})
        logger.info("event %s, %s of %s: %d flows woken", event.id, event.name, event.resource_id, woken)
        return _told(200, "Stored.")

    async def slack(self, request: Request) -> Response:
        """Take one click of Slack on the button of a question."""
        body = await _body(request, slack_clicks.BODY_LIMIT)
        if body is None:
            return _told(413, "The request is too large.")
        stamp, signature = (
            request.headers.get(name) for name in (slack_clicks.TIMESTAMP_HEADER, slack_clicks.SIGNATURE_HEADER)
        )
        try:
            click = await run_in_thread(lambda: slack_clicks.read_click(body, stamp, signature))
        except SignatureError:
            logger.warning("a request to Slack's address was refused: its signature does not fit")
            return _told(401, "The signature does not fit.")
        except WebhookError:
            return _told(400, "The request is signed but is no interaction of ours.")
        except InputError:
            logger.error("a click of Slack could not be checked: %s is not set", slack_clicks.SIGNING_VARIABLE)
            return _told(503, "The receiver is not set up.")
        if click is None:
            return Response(status_code=200)
        words = f"{click.option} (by {click.user_name or click.user_id})"
        try:
            async with asyncio.timeout(CLICK):
                await self._client.answer(click.workflow_id, click.question_id, click.option)
        except InputError:
            words = "This question is closed: it was answered before, or is gone."
        except _AWAY as error:
            logger.warning("a click of Slack could not be stored (%s)", type(error).__name__)
            return _told(503, "The answer could not be stored; click again.")
        # Slack waits three seconds for this answer, and for no longer.
        task = asyncio.create_task(slack_clicks.acknowledge(click, words))
        self._background.add(task)
        task.add_done_callback(self._acknowledged)
        return Response(status_code=200)

    async def aclose(self) -> None:
        """Wait for what goes on in the background."""
        await asyncio.gather(*self._background, return_exceptions=True)

    def _acknowledged(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.warning("the buttons of an answered question could not be replaced (%s)", type(task.exception()).__name__)

    def _read(self, body: bytes, signature: str | None) -> webhooks.Event:
        return webhooks.read(body, signature, [secret.reveal() for secret in self._secrets()])


async def _body(request: Request, limit: int) -> bytes | None:
    """Return the raw bytes of a request; None where they are more than `limit`."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limit:
        return None
    parts = bytearray()
    try:
        async for part in request.stream():
            parts += part
            if len(parts) > limit:
                return None
    except ClientDisconnect:
        return None
    return bytes(parts)


def _told(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers)
