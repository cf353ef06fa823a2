"""Answers made from an operation's own shapes, in which every pointer finds something of its own, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from persona_block.spec.grammar import CursorSource, ToolSpec

Json = Any


def whole_answers(spec: ToolSpec) -> Iterator[dict[str, Json]]:
    """Yield three bodies: where a value may stand in several places the first holds it, then the last, then none."""
    for place in (0, -1, None):
        yield _body(spec, place)


def _body(spec: ToolSpec, place: int | None) -> dict[str, Json]:
    body: dict[str, Json] = {}
    for name, source in spec.response.items():
        if isinstance(source, CursorSource):
            _put(body, source.pointer, None if place is None else f"/x?{source.query_param}={name}")
        elif isinstance(source, str):
            _put(body, source, _value(spec.output[name], source, place))
    return body


def _value(schema: Mapping[str, Any], pointer: str, place: int | None) -> Json:
    """Return a value that fits a schema and tells where it stands; null, if that fits, where there is no place."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if place is None and "null" in types:
        return None
    if "properties" in schema:
        # An object within a resource may be there and hold nothing.
        return _object(schema, None if place == -1 and "x-type" not in schema else place)
    if "items" in schema:
        return [_value(schema["items"], pointer, place)]
    by_type: dict[str, Json] = {"string": f"at {pointer}", "integer": len(pointer), "boolean": True, "object": {"at": pointer}}
    return by_type[types[0]]


def _object(schema: Mapping[str, Any], place: int | None) -> dict[str, Json]:
    whole: dict[str, Json] = {"type": schema["x-type"]} if "x-type" in schema else {}
    for part in schema["properties"].values():
        for pointer in part.get("x-collect", ()):
            entry = _object(part["items"], place) | {"at": pointer}
            _put(whole, pointer.removesuffix("/*"), [entry] if pointer.endswith("/*") else entry)
        if "x-from" in part:
            pointers = part["x-from"] if isinstance(part["x-from"], list) else [part["x-from"]]
            pointer = pointers[place or 0]
            _put(whole, pointer, _value(part["items"] if "*" in pointer else part, pointer, place))
    return whole


def _put(node: dict[str, Json], pointer: str, value: Json) -> None:
    """Put a value where a pointer leads, with the objects and lists on the way; what stands there already stays."""
    step, _, rest = pointer.removeprefix("/").partition("/")
    if not rest:
        node.setdefault(step, value)
    elif rest.startswith("*/"):
        (entry,) = node.setdefault(step, [{}])
        _put(entry, rest.removeprefix("*"), value)
    else:
        _put(node.setdefault(step, {}), rest, value)
