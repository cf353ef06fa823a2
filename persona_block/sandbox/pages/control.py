"""The control of the simulation by programs on this machine: its time, and its applicants.

`POST /sandbox/clock` with the JSON `{"advance-seconds": 3600}` moves the simulated clock forward, does what is due by then,
and answers `{"now": "2026-03-01T10:00:00.000Z"}`; imports go on in the background. `POST /sandbox/applicant` with
`{"inquiry-id": "inq_…"}` plays the applicant of an inquiry, to the outcome that the name steers to or to an `"outcome"` (pass,
fail, review or abandon), and answers the inquiry. `POST /sandbox/webhook/rotate-secret` with `{"expires-in-seconds": 3600}`
or `{}` gives the webhook a new secret and answers it; for that long, or a day, both secrets sign. None needs an API key, and
all refuse a page of another site.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..api.serialization import resource_object
from ..messages.body import is_json, read_json
from ..messages.errors import bad_request, refusal
from ..messages.shapes import MAX_SECONDS
from ..simulation import simulate
from ..simulation.settle import settled
from ..state.clock import DAY, SECOND, iso
from ..state.environment import Environment, Organization
from .web import LABEL, guarded, refusal_json

ROTATION_SECONDS = DAY // SECOND
"""How long a replaced webhook secret still signs, in simulated seconds, unless its rotation says otherwise."""


def routes(organization: Organization) -> list[Route]:
    """Return the routes that control the simulation."""

    async def clock(request: Request) -> Response:
        body = await _json_object(request)
        seconds = body.get("advance-seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or body.keys() - {"advance-seconds"}:
            raise bad_request('The request body must be an object like {"advance-seconds": 3600}')
        return _json({"now": iso(advance(organization, seconds))})

    async def applicant(request: Request) -> Response:
        body = await _json_object(request)
        inquiry_id, outcome = body.get("inquiry-id"), body.get("outcome")
        if not isinstance(inquiry_id, str) or body.keys() - {"inquiry-id", "outcome"}:
            raise bad_request('The request body must be an object like {"inquiry-id": "inq_…", "outcome": "pass"}')
        if outcome not in (None, *simulate.OUTCOMES):
            raise bad_request(f"outcome must be one of {', '.join(simulate.OUTCOMES)}, or absent")
        return _json({"data": play(organization, inquiry_id, outcome)})

    async def rotation(request: Request) -> Response:
        body = await _json_object(request)
        if body.keys() - {"expires-in-seconds"}:
            raise bad_request('The request body must be an object like {"expires-in-seconds": 3600}')
        secret, ends = rotate_secret(organization, body.get("expires-in-seconds", ROTATION_SECONDS))
        return _json({"secret": secret, "previous-secret-expires-at": iso(ends)})

    return [
        Route("/sandbox/clock", guarded(clock, refusal_json), methods=["POST"]),
        Route("/sandbox/applicant", guarded(applicant, refusal_json), methods=["POST"]),
        Route("/sandbox/webhook/rotate-secret", guarded(rotation, refusal_json), methods=["POST"]),
    ]


def advance(organization: Organization, seconds: float) -> int:
    """Move the clock forward by simulated seconds, do what is due, and return the time in milliseconds. Raises a 400."""
    try:
        organization.clock.advance(seconds)
    except ValueError:
        details = "advance-seconds must be a number that is not negative and does not lead past the year 9000"
        raise bad_request(details) from None
    with settled(organization) as now:
        return now


def play(organization: Organization, inquiry_id: str, outcome: str | None) -> dict[str, Any]:
    """Play the applicant of an inquiry of either environment (see `simulate.play`), and return the inquiry as the API would.

    Raises ValueError for an unknown outcome, a 404, 409 or 422 for an inquiry that is unknown or cannot go on.
    """
    with settled(organization) as now:
        stored = organization.store.get(inquiry_id)
        if stored is None or stored.kind != "inquiry":
            raise refusal(404, "There is no inquiry with this id")
        env = Environment(organization, stored.environment, now, actor="applicant")
        inquiry = env.get(inquiry_id)
        simulate.play(env, inquiry, outcome)
        return resource_object(env, inquiry)


def rotate_secret(organization: Organization, seconds: Any) -> tuple[str, int]:
    """Replace the webhook's secret; return the new one, and the moment until which the one before signs too.

    Raises a 400 for what is no number of seconds, a 404 without a webhook.
    """
    if organization.rotate_secret is None:
        raise refusal(404, "This sandbox has no webhook")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_SECONDS:
        raise bad_request(f"expires-in-seconds must be a number from 0 to {MAX_SECONDS}")
    with settled(organization) as now:
        return organization.rotate_secret(seconds), now + round(seconds * SECOND)


async def _json_object(request: Request) -> dict[str, Any]:
    # Without asking the server first, a browser sends forms from a page of another site, but no JSON.
    if not is_json(request.headers.get("content-type", "")):
        raise bad_request("Content-Type must be application/json")
    body = read_json(await request.body())
    if not isinstance(body, dict):
        raise bad_request("The request body must be a JSON object")
    return body


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), 200, LABEL, "application/json")
