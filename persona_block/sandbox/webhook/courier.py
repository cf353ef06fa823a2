"""The courier: it sends events to the webhook, signed, at least once, with retries in simulated time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import httpx

from ...call.observe import silent_libraries
from ...webhooks import SIGNATURE_HEADER
from ..simulation.settle import settled
from ..state.clock import SECOND
from ..state.environment import Organization
from ..state.records import Delivery, OutgoingEvent
from .events import Webhook
from .secrets import Secrets

SCHEDULE = (0, 3, 18, 83, 258)
"""When an event is sent, in simulated seconds after the first attempt (docs.withpersona.com/docs/best-practices, older)."""

TIMEOUT = 10.0
"""How long a receiver has for its answer, in real seconds."""

_log = logging.getLogger(__name__)

_AT_ONCE = 16
_PAUSE = 0.05  # real seconds between two looks for events that are due


class Courier:
    """The sender of an organisation's logged events to a webhook."""

    def __init__(self, organization: Organization, webhook: Webhook) -> None:
        self.secrets = Secrets(organization, webhook.secrets)
        self._organization = organization
        self._webhook = webhook
        self._under_way: set[int] = set()

    async def deliver(self) -> list[Delivery]:
        """Send every event that is due now, in the order they happened, and return the attempts.

        Events that a receiver causes meanwhile are sent too.
        """
        attempts = []
        async with self._transport() as transport:
            while event := self._next():
                attempts.append(await self._attempt(transport, event))
        return attempts

    @contextlib.asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Send events as they become due while the context lasts, several at a time."""
        task = asyncio.create_task(self._deliver_on())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _deliver_on(self) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)
        async with self._transport() as transport, asyncio.TaskGroup() as sending:
            while True:
                await slots.acquire()
                if event := self._next():
                    sending.create_task(self._attempt(transport, event)).add_done_callback(lambda _task: slots.release())
                    await asyncio.sleep(0)  # lets waiting requests run
                else:
                    slots.release()
                    await asyncio.sleep(_PAUSE)

    @contextlib.asynccontextmanager
    async def _transport(self) -> AsyncIterator[httpx.AsyncBaseTransport]:
        """Yield what sends: the webhook's own transport, or the network. Neither keeps cookies or follows redirects."""
        if self._webhook.transport is not None:
            yield self._webhook.transport
            return
        # A receiver on this machine has no certificate of an authority, and nobody can listen in on the way to it.
        async with httpx.AsyncHTTPTransport(verify=False, trust_env=False) as network:
            yield network

    def _next(self) -> OutgoingEvent | None:
        """Return the event that is due longest and not under way, and mark it as under way."""
        with settled(self._organization) as now:
            due = self._organization.store.due_events(now, len(self._under_way) + 1)
            event = next((each for each in due if each.seq not in self._under_way), None)
            if event is not None:
                self._under_way.add(event.seq)
        return event

    async def _attempt(self, transport: httpx.AsyncBaseTransport, event: OutgoingEvent) -> Delivery:
        at = self._organization.clock.milliseconds()
        try:
            status, error = await self._send(transport, event, at)
            delivery = self._delivery(event, at, status, error)
            with self._organization.store.transaction():
                self._organization.store.add_delivery(event, delivery)
        finally:
            self._under_way.discard(event.seq)
        return delivery

    def _delivery(self, event: OutgoingEvent, at: int, status: int | None, error: str | None) -> Delivery:
        attempt, next_at = event.attempts + 1, None
        if attempt < len(SCHEDULE) and not (status and 200 <= status < 300):
            next_at = (event.first_at or at) + SCHEDULE[attempt] * SECOND
        return Delivery(
            event_id=event.id,
            name=event.name,
            resource_id=event.resource_id,
            at=at,
            url=self._webhook.url,
            attempt=attempt,
            status=status,
            error=error,
            next_at=next_at,
        )

    async def _send(self, transport: httpx.AsyncBaseTransport, event: OutgoingEvent, at: int) -> tuple[int | None, str | None]:
        """Send an event once, and return the status of the answer, or why there was none."""
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: self.secrets.signature(event.body, at),
            "Persona-Webhook-Attempts-Made": str(event.attempts + 1),
            "Persona-Webhook-Attempts-Left": str(len(SCHEDULE) - event.attempts - 1),
            "Persona-Webhook-First-Attempted-At": str((event.first_at or at) // SECOND),
            "Persona-Sandbox": "simulation",
        }
        try:
            with silent_libraries():
                async with asyncio.timeout(TIMEOUT):
                    request = httpx.Request("POST", self._webhook.url, content=event.body, headers=headers)
                    response = await transport.handle_async_request(request)
                    await response.aclose()
                    return response.status_code, None
        except TimeoutError:
            return None, f"no answer within {TIMEOUT:g} seconds"
        except httpx.ConnectError:
            return None, "nobody listens there"
        except httpx.HTTPError:
            return None, "the connection broke, or the answer was not HTTP"
        except Exception as error:  # an application in this process, in the place of the network
            _log.exception("the receiver of %s raised", event.name)
            return None, f"the receiver raised {type(error).__name__}"
