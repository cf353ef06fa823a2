"""What every page needs: its template and headers, and the guard against other sites.

Another site can make a browser send requests to this machine. So a page answers only requests whose host is this machine,
which the name of another site is not, and takes forms only from the sandbox's own pages.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ..messages.errors import Refusal, bad_request, refusal
from ..state.clock import SECOND

if TYPE_CHECKING:
    import jinja2

Endpoint = Callable[[Request], Awaitable[Response]]

LABEL = {"Persona-Sandbox": "simulation"}
"""The header of every answer, so that none can be mistaken for Persona's."""

_PAGES = Path(__file__).parent
# The host names of a sandbox in process, which no network resolves (RFC 2606)
_IN_PROCESS = ".sandbox.invalid"

_HEADERS = {
    **LABEL,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

# The look of a status; every other one is neutral.
_TONES = {
    "good": ("active", "approved", "completed", "passed", "processed", "ready"),
    "bad": ("declined", "errored", "failed"),
    "wait": ("initiated", "needs_review", "open", "pending", "submitted"),
}
_TONE_OF = {status: tone for tone, statuses in _TONES.items() for status in statuses}


def routes() -> list[Route]:
    """Return the routes of the style and the icon that every page uses."""
    return [Route("/sandbox/style.css", guarded(_style)), Route("/sandbox/icon.svg", guarded(_icon))]


def page(template: str, status: int = 200, /, *, leads_to: str | None = None, **values: Any) -> Response:
    """Return a page; `leads_to` is the URL outside this site that its form may lead to, which the policy must allow."""
    policy = f"{_POLICY} {urlsplit(leads_to).scheme}:" if leads_to else _POLICY
    headers = {**_HEADERS, "Content-Security-Policy": policy}
    return HTMLResponse(_templates().get_template(template).render(values), status, headers)


def see_other(url: str) -> Response:
    """Return a redirect to another page; `url` must be ASCII."""
    response = page("moved.html", 303, url=url)
    response.headers["Location"] = url
    return response


def refusal_page(error: Refusal) -> Response:
    """Return a refusal as a page."""
    return page("refusal.html", error.status, errors=error.errors)


def refusal_json(error: Refusal) -> Response:
    """Return a refusal as JSON, as the API does."""
    return Response(json.dumps(error.body), error.status, {**error.headers, **LABEL}, "application/json")


def guarded(endpoint: Endpoint, refuse: Callable[[Refusal], Response] = refusal_page) -> Endpoint:
    """Return an endpoint that refuses other sites, and that answers a Refusal as `refuse` writes it."""

    async def guard(request: Request) -> Response:
        try:
            if not _is_this_machine(request.headers.get("host", "")):
                raise refusal(403, "The Host header must name this machine, such as 127.0.0.1 or localhost")
            if request.method == "HEAD":  # a preview must not use up a one-time link
                return Response(headers=_HEADERS)
            if request.method == "POST" and not _is_own_form(request):
                raise refusal(403, "This can only be sent from a page of the sandbox itself")
            return await endpoint(request)
        except Refusal as error:
            return refuse(error)

    return guard


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a form by their names. Raises a 400."""
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise bad_request("The form cannot be read") from None


async def _style(_request: Request) -> Response:
    return Response((_PAGES / "style.css").read_text("utf-8"), 200, _HEADERS, "text/css")


async def _icon(_request: Request) -> Response:
    from ...spec.resources import icon

    return Response(icon(), 200, _HEADERS, "image/svg+xml")


def _is_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(_IN_PROCESS) or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_own_form(request: Request) -> bool:
    """Return whether a request comes from a page of this site, or from no browser."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


@cache
def _templates() -> jinja2.Environment:
    # Jinja takes longer to load than everything else, and only pages need it.
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "moment": _moment,
        "words": _words,
        "tone": lambda status: _TONE_OF.get(status.lower(), "plain"),
        "unquoted": unquote,
    }
    return environment


def _moment(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds // SECOND, UTC):%Y-%m-%d %H:%M:%S}"


def _words(name: str) -> str:
    """Return a name of the API, in kebab or snake case, as words."""
    return name.replace("_", " ").replace("-", " ")
