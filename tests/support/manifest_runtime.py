"""A runtime of the manifest's operations that imports nothing of this package and follows the manifest's grammar alone.

It stands for an implementation in another language. Params are given in their wire types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Broken(Exception):
    """An answer that is not what the definition promises."""


class _Absent(Exception):
    """A placeholder whose param was not given."""


def request(definition: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return method, path and, where there is any, query, body or multipart, before their own encoding."""
    keys = {
        name: _choose(choice, params[choice["by"]])
        for name, choice in definition.get("choose", {}).items()
        if choice["by"] in params
    }
    template = definition["request"]
    path = PLACEHOLDER.sub(lambda match: quote(str(params[match[1]]), safe=""), template["path"])
    sent: dict[str, Any] = {"method": template["method"], "path": path}
    query = {name: str(value) for name, value in _fill(template["query"], params, keys).items()}
    body = _fill(template.get("body", {}), params, keys)
    multipart = _fill(template.get("multipart", {}), params, keys)
    return sent | {name: part for name, part in (("query", query), ("body", body), ("multipart", multipart)) if part}


def _choose(choice: Mapping[str, Any], value: str) -> str:
    cases = choice["cases"]
    fitting = [case for case in cases if value.startswith(case) and not (case.endswith("_") and value == case)]
    return str(cases[max(fitting, key=len, default="*")])


def _fill(node: Any, params: Mapping[str, Any], keys: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return _fill_text(node, params)
    if not isinstance(node, Mapping):
        return node
    filled = {}
    for json_key, template in node.items():
        try:
            value = _fill(template, params, keys)
        except _Absent:
            continue
        if not (json_key.endswith("?") and value == {}):
            filled[PLACEHOLDER.sub(lambda match: keys[match[1]], json_key.removesuffix("?"))] = value
    return filled


def _fill_text(text: str, params: Mapping[str, Any]) -> Any:
    if any(name not in params for name in PLACEHOLDER.findall(text)):
        raise _Absent
    whole = PLACEHOLDER.fullmatch(text)
    return params[whole[1]] if whole else PLACEHOLDER.sub(lambda match: str(params[match[1]]), text)


def output(definition: Mapping[str, Any], params: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """Return the output for the body of a 2xx answer, which is parsed JSON, or bytes for a file; raises Broken."""
    built: dict[str, Any] = {}
    for name, source in definition["response"].items():
        if "file" in source:
            stored = PLACEHOLDER.sub(lambda match: str(params[match[1]]), source["filename"])
            built[name] = {"name": stored, "mimeType": source["file"], "size": len(body)}
        elif "queryParam" in source:
            link = _first(body, source["pointer"])
            built[name] = None if link is None else parse_qs(urlsplit(link).query)[source["queryParam"]][0]
        else:
            built[name] = _shape(source["shape"], _first(body, source["pointer"]))
    return built


def _shape(shape: Mapping[str, Any], value: Any) -> Any:
    types = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    if value is None:
        if "array" in types:
            return []
        if "null" not in types:
            raise Broken
        return None
    if "x-unwrap" in shape:
        return _unwrap(value)
    if "properties" in shape:
        resource_type = shape.get("x-type")
        if resource_type and not re.match(rf"{resource_type}(/|$)", value.get("type", "")):
            raise Broken
        return {name: _property(part, value) for name, part in shape["properties"].items()}
    if "properties" in shape.get("items", {}):
        return [_shape(shape["items"], entry) for entry in value]
    if types == ["string"] and not value:
        raise Broken
    return value


def _property(shape: Mapping[str, Any], resource: Any) -> Any:
    if "x-collect" in shape:
        collected = [entry for pointer in shape["x-collect"] for entry in _resolve(resource, pointer[1:].split("/"))]
        return _shape(shape, [entry for entry in collected if isinstance(entry, dict)])
    return _shape(shape, _first(resource, shape["x-from"]))


def _unwrap(node: Any) -> Any:
    if isinstance(node, list):
        return [_unwrap(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    if node.keys() == {"type", "value"} and isinstance(node["type"], str):
        return _unwrap(node["value"])
    return {name: _unwrap(value) for name, value in node.items()}


def _first(document: Any, pointers: str | list[str]) -> Any:
    for pointer in [pointers] if isinstance(pointers, str) else pointers:
        values = list(_resolve(document, pointer[1:].split("/")))
        if "*" in pointer:
            return values
        if values and values[0] is not None:
            return values[0]
    return None


def _resolve(node: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield node
    elif steps[0] == "*":
        for entry in node if isinstance(node, list) else []:
            yield from _resolve(entry, steps[1:])
    elif isinstance(node, dict) and steps[0] in node:
        yield from _resolve(node[steps[0]], steps[1:])
