"""The page of flows: what waits for what and since when, buttons to answer questions, and what each flow did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import psycopg
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ...errors import InputError
from ...spec.resources import icon
from ..client import FlowClient
from ..overview import flows_of, history
from .guard import HEADERS, Guard

if TYPE_CHECKING:
    import jinja2

Endpoint = Callable[[Request], Awaitable[Response]]

FLOWS_A_PAGE = 50
FORM_LIMIT = 64 * 1024
"""The largest form that is read, in bytes."""
_WRONG_TOKEN_PAUSE = 0.5
"""Seconds that a wrong token costs."""
_HERE = Path(__file__).parent


class Pages:
    """The pages on a client of flows."""

    def __init__(self, client: FlowClient, guard: Guard) -> None:
        self._client = client
        self._guard = guard
        self._wrong = asyncio.Lock()

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint that answers only those who are signed in."""

        async def answer(request: Request) -> Response:
            if not self._guard.knows(request.headers.get("host", "")):
                return _page("refused.html", 403, message="This server is not known by that name.")
            if not self._guard.is_signed_in(request):
                return RedirectResponse("/sign-in", 303, HEADERS)
            try:
                return await endpoint(request)
            except (sa.exc.SQLAlchemyError, psycopg.Error):
                return _page("refused.html", 503, message="The database of flows is away. Try again in a moment.")

        return answer

    async def sign_in(self, request: Request) -> Response:
        """Show the form of the token, or take it."""
        if not self._guard.knows(request.headers.get("host", "")):
            return _page("refused.html", 403, message="This server is not known by that name.")
        if request.method != "POST":
            return _page("sign_in.html", wrong=False)
        fields = await _form(request)
        if fields is None or not self._guard.is_same_site(request):
            return _page("refused.html", 403, message="This can only be sent from a page of this server.")
        if not self._guard.is_token(fields.get("token", "")):
            # One wrong guess at a time, so that many at once gain nothing.
            async with self._wrong:
                await asyncio.sleep(_WRONG_TOKEN_PAUSE)
            return _page("sign_in.html", 401, wrong=True)
        response = RedirectResponse("/", 303, HEADERS)
        self._guard.sign_in(response)
        return response

    async def flows(self, request: Request) -> Response:
        """List the flows, newest first, with the questions that are open."""
        number = request.query_params.get("page", "1")
        page = min(int(number), 10_000) if number.isdecimal() and len(number) < 6 and int(number) > 0 else 1
        found = await flows_of(self._client, limit=FLOWS_A_PAGE + 1, offset=(page - 1) * FLOWS_A_PAGE)
        questions = await self._client.questions()
        return _page(
            "flows.html",
            flows=found[:FLOWS_A_PAGE],
            questions=questions,
            page=page,
            is_last=len(found) <= FLOWS_A_PAGE,
            form_key=self._guard.form_key(request),
        )

    async def flow(self, request: Request) -> Response:
        """Show one flow: for what it waits, what it asks, and what it did."""
        workflow_id = request.path_params["workflow_id"]
        try:
            told = await history(self._client, workflow_id)
        except InputError:
            return _page("refused.html", 404, message="There is no such flow, or what it stored is deleted by now.")
        return _page(
            "flow.html",
            flow=told.flow,
            steps=told.steps,
            inputs=told.inputs if "values" in request.query_params else None,
            form_key=self._guard.form_key(request),
        )

    async def answer(self, request: Request) -> Response:
        """Take the answer to a question."""
        fields = await _form(request)
        if fields is None or not self._guard.is_own_form(request, fields.get("form_key", "")):
            return _page("refused.html", 403, message="This can only be sent from a page of this server. Open it anew.")
        workflow_id = request.path_params["workflow_id"]
        comment = fields.get("comment", "").strip() or None
        try:
            await self._client.answer(workflow_id, fields.get("question", ""), fields.get("option", ""), comment)
        except InputError as error:
            message = "; ".join(f"The {each.param.replace('_id', '')} {each.message}." for each in error.problems)
            return _page("refused.html", 409, message=message)
        return RedirectResponse(f"/flows/{quote(workflow_id, safe='')}", 303, HEADERS)


async def style(_: Request) -> Response:
    """Return the style of the pages."""
    return Response((_HERE / "style.css").read_text("utf-8"), 200, HEADERS, "text/css")


async def picture(_: Request) -> Response:
    """Return the icon of the pages."""
    return Response(icon(), 200, HEADERS, "image/svg+xml")


async def _form(request: Request) -> dict[str, str] | None:
    """Return the fields of a form; None for what is none, or too large."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > FORM_LIMIT:
            return None
    try:
        return dict(parse_qsl(parts.decode(), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        return None


def _page(template: str, status: int = 200, /, **values: Any) -> Response:
    return HTMLResponse(_templates().get_template(template).render(values), status, HEADERS)


@cache
def _templates() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": _moment, "segment": lambda text: quote(text, safe="")}
    return environment


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
