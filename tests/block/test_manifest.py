"""The manifest says of every operation what its spec says, and is enough to run it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from jsonschema import Draft202012Validator

import persona_block
from persona_block.block import build, manifest, manifest_schema, prebuilt
from persona_block.spec import catalog, resources
from persona_block.spec.grammar import FileSource, ToolSpec
from scripts.generate import MANIFEST_SCHEMA, STORED_MANIFEST, stored_manifest
from tests.support.spec_folder import spec_folder

MANIFEST = build.manifest()
SUB_BLOCKS: list[dict[str, Any]] = MANIFEST["subBlocks"]
DEFINITIONS: dict[str, dict[str, Any]] = {definition["name"]: definition for definition in MANIFEST["tools"]["definitions"]}
SPECS = catalog.load_all()
each = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)


# --- the document and its schema -------------------------------------------------------------------------------------------


def test_fits_its_schema() -> None:
    Draft202012Validator.check_schema(manifest_schema())
    errors = Draft202012Validator(manifest_schema()).iter_errors(json.loads(json.dumps(MANIFEST)))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_schema_is_closed_wherever_the_manifest_is_ours() -> None:
    schema = manifest_schema()
    parts = {"Manifest": schema, **schema["$defs"]}
    objects = {name: part for name, part in parts.items() if part.get("type") == "object"}
    assert len(objects) > 20
    assert [name for name, part in objects.items() if part.get("additionalProperties") is not False] == []


@pytest.mark.parametrize(
    "path",
    [
        [],
        ["subBlocks", 1],
        ["tools"],
        ["tools", "definitions", 0],
        ["templates", 0, "steps", 0],
        ["skills", 0],
        ["wire", "auth"],
        ["tools", "definitions", 0, "params"],
        ["tools", "definitions", 0, "params", "properties", "inquiryTemplateId"],
        ["tools", "definitions", 0, "output"],
        ["tools", "definitions", 0, "output", "properties", "inquiry"],
        ["tools", "definitions", 0, "output", "properties", "inquiry", "properties", "tags", "items"],
        ["tools", "definitions", 0, "response", "inquiry", "shape"],
        ["tools", "definitions", 0, "response", "inquiry", "shape", "properties", "tags"],
        ["webhooks", "objects", "inquiry"],
    ],
    ids=str,
)
def test_schema_refuses_a_strange_key_and_a_missing_one(path: list[str | int]) -> None:
    validator = Draft202012Validator(manifest_schema())
    strange = manifest()
    _at(strange, path)["strange"] = 1
    assert not validator.is_valid(strange)
    lacking = manifest()
    part = _at(lacking, path)
    del part["id" if "id" in part else next(iter(part))]
    assert not validator.is_valid(lacking)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["shape", "properties", "id", "x-from"], "id"),
        (["shape", "properties", "id", "type"], "text"),
        (["shape", "properties", "tags", "items", "x-unwrap"], False),
        (["shape", "x-type"], "inquiry/"),
        (["shape", "x-collect"], "/attributes/*"),
        (["shape", "properties", "Id"], {"type": "string"}),
        (["shape", "properties", "id"], None),
    ],
    ids=str,
)
def test_schema_knows_every_word_of_a_shape(path: list[str | int], value: Any) -> None:
    spoilt = manifest()
    source = spoilt["tools"]["definitions"][0]["response"]["inquiry"]
    _at(source, path[:-1])[path[-1]] = value
    assert not Draft202012Validator(manifest_schema()).is_valid(spoilt)


def test_schema_describes_every_property_and_knows_them_all() -> None:
    schemas = [
        node for node in _nodes(manifest_schema()) if node.get("type") == "object" and isinstance(node.get("title"), str)
    ]
    described = [(node["title"], name, part) for node in schemas for name, part in node.get("properties", {}).items()]
    assert len(described) > 200
    assert [(title, name) for title, name, part in described if not part.get("description")] == []
    titles = {part["title"] for _, _, part in described if "title" in part}
    assert [title for title in titles if not re.fullmatch(r"[A-Z][A-Za-z]*( [A-Za-z]+)*", title) or "Url" in title] == []
    is_open = [node["title"] for node in schemas if "additionalProperties" not in node]
    assert is_open == []


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(child)


def _at(document: Any, path: list[str | int]) -> Any:
    for step in path:
        document = document[step]
    return document


def test_schema_file_is_up_to_date() -> None:
    """Compare by keys, because the wording of a generated schema changes with pydantic's version."""
    shipped = json.loads(MANIFEST_SCHEMA.read_text("utf-8"))
    assert _shapes(shipped) == _shapes(manifest_schema()), "run `make generate`"
    assert list(Draft202012Validator(shipped).iter_errors(json.loads(json.dumps(MANIFEST)))) == []


def _shapes(schema: dict[str, Any]) -> dict[str, Any]:
    shapes = {"": schema, **schema["$defs"]}
    return {name: (sorted(shape.get("properties", [])), sorted(shape.get("required", []))) for name, shape in shapes.items()}


def test_stored_manifest_is_fresh() -> None:
    stored = json.loads(STORED_MANIFEST.read_text("utf-8"))
    current = stored_manifest()
    before, now = stored["manifest"], current["manifest"]
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    assert not changed, f"run `make generate` and look at what changed: {', '.join(changed)}"
    assert stored["sources"] == current["sources"], "run `make generate`"
    with mock.patch.object(build, "manifest", side_effect=AssertionError("it was derived")):
        assert json.dumps(manifest()) == json.dumps(MANIFEST), "the same keys in the same order"


def test_a_manifest_that_is_not_fresh_is_derived(tmp_path: Path) -> None:
    with spec_folder(tmp_path) as folder:
        path = folder / "get_case.json"
        path.write_text(path.read_text("utf-8").replace('"title": "Get Case"', '"title": "Read Case"'), "utf-8")
        titles = [each["title"] for each in manifest()["tools"]["definitions"]]
        assert "Read Case" in titles
    with spec_folder(tmp_path / "without") as folder:
        (folder / prebuilt.STORED).unlink()
        assert manifest() == MANIFEST


def test_each_call_gives_a_copy_of_its_own() -> None:
    first = manifest()
    first["tools"]["definitions"][0]["output"]["properties"].clear()
    first["subBlocks"].clear()
    assert manifest() == MANIFEST


@pytest.mark.process
def test_needs_no_http_and_no_validator() -> None:
    script = (
        "import sys; from persona_block.block import manifest, manifest_schema; manifest(); manifest_schema();"
        "print([name for name in ('httpx', 'httpcore', 'jsonschema', 'starlette') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert ran.stdout.strip() == "[]"


# --- who the block is ------------------------------------------------------------------------------------------------------


def test_identity() -> None:
    assert MANIFEST["type"] == "persona"
    assert MANIFEST["authMode"] == "api_key"
    assert MANIFEST["version"] == persona_block.__version__
    assert MANIFEST["docsLink"] == "https://docs.withpersona.com/"
    assert MANIFEST["icon"] == resources.icon("persona.svg").strip()
    assert len(MANIFEST["description"]) <= 80 < len(MANIFEST["longDescription"])


def test_colours_can_be_told_apart() -> None:
    light, dark = sorted(map(_luminance, (MANIFEST["bgColor"], MANIFEST["iconColor"])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_icon_is_small_plain_svg_with_its_own_ground() -> None:
    icon = MANIFEST["icon"]
    assert len(icon.encode()) < 1500
    root = ElementTree.fromstring(icon)
    assert root.get("viewBox") == "0 0 32 32"
    shapes = [element.tag.rpartition("}")[2] for element in root]
    assert shapes[0] == "rect"
    assert root[0].get("width") == root[0].get("height") == "32"
    assert root[0].get("fill") == MANIFEST["bgColor"]
    assert set(shapes) <= {"rect", "circle", "path"}
    assert len(shapes) <= 6
    assert "href" not in icon
    assert "url(" not in icon


# --- the operations --------------------------------------------------------------------------------------------------------


def test_every_operation_is_everywhere_in_the_same_order() -> None:
    ordered = list(DEFINITIONS)
    assert sorted(ordered) == list(catalog.names())
    assert MANIFEST["tools"]["access"] == [f"persona_{name}" for name in ordered]
    assert [definition["id"] for definition in DEFINITIONS.values()] == MANIFEST["tools"]["access"]
    assert list(MANIFEST["sentences"]) == ordered
    options = SUB_BLOCKS[0]["options"]
    assert [option["id"] for option in options] == ordered
    assert [option["label"] for option in options] == [definition["title"] for definition in DEFINITIONS.values()]
    groups = [definition["group"] for definition in DEFINITIONS.values()]
    assert [option["group"] for option in options] == [MANIFEST["groups"][group] for group in groups]


def test_the_order_is_that_of_use() -> None:
    assert list(DEFINITIONS) == [spec.name for spec in catalog.in_order_of_use()]
    used = ["create_inquiry", "generate_inquiry_link", "get_inquiry", "update_inquiry", "approve_inquiry", "redact_inquiry"]
    assert [name for name in DEFINITIONS if name in used] == used


@each
def test_definition_says_what_the_spec_says(spec: ToolSpec) -> None:
    definition = DEFINITIONS[spec.name]
    for attribute in ("name", "title", "description", "group", "effect"):
        assert definition[attribute] == getattr(spec, attribute)
    assert definition["inDefaultToolset"] == spec.in_default_toolset
    assert definition.get("aliases", []) == list(spec.aliases)
    plain = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    for name in ("request", "paginate", "wait", "then", "confirm"):
        assert definition.get(name) == plain.get(name)
    for name in ("choose", "requireAny"):
        assert definition.get(name, type(plain[name])()) == plain[name]
    assert definition["output"] == spec.output_schema()
    assert set(definition["response"]) == set(spec.output)
    assert MANIFEST["sentences"][spec.name] == spec.sentence


@each
def test_params_are_those_of_the_spec_and_the_key(spec: ToolSpec) -> None:
    params = DEFINITIONS[spec.name]["params"]
    Draft202012Validator.check_schema(params)
    (first_name, first_schema), *rest = params["properties"].items()
    assert first_name == "apiKey"
    assert first_schema["visibility"] == "user-only"
    visibilities = {name: param.visibility for name, param in spec.params.items()}
    assert {name: schema["visibility"] for name, schema in rest} == visibilities
    assert params["required"] == ["apiKey", *spec.required]
    assert params["additionalProperties"] is False
    for name, schema in rest:
        assert spec.params[name].json_schema().items() <= schema.items()


def test_hints_follow_effect_and_method() -> None:
    def names_with(hint: str) -> set[str]:
        return {name for name, definition in DEFINITIONS.items() if definition["hints"][hint]}

    def names_of(*effects: str) -> set[str]:
        return {spec.name for spec in SPECS if spec.effect in effects}

    erasures = {"redact_account", "redact_inquiry"}
    decisions = {"approve_inquiry", "decline_inquiry", "expire_inquiry", "mark_inquiry_for_review"}
    assert names_with("destructive") == names_of("erase") >= erasures
    assert names_with("consent") == names_of("decide", "erase") >= erasures | decisions
    assert names_with("readOnly") == {name for name, d in DEFINITIONS.items() if d["request"]["method"] == "GET"}
    repeatable = {spec.name for spec in SPECS if spec.request.method in ("GET", "PATCH", "DELETE")}
    assert names_with("idempotent") == repeatable >= erasures | {"update_inquiry", "update_account"}


# --- enough to run it ------------------------------------------------------------------------------------------------------


def test_wire_is_what_every_case_needs() -> None:
    wire = MANIFEST["wire"]
    assert wire["baseUrl"] == "https://api.withpersona.com/api/v1"
    assert wire["headers"] == {"Persona-Version": "2025-12-08", "Key-Inflection": "kebab"}
    assert wire["auth"]["param"] in DEFINITIONS["get_inquiry"]["params"]["properties"]


def test_grammar_explains_every_word_in_use() -> None:
    grammar = MANIFEST["grammar"]
    formats = {schema["format"] for schema in _schemas("params") if "format" in schema}
    assert set(grammar["formats"]) == formats | {"list", "id-list"}
    assert set(grammar["effects"]) == {definition["effect"] for definition in DEFINITIONS.values()}
    mappings = {keyword for schema in _schemas("response") for keyword in schema if keyword.startswith("x-")}
    assert mappings == {word.replace("_", "-") for word in grammar["response"] if word.startswith("x_")}
    optional = {name for definition in DEFINITIONS.values() for name in definition}
    for word in ("paginate", "wait", "then", "confirm"):
        assert word in optional
        assert word in grammar["running"]
    for word in ("choose", "require_any", "multipart", "placeholder", "optional_key"):
        assert word in grammar["request"]


def _schemas(name: str) -> Iterator[dict[str, Any]]:
    """Yield every object below this key of each definition."""

    def walk(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            yield node
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
            yield from walk(child)

    for definition in DEFINITIONS.values():
        yield from walk(definition[name])


# --- inputs and outputs of the block ---------------------------------------------------------------------------------------


def test_inputs_are_every_param_with_its_operations() -> None:
    expected = {"operation": set(DEFINITIONS), "apiKey": set(DEFINITIONS)}
    for spec in SPECS:
        for name in spec.params:
            expected.setdefault(name, set()).add(spec.name)
    switches = {field["id"]: set(field["condition"]["value"]) for field in SUB_BLOCKS if field["type"] == "switch"}
    assert {name: set(entry["operations"]) for name, entry in MANIFEST["inputs"].items()} == expected | switches
    for spec in SPECS:
        for name, param in spec.params.items():
            assert MANIFEST["inputs"][name]["type"] == ("file" if param.format == "file" else param.type)


def test_an_input_is_described_once_and_otherwise_where_an_operation_means_it_otherwise() -> None:
    general = {param["description"] for param in catalog.read("shared/params.json").values()}
    for spec in SPECS:
        for name, param in spec.params.items():
            entry = MANIFEST["inputs"][name]
            assert entry["description"] in general
            assert entry.get("descriptions", {}).get(spec.name, entry["description"]) == param.description
            assert entry["description"] not in entry.get("descriptions", {}).values()


def test_outputs_are_every_output_with_its_operations() -> None:
    expected: dict[str, set[str]] = {}
    for spec in SPECS:
        for name in spec.output:
            expected.setdefault(name, set()).add(spec.name)
    assert {name: set(entry["operations"]) for name, entry in MANIFEST["outputs"].items()} == expected
    for spec in SPECS:
        for name, schema in spec.output.items():
            shown = MANIFEST["outputs"][name]
            assert shown["nullable"] == ("null" in schema["type"])
            assert shown["type"] in ("file" if isinstance(spec.response[name], FileSource) else schema["type"])
