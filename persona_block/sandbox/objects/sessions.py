"""Inquiry sessions: each is one access of an applicant, by a token or a one-time link.

Sources: docs.withpersona.com/2021-05-14/inquiry-sessions, /inquiry-one-time-links, and the OpenAPI's resume and
generate-one-time-link paths.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from ..messages.errors import Refusal, not_found, refusal, unprocessable
from ..state.clock import DAY, MINUTE, SECOND
from ..state.environment import ENVIRONMENT_IDS, Environment, Organization
from ..state.records import Resource

SESSION_LIMIT = 25
"""The sessions of one inquiry, at most (docs.withpersona.com/2021-05-14/inquiry-sessions)."""

LINK_LIFETIME = DAY
"""How long an unused one-time link opens, unless its creation asks for another interval (same page)."""

LINK_GRACE = 5 * MINUTE
"""How long a used one-time link still opens (docs.withpersona.com/docs/inquiries-resuming-inquiries)."""

_CODE_PREFIX = "us1-"
# The statuses in which an inquiry is over for the applicant, so that no new link would help
_ENDED = ("completed", "failed", "needs_review", "approved", "declined")


def create(env: Environment, inquiry: Resource) -> Resource:
    """Create a session of an inquiry; the caller saves the inquiry. Raises a 422 beyond `SESSION_LIMIT`."""
    sessions = inquiry.relationships["sessions"]
    if len(sessions) >= SESSION_LIMIT:
        raise unprocessable(f"An inquiry can have at most {SESSION_LIMIT} sessions")
    attributes = {"status": "new", "created-at": env.timestamp, "started-at": None, "expired-at": None}
    # A session ends at the expiry that its inquiry has now; later changes of that expiry do not move it.
    session = env.create("inquiry-session", attributes, {"inquiry": inquiry.identifier}, due=inquiry.due)
    sessions.append(session.identifier)
    return session


def unused_or_new(env: Environment, inquiry: Resource) -> Resource:
    """Return a session that nobody has opened yet, or else a new one. Raises as `create` does."""
    for session in env.children(inquiry, "sessions"):
        if session.attributes["status"] == "new":
            return session
    return create(env, inquiry)


def open_or_new(env: Environment, inquiry: Resource) -> Resource:
    """Return the session that the applicant is in, or else `unused_or_new`."""
    for session in env.children(inquiry, "sessions"):
        if session.attributes["status"] == "active":
            return session
    return unused_or_new(env, inquiry)


def activate(env: Environment, session: Resource) -> None:
    """Mark a session as opened by the applicant, if it is new."""
    if session.attributes["status"] == "new":
        session.attributes |= {"status": "active", "started-at": env.timestamp}
        env.save(session, "inquiry-session.started")


def expire(env: Environment, session: Resource) -> None:
    """End a session, if it has not ended yet."""
    if session.attributes["status"] != "expired":
        session.attributes |= {"status": "expired", "expired-at": env.timestamp}
        session.due = None
        env.save(session, "inquiry-session.expired")


def expire_all(env: Environment, inquiry: Resource) -> None:
    """End every session of an inquiry."""
    for session in env.children(inquiry, "sessions"):
        expire(env, session)


def token(env: Environment, session: Resource) -> str:
    """Return a token of a session: a JWT of the same shape as Persona's, signed with the sandbox's own secret."""
    issued = env.now // SECOND
    claims = {
        "sub": session.id,
        "aud": "persona-verify",
        "iss": env.organization.origin,
        "iat": issued,
        "nbf": issued,
        "exp": issued + DAY // SECOND,
        "jti": env.organization.token("jti", f"{session.id}/{env.now}"),
        "sid": session.id,
        "inquiry_id": session.relationships["inquiry"]["id"],
        "environment_id": ENVIRONMENT_IDS[env.name],
    }
    signed = f"{_base64url({'alg': 'HS256', 'typ': 'JWT'})}.{_base64url(claims)}"
    return f"{signed}.{_signature(env.organization, signed)}"


def by_token(organization: Organization, token: str, now: int) -> Resource:
    """Return the session of a token. Raises a 404 for a token that this sandbox did not sign, a 410 for an expired one."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(organization, signed).encode()):
        raise not_found()
    payload = signed.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    session = organization.store.get(claims["sid"])
    if session is None:
        raise not_found()
    if now >= claims["exp"] * SECOND:
        raise gone("This session has expired")
    return session


def link(env: Environment, session: Resource, seconds: int | None) -> dict[str, str]:
    """Return a session's one-time link, long and short, good for some simulated seconds or by default `LINK_LIFETIME`."""
    session.private["link-expires"] = env.now + (seconds * SECOND if seconds else LINK_LIFETIME)
    env.save(session)
    origin = env.organization.origin
    code = f"{_CODE_PREFIX}{session.id.partition('_')[2]}{env.organization.token('link', session.id, 8)}"
    return {"one-time-link": f"{origin}/verify?code={code}", "one-time-link-short": f"{origin}/v/{code}"}


def open_link(organization: Organization, code: str, now: int) -> Resource:
    """Use a one-time link, and return its session. Raises a 404 for an unknown code, a 410 for a used or expired one."""
    body = code.removeprefix(_CODE_PREFIX)
    session = organization.store.get(f"iqse_{body[:-8]}")
    if session is None or not hmac.compare_digest(body[-8:].encode(), organization.token("link", session.id, 8).encode()):
        raise not_found()
    inquiry = organization.store.get(session.relationships["inquiry"]["id"])
    if inquiry is not None and inquiry.attributes["status"] in _ENDED:
        raise ended(410, inquiry)
    if now >= session.private.get("link-expires", 0) or session.attributes["status"] == "expired":
        raise gone("This link has expired")
    if now > session.private.setdefault("link-opened", now) + LINK_GRACE:
        raise gone("This link has been used")
    env = Environment(organization, session.environment, now, actor="applicant")
    activate(env, session)
    env.save(session)
    return session


def gone(details: str) -> Refusal:
    """Return a 410: the link or session is over."""
    return refusal(410, details, title="Link expired")


def ended(status: int, inquiry: Resource) -> Refusal:
    """Return a refusal of some status for an applicant whose inquiry is finished or decided."""
    details = f"Its status is {inquiry.attributes['status'].replace('_', ' ')}, and nothing is left to do"
    return refusal(status, details, title="This inquiry has ended")


def _signature(organization: Organization, signed: str) -> str:
    return _base64url(hmac.digest(organization.secret, signed.encode(), hashlib.sha256))


def _base64url(value: dict[str, Any] | bytes) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
