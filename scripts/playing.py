"""What the engine makes of the parts of a test vector that go in; the manifest's `grammar.vectors` explains both parts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from persona_block import webhooks
from persona_block.call import retry
from persona_block.call.inputs import prepare
from persona_block.call.parse import Answer, parse, parse_error
from persona_block.call.serialize import serialize
from persona_block.errors import InputError, PersonaError, ResponseError, SignatureError
from persona_block.files.names import safe_name
from persona_block.spec import catalog

Vector = dict[str, Any]

_TOLD = ("kind", "status", "title", "details", "retryable", "tookEffect", "idempotencyKey")
"""The errorDetails that a vector of an error names."""


def play(kind: str, vector: Vector) -> Vector:
    """Return the parts that come out. The answer of a vector of answers or errors may be `text` in the place of `body`."""
    return _PLAYERS[kind](vector)


def _call(vector: Vector) -> Vector:
    spec = catalog.load(vector["operation"])
    try:
        parts = serialize(spec, prepare(spec, vector["params"]))
    except InputError as error:
        problems = [{"param": problem.param, "code": problem.code} for problem in error.problems]
        return {"problems": sorted(problems, key=lambda problem: (problem["param"], problem["code"]))}
    optional = {"query": parts.query, "body": parts.body, "multipart": parts.multipart}
    sent = {name: part for name, part in optional.items() if part}
    return {"request": {"method": parts.method, "path": parts.path, **sent}}


def _answer_of(vector: Vector, *, may_help: bool = True) -> Answer:
    text = vector["text"] if "text" in vector else json.dumps(vector["body"])
    return Answer(vector["status"], "application/json", text.encode(), may_help=may_help)


def _answer(vector: Vector) -> Vector:
    try:
        return {"output": parse(catalog.load(vector["operation"]), _answer_of(vector))}
    except ResponseError as error:
        return {"error": {"kind": error.kind, "tookEffect": error.took_effect}}


def _error(vector: Vector) -> Vector:
    """Return the error of a first attempt that is not tried again."""
    spec = catalog.load(vector["operation"])
    verdict = retry.decide(spec, 1, retry.Attempt(status=vector["status"]), 0.0, deadline=0)
    may_help = verdict.may_help if isinstance(verdict, retry.Stop) else True
    error: PersonaError = parse_error(spec, _answer_of(vector, may_help=may_help))
    is_keyed = error.took_effect == "unknown" and spec.request.method == "POST"
    details = error.revised(idempotency_key="the-key-of-the-call" if is_keyed else None).details()
    return {"error": {name: details[name] for name in _TOLD}}


def _retry(vector: Vector) -> Vector:
    ended = {name: vector[name] for name in ("status", "sent", "remaining", "reset") if name in vector}
    spec, attempt, elapsed = catalog.load(vector["operation"]), vector["attempt"], vector["elapsed"]
    verdicts = [retry.decide(spec, attempt, retry.Attempt(**ended), elapsed, jitter=jitter) for jitter in (0.0, 1.0)]
    waits = [verdict.after if isinstance(verdict, retry.Retry) else math.inf for verdict in verdicts]
    if math.inf in waits:
        # Where the random part decides whether there is time left, either is right.
        return {"again": False if waits == [math.inf, math.inf] else None}
    return {"again": True, "after": sorted(round(wait, 6) for wait in waits)}


def _webhook(vector: Vector) -> Vector:
    try:
        event = webhooks.read(vector["body"].encode(), vector["header"], vector["secrets"], now=vector["now"])
    except SignatureError:
        return {"accepted": False}
    return {"accepted": True, "event": {"id": event.id, "name": event.name, "object": event.resource}}


def _file(vector: Vector) -> Vector:
    return {"safe": safe_name(vector["name"])}


_PLAYERS: dict[str, Callable[[Vector], Vector]] = {
    "calls": _call,
    "refusals": _call,
    "answers": _answer,
    "errors": _error,
    "retries": _retry,
    "webhooks": _webhook,
    "files": _file,
}
