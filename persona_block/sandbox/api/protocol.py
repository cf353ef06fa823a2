"""What every request goes through: authentication, headers, rate limit, idempotency, one transaction, one reply.

Sources: OpenAPI components/headers, /parameters and /responses; docs.withpersona.com/authentication, /versioning,
/idempotence, /rate-limiting.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..messages.body import read_json
from ..messages.errors import Refusal, refusal
from ..simulation.settle import settled
from ..state.clock import DAY, SECOND
from ..state.environment import ENVIRONMENT_IDS, ORGANIZATION_ID, Environment, Organization
from ..state.records import RequestRecord, StoredReply
from .exchange import ANSWERED_VERSION, VERSION, HttpReply, HttpRequest, json_bytes, read_dialect, refusal_reply
from .execution import execute

IDEMPOTENCY_LIFETIME = DAY
"""How long a reply is kept under an idempotency key, in milliseconds (docs.withpersona.com/idempotence)."""

DEFAULT_RATE_LIMIT = 300
"""The requests per window that replies show where no limit is set (docs.withpersona.com/rate-limiting)."""

SPARE = 30
"""How many requests are left when such a window begins anew, so that a client that keeps within it is never held up."""

_LONGEST_VERSION = 40  # of what is logged


@dataclass
class _Window:
    """One environment's allowance: a fixed window that starts at its first request."""

    ends: int = 0
    used: int = 0


class Protocol:
    """The API's protocol around each request; `keys` holds the environment of each API key."""

    def __init__(self, organization: Organization, keys: dict[str, str]) -> None:
        self._organization = organization
        self._keys = keys
        self._windows = {name: _Window() for name in ENVIRONMENT_IDS}

    def answer(self, request: HttpRequest) -> HttpReply:
        """Return the reply to a request, whose changes are committed by then."""
        organization, store = self._organization, self._organization.store
        api_key = request.api_key
        with settled(organization) as now:
            number = store.next_request()
            request_id = f"req_{organization.token('req', number)}"
            environment = self._keys.get(api_key)
            effects, replayed = 0, False
            if environment is None:
                reply = _unauthorized(bool(api_key))
            else:
                env = Environment(organization, environment, now, request_id=request_id)
                limits = self._count(environment, now)
                reply, replayed = self._admit(request, env)
                effects = env.effects
                reply.headers |= {
                    "Request-Id": request_id,
                    "Persona-Environment-Id": ENVIRONMENT_IDS[environment],
                    "Persona-Organization-Id": ORGANIZATION_ID,
                    ANSWERED_VERSION: reply.version,
                    **limits,
                }
            record = RequestRecord(
                id=request_id,
                at=now,
                environment=environment,
                api_key=masked(api_key, bool(environment)),
                method=request.method,
                path=request.path,
                query=request.query,
                status=reply.status,
                asked_version=request.headers.get(VERSION, "")[:_LONGEST_VERSION] or None,
                answered_version=reply.version,
                idempotency_key=request.idempotency_key if environment else None,
                replayed=replayed,
                effects=effects,
            )
            store.add_request(number, record)
        return reply

    def _count(self, environment: str, now: int) -> dict[str, str]:
        """Count a request against its environment's window, and return the headers that show what is left of it."""
        settings = self._organization.settings
        window = self._windows[environment]
        is_spent = settings.rate_limit is None and window.used >= DEFAULT_RATE_LIMIT - SPARE
        if now >= window.ends or is_spent:
            window.ends, window.used = now + round(settings.rate_window * SECOND), 0
        window.used += 1
        limit = settings.rate_limit or DEFAULT_RATE_LIMIT
        return {
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(limit - window.used, 0)),
            "RateLimit-Reset": str(-((now - window.ends) // SECOND)),
        }

    def _is_limited(self, environment: str) -> bool:
        limit = self._organization.settings.rate_limit
        return limit is not None and self._windows[environment].used > limit

    def _admit(self, request: HttpRequest, env: Environment) -> tuple[HttpReply, bool]:
        """Return the reply to a request with a known key, and whether it is replayed."""
        if self._is_limited(env.name):
            limit, window = env.settings.rate_limit, env.settings.rate_window
            details = f"You have hit your rate limit of {limit} requests in {window:g} seconds."
            return refusal_reply(refusal(429, details)), False
        try:
            dialect = read_dialect(request.headers)
        except Refusal as error:
            return refusal_reply(error), False
        operation = request.target
        if isinstance(operation, Refusal):
            return refusal_reply(operation, dialect), False
        idempotency_key = request.idempotency_key
        if idempotency_key is None:
            return execute(operation, request, env, dialect), False
        fingerprint = _fingerprint(request)
        stored = env.store.get_reply(request.api_key, idempotency_key)
        if stored and env.now < stored.at + IDEMPOTENCY_LIFETIME:
            if stored.fingerprint != fingerprint:
                details = "This idempotency key was used with other parameters"
                return refusal_reply(refusal(env.settings.mismatch_status, details)), False
            return HttpReply(stored.status, stored.body, stored.media_type, stored.version), True
        reply = execute(operation, request, env, dialect)
        stored = StoredReply(
            at=env.now,
            fingerprint=fingerprint,
            status=reply.status,
            media_type=reply.media_type,
            version=reply.version,
            body=reply.body,
        )
        env.store.put_reply(request.api_key, idempotency_key, stored)
        return reply, False


def masked(api_key: str, known: bool) -> str:
    """Return a known key without its secret part; of an unknown one, which may be real, return nothing but ***."""
    return f"{api_key.rpartition('_')[0]}_***" if known else "***" if api_key else ""


def _fingerprint(request: HttpRequest) -> str:
    """Return a digest of what a request asks for, the same however a client writes its JSON or its multipart boundary."""
    digest = hashlib.sha256(f"{request.method} {request.path}?{request.query}\n".encode())
    if request.parts is not None:
        for name, content in sorted(request.parts.items()):
            digest.update(f"{name}:{-1 if content is None else len(content)}:".encode() + (content or b""))
    else:
        try:
            digest.update(json_bytes(read_json(request.body), sort=True))
        except Refusal:
            digest.update(request.body)
    return digest.hexdigest()


def _unauthorized(has_key: bool) -> HttpReply:
    return refusal_reply(refusal(401, title="Token is invalid" if has_key else None))
