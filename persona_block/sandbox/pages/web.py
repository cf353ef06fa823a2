"""Pages: how they are written, and who may ask for one.

A browser that some other site has lured can still reach this machine. So a page is shown only to a request that names this
machine as its host, which no name of another site can, and a form is taken only from a page of ours.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ..messages.errors import Problem, bad_request, problem
from ..simulation.settle import settle
from ..state.clock import SECOND
from ..state.environment import Organization

if TYPE_CHECKING:
    import jinja2

Endpoint = Callable[[Request], Awaitable[Response]]

# Every answer carries it, so that none can be taken for the real thing.
LABEL = {"Persona-Sandbox": "simulation"}

_PAGES = Path(__file__).parent
# Where a program in the same process finds the sandbox: names that no network resolves (RFC 2606)
_IN_PROCESS = ".sandbox.invalid"

_HEADERS = {
    **LABEL,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

# How a status looks; every other one is neutral.
_TONES = {
    "good": ("active", "approved", "completed", "passed", "processed", "ready"),
    "bad": ("declined", "errored", "failed"),
    "wait": ("initiated", "needs_review", "open", "pending", "submitted"),
}
_TONE_OF = {status: tone for tone, statuses in _TONES.items() for status in statuses}


def routes() -> list[Route]:
    """Give the routes of what every page uses."""
    return [Route("/sandbox/style.css", guarded(_style)), Route("/sandbox/icon.svg", guarded(_icon))]


def page(template: str, status: int = 200, /, *, leads_to: str | None = None, **values: Any) -> Response:
    """Write a page. `leads_to` is where its form may end up besides this site, which the browser has to be told."""
    policy = f"{_POLICY} {urlsplit(leads_to).scheme}:" if leads_to else _POLICY
    headers = {**_HEADERS, "Content-Security-Policy": policy}
    return HTMLResponse(_templates().get_template(template).render(values), status, headers)


def see_other(url: str) -> Response:
    """Send a browser on to another page; `url` is ASCII."""
    response = page("moved.html", 303, url=url)
    response.headers["Location"] = url
    return response


def refusal_page(refusal: Problem) -> Response:
    """Write a refusal as a page."""
    return page("refusal.html", refusal.status, errors=refusal.errors)


def refusal_json(refusal: Problem) -> Response:
    """Write a refusal as the API writes its own."""
    return Response(json.dumps(refusal.body), refusal.status, LABEL, "application/json")


def guarded(endpoint: Endpoint, refuse: Callable[[Problem], Response] = refusal_page) -> Endpoint:
    """Keep other sites away from an endpoint, and answer the Problem it raises as `refuse` writes it."""

    async def guard(request: Request) -> Response:
        try:
            if not _names_this_machine(request.headers.get("host", "")):
                raise problem(403, "The Host header must name this machine, such as 127.0.0.1 or localhost")
            if request.method == "HEAD":  # looks, and must not use up a one-time link
                return Response(headers=_HEADERS)
            if request.method == "POST" and not _is_ours(request):
                raise problem(403, "This can only be sent from a page of the sandbox itself")
            return await endpoint(request)
        except Problem as refusal:
            return refuse(refusal)

    return guard


async def form(request: Request) -> dict[str, str]:
    """Read a form, by field name. Raises a 400."""
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise bad_request("The form cannot be read") from None


@contextmanager
def at_present(organization: Organization) -> Iterator[int]:
    """Make a transaction in which everything that is due has happened; gives the simulated moment in milliseconds."""
    with organization.store.transaction():
        now = organization.clock.milliseconds()
        settle(organization, now)
        yield now


async def _style(request: Request) -> Response:
    return Response((_PAGES / "style.css").read_text("utf-8"), 200, _HEADERS, "text/css")


async def _icon(request: Request) -> Response:
    from ...spec.resources import icon

    return Response(icon(), 200, _HEADERS, "image/svg+xml")


def _names_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(_IN_PROCESS) or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_ours(request: Request) -> bool:
    """Whether a request comes from a page of this site, or from no browser at all."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


@cache
def _templates() -> jinja2.Environment:
    # Only a browser needs it, and it takes longer to load than all the rest.
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
    """Write a name of the API, in whatever case, as words."""
    return name.replace("_", " ").replace("-", " ")
