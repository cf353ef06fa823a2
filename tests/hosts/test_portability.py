"""Schemas that every model provider takes: one rule for each thing that some provider refuses, each shown to catch one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from persona_block.hosts import Tool
from persona_block.hosts.tool import load_tool
from persona_block.spec import catalog

Schema = dict[str, Any]
Rule = Callable[[str, Schema], list[str]]
TOOLS = [load_tool(name) for name in catalog.names()]
every_tool = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)

COMBINATORS = ("anyOf", "oneOf", "allOf", "enum", "not")
CONDITIONS = ("if", "then", "else", "not", "patternProperties", "dependentRequired", "dependentSchemas", "dependencies")
VANISHING = ("config", "run_manager", "callbacks", "self")


def schemas(schema: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Every schema within one, itself first."""
    yield path, schema
    if not isinstance(schema, dict):
        return
    for name, part in schema.get("properties", {}).items():
        yield from schemas(part, f"{path}.{name}")
    for keyword in ("items", "additionalProperties", "not", "if", "then", "else"):
        if keyword in schema:
            yield from schemas(schema[keyword], f"{path}.{keyword}")
    for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for index, part in enumerate(schema.get(keyword, ())):
            yield from schemas(part, f"{path}.{keyword}{index}")


def everywhere(offends: Callable[[Any], bool]) -> Rule:
    return lambda _name, schema: [path for path, part in schemas(schema) if offends(part)]


def has(*keywords: str) -> Callable[[Any], bool]:
    return lambda part: isinstance(part, dict) and any(keyword in part for keyword in keywords)


def of_object(part: Any) -> Schema:
    return part.get("properties", {}) if isinstance(part, dict) else {}


def untyped_items(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "array" and not isinstance(part.get("items", {}).get("type"), str)


def unsaid(part: Any) -> bool:
    """A limit that stands in the schema alone, where some providers drop it."""
    limits = [str(part[key]) for key in ("minimum", "maximum", "pattern", "format") if key in part] if part else []
    return bool(limits) and not re.search(r"\d", part.get("description", ""))


BOTH: dict[str, tuple[Rule, Schema]] = {
    "root is an object with properties": (
        lambda _name, schema: [] if schema.get("type") == "object" and "properties" in schema else ["$"],
        {"type": "object"},
    ),
    "root has no combinator": (
        lambda _name, schema: [key for key in COMBINATORS if key in schema],
        {"type": "object", "properties": {}, "anyOf": [{"required": ["a"]}]},
    ),
    "property keys": (
        everywhere(lambda part: not all(re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", key) for key in of_object(part))),
        {"type": "object", "properties": {"na me": {"type": "string"}}},
    ),
    "no references": (
        everywhere(has("$ref", "$defs", "definitions")),
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}},
    ),
    "one type each": (
        everywhere(lambda part: isinstance(part, dict) and not isinstance(part.get("type"), str)),
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
    ),
    "no const": (everywhere(has("const")), {"type": "object", "properties": {"a": {"type": "string", "const": "x"}}}),
    "no oneOf": (
        everywhere(has("oneOf", "anyOf", "allOf")),
        {"type": "object", "properties": {"a": {"type": "string", "oneOf": [{"type": "string"}]}}},
    ),
    "no bare true and no empty schema": (
        everywhere(lambda part: not isinstance(part, dict) or not part),
        {"type": "object", "properties": {"a": True}},
    ),
    "arrays say what they hold": (everywhere(untyped_items), {"type": "object", "properties": {"a": {"type": "array"}}}),
    "no conditions": (
        everywhere(has(*CONDITIONS)),
        {"type": "object", "properties": {"a": {"type": "object", "patternProperties": {"^x": {"type": "string"}}}}},
    ),
    "everything is described": (
        lambda _name, schema: [key for key, part in schema.get("properties", {}).items() if not part.get("description")],
        {"type": "object", "properties": {"a": {"type": "string"}}},
    ),
}
INPUT: dict[str, tuple[Rule, Schema]] = {
    "choices are text": (
        everywhere(lambda part: isinstance(part, dict) and not all(isinstance(one, str) for one in part.get("enum", ()))),
        {"type": "object", "properties": {"a": {"type": "integer", "enum": [1, 2]}}},
    ),
    "limits are said in words too": (
        everywhere(unsaid),
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1, "description": "How many."}}},
    ),
    "no argument that a framework takes for itself": (
        lambda _name, schema: [key for key in VANISHING if key in schema["properties"]],
        {"type": "object", "properties": {"config": {"type": "string"}}},
    ),
    "no argument for the key": (
        lambda _name, schema: [key for key in schema["properties"] if "key" in key.lower()],
        {"type": "object", "properties": {"apiKey": {"type": "string"}}},
    ),
    "what is required exists": (
        lambda _name, schema: [key for key in schema.get("required", ()) if key not in schema["properties"]],
        {"type": "object", "properties": {}, "required": ["a"]},
    ),
}
RULES = BOTH | INPUT


@every_tool
def test_input_schemas(tool: Tool) -> None:
    Draft202012Validator.check_schema(tool.input_schema)
    assert {name: paths for name, (rule, _) in RULES.items() if (paths := rule(tool.name, tool.input_schema))} == {}


@every_tool
def test_output_schemas(tool: Tool) -> None:
    """A client that reads a tool list of MCP shows its model these too."""
    Draft202012Validator.check_schema(tool.output_schema)
    assert {name: paths for name, (rule, _) in BOTH.items() if (paths := rule(tool.name, tool.output_schema))} == {}
    text = json.dumps(tool.output_schema)
    assert '"required"' not in text, "what is null is left out"
    assert '"additionalProperties"' not in text
    assert '"enum"' not in text


@pytest.mark.parametrize("name", RULES)
def test_each_rule_catches_an_offender(name: str) -> None:
    rule, offender = RULES[name]
    assert rule("x", offender)


@pytest.mark.parametrize("keyword", [*CONDITIONS, "$ref", "$defs", "const", "oneOf", "anyOf", "allOf"])
def test_no_keyword_hides_below(keyword: str) -> None:
    deep = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", keyword: {}}}}}
    assert any(rule("x", deep) for rule, _ in BOTH.values())


@pytest.mark.parametrize("keyword", COMBINATORS)
def test_no_combinator_at_the_root(keyword: str) -> None:
    rule, _ = RULES["root has no combinator"]
    assert rule("x", {"type": "object", "properties": {}, keyword: []})


NAME = re.compile(r"[a-zA-Z0-9_-]{1,40}")


@every_tool
def test_names(tool: Tool) -> None:
    assert NAME.fullmatch(tool.name)


@pytest.mark.parametrize("name", ["persona.get_inquiry", "persona_" + "x" * 33, "persona get"])
def test_the_rule_for_names_catches_an_offender(name: str) -> None:
    assert not NAME.fullmatch(name)
