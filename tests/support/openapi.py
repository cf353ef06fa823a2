"""Persona's official OpenAPI document as a contract, against which tests check requests and responses.

The document lies beside the project, never inside it. Where it is missing, `available()` is False and the tests that need it
skip with `REASON`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

PATH = Path(__file__).resolve().parents[3] / "shared" / "persona-openapi" / "persona-2025-12-08.json"
REASON = "Persona's OpenAPI document is not beside the project, so its contract cannot be checked"
BASE_PATH = "/api/v1"
METHODS = ("get", "post", "patch", "delete", "put")

_ROOT = "urn:persona"
_BRACKETS = re.compile(r"^([^\[\]]+)\[([^\[\]]+)\]$")


def available() -> bool:
    """Return whether the document is there."""
    return PATH.is_file()


@cache
def load() -> dict[str, Any]:
    """Read the document, once. Raises FileNotFoundError where it is missing."""
    document: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return document


@dataclass(frozen=True)
class OpenApiOperation:
    """One method on one path template."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def id(self) -> str:
        """The document's own name for the operation."""
        return str(self.spec["operationId"])


@dataclass(frozen=True)
class Example:
    """One official example of a response body."""

    method: str
    path: str
    status: int
    name: str
    value: Any

    @property
    def success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300


class Contract:
    """The checks of requests and responses against the document; each returns the problems that it found."""

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        self.document = load() if document is None else document
        self._registry: Registry[Any] = Registry().with_resource(
            _ROOT, Resource.from_contents(self.document, default_specification=DRAFT202012)
        )
        self._validators: dict[str, Any] = {}
        self.operations = [
            OpenApiOperation(method.upper(), path, item[method])
            for path, item in self.document["paths"].items()
            for method in METHODS
            if method in item
        ]
        # Literal paths before templated ones, so that a fixed segment is never taken for an id.
        self._routes = sorted(
            ((self._pattern(operation.path), operation) for operation in self.operations),
            key=lambda route: route[1].path.count("{"),
        )

    def match(self, method: str, path: str) -> OpenApiOperation | None:
        """Return the operation of a concrete path, with or without the base path, or None."""
        path = path.removeprefix(BASE_PATH)
        for pattern, operation in self._routes:
            if operation.method == method.upper() and pattern.fullmatch(path):
                return operation
        return None

    def check_request(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        json_body: Any = None,
        content_type: str | None = "application/json",
    ) -> list[str]:
        """Return what the document does not allow in a request; a multipart body is given as its nested object."""
        parts = urlsplit(path)
        operation = self.match(method, parts.path)
        if operation is None:
            return [f"{method} {parts.path} is no operation"]
        pairs = [*parse_qsl(parts.query, keep_blank_values=True), *(query or [])]
        problems = self._check_query(operation, pairs)
        problems += self._check_request_headers(operation, headers or {})
        body = self.resolve(operation.spec.get("requestBody"))
        if body is None:
            return problems + (["a body where none is documented"] if json_body is not None else [])
        if json_body is None:
            return problems + (["a required body is missing"] if body.get("required") else [])
        media = (content_type or "").split(";")[0].strip()
        if media not in body["content"]:
            return [*problems, f"content type {media or 'none'} is not documented"]
        where = self._pointer(operation, "requestBody", "content", media, "schema")
        return problems + self._check(where, json_body, "body")

    def check_response(
        self,
        method: str,
        path: str,
        status: int,
        headers: Mapping[str, str],
        body: Any,
        *,
        sparse: bool = False,
    ) -> list[str]:
        """Return what in a response does not fit the document.

        `body` is the parsed JSON, or bytes for a binary answer. `sparse` allows attributes to be missing, as they are
        when `fields[…]` names others.
        """
        operation = self.match(method, urlsplit(path).path)
        if operation is None:
            return [f"{method} {path} is no operation"]
        responses = operation.spec["responses"]
        if str(status) not in responses:
            return [f"{operation.id}: status {status} is not documented"]
        response = self.resolve(responses[str(status)])
        problems = [f"{operation.id} {status}: {text}" for text in self._check_headers(response, headers)]
        content = response.get("content", {})
        media = _header(headers, "content-type").split(";")[0].strip()
        if media not in content:
            return [*problems, f"{operation.id} {status}: content type {media or 'none'} is not documented"]
        if media != "application/json":
            return problems + ([] if isinstance(body, bytes) and body else [f"{operation.id}: no bytes"])
        where = self._pointer(operation, "responses", str(status), "content", media, "schema")
        return problems + self._check(where, body, f"{operation.id} {status}", sparse=sparse)

    def check_webhook(self, name: str, body: Any) -> list[str]:
        """Return what in the body of an event of that name does not fit the document."""
        if name not in self.document["webhooks"]:
            return [f"{name} is no documented event"]
        schema = f"/webhooks/{_escape(name)}/post/requestBody/content/application~1json/schema"
        # The document requires nothing of an event's envelope, and so allows an empty object.
        missing = [f"{name} has no {pointer}" for pointer in _ENVELOPE if _at(body, pointer) is None]
        return missing + self._check(schema, body, name)

    def check_schema(self, name: str, value: Any) -> list[str]:
        """Return what in a value does not fit the component schema of that name."""
        return self._check(f"/components/schemas/{name}", value, name)

    def schema(self, *keys: str) -> dict[str, Any]:
        """Return one place of the document by its keys, following each `$ref` on the way."""
        node: Any = self.document
        for json_key in keys:
            node = self.resolve(node[json_key])
        result: dict[str, Any] = node
        return result

    def resolve(self, node: Any) -> Any:
        """Return what a node's `$ref` leads to, or the node itself without one."""
        while isinstance(node, dict) and str(node.get("$ref", "")).startswith("#/"):
            target: Any = self.document
            for json_key in node["$ref"][2:].split("/"):
                target = target[json_key.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def examples(self) -> Iterator[Example]:
        """Yield every official example of every operation's responses, errors included."""
        for operation in self.operations:
            for status, reference in operation.spec["responses"].items():
                response = self.resolve(reference)
                for media in response.get("content", {}).values():
                    media_examples = dict(media.get("examples", {}))
                    if "example" in media:
                        media_examples["example"] = {"value": media["example"]}
                    for name, example in media_examples.items():
                        value = self.resolve(example)["value"]
                        yield Example(operation.method, operation.path, int(status), name, value)

    def _check_query(self, operation: OpenApiOperation, pairs: list[tuple[str, str]]) -> list[str]:
        parameters = {p["name"]: p for p in self._parameters(operation) if p["in"] == "query"}
        problems = []
        for name, value in pairs:
            bracketed = _BRACKETS.match(name)
            parameter = parameters.get(bracketed[1] if bracketed else name)
            if parameter is None or (parameter.get("style") == "deepObject") != bool(bracketed):
                problems.append(f"query parameter {name} is not documented")
                continue
            schema = self.resolve(parameter["schema"])
            if bracketed:
                properties = schema.get("properties", {})
                fallback = schema.get("additionalProperties", False)
                schema = properties.get(bracketed[2], fallback)
                if schema is False:
                    problems.append(f"query parameter {name} is not documented")
                    continue
            problems += self._check_text(name, value, schema)
        return problems

    def _check_request_headers(self, operation: OpenApiOperation, headers: Mapping[str, str]) -> list[str]:
        problems = []
        for parameter in self._parameters(operation):
            value = _header(headers, parameter["name"]) if parameter["in"] == "header" else ""
            if value:
                problems += self._check_text(parameter["name"], value, self.resolve(parameter["schema"]))
        return problems

    def _check_headers(self, response: dict[str, Any], headers: Mapping[str, str]) -> list[str]:
        problems = []
        for name, reference in response.get("headers", {}).items():
            value = _header(headers, name)
            if not value:
                problems.append(f"header {name} is missing")
            else:
                problems += self._check_text(name, value, self.resolve(reference)["schema"])
        return problems

    def _check_text(self, name: str, text: str, schema: dict[str, Any]) -> list[str]:
        """Return what in the text of a header or query parameter does not fit its schema."""
        schema = self.resolve(schema)
        value: Any = text
        if schema.get("type") in ("integer", "number"):
            try:
                value = int(text) if schema["type"] == "integer" else float(text)
            except ValueError:
                return [f"{name} is not a {schema['type']}: {text!r}"]
        errors = Draft202012Validator(schema, format_checker=FORMATS).iter_errors(value)
        return [f"{name}: {error.message}" for error in errors]

    def _check(self, pointer: str, value: Any, label: str, *, sparse: bool = False) -> list[str]:
        validator = self._validators.get(pointer)
        if validator is None:
            validator = _Validator({"$ref": f"{_ROOT}#{pointer}"}, registry=self._registry, format_checker=FORMATS)
            self._validators[pointer] = validator
        return [
            f"{label} at /{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in _leaves(validator.iter_errors(value))
            if not (sparse and error.validator == "required" and "attributes" in error.absolute_path)
        ]

    def _parameters(self, operation: OpenApiOperation) -> list[dict[str, Any]]:
        return [self.resolve(parameter) for parameter in operation.spec.get("parameters", [])]

    def _pointer(self, operation: OpenApiOperation, *keys: str) -> str:
        """Return the JSON Pointer of a place in an operation, following each `$ref` on the way."""
        pointer = f"/paths/{_escape(operation.path)}/{operation.method.lower()}"
        node: Any = operation.spec
        for json_key in keys:
            node = node[json_key]
            pointer += f"/{_escape(json_key)}"
            if "$ref" in node:
                pointer = node["$ref"].removeprefix("#")
                node = self.resolve(node)
        return pointer

    @staticmethod
    def _pattern(path: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))


_ENVELOPE = ("data/type", "data/id", "data/attributes/name", "data/attributes/created-at", "data/attributes/payload/data")


def _at(node: Any, path: str) -> Any:
    for json_key in path.split("/"):
        node = node.get(json_key) if isinstance(node, dict) else None
    return node


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for header, value in headers.items() if header.lower() == name.lower()), "")


def _escape(json_key: str) -> str:
    return json_key.replace("~", "~0").replace("/", "~1")


def _leaves(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    """Yield the errors that tell what is wrong: for a failed oneOf, those of its likeliest branch."""
    for error in errors:
        if error.context:
            branches: dict[Any, list[ValidationError]] = {}
            for inner in error.context:
                branches.setdefault(inner.schema_path[0], []).append(inner)
            likeliest = min(branches.values(), key=lambda errors: len(errors))
            yield from _leaves(iter(likeliest))
        else:
            yield error


def _discriminated(keyword: str) -> Any:
    """Return a check of oneOf or anyOf that tries only the branch of the discriminator, where there is one.

    An included object has 70 kinds, and trying each would make a random walk very slow.
    """
    plain = Draft202012Validator.VALIDATORS[keyword]

    def check_branches(validator: Any, branches: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        discriminator = schema.get("discriminator", {})
        name = discriminator.get("propertyName")
        if not isinstance(instance, dict) or name not in instance:
            yield from plain(validator, branches, instance, schema)
        elif instance[name] not in discriminator["mapping"]:
            yield ValidationError(f"{instance[name]!r} is none of the documented kinds")
        else:
            target = {"$ref": discriminator["mapping"][instance[name]]}
            yield from validator.descend(instance, target, schema_path=name)

    return check_branches


_extend: Any = validators.extend
_Validator: Any = _extend(Draft202012Validator, {"oneOf": _discriminated("oneOf"), "anyOf": _discriminated("anyOf")})

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or ("T" in value and datetime.fromisoformat(value).tzinfo is not None)


@FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or len(date.fromisoformat(value).isoformat()) == len(value)
