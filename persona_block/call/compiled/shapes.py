"""Output schemas compiled to functions of JSON that was read already; `parse.shape` is the general way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..json_body import is_too_deep
from ..parse import first, is_of, shape, unwrap
from .once import Misfit

Shaper = Callable[[Any], Any]
"""A value of an answer to the value of an output; raises Misfit."""

SCALARS: Mapping[str, type] = {"string": str, "boolean": bool}
"""The JSON types that one Python type has, and that stay as they are."""

CONTAINERS = frozenset({dict, list})
"""The types of JSON that other values stand in."""
_NOTHING: dict[str, Any] = {}


def json_types(schema: Mapping[str, Any]) -> list[str]:
    """Return the types of a schema, which may be written as one."""
    return list(schema["type"]) if isinstance(schema["type"], list) else [schema["type"]]


def shaper(schema: Mapping[str, Any]) -> Shaper:
    """Return the function that maps a value as `parse.shape` does with the schema."""
    match json_types(schema):
        case [json_type, "null"] if json_type in SCALARS:
            return _or_null(SCALARS[json_type])
        case ["string"]:
            return _text
        case ["array"] if "items" in schema:
            return _list_shaper(shaper(schema["items"]))
        case ["object"] if "x-unwrap" in schema:
            return _or_empty(plain_fields)
        case ["object"] if "properties" in schema:
            return resource_shaper(schema)
        case ["object", "null"] if "x-unwrap" not in schema:
            return _object_or_null(resource_shaper(schema) if "properties" in schema else flat_enough)
        case ["object"]:
            return _or_empty(flat_enough)
        case _:
            return _general(schema)


def _general(schema: Mapping[str, Any]) -> Shaper:
    def shape_in_general(value: Any) -> Any:
        try:
            return shape(schema, value)
        except (ValueError, RecursionError):
            raise Misfit from None

    return shape_in_general


def _or_null(python_type: type) -> Shaper:
    def shape_scalar(value: Any) -> Any:
        if value is None or type(value) is python_type:
            return value
        raise Misfit

    return shape_scalar


def _text(value: Any) -> Any:
    if type(value) is str and value:
        return value
    raise Misfit


def _list_shaper(item: Shaper) -> Shaper:
    def shape_list(value: Any) -> Any:
        if type(value) is list:
            return [item(entry) for entry in value]
        if value is None:
            return []
        raise Misfit

    return shape_list


def _or_empty(make: Callable[[dict[str, Any]], Any]) -> Shaper:
    def shape_object(value: Any) -> Any:
        if type(value) is dict:
            return make(value)
        if value is None:
            return {}
        raise Misfit

    return shape_object


def _object_or_null(make: Callable[[dict[str, Any]], Any]) -> Shaper:
    def shape_object(value: Any) -> Any:
        if value is None:
            return None
        if type(value) is dict:
            return make(value)
        raise Misfit

    return shape_object


def flat_enough(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object as it is; raises Misfit where it is nested too deeply."""
    if not CONTAINERS.isdisjoint(map(type, value.values())) and is_too_deep(value):
        raise Misfit
    return value


def plain_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields as plain values, as `parse.unwrap` does; raises Misfit where they are nested too deeply."""
    plain = {}
    for name, value in fields.items():
        inner = value
        if type(value) is dict and len(value) == 2 and type(value.get("type")) is str and "value" in value:
            inner = value["value"]
        if type(inner) in CONTAINERS:
            if is_too_deep(fields):
                raise Misfit
            return unwrap(fields)
        plain[name] = inner
    return plain


# --- resources -------------------------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """The properties that are read from one object within a resource."""

    path: tuple[str, ...]
    texts: list[tuple[str, str]]
    """Properties that are text or null, each with its key in that object."""
    related: list[tuple[str, str, str, str]]
    """Properties that are text or null three keys down, such as the id of a relationship."""
    others: list[tuple[str, str, tuple[str, ...], Shaper]]
    """Other properties: key in that object, keys from there on, and what is made of the value."""


def resource_shaper(schema: Mapping[str, Any]) -> Shaper:
    """Return the function that makes an object with its own properties out of a resource."""
    kind: str = schema.get("x-type", "")
    blank: dict[str, Any] = dict.fromkeys(schema["properties"])
    parts, elsewhere = _parts(schema["properties"])

    def shape_resource(value: Any) -> Any:
        if type(value) is not dict:
            if value is None and not kind:
                return {}
            raise Misfit
        if kind and not is_of(kind, value.get("type")):
            raise Misfit
        output = blank.copy()
        for path, texts, related, others in parts:
            get = _inner(value, path).get
            for name, key in texts:
                text = get(key)
                if text is not None and type(text) is not str:
                    raise Misfit
                output[name] = text
            for name, key, second, third in related:
                found = get(key)
                if type(found) is dict and type(found := found.get(second)) is dict:
                    text = found.get(third)
                    if text is not None and type(text) is not str:
                        raise Misfit
                    output[name] = text
            for name, key, rest, make in others:
                output[name] = make(_walked(get(key), rest) if rest else get(key))
        for name, read, make in elsewhere:
            output[name] = make(read(value))
        return output

    return shape_resource


def _parts(properties: Mapping[str, Any]) -> tuple[list[_Part], list[tuple[str, Shaper, Shaper]]]:
    """Return the properties by the object that they are read from, and those that are not read by a plain path."""
    parts: dict[tuple[str, ...], _Part] = {}
    elsewhere = []
    for name, schema in properties.items():
        pointer = schema.get("x-from")
        steps = tuple(pointer.split("/")[1:]) if isinstance(pointer, str) else ("*",)
        make = shaper(schema)
        if (
            steps[-2:-1] == ("*",)
            and len(steps) > 2
            and "*" not in steps[:-2]
            and schema.get("items", {}).get("type") == "string"
        ):
            make = _texts_of_entries(steps[-1])
            steps = steps[:-2]
        if "*" in steps:
            elsewhere.append((name, reader(schema), make))
            continue
        path = steps[:1] if len(steps) > 1 else ()
        part = parts.setdefault(path, _Part(path, [], [], []))
        key, rest = steps[len(path)], steps[len(path) + 1 :]
        is_text = json_types(schema) == ["string", "null"]
        if is_text and not rest:
            part.texts.append((name, key))
        elif is_text and len(rest) == 2:
            part.related.append((name, key, *rest))
        else:
            part.others.append((name, key, rest, make))
    return list(parts.values()), elsewhere


def _walked(node: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        node = node.get(step) if type(node) is dict else None
    return node


def _texts_of_entries(key: str) -> Shaper:
    """Return the function that makes a list out of the text that a key holds in each object of a list."""

    def make_texts(found: Any) -> list[str]:
        if not found or type(found) is not list:
            return []
        texts = [entry[key] for entry in found if type(entry) is dict and key in entry]
        for text in texts:
            if type(text) is not str or not text:
                raise Misfit
        return texts

    return make_texts


def reader(schema: Mapping[str, Any]) -> Shaper:
    """Return the function that reads a property's value from its resource, wherever it stands."""
    if "x-collect" in schema:
        return collector(schema["x-collect"])
    pointers = schema["x-from"]
    if isinstance(pointers, str) or any("*" in pointer for pointer in pointers):
        return lambda resource: first(resource, pointers)
    ways = [pointer.split("/")[1:] for pointer in pointers]

    def read_first(resource: Any) -> Any:
        for way in ways:
            found = _walked(resource, way)
            if found is not None:
                return found
        return None

    return read_first


def collector(pointers: Sequence[str]) -> Shaper:
    """Return the function that reads the objects at several places into one list."""

    def read_collected(resource: Any) -> list[Any]:
        found = [(first(resource, pointer), "*" in pointer) for pointer in pointers]
        entries = [entry for value, is_list in found for entry in (value if is_list else [value])]
        return [entry for entry in entries if isinstance(entry, dict)]

    return read_collected


def _inner(value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Return the object at a path, an empty one where there is none."""
    for step in path:
        found = value.get(step)
        if type(found) is not dict:
            return _NOTHING
        value = found
    return value
