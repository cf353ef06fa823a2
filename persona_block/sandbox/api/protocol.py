"""What every request goes through: authentication, headers, rate limit, idempotency, one transaction, one reply.

Sources: OpenAPI components/headers, /parameters and /responses; docs.withpersona.com/authentication, /versioning,
/idempotence, /rate-limiting.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import Any

from ...spec.inflection import INFLECTIONS, inflect, normalize
from ..messages.body import is_json, read_json
from ..messages.errors import Refusal, bad_request, refusal
from ..messages.shapes import check_shape
from ..simulation.settle import settled
from ..state.clock import DAY, SECOND
from ..state.environment import ENVIRONMENT_IDS, ORGANIZATION_ID, Environment, Organization
from ..state.records import RequestRecord, StoredReply
from .exchange import PDF, HttpReply, HttpRequest, json_bytes, refusal_reply
from .operations import Operation, OperationRequest, OperationResult
from .query import Page, read_query
from .serialization import included_objects, resource_object

VERSIONS = frozenset(
    {"2025-12-08", "2025-10-27", "2023-01-05", "2022-09-01", "2021-08-18", "2021-07-05", "2021-02-21", "2020-05-18"}
)
"""The values of Persona-Version that are accepted."""

IDEMPOTENCY_LIFETIME = DAY
"""How long a reply is kept under an idempotency key, in milliseconds (docs.withpersona.com/idempotence)."""

DEFAULT_RATE_LIMIT = 300
"""The requests per window that replies show where no limit is set (docs.withpersona.com/rate-limiting)."""

UPLOAD_PART = "data[attributes][file]"
"""The part of a multipart body that holds its file (OpenAPI: /importer/accounts)."""

_log = logging.getLogger(__name__)


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
            reply, effects, replayed = _unauthorized(bool(api_key)), 0, False
            if environment:
                env = Environment(organization, environment, now, request_id=request_id)
                limits = self._rate_headers(environment, now)
                reply, replayed = self._admit(request, env)
                effects = env.effects
                identity = {
                    "Request-Id": request_id,
                    "Persona-Environment-Id": ENVIRONMENT_IDS[environment],
                    "Persona-Organization-Id": ORGANIZATION_ID,
                }
                reply = HttpReply(reply.status, reply.body, reply.media_type, reply.headers | identity | limits)
            record = RequestRecord(
                id=request_id,
                at=now,
                environment=environment,
                api_key=masked(api_key, bool(environment)),
                method=request.method,
                path=request.path,
                query=request.query,
                status=reply.status,
                idempotency_key=request.idempotency_key if environment else None,
                replayed=replayed,
                effects=effects,
            )
            store.add_request(number, record)
        return reply

    def _rate_headers(self, environment: str, now: int) -> dict[str, str]:
        """Count a request against its environment's window, and return the headers that show what is left of it."""
        settings = self._organization.settings
        window = self._windows[environment]
        if now >= window.ends:
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
            inflection = _checked_inflection(request.headers)
        except Refusal as error:
            return refusal_reply(error), False
        operation = request.target
        if isinstance(operation, Refusal):
            return refusal_reply(operation, inflection), False
        idempotency_key = request.idempotency_key
        if idempotency_key is None:
            return _attempt(operation, request, env, inflection), False
        fingerprint = _fingerprint(request)
        stored = env.store.get_reply(request.api_key, idempotency_key)
        if stored and env.now < stored.at + IDEMPOTENCY_LIFETIME:
            if stored.fingerprint != fingerprint:
                details = "This idempotency key was used with other parameters"
                return refusal_reply(refusal(env.settings.mismatch_status, details)), False
            return HttpReply(stored.status, stored.body, stored.media_type), True
        reply = _attempt(operation, request, env, inflection)
        stored = StoredReply(
            at=env.now, fingerprint=fingerprint, status=reply.status, media_type=reply.media_type, body=reply.body
        )
        env.store.put_reply(request.api_key, idempotency_key, stored)
        return reply, False


def masked(api_key: str, known: bool) -> str:
    """Return a known key without its secret part; of an unknown one, which may be real, return nothing but ***."""
    return f"{api_key.rpartition('_')[0]}_***" if known else "***" if api_key else ""


def _attempt(operation: Operation, request: HttpRequest, env: Environment, inflection: str) -> HttpReply:
    """Run the operation, and return its reply; an error undoes all its changes."""
    try:
        with env.store.savepoint():
            return _run(operation, request, env, inflection)
    except Refusal as error:
        env.effects = 0
        return refusal_reply(error, inflection)
    except Exception:
        _log.exception("%s %s failed", request.method, request.path)
        env.effects = 0
        return refusal_reply(refusal(500, "The simulation failed; its log says where"), inflection)


def _run(operation: Operation, request: HttpRequest, env: Environment, inflection: str) -> HttpReply:
    if operation.environment and operation.environment != env.name:
        raise refusal(403, f"This needs an API key of the {operation.environment} environment")
    query = read_query(request.query, operation.filters, serialized=not operation.binary)
    if request.malformed:
        raise bad_request(request.malformed)
    operation_request = OperationRequest(env, request.path, request.ids, query)
    if request.parts is not None:
        operation_request.upload = _upload(operation, request.parts)
    elif operation.body is not None:
        if request.body.strip() and not is_json(request.headers.get("content-type", "")):
            raise bad_request("Content-Type must be application/json")
        operation_request.body = normalize(read_json(request.body))
        check_shape(operation.body, operation_request.body)
    return _result_reply(operation.handle(operation_request), operation_request, inflection)


def _result_reply(result: OperationResult, request: OperationRequest, inflection: str) -> HttpReply:
    """Return an operation's result as a reply."""
    env, query, data = request.env, request.query, result.data
    if isinstance(data, bytes):
        return HttpReply(result.status, data, PDF)
    body: dict[str, Any]
    if isinstance(data, Page):
        body = {
            "data": [resource_object(env, resource, query.fields) for resource in data.resources],
            "links": {"prev": data.prev, "next": data.next},
        }
    else:
        body = {"data": resource_object(env, data, query.fields)}
        if query.include:
            body["included"] = included_objects(env, data, query)
        if result.meta is not None:
            body["meta"] = result.meta
    return HttpReply(result.status, json_bytes(inflect(body, inflection)))


def _checked_inflection(headers: dict[str, str]) -> str:
    """Return the inflection that the headers ask for. Raises a 400 for an unknown inflection or version."""
    if headers.get("persona-version", "2025-12-08") not in VERSIONS:
        raise bad_request(f"Persona-Version must be one of {', '.join(sorted(VERSIONS, reverse=True))}")
    inflection = headers.get("key-inflection", "kebab")
    if inflection not in INFLECTIONS:
        raise bad_request(f"Key-Inflection must be one of {', '.join(INFLECTIONS)}")
    return inflection


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


def _upload(operation: Operation, parts: dict[str, bytes | None]) -> bytes:
    """Return the file of a multipart body. Raises a 400 for anything else in it."""
    if not operation.upload:
        raise bad_request("The request body must be JSON")
    unknown = [f"{name} is not allowed" for name in parts if name != UPLOAD_PART]
    content = parts.get(UPLOAD_PART)
    if unknown or content is None:
        missing = [] if content is not None else [f"{UPLOAD_PART} must be a file"]
        raise bad_request(*unknown, *missing)
    return content


def _unauthorized(has_key: bool) -> HttpReply:
    return refusal_reply(refusal(401, title="Token is invalid" if has_key else None))
