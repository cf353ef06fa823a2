"""Requests and answers without keys and personal values: only what is listed here is shown, and all else is an ellipsis."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..spec import catalog
from ..spec.grammar import PLACEHOLDER

MASKED = "…"
"""What stands in the place of a value that is not shown."""

_KINDS = (
    "act actst acttp admn cap case cqueue cscm ctmpl doc docf env evt inq iqse itmpl itmplv mprt mprtpr org rep req rptp self"
    " tmpl txn user ver vtmpl wfd wfl wfr wfv"
)
"""What Persona's ids begin with, as the examples of its OpenAPI have them."""
_ID = re.compile(rf"({'|'.join(_KINDS.split())})_[A-Za-z0-9]{{1,64}}")
_TYPE = re.compile(r"[a-z]+(-[a-z]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?")
_STATUS = re.compile(r"(?=.{1,24}$)[a-z]+(_[a-z]+){0,3}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"[0-9]{1,20}")

_RESOURCE = re.compile(r"/(data|included)(/[0-9]+)?|(/(data|included)(/[0-9]+)?)/relationships/[^/]+/data(/[0-9]+)?")
"""Where a JSON:API document holds a resource or names one (jsonapi.org/format)."""
_OF_RESOURCE = {"id": _ID, "type": _TYPE}
_OF_ATTRIBUTES = {"status": _STATUS}
_QUERY = {"page[size]": _NUMBER, "page[after]": _ID, "page[before]": _ID, "filter[status]": _STATUS}
_HEADERS = {
    "Accept": re.compile(r"[a-z]+/[a-z]+(, [a-z]+/[a-z]+)?"),
    "Content-Type": re.compile(r"[a-z]+/[a-z.+-]+"),
    "Content-Length": _NUMBER,
    "Date": re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"),
    "Idempotency-Key": _UUID,
    "Key-Inflection": re.compile(r"[a-z]{1,16}"),
    "Persona-Version": re.compile(r"\d{4}-\d\d-\d\d"),
    "RateLimit-Limit": _NUMBER,
    "RateLimit-Remaining": _NUMBER,
    "RateLimit-Reset": _NUMBER,
    "Request-Id": re.compile(r"[A-Za-z0-9_-]{1,128}"),
    "Retry-After": _NUMBER,
}
"""The headers that are shown, each where its value is of this form."""


def masked_json(document: Any) -> Any:
    """Return a JSON document whose ids, types and statuses of resources are shown, and the names of known properties.

    Other values are masked; the names that no operation knows, such as those of fields, are counted.
    """
    return _masked(document, "")


def masked_url(url: str) -> str:
    """Return a URL with its host, the segments of its path that operations have or that are ids, and plain query values."""
    parts = urlsplit(url)
    segments = parts.path.split("/")
    path = "/".join(each if each in _path_names() or _ID.fullmatch(each) else MASKED for each in segments)
    query = "&".join(
        f"{name if name in _query_names() else MASKED}={value if _fits(_QUERY, name, value) else MASKED}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{path}" + (f"?{query}" if query else "")


def shown_headers(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the headers that are shown, with values of another form masked."""
    for name, form in _HEADERS.items():
        value = headers.get(name)
        if value is not None:
            yield name, value if form.fullmatch(value) else MASKED


def _masked(value: Any, path: str) -> Any:
    if isinstance(value, list):
        return [_masked(each, f"{path}/{index}") for index, each in enumerate(value)]
    if not isinstance(value, dict):
        return None if value is None else MASKED
    forms = _forms(path)
    known = {
        name: each if _fits(forms, name, each) else _masked(each, f"{path}/{name}")
        for name, each in value.items()
        if name in _property_names()
    }
    others = len(value) - len(known)
    return known | ({MASKED: f"{others} more"} if others else {})


def _forms(path: str) -> Mapping[str, re.Pattern[str]]:
    """Return the forms of the values that are shown in the object at a path."""
    if _RESOURCE.fullmatch(path):
        return _OF_RESOURCE
    resource, slash, name = path.rpartition("/")
    return _OF_ATTRIBUTES if slash and name == "attributes" and _RESOURCE.fullmatch(resource) else {}


def _fits(forms: Mapping[str, re.Pattern[str]], name: str, value: Any) -> bool:
    return name in forms and isinstance(value, str) and forms[name].fullmatch(value) is not None


@cache
def _property_names() -> frozenset[str]:
    """Return the names of all properties that the operations read or write, and those of JSON:API itself."""
    names = {"data", "included", "attributes", "relationships", "links", "meta", "errors", "title", "details", "id", "type"}
    for spec in catalog.load_all():
        names.update(_names_in_body(spec.request.body))
        names.update(key for choice in spec.choose.values() for key in choice.cases.values())
        names.update(step for pointer in _pointers(spec.output) for step in pointer.split("/"))
        names.update(step for source in spec.response.values() if isinstance(source, str) for step in source.split("/"))
    return frozenset(names - {"", "*"})


def _names_in_body(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if not PLACEHOLDER.search(name):
                yield name.removesuffix("?")
            yield from _names_in_body(value)


def _pointers(schema: Any) -> Iterator[str]:
    """Yield every pointer that a schema takes values from."""
    if isinstance(schema, dict):
        source = schema.get("x-from", ())
        yield from [source] if isinstance(source, str) else source
        for value in schema.values():
            yield from _pointers(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _pointers(value)


@cache
def _path_names() -> frozenset[str]:
    """Return the segments of the operations' paths that are no params, with those of Persona's base URL."""
    paths = [spec.request.path for spec in catalog.load_all()]
    segments = {segment for path in [*paths, "/api/v1"] for segment in path.split("/")}
    return frozenset(segment for segment in segments if not PLACEHOLDER.search(segment))


@cache
def _query_names() -> frozenset[str]:
    return frozenset(name for spec in catalog.load_all() for name in spec.request.query)
