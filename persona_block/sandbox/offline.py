"""The sandbox itself: an offline Persona that a program holds in its hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from . import sessions, simulate
from .app import BASE_PATH, create_app
from .choices import Settings
from .clock import SECOND, Clock
from .environment import PRODUCTION, SANDBOX, Environment, Organization
from .errors import Problem
from .records import Delivery, Effect, RequestRecord, Resource
from .serialization import present
from .settle import settle
from .store import Store
from .templates import TEMPLATES, Templates, install

ORIGIN = "https://persona.sandbox.invalid"
FILES_URL = "https://files.sandbox.invalid"

API_KEY = "persona_production_offline"
SANDBOX_KEY = "persona_sandbox_offline"


class SandboxError(Exception):
    """What was asked of the sandbox cannot be done in its present state; the message says why."""


class Sandbox:
    """An offline Persona: a simulation that verifies nobody and talks to no one.

    state: a file that keeps everything, created where it is missing; None keeps it in memory.
    seed: makes ids and invented people repeatable; a file keeps the seed it was created with.
    speed: simulated seconds in a real one; 0 stops the clock, which `clock.advance` still moves.
    populate: fill a new state with an organisation to explore (see `organisation`).
    report_delay, import_delay: simulated seconds until a report or an import is ready.
    rate_limit, rate_window: requests in so many simulated seconds before a 429; None never refuses.
    strict, mismatch_status: see `choices.Settings`.

    In process, hand `transport`, `base_url` and `api_key` to a client. As a server, use `serve` or `run`.
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
    ) -> None:
        settings = Settings(strict, mismatch_status, report_delay, import_delay, rate_limit, rate_window)
        self._store = Store(state)
        self.clock = Clock(speed=speed)
        # A file may remember a future that its clock had been advanced to.
        self.clock.advance(max(0, self._store.latest() - self.clock.milliseconds()) / SECOND)
        self.organization = Organization(self._store, self.clock, settings, seed, ORIGIN, FILES_URL)
        self.api_key = API_KEY
        self.sandbox_key = SANDBOX_KEY
        self.templates: Templates = TEMPLATES
        with self._store.transaction():
            is_new = install(self._store)
            if is_new and populate:
                from .organisation import populate as fill

                fill(self.organization, self.clock.milliseconds())
        self.app: Starlette = create_app(self.organization, {API_KEY: PRODUCTION, SANDBOX_KEY: SANDBOX})

    @property
    def base_url(self) -> str:
        """The API's base URL: in process one that no network knows, while serving the server's own."""
        return self.organization.origin + BASE_PATH

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """A transport for an httpx.AsyncClient that answers in this process, file URLs included."""
        return _InProcess(self.app)

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request the API answered, oldest first, with keys masked."""
        return self._store.requests()

    @property
    def effects(self) -> list[Effect]:
        """Every change that happened, oldest first: what, to which object, by which request, or by whom else."""
        return self._store.effects()

    @property
    def deliveries(self) -> list[Delivery]:
        """The latest attempts to deliver an event to the webhook, newest first."""
        return self._store.deliveries()

    def complete(self, inquiry_id: str, outcome: str | None = None) -> dict[str, Any]:
        """Play the applicant of an inquiry to the end, and give the inquiry as the API would.

        `outcome` is pass, fail, review or abandon; None lets the applicant's name decide (see `outcomes.OUTCOMES`).
        Raises SandboxError for an inquiry that is unknown, or that no applicant can go on with.
        """
        with self._acting(inquiry_id) as (env, inquiry):
            simulate.play(env, inquiry, outcome)
            return present(env, inquiry, {})

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
        """Let happen what time has made due by now, as the next request would."""
        with self._store.transaction():
            settle(self.organization, self.clock.milliseconds())

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve on a loopback port while the context lasts; gives the API's base URL. Port 0 takes a free one."""
        from .server import serving

        async with serving(self.app, host, port) as origin:
            with self._published(origin):
                yield self.base_url

    def run(self, host: str = "127.0.0.1", port: int = 0, announce: Callable[[str], None] = lambda base_url: None) -> None:
        """Serve on a loopback port until interrupted; `announce` is told the API's base URL."""
        from .server import run

        def publish(origin: str) -> None:
            self._publish(origin, f"{origin}/files")
            announce(self.base_url)

        run(self.app, host, port, publish)

    def close(self) -> None:
        """Close the state; one kept in a file can be opened again."""
        self._store.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _acting(self, inquiry_id: str) -> Iterator[tuple[Environment, Resource]]:
        now = self.clock.milliseconds()
        with _explained(), self._store.transaction():
            settle(self.organization, now)
            found = self._store.get(inquiry_id)
            env = Environment(self.organization, found.environment if found else PRODUCTION, now, actor="applicant")
            yield env, env.get(inquiry_id, "inquiry")

    @contextmanager
    def _published(self, origin: str) -> Iterator[None]:
        before = self.organization.origin, self.organization.files_url
        self._publish(origin, f"{origin}/files")
        try:
            yield
        finally:
            self._publish(*before)

    def _publish(self, origin: str, files_url: str) -> None:
        self.organization.origin, self.organization.files_url = origin, files_url


class _InProcess(httpx.AsyncBaseTransport):
    """Answers from an application; what is asked of the host of files goes to its path for them."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(f"{FILES_URL}/"):
            url = request.url.copy_with(raw_path=b"/files" + request.url.raw_path)
            request = httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        return await self._inner.handle_async_request(request)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn an answer of the API into an error of the sandbox."""
    try:
        yield
    except Problem as refusal:
        error = refusal.errors[0]
        raise SandboxError(error.get("details", error["title"])) from None
