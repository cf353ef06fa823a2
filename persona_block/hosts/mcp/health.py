"""What tells an orchestrator whether the server over HTTP lives, and whether it can serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

LIVE_PATH = "/healthz"
"""Answers 200 while the process answers at all."""
READY_PATH = "/readyz"
"""Answers 200 where requests can be served, and 503 where they cannot."""


def health_routes(is_ready: Callable[[], Awaitable[bool]]) -> list[Route]:
    """Return the routes of both checks. Neither calls Persona: an outage there is told to callers, and no restart ends it.

    is_ready: tells whether the server can serve.
    """

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def ready(_: Request) -> Response:
        return PlainTextResponse("ready") if await is_ready() else PlainTextResponse("not ready", 503)

    return [Route(LIVE_PATH, live, methods=["GET"]), Route(READY_PATH, ready, methods=["GET"])]
