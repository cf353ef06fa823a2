"""The canvas shows for each operation exactly its params, in an order a person can follow."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from persona_block.block.build import manifest
from persona_block.spec import catalog
from persona_block.spec.grammar import Param, ToolSpec

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
    shown = Counter(field["canonicalParamId"] for field in shown_for(spec.name))
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
        assert [option["id"] for option in field.get("options", [])] == list(param.enum or ())
        assert is_required(field["required"], spec.name) == (name in spec.required)
        expected = [spec.params[other].field for other in spec.require_any] if name in spec.require_any else None
        assert field.get("requiredAny", {}).get(spec.name) == expected


@each_param
def test_type_of_field_suits_the_param(spec: ToolSpec, name: str, param: Param) -> None:
    types = [field["type"] for field in fields_of(spec, name)]
    if param.format == "file":
        assert types == ["file-upload", "short-input"]
    elif param.enum:
        assert types == ["dropdown"]
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


def test_there_is_a_pair_at_all() -> None:
    ids = [field["id"] for field in SUB_BLOCKS]
    assert [identifier for identifier in ids if identifier in PAIR] == PAIR
    assert ids.index(PAIR[1]) == ids.index(PAIR[0]) + 1


@each
def test_what_is_needed_comes_first_and_paging_last(spec: ToolSpec) -> None:
    shown = [field for field in shown_for(spec.name) if field["id"] != "fileReference"]
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
