"""Control of the simulation itself, from this machine alone: its time.

`POST /sandbox/clock` with the JSON `{"advance-seconds": 3600}` moves the simulated clock forward, lets happen what is due by
then, and answers `{"now": "2026-03-01T10:00:00.000Z"}`. It needs no API key, and takes nothing from a page of another site.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .clock import SECOND, iso, parse
from .environment import Organization
from .errors import bad_request
from .web import LABEL, at_present, guarded, refusal_json

# Beyond it, expiries would leave the range of dates.
LAST = parse("9000-01-01")


def routes(organization: Organization) -> list[Route]:
    """Give the routes that control the simulation."""

    async def clock(request: Request) -> Response:
        now = advance(organization, _seconds(request.headers.get("content-type", ""), await request.body()))
        return Response(json.dumps({"now": iso(now)}), 200, LABEL, "application/json")

    return [Route("/sandbox/clock", guarded(clock, refusal_json), methods=["POST"])]


def advance(organization: Organization, seconds: float) -> int:
    """Move the clock forward by simulated seconds and let happen what is due; gives the moment. Raises a 400."""
    clock = organization.clock
    if not 0 <= seconds <= (LAST - clock.milliseconds()) / SECOND:  # not a number is neither
        raise bad_request("advance-seconds must be a number that is not negative and does not lead past the year 9000")
    clock.advance(seconds)
    with at_present(organization) as now:
        return now


def _seconds(content_type: str, body: bytes) -> float:
    # A page of another site can send a form, but no JSON, without asking first.
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise bad_request("Content-Type must be application/json")
    try:
        given: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_request("The request body is not valid JSON") from None
    seconds = given.get("advance-seconds") if isinstance(given, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise bad_request('The request body must be an object like {"advance-seconds": 3600}')
    return seconds
