"""The command `flow serve`: the receiver of webhooks, Slack's buttons, and the page of flows."""

from __future__ import annotations

import argparse
import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ..call.addresses import is_loopback
from ..errors import InputError, Problem
from ..sandbox.serving.interruption import interruption
from .exits import SUCCESS
from .flow_offline import offline
from .flow_options import client_of, flows_installed
from .flow_run import engine_of, show_warnings
from .terminal import print_error

if TYPE_CHECKING:
    from ..credentials import Secret
    from ..flows import FlowClient

PAGE_VARIABLE = "PERSONA_FLOWS_TOKEN"
WEBHOOK_VARIABLE = "PERSONA_FLOWS_WEBHOOK_SECRET"
_NEEDS_EXTRA = "The page of flows is not installed: pip install 'persona-block[flows,sandbox]'"


def serve(arguments: argparse.Namespace) -> int:
    """Serve until interrupted, and return the exit code."""
    if not is_loopback(arguments.host) and not arguments.public_url:
        message = "other than loopback also needs --public-url, the https address that people and Persona use"
        raise InputError("flow", [Problem("--host", message)])
    with flows_installed():
        try:
            import jinja2  # noqa: F401
            import starlette  # noqa: F401
            import uvicorn  # noqa: F401
        except ModuleNotFoundError as error:
            raise InputError("flow", [Problem("flow", f"{_NEEDS_EXTRA} ({error.name} is missing)")]) from None
        show_warnings()
        return asyncio.run(_serve(arguments))


async def _serve(arguments: argparse.Namespace) -> int:
    from ..flows.serving import Options, create_app
    from .connections import server_config

    token, is_new = _token(arguments)
    options = Options(token=token, secrets=lambda: _webhook_secrets(arguments), public_url=arguments.public_url)
    try:
        await asyncio.to_thread(options.secrets)
    except InputError:
        if arguments.webhook_secret:
            raise
        print_error(f"There is no {WEBHOOK_VARIABLE}: webhooks are answered 503, and flows look at Persona by themselves.")
    async with _client(arguments) as client:
        app = await asyncio.to_thread(create_app, client, options)
        config = server_config(app, arguments.host, arguments.port)
        with config.bind_socket() as bound:
            bound.listen(config.backlog)
            host, port = bound.getsockname()[:2]
            origin = arguments.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
            print_error(*_announcement(origin.rstrip("/"), token if is_new else None))
            server = _server(config)
            serving = asyncio.create_task(server.serve(sockets=[bound]))
            asked = asyncio.create_task(interruption())
            await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            server.should_exit = True
            await serving
    return SUCCESS


def _announcement(origin: str, new_token: Secret | None) -> Sequence[str]:
    lines = [
        f"The page of flows: {origin}/",
        f"Persona's webhooks: {origin}/webhooks/persona",
        f"Slack's interactivity: {origin}/slack/interactivity",
    ]
    if new_token is not None:
        lines.insert(1, f"Sign in with: {new_token.reveal()}  (for this run; {PAGE_VARIABLE} sets one of your own)")
    return [*lines, "Ctrl-C ends it."]


def _token(arguments: argparse.Namespace) -> tuple[Secret, bool]:
    """Return the token, and whether it was made anew."""
    from ..credentials import Secret
    from ..flows.targets.secrets import configured, named_secret

    found = named_secret(arguments.token, "--token") if arguments.token else configured(PAGE_VARIABLE)
    return (Secret(secrets.token_urlsafe(24)), True) if found is None else (found, False)


def _webhook_secrets(arguments: argparse.Namespace) -> list[Secret]:
    from ..flows.targets.secrets import configured, named_secret

    if arguments.webhook_secret:
        return [named_secret(each, "--webhook-secret") for each in arguments.webhook_secret]
    found = configured(WEBHOOK_VARIABLE)
    if found is None:
        raise InputError("secret", [Problem(WEBHOOK_VARIABLE, "set it to the secret of Persona's webhook")])
    return [found]


@asynccontextmanager
async def _client(arguments: argparse.Namespace) -> AsyncIterator[FlowClient]:
    if not arguments.work:
        async with client_of(arguments) as client:
            yield client
        return
    with offline(arguments) as played:
        async with engine_of(arguments, played) as engine:
            yield engine.client


def _server(config: Any) -> Any:
    """Return a server that leaves signals to the command."""
    import uvicorn

    class EmbeddedServer(uvicorn.Server):
        def capture_signals(self) -> Any:
            from contextlib import nullcontext

            return nullcontext()

    return EmbeddedServer(config)
