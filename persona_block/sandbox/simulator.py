"""The sandbox as a Python object: an offline Persona in the caller's process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette

from ..spec.inflection import inflect
from .api.serialization import resource_object
from .messages.errors import Refusal
from .objects import sessions
from .objects.templates import TEMPLATES, Templates, install
from .pages import control
from .serving.app import BASE_PATH, create_app
from .serving.faults import Faults
from .serving.inprocess import FaultyTransport, InProcessTransport
from .simulation.settle import settle_part, settled, settling
from .state.clock import SECOND, Clock
from .state.environment import PRODUCTION, SANDBOX, Environment, Organization
from .state.records import Delivery, Effect, RequestRecord
from .state.settings import Settings
from .state.store import Store
from .webhook.events import Webhook

if TYPE_CHECKING:
    from ..blocking import BlockingRunner
    from ..runner import Runner, RunnerOptions
    from .webhook.courier import Courier

ORIGIN = "https://persona.sandbox.invalid"
FILES_URL = "https://files.sandbox.invalid"

PRODUCTION_KEY = "persona_production_offline"
SANDBOX_KEY = "persona_sandbox_offline"


class SandboxError(Exception):
    """A call of the sandbox that its present state does not allow; the message says why."""


class Sandbox:
    """An offline Persona: a simulation that verifies nobody and needs no network.

    state: a file that keeps everything, created where it is missing; None (default) keeps it in memory.
    seed: makes ids and invented people repeatable, default 0; a file keeps the seed it was created with.
    speed: simulated seconds per real second, up to a million, default 1; at 0 it stands still (see `clock`).
    populate: fill a new state with an organisation to explore, as `persona-block sandbox` does (see
        `simulation.organisation`). Default False: nothing but the templates.
    settings: delays, rate limit and other switches of the simulation; None (default) is `Settings()`.
    webhook: the receiver of signed events; None (default) sends none.
    faults: which calls of the API go wrong, None (default) for none; the attribute can be set at any time.

    `clock.advance` moves the simulated time. What takes time moves it too: an applicant who is played, and a change of an
    object at the moment of its last one, by a millisecond.

    In process, use `runner()`, or give `transport`, `base_url` and `api_key` to another client. As a server, use `serve`,
    `serve_in_thread` or `run`. A server sends events by itself; in process, `deliver` sends them.

    Raises ValueError for another speed, OSError for a file that is no state of a sandbox or that another sandbox has open.
    """

    def __init__(
        self,
        *,
        state: str | Path | None = None,
        seed: int = 0,
        speed: float = 1.0,
        populate: bool = False,
        settings: Settings | None = None,
        webhook: Webhook | None = None,
        faults: Faults | None = None,
    ) -> None:
        self._store = Store(state)
        self.clock = Clock(speed=speed)
        # A file may hold moments in the future, to which its clock was advanced.
        self.clock.advance(max(0, self._store.latest() - self.clock.milliseconds()) / SECOND)
        self.organization = Organization(self._store, self.clock, settings or Settings(), seed, ORIGIN, FILES_URL)
        self.api_key = PRODUCTION_KEY
        self.sandbox_key = SANDBOX_KEY
        self.templates: Templates = TEMPLATES
        with self._store.transaction():
            is_new = install(self._store)
            if is_new and populate:
                from .simulation.organisation import populate as populate_organization

                populate_organization(self.organization, self.clock.milliseconds())
        self.clock.reach(self._store.latest_change)
        self._courier: Courier | None = None
        if webhook is not None:
            from .webhook.courier import Courier

            self.organization.publish = webhook.publish
            self._courier = Courier(self.organization, webhook)
            self.organization.rotate_secret = self._courier.secrets.rotate
        self.faults = faults
        self.app: Starlette = create_app(self.organization, {PRODUCTION_KEY: PRODUCTION, SANDBOX_KEY: SANDBOX})

    @property
    def base_url(self) -> str:
        """The API's base URL: the server's own while one runs, else one that only `transport` answers."""
        return self.organization.origin + BASE_PATH

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """A transport for an httpx.AsyncClient that answers in this process, URLs of files included."""
        return FaultyTransport(InProcessTransport(self.app, FILES_URL), lambda: self.faults)

    def runner(self, **options: Any) -> Runner:
        """Return a Runner that calls this sandbox in process, its files included; `options` are those of Runner."""
        from ..runner import Runner

        return Runner(**{**self._runner_options(), **options})

    def blocking_runner(self, **options: Any) -> BlockingRunner:
        """Return a BlockingRunner that calls this sandbox in process, its files included; `options` are those of Runner."""
        from ..blocking import BlockingRunner

        return BlockingRunner(**{**self._runner_options(), **options})

    def _runner_options(self) -> RunnerOptions:
        from ..files.rules import FileRules

        return {
            "api_key": self.api_key,
            "base_url": self.base_url,
            "transport": self.transport,
            "file_rules": FileRules(hosts=(urlsplit(self.organization.files_url).hostname or "",)),
        }

    @property
    def requests(self) -> list[RequestRecord]:
        """The requests that the API answered, oldest first, with masked keys (see `log.REMEMBERED_READS`)."""
        with self._store.transaction():  # a server in another thread may be in the middle of one
            return self._store.requests()

    @property
    def effects(self) -> list[Effect]:
        """Every change, oldest first: its name, its object, and the request or actor that made it."""
        with self._store.transaction():
            return self._store.effects()

    @property
    def deliveries(self) -> list[Delivery]:
        """The latest 100 attempts to deliver an event to the webhook, newest first."""
        with self._store.transaction():
            return self._store.deliveries()

    def complete(self, inquiry_id: str, outcome: str | None = None) -> dict[str, Any]:
        """Play the applicant of an inquiry to the end, and return the output of `get_inquiry`: `{"inquiry": {"id": …}}`.

        `outcome` is pass, fail, review or abandon; None lets the applicant's name decide (see `OUTCOMES`).
        Raises SandboxError for an inquiry that is unknown or cannot go on, ValueError for another outcome.
        """
        with _sandbox_errors():
            return _output("get_inquiry", control.play(self.organization, inquiry_id, outcome))

    def open_link(self, url_or_code: str) -> dict[str, Any]:
        """Use a one-time link as the applicant would, and return its session: `{"session": {"id": …, "inquiryId": …}}`.

        It is spelled as outputs are: the attributes that the API shows of it, in camelCase.
        Raises SandboxError for a link that is unknown, used or expired.
        """
        code = url_or_code.partition("code=")[2] or url_or_code.rpartition("/")[2]
        with _sandbox_errors(), settled(self.organization) as now:
            session = sessions.open_link(self.organization, code, now)
            shown = resource_object(Environment(self.organization, session.environment, now), session)
        ids = {"id": session.id, "inquiryId": session.relationships["inquiry"]["id"]}
        return {"session": ids | inflect(shown["attributes"], "camel")}

    def settle(self) -> None:
        """Do everything that is due by now, as the next request would, and long imports to their end at once."""
        while not settle_part(self.organization):
            pass

    async def deliver(self) -> list[Delivery]:
        """Send the events that are due now to the webhook, in their order, and return the attempts.

        An event that was not received is due again later (see `courier.SCHEDULE`). Without a webhook, nothing is sent.
        """
        return await self._courier.deliver() if self._courier else []

    def rotate_secret(self, seconds: float = control.ROTATION_SECONDS) -> str:
        """Give the webhook a new secret, and return it.

        The present one signs too for so many simulated seconds, by default a day; one before that ends at once. Raises
        SandboxError without a webhook, ValueError for a negative number.
        """
        try:
            return control.rotate_secret(self.organization, seconds)[0]
        except Refusal as refusal:
            error = ValueError if refusal.status == 400 else SandboxError
            raise error(refusal.errors[0]["details"]) from None

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve on a loopback port while the context lasts, and yield the API's base URL; port 0 takes a free one.

        A server that starts with `faults` plays whatever they are set to later; one that starts without plays none.
        Raises ValueError for a host that is not loopback, OSError for a port that is taken.
        """
        from .serving.faulty import serving_faults
        from .serving.server import bound, serving

        with bound(host, port) as (listening, origin), self._published(origin):
            if self.faults is None:
                server = serving(self.app, listening)
            else:
                server = serving_faults(InProcessTransport(self.app, FILES_URL), lambda: self.faults, listening, origin)
            delivering = self._courier.delivering() if self._courier else nullcontext()
            async with server, settling(self.organization), delivering:
                yield self.base_url

    @contextmanager
    def serve_in_thread(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """Serve as `serve` does, from a thread of its own, for code without an event loop."""
        from anyio.from_thread import start_blocking_portal

        with start_blocking_portal() as portal, portal.wrap_async_context_manager(self.serve(host, port)) as base_url:
            yield base_url

    def run(self, host: str = "127.0.0.1", port: int = 0, announce: Callable[[str], None] | None = None) -> None:
        """Serve on a loopback port until interrupted; `announce` is called with the API's base URL."""
        from .serving.interruption import interruption

        async def main() -> None:
            async with self.serve(host, port) as base_url:
                if announce is not None:
                    announce(base_url)
                await interruption()

        with suppress(KeyboardInterrupt):
            asyncio.run(main())

    def close(self) -> None:
        """Close the state; a file can be opened again."""
        self._store.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _published(self, origin: str) -> Iterator[None]:
        """Show the URLs of a server instead of those in process while the context lasts."""
        organization = self.organization
        before = organization.origin, organization.files_url, organization.serving
        organization.origin, organization.files_url, organization.serving = origin, f"{origin}/files", True
        try:
            yield
        finally:
            organization.origin, organization.files_url, organization.serving = before


def _output(operation: str, resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource of the API as the output of the operation that reads it."""
    from ..call.parse import Answer, parse
    from ..spec import catalog

    body = json.dumps({"data": resource}).encode()
    return parse(catalog.load(operation), Answer(200, "application/json", body))


@contextmanager
def _sandbox_errors() -> Iterator[None]:
    """Raise a refusal of the API as a SandboxError."""
    try:
        yield
    except Refusal as refusal:
        error = refusal.errors[0]
        raise SandboxError(error.get("details", error["title"])) from None
