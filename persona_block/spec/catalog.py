"""The operations, read from `tool_specs/` with their `$ref`s inlined, and looked up by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from ..errors import InputError, Problem, SpecError
from . import resources
from .grammar import TOOL_PREFIX, OperationName, Param, ToolSpec
from .nearest import nearest_name

_NOT_OPERATIONS = frozenset({"block"})


@cache
def names() -> tuple[OperationName, ...]:
    """Return the names of all operations in alphabetical order; aliases are not among them."""
    return tuple(
        sorted(OperationName(path.stem) for path in resources.specs().glob("*.json") if path.stem not in _NOT_OPERATIONS)
    )


def current_name(name: str) -> str:
    """Return the name that an operation has today: without the `persona_` prefix, and for an alias the name behind it.

    A name that is no operation's is returned without the prefix.
    """
    bare = name.removeprefix(TOOL_PREFIX)
    return bare if bare in names() else _names_by_alias().get(bare, bare)


def operation(name: str) -> OperationName:
    """Return the name of an operation that comes as a variable, checked, as type checkers ask for one in a call.

    name: with or without the `persona_` prefix, or an alias; what is returned is the name of today. A call of it is typed with
        any params and gives a `dict[str, Any]`, whereas a name that is written out gives the types of its operation.

    Raises InputError with the nearest name for one that is unknown.
    """
    if not isinstance(name, str):
        raise InputError("operation", [Problem("operation", "must be the name of an operation")])
    return load(name).name


@cache
def load(name: str) -> ToolSpec:
    """Return the operation of a name, which may be an alias and may have the `persona_` prefix.

    Raises InputError with the nearest name for an unknown one, and SpecError for a file that breaks the grammar.
    """
    known = names()
    current = current_name(name)
    if current not in known:
        nearest = nearest_name(current, known)
        hint = f"did you mean {nearest}?" if nearest else "`persona-block tools` lists them"
        raise InputError("operation", [Problem("operation", f"there is none of this name; {hint}")])
    try:
        spec = ToolSpec.model_validate(_inline(read(f"{current}.json")))
    except ValidationError as error:
        raise SpecError(f"tool_specs/{current}.json breaks the grammar: {error}") from error
    if spec.group not in groups():
        raise SpecError(f"tool_specs/{current}.json is of group {spec.group}; block.json has {', '.join(groups())}")
    return spec


def load_all() -> tuple[ToolSpec, ...]:
    """Return every operation, in alphabetical order of their names."""
    return tuple(load(name) for name in names())


def in_order_of_use() -> tuple[ToolSpec, ...]:
    """Return every operation, by group as `block.json` orders them, and within a group by `order`."""
    places = list(groups())
    return tuple(sorted(load_all(), key=lambda spec: (places.index(spec.group), spec.order, spec.name)))


@cache
def groups() -> Mapping[str, str]:
    """Return the groups of operations as `block.json` declares them: titles by name, in reading order."""
    return MappingProxyType(read("block.json")["groups"])


@cache
def id_kinds() -> Mapping[str, str]:
    """Return the kinds of objects whose ids `block.json` tells apart: what each is called, by its prefix."""
    return MappingProxyType(read("block.json")["idKinds"])


@cache
def api_key_param() -> Param:
    """Return the param that every operation takes beside its own: the API key."""
    return Param.model_validate(_inline({"$ref": "shared/params.json#/apiKey"}))


@cache
def read(path: str) -> dict[str, Any]:
    """Return one JSON file of `tool_specs/` as it stands on disk; the caller must not change it."""
    document = json.loads((resources.specs() / path).read_text("utf-8"))
    if not isinstance(document, dict):
        raise SpecError(f"tool_specs/{path} does not hold an object")
    return document


def grammar_schema() -> dict[str, Any]:
    """Return the JSON Schema of a spec file as it stands on disk, where each param is a `$ref` that may have siblings."""
    schema = ToolSpec.model_json_schema()
    schema["properties"]["group"] = {"type": "string", "enum": list(groups())}
    siblings = {"description": {"type": "string"}, "advanced": {"type": "boolean"}}
    reference = {"type": "string", "pattern": r"^shared/params\.json#/[a-zA-Z]+$"}
    schema["properties"]["$schema"] = {"type": "string"}
    param = {
        "type": "object",
        "properties": {"$ref": reference, **siblings},
        "required": ["$ref"],
        "additionalProperties": False,
    }
    schema["properties"]["params"] = {"type": "object", "additionalProperties": param}
    for unused in ("Param", "Items", "Csv"):
        schema["$defs"].pop(unused)
    return schema


@cache
def _names_by_alias() -> Mapping[str, str]:
    return {alias: name for name in names() for alias in read(f"{name}.json").get("aliases", ())}


def _inline(node: Any) -> Any:
    """Return a JSON value with every `$ref` replaced by what it names; keys beside a `$ref` win over the target's."""
    if isinstance(node, list):
        return [_inline(value) for value in node]
    if not isinstance(node, dict):
        return node
    siblings = {key: _inline(value) for key, value in node.items() if key not in ("$ref", "$schema")}
    if "$ref" not in node:
        return siblings
    path, _, fragment = node["$ref"].partition("#")
    target: Any = read(path)
    for step in fragment.split("/")[1:]:
        if step not in target:
            raise SpecError(f"$ref {node['$ref']} names nothing")
        target = target[step]
    source = {"field": fragment.rpartition("/")[2]} if fragment else {}
    return _inline(target) | source | siblings
