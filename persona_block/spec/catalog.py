"""The operations, read from `tool_specs/`: found by name, `$ref`s inlined, kept."""

from __future__ import annotations

import difflib
import json
from functools import cache
from typing import Any

from pydantic import ValidationError

from ..errors import InputError, Problem, SpecError
from . import resources
from .grammar import TOOL_PREFIX, Param, ToolSpec

_NOT_OPERATIONS = frozenset({"block"})


@cache
def names() -> tuple[str, ...]:
    """The names of all operations, in the alphabet's order."""
    return tuple(sorted(path.stem for path in resources.specs().glob("*.json") if path.stem not in _NOT_OPERATIONS))


@cache
def load(name: str) -> ToolSpec:
    """The operation `name`, with or without the `persona_` prefix.

    Raises InputError for a name that is none, with the nearest one, and SpecError for a file that breaks the grammar.
    """
    known = names()
    bare = name.removeprefix(TOOL_PREFIX)
    if bare not in known:
        near = difflib.get_close_matches(bare, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "`persona-block tools` lists them"
        raise InputError("operation", [Problem("operation", f"there is no operation of this name; {hint}")])
    try:
        return ToolSpec.model_validate(_inline(read(f"{bare}.json")))
    except ValidationError as error:
        raise SpecError(f"tool_specs/{bare}.json breaks the grammar: {error}") from error


def load_all() -> tuple[ToolSpec, ...]:
    """Every operation, in the alphabet's order."""
    return tuple(load(name) for name in names())


@cache
def api_key_param() -> Param:
    """The param that every operation takes beside its own: the API key."""
    return Param.model_validate(_inline({"$ref": "shared/params.json#/apiKey"}))


@cache
def read(path: str) -> dict[str, Any]:
    """One JSON file of `tool_specs/`, as it stands there."""
    document = json.loads((resources.specs() / path).read_text("utf-8"))
    if not isinstance(document, dict):
        raise SpecError(f"tool_specs/{path} does not hold an object")
    return document


def grammar_schema() -> dict[str, Any]:
    """The JSON Schema of a spec file as it stands on disk, for editors and tests: each param is a `$ref` with siblings."""
    schema = ToolSpec.model_json_schema()
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


def _inline(node: Any) -> Any:
    """`node` with every `$ref` replaced by what it names; keys beside a `$ref` win over the target's."""
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
