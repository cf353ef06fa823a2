"""The request of a spec by interpretation of its templates, anew for each call: what the compiled requests have to equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from persona_block.call.serialize import RequestParts
from persona_block.errors import SpecError
from persona_block.spec.grammar import PLACEHOLDER, ToolSpec

_ABSENT = object()


def interpreted_request(spec: ToolSpec, values: Mapping[str, Any]) -> RequestParts:
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


def _fill_text(template: str, values: Mapping[str, Any]) -> str:
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
        return _fill_text(node, values) if all(name in values for name in needed) else _ABSENT
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
