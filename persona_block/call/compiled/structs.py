"""Answers decoded from their bytes straight into what a spec asks for, with msgspec where the extra `fast` is installed.

What nobody asks for is never built. An object that is asked for as a whole, or that a pointer does more with than walk down,
is decoded as plain JSON and shaped as `shapes` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import takewhile
from types import GenericAlias, ModuleType
from typing import Any

from ...spec.grammar import CursorSource, FileSource, ToolSpec
from ..json_body import DEEPEST, check_count, is_too_deep
from ..parse import first, unwrap
from .documents import checked_cursor, cursor_shaper, promised
from .objects import DIRECT, Leaf, Property, as_it_is, object_reader
from .once import Misfit, OncePerSpec
from .shapes import CONTAINERS, SCALARS, Shaper, json_types, reader, shaper

_LONG_NUMBER = re.compile(rb"[0-9]{4301}")
"""More digits than Python reads by default: `json` refuses them, and msgspec passes over those that nobody asks for."""
_SAMPLE = 1_000
"""Bytes from one sample to the next; a number that is too long holds four of them."""
_DIGITS = re.compile(rb"[0-9]{4}")


@OncePerSpec
def output_reader(spec: ToolSpec) -> Callable[[bytes], dict[str, Any]] | None:
    """Return the function that makes the output out of an answer's bytes, or None where msgspec is not installed.

    It raises Misfit for what it does not take, which is not always wrong.
    """
    msgspec = _msgspec()
    if msgspec is None:
        return None
    sources = {name: source for name, source in spec.response.items() if not isinstance(source, FileSource)}
    struct, put_out = object_reader(msgspec, {name: _output(msgspec, spec, name, source) for name, source in sources.items()})
    decode = msgspec.json.Decoder(struct).decode
    refusals = (msgspec.MsgspecError, ValueError, RecursionError)

    def read(body: bytes) -> dict[str, Any]:
        try:
            check_count(body)
            if not body.isascii():
                body.decode()  # Text that nobody asks for is not looked at, and has to be UTF-8 all the same.
            decoded = decode(body)
        except refusals:
            raise Misfit from None
        if _DIGITS.search(body[::_SAMPLE]) and _LONG_NUMBER.search(body):
            raise Misfit
        return put_out(decoded)

    return read


@cache
def _msgspec() -> ModuleType | None:
    try:
        import msgspec
    except ModuleNotFoundError:
        return None
    return msgspec


# --- values ----------------------------------------------------------------------------------------------------------------


def _output(msgspec: ModuleType, spec: ToolSpec, name: str, source: str | CursorSource) -> Property:
    """Return an output of its own as a property of the whole answer."""
    schema = spec.output[name]
    if isinstance(source, str):
        leaf = _leaf(msgspec, schema)
        make = promised(schema, leaf.make or as_it_is)
        leaf = Leaf(leaf.type, make, promised(schema, leaf.make_json))
        steps = _steps(source)
        return Property((steps,), leaf, lambda document: first(document, source), is_typed=len(steps) <= DIRECT)
    *parent, key = _steps(source.pointer)
    links = msgspec.defstruct("Links", [("next", str | None, msgspec.field(name=key, default=None))], gc=False)

    def make_cursor(value: Any) -> str | None:
        if value is None:
            raise Misfit
        return checked_cursor(value.next, source.query_param)

    leaf = Leaf(links | None, make_cursor, cursor_shaper(source))
    return Property((tuple(parent) or (key,),), leaf, as_it_is, is_typed=0 < len(parent) <= DIRECT)


def _property(msgspec: ModuleType, schema: Mapping[str, Any]) -> Property:
    """Return a property of a resource, as its schema's `x-from` or `x-collect` says."""
    pointers = schema.get("x-collect", schema.get("x-from"))
    places = tuple(map(_steps, [pointers] if isinstance(pointers, str) else pointers))
    leaf = _leaf(msgspec, schema)
    tails = {steps[DIRECT:] for steps in places}
    is_one_choice = len({steps[: DIRECT - 1] for steps in places}) == 1 and leaf.make is None
    if "x-collect" not in schema and len(tails) == 1 and (len(places) == 1 or is_one_choice):
        within = _within(msgspec, tails.pop(), schema, leaf)
        if within is not None:
            return Property(tuple(steps[:DIRECT] for steps in places), within, reader(schema))
    before_stars = tuple(tuple(takewhile("*".__ne__, steps)) for steps in places)
    return Property(before_stars, Leaf(Any, leaf.make_json, leaf.make_json), reader(schema), is_typed=False)


def _within(msgspec: ModuleType, tail: tuple[str, ...], schema: Mapping[str, Any], leaf: Leaf) -> Leaf | None:
    """Return how a value is decoded that stands some steps within an object; None for steps that are not just walked down."""
    match tail:
        case ():
            return leaf
        case ("*", key) if json_types(schema.get("items", schema)) == ["string"]:
            return _entries_leaf(msgspec, key, leaf.make_json)
        case (outer, key) if "*" not in tail and leaf.make is None:
            return _two_deep_leaf(msgspec, outer, key, leaf)
        case (key, *rest) if key != "*":
            inner = _within(msgspec, tuple(rest), schema, leaf)
            return inner and _inner_leaf(msgspec, key, inner)
        case _:
            return None


def _inner_leaf(msgspec: ModuleType, key: str, leaf: Leaf) -> Leaf:
    """Return how an object is decoded of which one key is put out."""
    make = leaf.make or as_it_is

    def get_held(value: Any) -> Any:
        return None if value is None else value.held

    def make_held(value: Any) -> Any:
        return make(None if value is None else value.held)

    return Leaf(_holder(msgspec, key, leaf.type), get_held if leaf.make is None else make_held, leaf.make_json)


def _two_deep_leaf(msgspec: ModuleType, outer: str, key: str, leaf: Leaf) -> Leaf:
    """Return how an object is decoded of which one key of one key is put out as it is, such as the id of a relationship."""

    def get_held(value: Any) -> Any:
        inner = None if value is None else value.held
        return None if inner is None else inner.held

    return Leaf(_holder(msgspec, outer, _holder(msgspec, key, leaf.type)), get_held, leaf.make_json)


def _holder(msgspec: ModuleType, key: str, type_: Any) -> Any:
    """Return the type of an object of which one key is kept."""
    return msgspec.defstruct("Holder", [("held", type_, msgspec.field(name=key, default=None))], gc=False) | None


def _leaf(msgspec: ModuleType, schema: Mapping[str, Any]) -> Leaf:
    """Return how a value of a schema is decoded, as narrowly as types can say it."""
    make_json = shaper(schema)
    match json_types(schema):
        case [json_type, "null"] if json_type in SCALARS:
            return Leaf(SCALARS[json_type] | None, None, make_json)
        case ["string"]:
            return Leaf(str | None, make_json, make_json)
        case ["array"] if "items" in schema:
            return _list_leaf(_leaf(msgspec, schema["items"]), make_json)
        case ["object"] if "x-unwrap" in schema:
            return _fields_leaf(msgspec, make_json)
        case ["object"] if "properties" in schema:
            properties = {name: _property(msgspec, part) for name, part in schema["properties"].items()}
            struct, read = object_reader(msgspec, properties, schema.get("x-type", ""))
            return Leaf(struct | None, read, make_json)
        case _:
            return Leaf(Any, make_json, make_json)


def _list_leaf(item: Leaf, make_json: Shaper) -> Leaf:
    make = item.make

    def make_list(value: Any) -> Any:
        if value is None:
            return []
        return value if make is None else [make(entry) for entry in value]

    return Leaf(GenericAlias(list, item.type) | None, make_list, make_json)


def _entries_leaf(msgspec: ModuleType, key: str, make_json: Shaper) -> Leaf:
    """Return how a list of objects is decoded of which one text is put out, such as the ids of a relationship."""
    struct = msgspec.defstruct("Entry", [("text", str, msgspec.field(name=key))], gc=False)

    def make_texts(value: Any) -> list[str]:
        if not value:
            return []
        texts = [entry.text for entry in value]
        if "" in texts:
            raise Misfit
        return texts

    return Leaf(GenericAlias(list, struct) | None, make_texts, make_json)


def _fields_leaf(msgspec: ModuleType, make_json: Shaper) -> Leaf:
    """Return how fields are decoded, each of which is an object of type and value."""
    wrapped = msgspec.defstruct("Wrapped", [("type", str), ("value", Any)], gc=False, forbid_unknown_fields=True)

    def make_fields(value: Any) -> dict[str, Any]:
        plain = {}
        for name, field in value.items() if value else ():
            inner = field.value if type(field) is wrapped else field
            if type(inner) in CONTAINERS:
                if is_too_deep(inner, DEEPEST - 2):
                    raise Misfit
                inner = unwrap({name: inner})[name]
            plain[name] = inner
        return plain

    fields = GenericAlias(dict, (str, wrapped | str | int | float | bool | None))
    return Leaf(fields | None, make_fields, make_json)


def _steps(pointer: str) -> tuple[str, ...]:
    return tuple(pointer.split("/")[1:])
