"""The sandbox as an ASGI application: the routes of the API, of its files, and of the pages for a browser."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from python_multipart.exceptions import FormParserError
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from ..api.endpoints import refusal_of
from ..api.exchange import HttpReply, HttpRequest
from ..api.operations import OPERATIONS, Operation
from ..api.protocol import Protocol
from ..messages.errors import refusal
from ..pages import control, dashboard, hosted, web
from ..pages.web import LABEL, Endpoint, refusal_json
from ..simulation.settle import BackgroundImports
from ..state.environment import Organization
from .faults import FAILS

BASE_PATH = "/api/v1"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_/-]+")
"""A path that is the same in a URL, which costs more to make than to look at."""
_ROUTE = "persona_block.route"
"""Where the scope of a request holds the route that fits it best."""

# Its warnings of malformed bodies would otherwise go to standard error, although the reply tells of them.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())


def create_app(organization: Organization, keys: dict[str, str]) -> Starlette:
    """Return the application of an organisation; `keys` holds the environment of each API key."""
    protocol, imports = Protocol(organization, keys), BackgroundImports(organization)
    by_resource: dict[str, list[Route]] = {}
    for operation in OPERATIONS:
        route = Route(BASE_PATH + operation.path, _endpoint(protocol, imports, operation), methods=[operation.method])
        by_resource.setdefault(operation.path.split("/")[1], []).append(route)
    routes: list[BaseRoute] = [_Resource(f"{BASE_PATH}/{name}", each) for name, each in by_resource.items()]
    routes += [
        Route("/files/{filename}", _file_endpoint(organization)),
        *web.routes(),
        *hosted.routes(organization),
        *control.routes(organization),
        *dashboard.routes(organization),
    ]
    no_route: dict[Any, Any] = dict.fromkeys((404, 405), _no_route(protocol))
    app = Starlette(routes=routes, exception_handlers=no_route)
    app.router.redirect_slashes = False  # the API knows no redirects
    return app


class _Resource(BaseRoute):
    """The routes whose paths begin with the same resource, which are looked through for such paths alone."""

    def __init__(self, path: str, routes: list[Route]) -> None:
        self._path = path
        self._routes = routes

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return how well the best of the routes fits a request, and what it adds to its scope."""
        if self._path not in scope["path"]:  # not just at its beginning: the application may be mounted under another path
            return Match.NONE, {}
        found: tuple[Match, Scope] = Match.NONE, {}
        for route in self._routes:
            match, added = route.matches(scope)
            if match.value > found[0].value:
                found = match, {**added, _ROUTE: route}
            if match is Match.FULL:
                break
        return found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route answer that fits best."""
        await scope[_ROUTE].handle(scope, receive, send)


def _endpoint(protocol: Protocol, imports: BackgroundImports, operation: Operation) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        parts, malformed, body = None, None, b""
        if request.headers.get("content-type", "").strip().lower().startswith("multipart/"):
            parts, malformed = await _parts(request)
        else:
            body = await request.body()
        http_request = HttpRequest(
            method=operation.method,
            path=request.scope["path"] if _PLAIN_PATH.fullmatch(request.scope["path"]) else request.url.path,
            query=request.scope["query_string"].decode("latin-1"),
            target=operation,
            ids=request.path_params,
            headers=dict(request.headers.items()),
            body=body,
            parts=parts,
            malformed=malformed,
            fails=request.scope.get(FAILS),
        )
        # Nothing is awaited from here to the reply, so no request sees another half done.
        response = _response(protocol.answer(http_request))
        imports.wake()
        return response

    return endpoint


async def _parts(request: Request) -> tuple[dict[str, bytes | None], str | None]:
    """Return the parts of a multipart body, with None for one without a file, and what is wrong with the body, or None."""
    if not request.headers["content-type"].strip().lower().startswith("multipart/form-data"):
        return {}, "A multipart body must be multipart/form-data"
    try:
        async with request.form() as form:
            parts = {name: await part.read() if isinstance(part, UploadFile) else None for name, part in form.multi_items()}
    except HTTPException as error:
        return {}, f"The multipart body cannot be read: {error.detail.rstrip('.')}"
    except FormParserError:  # which Starlette lets through before 1.7
        return {}, "The multipart body cannot be read"
    return parts, None if parts else "The multipart body has no part that ends"


def _response(reply: HttpReply) -> Response:
    return Response(reply.body, reply.status, {**reply.headers, **LABEL}, reply.media_type)


def _file_endpoint(organization: Organization) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        filename, token = request.path_params["filename"], request.query_params.get("access_token", "")
        file = organization.open_file(filename, token, organization.clock.milliseconds())
        if file is None:
            return PlainTextResponse("This link is wrong or has expired.", 403, LABEL)
        media_type = "image/png" if file.content.startswith(b"\x89PNG") else "application/octet-stream"
        headers = {**LABEL, "X-Content-Type-Options": "nosniff"}
        return Response(file.content, 200, headers, media_type)

    return endpoint


def _no_route(protocol: Protocol) -> Callable[[Request, HTTPException], Awaitable[Response]]:
    """Return what answers a request that no route takes, by its method or by its path."""

    async def answer(request: Request, error: HTTPException) -> Response:
        path = request.url.path
        target = refusal_of(request.method, path.removeprefix(BASE_PATH)) if path.startswith(f"{BASE_PATH}/") else None
        if target is None:
            details = f"The simulation has no {request.method} {path}"
            return refusal_json(refusal(error.status_code, details, headers=dict(error.headers or {})))
        http_request = HttpRequest(
            method=request.method,
            path=path,
            query=request.scope["query_string"].decode("latin-1"),
            target=target,
            ids={},
            headers=dict(request.headers.items()),
        )
        return _response(protocol.answer(http_request))

    return answer
