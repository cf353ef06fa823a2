"""House rules that every spec file keeps."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from persona_block.spec import catalog, resources
from persona_block.spec.grammar import PLACEHOLDER, CursorSource, FileSource, ToolSpec

SPECS = catalog.load_all()
FILES = sorted(path for path in resources.specs().glob("*.json") if path.stem != "block")
LONGEST = 46
each = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_layout(path: Path) -> None:
    text = path.read_text("utf-8")
    document = json.loads(text)
    assert document["name"] == path.stem
    assert document["$schema"] == "shared/spec.schema.json"
    assert text.count("\n") <= LONGEST, f"{path.name} is longer than {LONGEST} lines"
    assert max(map(len, text.splitlines())) <= 420
    for name in document["params"]:
        assert re.search(rf'^    "{name}": .*\}},?$', text, re.MULTILINE), f"{name} does not stand on a line of its own"


@each
def test_placeholders_are_params_and_params_are_used(spec: ToolSpec) -> None:
    placeholders = set(spec.placeholders())
    assert placeholders - set(spec.choose) == set(spec.params)
    assert set(spec.choose) <= placeholders, "a choice that no key uses"
    if spec.file_source:
        assert set(PLACEHOLDER.findall(spec.file_source[1].filename)) <= set(spec.required)


@each
def test_path_params_are_required_ids(spec: ToolSpec) -> None:
    for name in PLACEHOLDER.findall(spec.request.path):
        assert name in spec.required
        assert spec.params[name].format == "id"


@each
def test_required_params_exist(spec: ToolSpec) -> None:
    assert {*spec.required, *spec.require_any} <= set(spec.params)
    assert not set(spec.required) & set(spec.require_any)
    assert all(choice.by in spec.params for choice in spec.choose.values())


@each
def test_response_and_output_name_the_same(spec: ToolSpec) -> None:
    assert set(spec.response) == set(spec.output)
    assert all(schema.get("description") for schema in spec.output.values())


@each
def test_every_output_property_says_where_it_comes_from(spec: ToolSpec) -> None:
    for name, source in spec.response.items():
        if not isinstance(source, CursorSource | FileSource):
            _assert_mapped(spec.output[name])


def _assert_mapped(schema: dict[str, Any]) -> None:
    shape = schema.get("items", schema)
    for part in shape.get("properties", {}).values():
        assert ("x-from" in part) != ("x-collect" in part)
        assert part["description"]
        _assert_mapped(part)


@each
def test_output_schemas_stay_open(spec: ToolSpec) -> None:
    text = json.dumps(spec.output_schema())
    assert '"enum"' not in text
    assert "additionalProperties" not in text
    assert "x-" not in re.findall(r'"(x-)', text)


@each
def test_input_schema_is_portable(spec: ToolSpec) -> None:
    schema = spec.input_schema()
    assert set(schema) <= {"type", "properties", "additionalProperties", "required"}
    for name, shape in schema["properties"].items():
        assert re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", name)
        assert isinstance(shape["type"], str)
        assert set(shape) <= {"type", "format", "enum", "items", "minimum", "maximum", "description"}
        assert (shape["type"] == "array") == ("items" in shape)
        assert all(isinstance(value, str) for value in shape.get("enum", []))
    assert len(spec.tool_id) <= 40


@each
def test_the_default_toolset_settles_nothing(spec: ToolSpec) -> None:
    assert spec.effect in ("read", "write") or not spec.in_default_toolset


def alias_collisions(specs: Iterable[ToolSpec]) -> list[str]:
    """Return every alias that is also a name, or an alias of another operation."""
    uses = Counter([name for spec in specs for name in (spec.name, *set(spec.aliases))])
    return sorted(name for name, count in uses.items() if count > 1)


def test_an_alias_stands_for_one_operation() -> None:
    assert alias_collisions(SPECS) == []
    account = catalog.load("get_account")
    assert alias_collisions([*SPECS, account.model_copy(update={"name": "get_person", "aliases": ("get_account",)})]) == [
        "get_account"
    ]
    twins = [account.model_copy(update={"name": name, "aliases": ("get_person",)}) for name in ("get_him", "get_her")]
    assert alias_collisions(twins) == ["get_person"]


def test_the_order_within_a_group_is_that_of_use() -> None:
    places = Counter((spec.group, spec.order) for spec in SPECS)
    assert [place for place, count in places.items() if count > 1] == [], "two operations of a group have one place"
    ordered = catalog.in_order_of_use()
    assert sorted(ordered, key=lambda spec: spec.name) == list(SPECS)
    groups = [spec.group for spec in ordered]
    assert list(dict.fromkeys(groups)) == list(catalog.groups())
    assert groups == sorted(groups, key=list(catalog.groups()).index)
    for group in catalog.groups():
        effects = [spec.effect for spec in ordered if spec.group == group]
        assert "erase" not in effects[:-1], "what is erased last"
        settling = [effect in ("decide", "erase") for effect in effects]
        assert settling == sorted(settling), "what is read or written comes before what is decided"
    names: list[str] = [spec.name for spec in ordered]
    for spec in ordered:
        if spec.then:
            assert names.index(spec.name) < names.index(spec.then.operation), "what polls comes after what starts"


def test_every_group_has_operations() -> None:
    assert {spec.group for spec in SPECS} == set(catalog.groups())


@each
def test_suggestions_are_for_text_that_may_be_anything(spec: ToolSpec) -> None:
    for param in spec.params.values():
        if param.suggestions:
            assert param.type == "string"
            assert not param.enum
            assert len(set(param.suggestions)) == len(param.suggestions)
            assert "suggestions" not in param.json_schema()


@each
def test_csv_rules_are_for_files_and_name_known_columns(spec: ToolSpec) -> None:
    for param in spec.params.values():
        if param.csv:
            assert param.format == "file"
            assert param.csv.name.endswith(".csv")
            assert {*param.csv.dates, *param.csv.unique} <= set(param.csv.columns)


@each
def test_paging_names_params_and_outputs(spec: ToolSpec) -> None:
    assert (spec.paginate is not None) == spec.name.startswith("list_")
    if spec.paginate:
        assert spec.paginate.cursor in spec.params
        size = spec.params[spec.paginate.size]
        assert size.type == "integer"
        assert size.maximum is not None, "no largest page is given"
        assert isinstance(spec.response[spec.paginate.next], CursorSource)
        assert spec.output[spec.paginate.items]["type"] == "array"


@each
def test_waiting_leads_somewhere(spec: ToolSpec) -> None:
    if spec.wait:
        _, output, attribute = spec.wait.for_.split("/")
        assert attribute in spec.output[output]["properties"]
        assert not set(spec.wait.success) & set(spec.wait.failure)
        assert not set(spec.wait.running) & {*spec.wait.success, *spec.wait.failure}
        assert set(spec.wait.final) <= {*spec.wait.success, *spec.wait.failure}
        for pointer in spec.wait.counts.values():
            assert pointer.rpartition("/")[2] in spec.output[output]["properties"]
    if spec.then:
        following = catalog.load(spec.then.operation)
        assert following.wait is not None
        assert set(spec.then.params) == set(following.required)
        for pointer in spec.then.params.values():
            _, output, attribute = pointer.split("/")
            assert attribute in spec.output[output]["properties"]


@each
def test_decisions_and_erasures_can_be_confirmed(spec: ToolSpec) -> None:
    assert (spec.confirm is not None) == (spec.effect in ("decide", "erase"))
    if spec.confirm:
        reading = catalog.load(spec.confirm.operation)
        assert reading.effect == "read"
        assert set(reading.params) <= set(spec.required)
        assert list(reading.output) == list(spec.output)
        _, output, attribute = spec.confirm.at.split("/")
        assert attribute in reading.output[output]["properties"]


@each
def test_effect_agrees_with_the_method(spec: ToolSpec) -> None:
    methods = {"read": {"GET"}, "write": {"POST", "PATCH"}, "decide": {"POST"}, "erase": {"DELETE"}}
    assert spec.request.method in methods[spec.effect]


@each
def test_prose(spec: ToolSpec) -> None:
    assert spec.description.endswith(".")
    assert 15 <= len(spec.description.split()) <= 70
    for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", spec.description):
        assert word in catalog.names() or word == "needs_review", f"{word} is no operation"


def test_every_shared_param_is_used() -> None:
    used = {param.field for spec in SPECS for param in spec.params.values()}
    assert used | {"apiKey"} == set(catalog.read("shared/params.json"))


def test_one_field_means_one_param_name() -> None:
    names_by_field: dict[str, set[str]] = {}
    for spec in SPECS:
        for name, param in spec.params.items():
            names_by_field.setdefault(param.field, set()).add(name)
    assert [field for field, names in names_by_field.items() if len(names) > 1] == []


def test_grammar_file_is_current() -> None:
    """Compare by keys, because the wording of a generated schema changes with pydantic's version."""
    shipped = json.loads((resources.specs() / "shared/spec.schema.json").read_text("utf-8"))
    assert _keys(shipped) == _keys(catalog.grammar_schema()), "run `make generate`"


def _keys(schema: dict[str, Any]) -> dict[str, Any]:
    shapes = {"": schema, **schema["$defs"]}
    return {name: (sorted(shape["properties"]), sorted(shape.get("required", []))) for name, shape in shapes.items()}


def test_spec_files_fit_the_shipped_grammar() -> None:
    validator = Draft202012Validator(json.loads((resources.specs() / "shared/spec.schema.json").read_text("utf-8")))
    for path in FILES:
        assert [error.message for error in validator.iter_errors(json.loads(path.read_text("utf-8")))] == []


def test_unknown_keys_are_refused() -> None:
    document = catalog.load("get_inquiry").model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="retries"):
        ToolSpec.model_validate(document | {"retries": 3})
