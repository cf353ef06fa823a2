"""What every call goes through: authentication, headers, rate limit, idempotency, one transaction, one answer.

Sources: OpenAPI components/headers, /parameters and /responses; docs.withpersona.com/authentication, /versioning,
/idempotence, /rate-limiting.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, field
from typing import Any

from ...spec.inflection import INFLECTIONS, inflect, normalize
from ..messages.body import read_json
from ..messages.errors import Problem, bad_request, problem
from ..messages.shapes import check
from ..simulation.settle import settle
from ..state.choices import Settings
from ..state.clock import DAY, SECOND
from ..state.environment import ENVIRONMENT_IDS, ORGANIZATION_ID, Environment, Organization
from ..state.records import RequestRecord, Resource, StoredAnswer
from .operations import Call, Operation, Reply
from .query import Page, read
from .serialization import included, present

VERSIONS = frozenset(
    {"2025-12-08", "2025-10-27", "2023-01-05", "2022-09-01", "2021-08-18", "2021-07-05", "2021-02-21", "2020-05-18"}
)

# docs.withpersona.com/idempotence
IDEMPOTENCY_LIFETIME = DAY
# docs.withpersona.com/rate-limiting; shown where no limit is enforced
DEFAULT_RATE_LIMIT = 300

JSON = "application/json"
PDF = "application/pdf"

# The part of an upload that holds the file, in kebab-case (OpenAPI: /importer/accounts)
UPLOAD_PART = "data[attributes][file]"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Incoming:
    """A request as it came: `headers` in lower case, `parts` instead of `body` where it was multipart."""

    operation: Operation
    path: str
    query: str
    ids: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    parts: dict[str, bytes | None] | None = None  # None is the content of a part that is no file
    malformed: str | None = None  # what is wrong with a multipart body that cannot be read


@dataclass(frozen=True)
class Answer:
    """A response: its status, its bytes, and its headers besides the content type."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class _Window:
    """One environment's allowance: a fixed window that starts at its first request."""

    ends: int = 0
    used: int = 0


class Protocol:
    """Answers requests, each in a transaction of its own. `keys` gives the environment of each API key."""

    def __init__(self, organization: Organization, keys: dict[str, str]) -> None:
        self._organization = organization
        self._keys = keys
        self._windows = {name: _Window() for name in ENVIRONMENT_IDS}

    def answer(self, incoming: Incoming) -> Answer:
        """Answer a request; what it changed is committed when this returns."""
        organization, store = self._organization, self._organization.store
        with store.transaction():
            now = organization.clock.milliseconds()
            settle(organization, now)
            number = store.next_request()
            request_id = f"req_{organization.token('req', number)}"
            key, environment = self._authenticate(incoming.headers)
            answer, effects, replayed = _unauthorized(bool(key)), 0, False
            idempotency_key = _idempotency_key(incoming) if environment else None
            if environment:
                env = Environment(organization, environment, now, request_id=request_id)
                headers = self._rate_headers(environment, now)
                answer, replayed = self._admitted(incoming, env, key, idempotency_key, headers)
                effects = env.effects
                identity = {
                    "Request-Id": request_id,
                    "Persona-Environment-Id": ENVIRONMENT_IDS[environment],
                    "Persona-Organization-Id": ORGANIZATION_ID,
                }
                answer = Answer(answer.status, answer.body, answer.media_type, identity | headers)
            record = RequestRecord(
                request_id, now, environment, masked(key, bool(environment)), incoming.operation.method, incoming.path,
                incoming.query, answer.status, idempotency_key, replayed, effects,
            )  # fmt: skip
            store.add_request(number, record)
        return answer

    def _authenticate(self, headers: dict[str, str]) -> tuple[str, str | None]:
        """Give the key of a request, and its environment if the key is known."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else ""
        return key, self._keys.get(key)

    def _rate_headers(self, environment: str, now: int) -> dict[str, str]:
        """Count a request against its environment's window, and say what is left of it."""
        settings: Settings = self._organization.settings
        window = self._windows[environment]
        if now >= window.ends:
            window.ends, window.used = now + round(settings.rate_window * SECOND), 0
        window.used += 1
        limit = settings.rate_limit or DEFAULT_RATE_LIMIT
        remaining = limit - window.used if settings.rate_limit else limit
        return {
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(remaining, 0)),
            "RateLimit-Reset": str(-((now - window.ends) // SECOND)),
        }

    def _limited(self, environment: str) -> bool:
        limit = self._organization.settings.rate_limit
        return limit is not None and self._windows[environment].used > limit

    def _admitted(
        self, incoming: Incoming, env: Environment, key: str, idempotency_key: str | None, headers: dict[str, str]
    ) -> tuple[Answer, bool]:
        """Answer a request whose key is good; gives whether the answer is a replay."""
        if self._limited(env.name):
            limit, window = self._organization.settings.rate_limit, self._organization.settings.rate_window
            details = f"You have hit your rate limit of {limit} requests in {window:g} seconds."
            return _failed(problem(429, details)), False
        try:
            inflection = _checked_headers(incoming.headers)
        except Problem as refusal:
            return _failed(refusal), False
        if idempotency_key is None:
            return self._attempt(incoming, env, inflection), False
        fingerprint = _fingerprint(incoming)
        stored = env.store.get_answer(key, idempotency_key)
        if stored and env.now < stored.at + IDEMPOTENCY_LIFETIME:
            if stored.fingerprint != fingerprint:
                details = "This idempotency key was used with other parameters"
                return _failed(problem(env.settings.mismatch_status, details)), False
            return Answer(stored.status, stored.body, stored.media_type), True
        answer = self._attempt(incoming, env, inflection)
        env.store.put_answer(
            key,
            idempotency_key,
            StoredAnswer(env.now, fingerprint, answer.status, answer.media_type, answer.body),
        )
        return answer, False

    def _attempt(self, incoming: Incoming, env: Environment, inflection: str) -> Answer:
        """Run the operation; whatever it changed is undone if it ends in an error."""
        try:
            with env.store.savepoint():
                return _run(incoming, env, inflection)
        except Problem as refusal:
            env.effects = 0
            return _failed(refusal, inflection)
        except Exception:
            _log.exception("%s %s failed", incoming.operation.method, incoming.path)
            env.effects = 0
            return _failed(problem(500, "The simulation failed; its log says where"), inflection)


def masked(key: str, known: bool) -> str:
    """Write a key so that it can be recognised but not used; an unknown one may be a real one, and shows nothing."""
    return f"{key.rpartition('_')[0]}_***" if known else "***" if key else ""


def _run(incoming: Incoming, env: Environment, inflection: str) -> Answer:
    operation = incoming.operation
    if operation.environment and operation.environment != env.name:
        raise problem(403, f"This needs an API key of the {operation.environment} environment")
    query = read(incoming.query, operation.filters, serialized=not operation.binary)
    if incoming.malformed:
        raise bad_request(incoming.malformed)
    call = Call(env, incoming.path, incoming.ids, query)
    if incoming.parts is not None:
        call.upload = _upload(operation, incoming.parts)
    elif operation.body is not None:
        call.body = normalize(read_json(incoming.body))
        check(operation.body, call.body)
    return _written(env, operation.handle(call), call, inflection)


def _written(env: Environment, reply: Reply, call: Call, inflection: str) -> Answer:
    """Write a reply as an answer."""
    query = call.query
    if isinstance(reply.data, bytes):
        return Answer(reply.status, reply.data, PDF)
    body: dict[str, Any]
    if isinstance(reply.data, Page):
        body = {
            "data": [present(env, resource, query.fields) for resource in reply.data.resources],
            "links": {"prev": reply.data.prev, "next": reply.data.next},
        }
    else:
        resource: Resource = reply.data
        body = {"data": present(env, resource, query.fields)}
        if query.include:
            body["included"] = included(env, resource, query)
        if reply.meta is not None:
            body["meta"] = reply.meta
    return Answer(reply.status, _dumped(inflect(body, inflection)))


def _checked_headers(headers: dict[str, str]) -> str:
    """Give the inflection asked for. Raises a 400 for a header value that is not known."""
    if headers.get("persona-version", "2025-12-08") not in VERSIONS:
        raise bad_request(f"Persona-Version must be one of {', '.join(sorted(VERSIONS, reverse=True))}")
    inflection = headers.get("key-inflection", "kebab")
    if inflection not in INFLECTIONS:
        raise bad_request(f"Key-Inflection must be one of {', '.join(INFLECTIONS)}")
    return inflection


def _idempotency_key(incoming: Incoming) -> str | None:
    return incoming.headers.get("idempotency-key") or None if incoming.operation.method == "POST" else None


def _fingerprint(incoming: Incoming) -> str:
    """Tell requests apart by what they ask for, not by how a client happened to write it down."""
    digest = hashlib.sha256(f"{incoming.operation.method} {incoming.path}?{incoming.query}\n".encode())
    if incoming.parts is not None:
        for name, content in sorted(incoming.parts.items()):
            digest.update(f"{name}:{-1 if content is None else len(content)}:".encode() + (content or b""))
    else:
        try:
            digest.update(_dumped(read_json(incoming.body), sort=True))
        except Problem:
            digest.update(incoming.body)
    return digest.hexdigest()


def _upload(operation: Operation, parts: dict[str, bytes | None]) -> bytes:
    """Give the file of a multipart body. Raises a 400 for anything else in it."""
    if not operation.upload:
        raise bad_request("The request body must be JSON")
    unknown = [f"{name} is not allowed" for name in parts if name != UPLOAD_PART]
    content = parts.get(UPLOAD_PART)
    if unknown or content is None:
        missing = [] if content is not None else [f"{UPLOAD_PART} must be a file"]
        raise bad_request(*unknown, *missing)
    return content


def _unauthorized(has_key: bool) -> Answer:
    return _failed(problem(401, title="Token is invalid" if has_key else None))


def _failed(refusal: Problem, inflection: str = "kebab") -> Answer:
    return Answer(refusal.status, _dumped(inflect(refusal.body, inflection)))


_WRITE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_WRITE_SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def _dumped(value: Any, *, sort: bool = False) -> bytes:
    return (_WRITE_SORTED if sort else _WRITE)(value).encode()
