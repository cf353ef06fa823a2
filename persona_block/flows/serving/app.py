"""The application: the endpoints for Persona and Slack, which signatures guard, and the pages, which a token guards."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ...credentials import Secret
from ...errors import InputError, Problem
from ..client import FlowClient
from .guard import Guard
from .pages import Pages, picture, style
from .receiver import Receiver, Secrets

WEBHOOK_PATH = "/webhooks/persona"
SLACK_PATH = "/slack/interactivity"
LEAST_TOKEN = 16
"""Characters of a token that nobody guesses."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the application answers.

    token: what people sign in with, at least 16 characters. secrets: those of Persona's webhook, asked for with each event,
    so that they can be replaced while this runs. public_url: where it is reached through a proxy, `https://…`; None where it
    is only reached on this machine.
    """

    token: Secret
    secrets: Secrets
    public_url: str | None = None

    def __post_init__(self) -> None:
        if not self.token.is_text or len(self.token.reveal()) < LEAST_TOKEN:
            raise InputError("flow", [Problem("--token", f"must lead to at least {LEAST_TOKEN} characters")])
        if self.public_url is not None and (urlsplit(self.public_url).scheme != "https" or not self.public_host):
            raise InputError("flow", [Problem("--public-url", "must be https://… with a host")])

    @property
    def public_host(self) -> str | None:
        """The host of the public URL."""
        return urlsplit(self.public_url).hostname if self.public_url else None


def create_app(client: FlowClient, options: Options) -> Starlette:
    """Return the ASGI application on a client of flows; makes its table of events, and so blocks for a moment."""
    guard = Guard(options.token, options.public_host, is_secure=options.public_url is not None)
    receiver, pages = Receiver(client, options.secrets), Pages(client, guard)
    return Starlette(
        routes=[
            Route(WEBHOOK_PATH, receiver.webhook, methods=["POST"]),
            Route(SLACK_PATH, receiver.slack, methods=["POST"]),
            Route("/healthz", _health),
            Route("/style.css", style),
            Route("/icon.svg", picture),
            Route("/sign-in", pages.sign_in, methods=["GET", "POST"]),
            Route("/", pages.guarded(pages.flows)),
            Route("/flows/{workflow_id:path}/answer", pages.guarded(pages.answer), methods=["POST"]),
            Route("/flows/{workflow_id:path}", pages.guarded(pages.flow)),
        ],
    )


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok\n")
