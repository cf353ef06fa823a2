"""The sandbox itself: an offline Persona that a program holds in its hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette

from .api.serialization import present
from .messages.errors import Problem
from .objects import sessions
from .objects.templates import TEMPLATES, Templates, install
from .pages import control
from .serving.app import BASE_PATH, create_app
from .serving.faults import Faults
from .serving.inprocess import Faulty, InProcess
from .simulation.settle import settle, settle_part, settling
from .state.choices import Settings
from .state.clock import SECOND, Clock
from .state.environment import PRODUCTION, SANDBOX, Environment, Organization
from .state.records import Delivery, Effect, RequestRecord
from .state.store import Store
from .webhook.events import Webhook

if TYPE_CHECKING:
    from ..runner import Runner
    from .webhook.courier import Courier

ORIGIN = "https://persona.sandbox.invalid"
FILES_URL = "https://files.sandbox.invalid"

PRODUCTION_KEY = "persona_production_offline"
SANDBOX_KEY = "persona_sandbox_offline"


class SandboxError(Exception):
    """What was asked of the sandbox cannot be done in its present state; the message says why."""


class Sandbox:
    """An offline Persona: a simulation that verifies nobody and talks to no one.

    state: a file that keeps everything, created where it is missing; None keeps it in memory.
    seed: makes ids and invented people repeatable; a file keeps the seed it was created with.
    speed: simulated seconds in a real one, up to a million; 0 stops the clock, which `clock.advance` still moves.
    populate: fill a new state with an organisation to explore (see `organisation`).
    report_delay, import_delay: simulated seconds until a report or an import is ready.
    rate_limit, rate_window: requests in so many simulated seconds before a 429; None never refuses.
    strict, mismatch_status: see `choices.Settings`.
    webhook, webhook_secret: a URL on this machine that events go to, and what they are signed with.
    webhook_events: names of events, or patterns such as `report/*.ready` (see `events.EVENTS`); the default is all.
    webhook_inflection: how keys are spelt there: kebab, camel or snake.
    webhook_transport: answers in the place of the network, such as an httpx.ASGITransport of the receiving application.
    faults: what goes wrong with calls of the API; the attribute can be set at any time.

    In process, take `runner()`, or hand `transport`, `base_url` and `api_key` to a client of your own. As a server, use
    `serve` or `run`. Events are sent while serving, and by `deliver` in process.
    """

    def __init__(
        self,
        *,
        state: str | Path | None = None,
        seed: int = 0,
        speed: float = 1.0,
        populate: bool = False,
        report_delay: float = 1.5,
        import_delay: float = 1.5,
        rate_limit: int | None = None,
        rate_window: float = 60.0,
        strict: bool = False,
        mismatch_status: int = 409,
        webhook: str | None = None,
        webhook_secret: str | None = None,
        webhook_events: Sequence[str] = ("*",),
        webhook_inflection: str = "kebab",
        webhook_transport: httpx.AsyncBaseTransport | None = None,
        faults: Faults | None = None,
    ) -> None:
        hook = Webhook(webhook, webhook_secret or "", webhook_events, webhook_inflection) if webhook else None
        settings = Settings(strict, mismatch_status, report_delay, import_delay, rate_limit, rate_window)
        self._store = Store(state)
        self.clock = Clock(speed=speed)
        # A file may remember a future that its clock had been advanced to.
        self.clock.advance(max(0, self._store.latest() - self.clock.milliseconds()) / SECOND)
        self.organization = Organization(self._store, self.clock, settings, seed, ORIGIN, FILES_URL)
        self.api_key = PRODUCTION_KEY
        self.sandbox_key = SANDBOX_KEY
        self.templates: Templates = TEMPLATES
        with self._store.transaction():
            is_new = install(self._store)
            if is_new and populate:
                from .simulation.organisation import populate as fill

                fill(self.organization, self.clock.milliseconds())
        self._courier: Courier | None = None
        if hook is not None:
            from .webhook.courier import Courier

            self.organization.publish = hook.publish
            self._courier = Courier(self.organization, hook, webhook_transport)
        self.faults = faults
        self.app: Starlette = create_app(self.organization, {PRODUCTION_KEY: PRODUCTION, SANDBOX_KEY: SANDBOX})

    @property
    def base_url(self) -> str:
        """The API's base URL: in process one that no network knows, while serving the server's own."""
        return self.organization.origin + BASE_PATH

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """A transport for an httpx.AsyncClient that answers in this process, file URLs included."""
        return Faulty(InProcess(self.app, FILES_URL), lambda: self.faults)

    def runner(self, **options: Any) -> Runner:
        """A Runner that is ready to use this sandbox in process, its files included; `options` are those of Runner."""
        from ..files.rules import FileRules
        from ..runner import Runner

        defaults = {
            "api_key": self.api_key,
            "base_url": self.base_url,
            "transport": self.transport,
            "file_rules": FileRules(hosts=(urlsplit(self.organization.files_url).hostname or "",)),
        }
        return Runner(**{**defaults, **options})

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request the API answered, oldest first, with keys masked."""
        with self._store.transaction():  # a server in another thread may be half-way through one
            return self._store.requests()

    @property
    def effects(self) -> list[Effect]:
        """Every change that happened, oldest first: what, to which object, by which request, or by whom else."""
        with self._store.transaction():
            return self._store.effects()

    @property
    def deliveries(self) -> list[Delivery]:
        """The latest attempts to deliver an event to the webhook, newest first."""
        with self._store.transaction():
            return self._store.deliveries()

    def complete(self, inquiry_id: str, outcome: str | None = None) -> dict[str, Any]:
        """Play the applicant of an inquiry to the end, and give the inquiry as the API would.

        `outcome` is pass, fail, review or abandon; None lets the applicant's name decide (see `outcomes.OUTCOMES`).
        Raises SandboxError for an inquiry that is unknown, or that no applicant can go on with.
        """
        with _explained():
            return control.play(self.organization, inquiry_id, outcome)

    def open_link(self, url_or_code: str) -> dict[str, Any]:
        """Use a one-time link as the applicant would, and give the session it opens.

        Raises SandboxError for a link that is unknown, used up or expired.
        """
        code = url_or_code.partition("code=")[2] or url_or_code.rpartition("/")[2]
        now = self.clock.milliseconds()
        with _explained(), self._store.transaction():
            settle(self.organization, now)
            session = sessions.open_link(self.organization, code, now)
            return present(Environment(self.organization, session.environment, now), session, {})

    def settle(self) -> None:
        """Let happen what time has made due by now, as the next request would, long imports to their end."""
        done = False
        while not done:
            with self._store.transaction():
                done = settle_part(self.organization, self.clock.milliseconds())

    async def deliver(self) -> list[Delivery]:
        """Send the events that are due now to the webhook, in their order, and give how each attempt went.

        Those that fail are due again when the clock has moved on (see `courier.SCHEDULE`). Without a webhook, does nothing.
        """
        return await self._courier.deliver() if self._courier else []

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve on a loopback port while the context lasts; gives the API's base URL. Port 0 takes a free one.

        A server that starts with `faults` set plays whatever they are set to later; one that starts without plays none.
        """
        from .serving.faulty import serving_faults
        from .serving.server import bound, serving

        with bound(host, port) as (listening, origin), self._published(origin):
            if self.faults is None:
                front = serving(self.app, listening)
            else:
                front = serving_faults(InProcess(self.app, FILES_URL), lambda: self.faults, listening, origin)
            delivering = self._courier.delivering() if self._courier else nullcontext()
            async with front, settling(self.organization), delivering:
                yield self.base_url

    @contextmanager
    def serve_in_thread(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """Serve as `serve` does, from a thread of its own, for code that has no event loop."""
        from anyio.from_thread import start_blocking_portal

        with start_blocking_portal() as portal, portal.wrap_async_context_manager(self.serve(host, port)) as base_url:
            yield base_url

    def run(self, host: str = "127.0.0.1", port: int = 0, announce: Callable[[str], None] = lambda base_url: None) -> None:
        """Serve on a loopback port until interrupted; `announce` is told the API's base URL."""
        from .serving.server import interruption

        async def main() -> None:
            async with self.serve(host, port) as base_url:
                announce(base_url)
                await interruption()

        with suppress(KeyboardInterrupt):
            asyncio.run(main())

    def close(self) -> None:
        """Close the state; one kept in a file can be opened again."""
        self._store.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _published(self, origin: str) -> Iterator[None]:
        organization = self.organization
        before = organization.origin, organization.files_url, organization.serving
        organization.origin, organization.files_url, organization.serving = origin, f"{origin}/files", True
        try:
            yield
        finally:
            organization.origin, organization.files_url, organization.serving = before


@contextmanager
def _explained() -> Iterator[None]:
    """Turn an answer of the API into an error of the sandbox."""
    try:
        yield
    except Problem as refusal:
        error = refusal.errors[0]
        raise SandboxError(error.get("details", error["title"])) from None
