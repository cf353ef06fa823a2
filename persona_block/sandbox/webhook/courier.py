"""Delivers events to the webhook: signed, at least once, tried again on a schedule in simulated time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import httpx

from ...call.observe import silent_libraries
from ...webhooks import SIGNATURE_HEADER, sign
from ..simulation.settle import settle
from ..state.clock import SECOND
from ..state.environment import Organization
from ..state.records import Delivery, Event
from .events import Webhook

# docs.withpersona.com/docs/best-practices, an older page: seconds after the first attempt
SCHEDULE = (0, 3, 18, 83, 258)

TIMEOUT = 10.0
"""Real seconds that a receiver has for its answer."""

_log = logging.getLogger(__name__)

_AT_ONCE = 16
_PAUSE = 0.05  # between two looks for what time has made due


class Courier:
    """Takes events from where they wait to one webhook; `transport` replaces the network."""

    def __init__(self, organization: Organization, webhook: Webhook, transport: httpx.AsyncBaseTransport | None) -> None:
        self._organization = organization
        self._webhook = webhook
        self._transport = transport
        self._under_way: set[int] = set()

    async def deliver(self) -> list[Delivery]:
        """Send everything that is due now, in the order it happened, and give how each attempt went.

        What a receiver sets off meanwhile is part of it.
        """
        done = []
        async with self._client() as http:
            while event := self._next():
                done.append(await self._attempt(http, event))
        return done

    @contextlib.asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Send what becomes due while the context lasts, several at a time."""
        task = asyncio.create_task(self._deliver_on())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _deliver_on(self) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)
        async with self._client() as http, asyncio.TaskGroup() as sending:
            while True:
                await gate.acquire()
                if event := self._next():
                    sending.create_task(self._attempt(http, event)).add_done_callback(lambda _: gate.release())
                    await asyncio.sleep(0)  # for requests that wait
                else:
                    gate.release()
                    await asyncio.sleep(_PAUSE)

    def _client(self) -> httpx.AsyncClient:
        # Nobody vouches for the certificate of a receiver on this machine, and nobody else stands on the way to it.
        return httpx.AsyncClient(transport=self._transport, verify=False, trust_env=False, timeout=None)  # noqa: S113, S501

    def _next(self) -> Event | None:
        """Take the oldest event that is due and not under way."""
        store = self._organization.store
        with store.transaction():
            now = self._organization.clock.milliseconds()
            settle(self._organization, now)
            due = store.due_events(now, len(self._under_way) + 1)
            event = next((each for each in due if each.seq not in self._under_way), None)
            if event is not None:
                self._under_way.add(event.seq)
        return event

    async def _attempt(self, http: httpx.AsyncClient, event: Event) -> Delivery:
        at = self._organization.clock.milliseconds()
        try:
            status, error = await self._send(http, event, at)
            delivery = self._delivery(event, at, status, error)
            with self._organization.store.transaction():
                self._organization.store.add_delivery(event, delivery)
        finally:
            self._under_way.discard(event.seq)
        return delivery

    def _delivery(self, event: Event, at: int, status: int | None, error: str | None) -> Delivery:
        attempt, next_at = event.attempts + 1, None
        if attempt < len(SCHEDULE) and not (status and 200 <= status < 300):
            next_at = (event.first_at or at) + SCHEDULE[attempt] * SECOND
        return Delivery(event.id, event.name, event.resource_id, at, self._webhook.url, attempt, status, error, next_at)

    async def _send(self, http: httpx.AsyncClient, event: Event, at: int) -> tuple[int | None, str | None]:
        """Send an event once; gives the status answered, or why there was none."""
        headers = {
            "Content-Type": "application/json",
            # By the real clock, since the receiver's own is the one that a signature's age is measured with
            SIGNATURE_HEADER: sign(event.body, self._webhook.secret),
            "Persona-Webhook-Attempts-Made": str(event.attempts + 1),
            "Persona-Webhook-Attempts-Left": str(len(SCHEDULE) - event.attempts - 1),
            "Persona-Webhook-First-Attempted-At": str((event.first_at or at) // SECOND),
            "Persona-Sandbox": "simulation",
        }
        try:
            with silent_libraries():
                async with asyncio.timeout(TIMEOUT):
                    async with http.stream("POST", self._webhook.url, content=event.body, headers=headers) as answer:
                        return answer.status_code, None
        except TimeoutError:
            return None, f"no answer within {TIMEOUT:g} seconds"
        except httpx.ConnectError:
            return None, "nobody listens there"
        except httpx.HTTPError:
            return None, "the connection broke, or the answer was not HTTP"
        except Exception as error:  # an application in this process, in the place of the network
            _log.exception("the receiver of %s raised", event.name)
            return None, f"the receiver raised {type(error).__name__}"
