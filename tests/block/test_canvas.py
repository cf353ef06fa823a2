"""The canvas shows for each operation exactly its params, in an order a person can follow."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from persona_block.block.build import definition, manifest
from persona_block.call.inputs import prepare
from persona_block.hosts.consent import consent_request
from persona_block.spec import catalog
from persona_block.spec.grammar import PLACEHOLDER, Param, ToolSpec
from persona_block.spec.sentence import filled_sentence

SUB_BLOCKS: list[dict[str, Any]] = manifest()["subBlocks"]
SPECS = catalog.load_all()
PAIR = ["fileUpload", "fileReference"]
each = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
each_param = pytest.mark.parametrize(
    ("spec", "name", "param"),
    [pytest.param(spec, name, param, id=f"{spec.name}-{name}") for spec in SPECS for name, param in spec.params.items()],
)


def shown_for(operation: str) -> list[dict[str, Any]]:
    """Return the fields that a canvas shows for an operation, without those of every operation."""
    return [field for field in SUB_BLOCKS if operation in field.get("condition", {"value": []})["value"]]


def fields_of(spec: ToolSpec, name: str) -> list[dict[str, Any]]:
    """Return the one field of a param, or the two of a file."""
    return [field for field in shown_for(spec.name) if field["canonicalParamId"] == name]


def is_required(required: Any, operation: str) -> bool:
    """Tell whether a field is required for an operation."""
    return operation in required["value"] if isinstance(required, dict) else bool(required)


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(field["id"] for field in SUB_BLOCKS).items() if count > 1] == []


def test_operation_comes_first_and_the_api_key_last() -> None:
    operation, *between, api_key = SUB_BLOCKS
    assert operation["id"] == "operation"
    assert operation["type"] == "dropdown"
    assert operation["defaultValue"] == operation["options"][0]["id"]
    assert api_key["id"] == "apiKey"
    assert api_key["password"] is True
    assert api_key["visibility"] == "user-only"
    assert operation["required"] is api_key["required"] is True
    assert "condition" not in operation
    assert "condition" not in api_key
    assert all("condition" in field and "password" not in field for field in between)


@each
def test_shows_every_param_once_and_nothing_else(spec: ToolSpec) -> None:
    shown = Counter(field["canonicalParamId"] for field in shown_for(spec.name) if field["type"] != "switch")
    assert shown == {name: 2 if param.format == "file" else 1 for name, param in spec.params.items()}


@each_param
def test_field_says_what_the_param_says(spec: ToolSpec, name: str, param: Param) -> None:
    for field in fields_of(spec, name):
        if field["id"] not in PAIR:
            assert field["id"] == param.field
            assert field["title"] == param.title
            assert field.get("placeholder") == param.placeholder
            assert field["mode"] == ("advanced" if param.advanced else "basic")
            assert field.get("descriptions", {}).get(spec.name, field["description"]) == param.description
        assert field["visibility"] == param.visibility
        assert (field.get("min"), field.get("max")) == (param.minimum, param.maximum)
        assert [option["id"] for option in field.get("options", [])] == list(param.enum or param.suggestions or ())
        assert field.get("multiple", False) == (param.format in ("list", "id-list"))
        assert "running" not in field
        assert is_required(field["required"], spec.name) == (name in spec.required)
        expected = [spec.params[other].field for other in spec.require_any] if name in spec.require_any else None
        assert field.get("requiredAny", {}).get(spec.name) == expected


@each_param
def test_type_of_field_suits_the_param(spec: ToolSpec, name: str, param: Param) -> None:
    types = [field["type"] for field in fields_of(spec, name)]
    if param.format == "file":
        assert types == ["file-upload", "short-input"]
    elif param.format in ("date", "date-time"):
        assert types == [param.format]
    elif param.enum or param.suggestions:
        assert types == ["dropdown" if param.enum else "combobox"]
    elif param.type == "integer":
        assert types == ["number"]
    elif param.type in ("object", "array"):
        (field,) = fields_of(spec, name)
        assert (field["type"], field["language"]) == ("code", "json")
        assert isinstance(json.loads(field["placeholder"]), dict if param.type == "object" else list)
    else:
        assert types == ["long-input" if name in ("note", "comment") else "short-input"]


def test_only_known_operations_are_named() -> None:
    known = set(catalog.names())
    for field in SUB_BLOCKS:
        shown = set(field.get("condition", {"value": known})["value"])
        required = set(field["required"]["value"]) if isinstance(field["required"], dict) else set()
        assert shown <= known
        assert required <= shown
        assert set(field.get("requiredAny", {})) <= shown
        assert set(field.get("descriptions", {})) <= shown


@each
def test_a_param_has_two_fields_only_as_upload_and_reference(spec: ToolSpec) -> None:
    for name, param in spec.params.items():
        fields = fields_of(spec, name)
        if param.format != "file":
            assert len(fields) == 1
            continue
        upload, reference = fields
        assert [upload["id"], reference["id"]] == PAIR
        assert (upload["mode"], reference["mode"]) == ("basic", "advanced")
        assert ".csv" in upload["acceptedTypes"]
        assert "acceptedTypes" not in reference
        assert upload["condition"] == reference["condition"]
        assert upload["required"] == reference["required"]
        assert upload["title"] != reference["title"]
        assert upload["description"] != reference["description"], "they are filled in differently"
        assert upload["placeholder"] != reference["placeholder"]
        assert "descriptions" not in upload
        assert "descriptions" not in reference
        for column in param.csv.columns if param.csv else ():
            assert column in upload["description"]
            assert column in reference["description"]


def test_there_is_a_pair_at_all() -> None:
    ids = [field["id"] for field in SUB_BLOCKS]
    assert [identifier for identifier in ids if identifier in PAIR] == PAIR
    assert ids.index(PAIR[1]) == ids.index(PAIR[0]) + 1


@each
def test_what_is_needed_comes_first_and_paging_last(spec: ToolSpec) -> None:
    shown = [field for field in shown_for(spec.name) if field["id"] != "fileReference" and field["type"] != "switch"]
    assert [field["mode"] for field in shown] == sorted((field["mode"] for field in shown), reverse=True)
    required = [is_required(field["required"], spec.name) for field in shown]
    assert required == sorted(required, reverse=True)
    if spec.paginate:
        assert [field["id"] for field in shown][-2:] == ["pageSize", "pageAfter"]


def test_a_filter_is_not_the_field_of_an_object() -> None:
    by_id = {field["id"]: field for field in SUB_BLOCKS}
    assert by_id["inquiryStatus"]["canonicalParamId"] == by_id["caseStatus"]["canonicalParamId"] == "status"
    assert by_id["inquiryFields"]["canonicalParamId"] == by_id["accountFields"]["canonicalParamId"] == "fields"
    assert by_id["inquiryStatus"]["condition"] == {"field": "operation", "value": ["list_inquiries"]}
    assert by_id["caseStatus"]["condition"] == {"field": "operation", "value": ["list_cases"]}


# --- kinds of fields and switches ------------------------------------------------------------------------------------------


def test_a_status_filter_offers_its_values_and_takes_others() -> None:
    by_id = {field["id"]: field for field in SUB_BLOCKS}
    inquiries, cases = by_id["inquiryStatus"], by_id["caseStatus"]
    assert inquiries["type"] == cases["type"] == "combobox"
    assert {"id": "needs_review", "label": "Needs review"} in inquiries["options"]
    assert inquiries["multiple"] is True
    assert "multiple" not in cases
    polled = catalog.load("get_inquiry").wait
    assert polled
    ids = [option["id"] for option in inquiries["options"]]
    assert {*polled.success, *polled.failure} <= set(ids)
    description = catalog.load("list_inquiries").params["status"].description
    assert all(identifier in description for identifier in ids), "a model is told of the same values"
    for name in ("list_inquiries", "list_cases"):
        spec = catalog.load(name)
        assert "enum" not in spec.input_schema()["properties"]["status"]
        assert prepare(spec, {"status": "Awaiting documents"}) == {"status": "Awaiting documents"}


@each
def test_switches_say_how_an_operation_can_be_run(spec: ToolSpec) -> None:
    switches = {field["running"]: field for field in shown_for(spec.name) if field["type"] == "switch"}
    assert set(switches) == {rule for rule, can in (("wait", spec.wait or spec.then), ("paginate", spec.paginate)) if can}
    for switch in switches.values():
        assert switch["defaultValue"] is False
        assert switch["mode"] == "basic"
        assert switch["required"] is False
        assert switch["canonicalParamId"] == switch["id"]


def test_a_switch_is_no_param_and_is_told_of_as_an_input() -> None:
    document = manifest()
    switches = [field for field in SUB_BLOCKS if field["type"] == "switch"]
    assert {field["running"] for field in switches} <= set(document["grammar"]["running"])
    names = {name for spec in SPECS for name in spec.params} | {
        param.field for spec in SPECS for param in spec.params.values()
    }
    for switch in switches:
        assert switch["id"] not in names
        expected = {"type": "boolean", "description": switch["description"], "operations": switch["condition"]["value"]}
        assert document["inputs"][switch["id"]] == expected
    first_advanced = next(
        index for index, field in enumerate(SUB_BLOCKS) if field["mode"] == "advanced" and field["id"] not in PAIR
    )
    places = [SUB_BLOCKS.index(switch) for switch in switches]
    assert places == list(range(first_advanced - len(switches), first_advanced)), "behind the fields that are not folded away"


def test_the_grammar_explains_every_kind_of_field() -> None:
    kinds = manifest()["grammar"]["canvas"]["kinds"] + manifest()["grammar"]["canvas"]["code"]
    for kind in {field["type"] for field in SUB_BLOCKS} - {"switch"}:
        assert kind == "code" or re.search(rf"\b{kind}\b", kinds), kind


# --- consent ---------------------------------------------------------------------------------------------------------------


@each
def test_what_settles_something_says_what_to_ask(spec: ToolSpec) -> None:
    (definition,) = (each for each in manifest()["tools"]["definitions"] if each["name"] == spec.name)
    assert ("consent" in definition) == definition["hints"]["consent"]


@pytest.mark.parametrize("name", [spec.name for spec in SPECS if spec.effect in ("decide", "erase")])
def test_a_canvas_asks_what_every_host_asks(name: str) -> None:
    """The words of the manifest are those of the question that the hosts ask, for the same params."""
    spec = catalog.load(name)
    consent = definition(spec)["consent"]
    params = {param: f"{param}-1" for param in spec.params}
    request = consent_request(spec, params)
    assert request
    lines = request.message.splitlines()
    assert lines[0] == filled_sentence(consent["title"], params)
    others = [line for line in lines[1:] if re.fullmatch(r"[^:]+: “.*”", line)]
    assert " ".join(line for line in lines[1:] if line not in others) == consent["text"]
    assert [line.partition(": ")[2] for line in others] == [f"“{name}-1”" for name in params if name not in spec.required]
    assert (consent.get("typed") is not None) == request.prompt.endswith(request.object_id)
    assert consent.get("typed") in (None, *PLACEHOLDER.findall(spec.request.path))
