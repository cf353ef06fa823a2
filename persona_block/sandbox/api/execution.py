"""How an operation is run for a request: what the request holds is checked, and the result is written as a reply.

Sources: OpenAPI paths and components/responses; docs.withpersona.com/serialization.
"""

from __future__ import annotations

import logging
from typing import Any

from ...spec.inflection import inflect, normalize
from ..messages.body import is_json, read_json
from ..messages.errors import Refusal, bad_request, refusal
from ..messages.shapes import check_shape
from ..state.environment import Environment
from ..state.records import Resource
from .exchange import PDF, Dialect, HttpReply, HttpRequest, json_bytes, refusal_reply
from .operations import Operation, OperationRequest, OperationResult
from .query import Page, read_query
from .serialization import included_objects, resource_object
from .versions import accepted_body, included_unasked

UPLOAD_PART = "data[attributes][file]"
"""The part of a multipart body that holds its file (OpenAPI: /importer/accounts)."""

_log = logging.getLogger(__name__)


def execute(operation: Operation, request: HttpRequest, env: Environment, dialect: Dialect) -> HttpReply:
    """Run the operation, and return its reply; an error undoes all its changes."""
    if request.fails is None:
        return _attempt(operation, request, env, dialect)
    if request.fails == "after":
        _attempt(operation, request, env, dialect)
    return refusal_reply(refusal(500), dialect)


def _attempt(operation: Operation, request: HttpRequest, env: Environment, dialect: Dialect) -> HttpReply:
    try:
        with env.store.savepoint():
            return _run(operation, request, env, dialect)
    except Refusal as error:
        env.effects = 0
        return refusal_reply(error, dialect)
    except Exception:
        _log.exception("%s %s failed", request.method, request.path)
        env.effects = 0
        return refusal_reply(refusal(500, "The simulation failed; its log says where"), dialect)


def _run(operation: Operation, request: HttpRequest, env: Environment, dialect: Dialect) -> HttpReply:
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
        body = normalize(read_json(request.body))
        operation_request.body = accepted_body(body, operation.body, dialect.version)
        check_shape(operation.body, operation_request.body)
    result = operation.handle(operation_request)
    if query.include is None and operation.method == "GET" and isinstance(result.data, Resource):
        query.include = included_unasked(result.data.kind, dialect.version)
    return _result_reply(result, operation_request, dialect)


def _result_reply(result: OperationResult, request: OperationRequest, dialect: Dialect) -> HttpReply:
    """Return an operation's result as a reply."""
    env, query, data = request.env, request.query, result.data
    if isinstance(data, bytes):
        return HttpReply(result.status, data, PDF, dialect.version)
    body: dict[str, Any]
    if isinstance(data, Page):
        body = {
            "data": [resource_object(env, resource, query.fields, dialect.version) for resource in data.resources],
            "links": {"prev": data.prev, "next": data.next},
        }
    else:
        body = {"data": resource_object(env, data, query.fields, dialect.version)}
        if query.include:
            body["included"] = included_objects(env, data, query, dialect.version)
        if result.meta is not None:
            body["meta"] = result.meta
    return HttpReply(result.status, json_bytes(inflect(body, dialect.inflection)), version=dialect.version)


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
