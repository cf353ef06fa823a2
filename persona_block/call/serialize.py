"""A spec and its params, made into the parts of a request; knows no HTTP library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import SpecError
from ..spec.grammar import PLACEHOLDER, ToolSpec

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class RequestParts:
    """One request, before any host, header or key."""

    method: str
    path: str
    """Percent-encoded, starting with a slash, relative to the base URL."""
    query: str = ""
    """Percent-encoded, without the question mark."""
    body: Any = field(default=None, repr=False)
    """JSON to send, or None for no body."""
    multipart: Mapping[str, Any] | None = field(default=None, repr=False)
    """Multipart field names and the params that fill them, or None."""

    @property
    def target(self) -> str:
        """Return path and query as they stand in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path


def serialize(spec: ToolSpec, values: Mapping[str, Any]) -> RequestParts:
    """Return the request of `spec` for params that `inputs.prepare` has checked."""
    keys = _chosen_keys(spec, values)
    request = spec.request
    query = [
        (_key(name, keys), _as_text(filled))
        for name, template in request.query.items()
        if (filled := _fill(template, values, keys)) is not _ABSENT
    ]
    body = _fill(request.body, values, keys) if request.body is not None else None
    multipart = None if request.multipart is None else _fill(request.multipart, values, keys)
    return RequestParts(
        method=request.method,
        path=_path(spec, values),
        query=urlencode(query, quote_via=quote),
        body=body or None,
        multipart=multipart,
    )


def fill_text(template: str, values: Mapping[str, Any]) -> str:
    """Return `template` with each `{name}` replaced; values are never scanned for braces themselves."""
    return PLACEHOLDER.sub(lambda match: _as_text(values[match[1]]), template)


def _chosen_keys(spec: ToolSpec, values: Mapping[str, Any]) -> dict[str, str]:
    chosen = {}
    for name, choice in spec.choose.items():
        if choice.by in values and (key := choice.key_for(values[choice.by])) is not None:
            chosen[name] = key
    return chosen


def _path(spec: ToolSpec, values: Mapping[str, Any]) -> str:
    """Return the path with every param as one percent-encoded segment; a dot segment would walk to another resource."""

    def segment(name: str) -> str:
        text = _as_text(values[name])
        if text in ("", ".", ".."):
            raise SpecError(f"{spec.name}: {name} cannot stand in a path")
        return quote(text, safe="")

    return PLACEHOLDER.sub(lambda match: segment(match[1]), spec.request.path)


def _fill(node: Any, values: Mapping[str, Any], keys: Mapping[str, str]) -> Any:
    """Return `node` with params in their places; `_ABSENT` where a param it needs was not given."""
    if isinstance(node, str):
        whole = PLACEHOLDER.fullmatch(node)
        if whole:
            return values.get(whole[1], _ABSENT)
        needed = PLACEHOLDER.findall(node)
        return fill_text(node, values) if all(name in values for name in needed) else _ABSENT
    if isinstance(node, dict):
        return _fill_object(node, values, keys)
    return node


def _fill_object(node: dict[str, Any], values: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    filled = {}
    for name, template in node.items():
        value = _fill(template, values, keys)
        if value is _ABSENT or (name.endswith("?") and value == {}):
            continue
        filled[_key(name.removesuffix("?"), keys)] = value
    return filled


def _key(name: str, keys: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: keys[match[1]], name)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
