"""Control of the simulation itself, from this machine alone: its time, and its applicants.

`POST /sandbox/clock` with the JSON `{"advance-seconds": 3600}` moves the simulated clock forward, lets happen what is due by
then, and answers `{"now": "2026-03-01T10:00:00.000Z"}`; imports go on in the background. `POST /sandbox/applicant` with
`{"inquiry-id": "inq_…"}` plays the applicant of an inquiry, as the name steers or as an `"outcome"` says (pass, fail, review
or abandon), and answers the inquiry.
Both need no API key, and take nothing from a page of another site.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..api.serialization import present
from ..messages.body import read_json
from ..messages.errors import bad_request, problem
from ..simulation import simulate
from ..state.clock import iso
from ..state.environment import Environment, Organization
from .web import LABEL, at_present, guarded, refusal_json


def routes(organization: Organization) -> list[Route]:
    """Give the routes that control the simulation."""

    async def clock(request: Request) -> Response:
        given = await _given(request)
        seconds = given.get("advance-seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or given.keys() - {"advance-seconds"}:
            raise bad_request('The request body must be an object like {"advance-seconds": 3600}')
        return _json({"now": iso(advance(organization, seconds))})

    async def applicant(request: Request) -> Response:
        given = await _given(request)
        inquiry_id, outcome = given.get("inquiry-id"), given.get("outcome")
        if not isinstance(inquiry_id, str) or given.keys() - {"inquiry-id", "outcome"}:
            raise bad_request('The request body must be an object like {"inquiry-id": "inq_…", "outcome": "pass"}')
        if outcome not in (None, *simulate.OUTCOMES):
            raise bad_request(f"outcome must be one of {', '.join(simulate.OUTCOMES)}, or absent")
        return _json({"data": play(organization, inquiry_id, outcome)})

    return [
        Route("/sandbox/clock", guarded(clock, refusal_json), methods=["POST"]),
        Route("/sandbox/applicant", guarded(applicant, refusal_json), methods=["POST"]),
    ]


def advance(organization: Organization, seconds: float) -> int:
    """Move the clock forward by simulated seconds and let happen what is due; gives the moment. Raises a 400."""
    try:
        organization.clock.advance(seconds)
    except ValueError:
        details = "advance-seconds must be a number that is not negative and does not lead past the year 9000"
        raise bad_request(details) from None
    with at_present(organization) as now:
        return now


def play(organization: Organization, inquiry_id: str, outcome: str | None) -> dict[str, Any]:
    """Play the applicant of an inquiry of either environment (see `simulate.play`); gives the inquiry as the API would.

    Raises a 404, 409 or 422 for an inquiry that is unknown, or that no applicant can go on with.
    """
    with at_present(organization) as now:
        found = organization.store.get(inquiry_id)
        if found is None or found.kind != "inquiry":
            raise problem(404, "There is no inquiry with this id")
        env = Environment(organization, found.environment, now, actor="applicant")
        inquiry = env.get(inquiry_id)
        simulate.play(env, inquiry, outcome)
        return present(env, inquiry, {})


async def _given(request: Request) -> dict[str, Any]:
    # A page of another site can send a form, but no JSON, without asking first.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise bad_request("Content-Type must be application/json")
    given = read_json(await request.body())
    if not isinstance(given, dict):
        raise bad_request("The request body must be a JSON object")
    return given


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), 200, LABEL, "application/json")
