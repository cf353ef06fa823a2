"""The fields of a node against the manifest, and what becomes of a node that was saved long ago."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from persona_block.block.build import manifest
from persona_block.errors import InputError
from persona_block.hosts.langflow import fields
from persona_block.hosts.langflow.build_config import refreshed
from persona_block.hosts.langflow.fields import node_fields, operation_named, operation_titles
from persona_block.spec import catalog
from persona_block.spec.grammar import ToolSpec
from persona_block.version import __version__

MANIFEST = manifest()
SAVED = Path(__file__).with_name("saved_node.json")
each = pytest.mark.parametrize("spec", catalog.in_order_of_use(), ids=lambda spec: spec.name)
HOST = {fields.BASE_URL, fields.SANDBOX, fields.API_KEY, fields.OPERATION}


def templates() -> dict[str, dict[str, Any]]:
    """Return the fields of a new node, as far as the block itself decides them."""
    return {
        field.name: {"value": field.default, "display_name": field.title, "options": list(field.options)}
        for field in node_fields()
    }


def sub_blocks(operation: str) -> list[dict[str, Any]]:
    """Return the fields that the manifest shows for an operation, without the one that chooses it and the key."""
    return [sub_block for sub_block in MANIFEST["subBlocks"] if operation in sub_block.get("condition", {}).get("value", ())]


@each
def test_an_operation_shows_the_fields_of_the_manifest(spec: ToolSpec) -> None:
    shown = refreshed(templates(), templates(), fields.OPERATION, spec.title)
    visible = {name for name, entry in shown.items() if entry["show"]} - HOST
    consent = {fields.AGREED} if spec.effect == "decide" else {fields.TYPED} if spec.effect == "erase" else set()
    is_post = spec.request.method == "POST" and spec.effect != "read"
    expected = sub_blocks(spec.name)
    assert len(visible) == len(expected) + len(consent) + is_post
    by_title = {shown[name]["display_name"]: shown[name] for name in visible}
    required = set()
    for sub_block in expected:
        entry = by_title[sub_block["title"]]
        text = sub_block.get("descriptions", {}).get(spec.name, sub_block["description"])
        assert entry["info"].startswith(text)
        assert ("At least one is needed of" in entry["info"]) == (spec.name in sub_block.get("requiredAny", {}))
        if isinstance(sub_block["required"], dict) and spec.name in sub_block["required"]["value"]:
            required.add(sub_block["title"])
    pairs = {sub_block["title"] for sub_block in expected if sub_block["canonicalParamId"] == "file"}
    assert {title for title, entry in by_title.items() if entry["required"]} == required - pairs | (
        {by_title["Id to erase, typed"]["display_name"]} if spec.effect == "erase" else set()
    )
    assert consent <= visible
    if consent:
        words = next(each["consent"] for each in MANIFEST["tools"]["definitions"] if each["name"] == spec.name)
        assert words["text"] in shown[consent.pop()]["info"]


def test_every_field_of_the_manifest_is_one_of_the_node() -> None:
    names = [field.name for field in node_fields()]
    assert len(names) == len(set(names)) == len(MANIFEST["subBlocks"]) + 5
    taken = [field for field in node_fields() if field.param]
    assert all(field.name.startswith("p_") and field.name == field.name.lower() for field in taken)
    assert [field.is_advanced for field in taken] == [
        sub_block["mode"] == "advanced"
        for sub_block in MANIFEST["subBlocks"]
        if "running" not in sub_block and sub_block["id"] not in ("operation", "apiKey")
    ]


def test_the_operations_come_in_the_order_of_use() -> None:
    (operation,) = (field for field in node_fields() if field.name == fields.OPERATION)
    assert list(operation.options) == operation_titles() == [each["title"] for each in MANIFEST["tools"]["definitions"]]
    assert len(operation.options) == 27


@each
def test_an_operation_goes_by_its_title_and_its_names(spec: ToolSpec) -> None:
    for label in (spec.title, f" {spec.title.lower()} ", spec.name, spec.tool_id, *spec.aliases):
        assert operation_named(label).name == spec.name


@pytest.mark.parametrize("label", ["Aprove Inquiry", "", None, 3])
def test_an_operation_that_there_is_not_is_told(label: Any) -> None:
    with pytest.raises(InputError, match="operation: there is none of this name") as caught:
        operation_named(label)
    assert ("'Approve Inquiry'" in str(caught.value)) == (label == "Aprove Inquiry")


def test_the_sandbox_asks_for_neither_key_nor_address() -> None:
    shown = refreshed(templates(), templates(), fields.SANDBOX, True)
    assert not shown[fields.API_KEY]["show"]
    assert not shown[fields.API_KEY]["required"]
    assert not shown[fields.API_KEY]["load_from_db"], "Langflow would look for a variable that there may not be"
    assert not shown[fields.BASE_URL]["show"]
    again = refreshed(shown, templates(), fields.SANDBOX, False)
    assert again[fields.API_KEY]["show"] and again[fields.API_KEY]["required"] and again[fields.API_KEY]["load_from_db"]


def test_tools_of_an_agent_have_no_operation_of_their_own() -> None:
    tools = refreshed(templates(), templates(), "tool_mode", True)
    assert {name for name, entry in tools.items() if entry["show"]} == {fields.API_KEY, fields.BASE_URL, fields.SANDBOX}
    tools["tools_metadata"] = {"value": []}
    still = refreshed(tools, templates(), fields.SANDBOX, True)
    assert {name for name, entry in still.items() if entry.get("show")} == {fields.SANDBOX}
    del still["tools_metadata"]
    assert refreshed(still, templates(), "tool_mode", False)[fields.OPERATION]["show"]


def test_another_operation_takes_the_agreement_back() -> None:
    shown = templates()
    shown[fields.AGREED]["value"] = True
    shown[fields.TYPED]["value"] = "inq_1"
    assert refreshed(copy.deepcopy(shown), templates(), fields.SANDBOX, True)[fields.AGREED]["value"] is True
    changed = refreshed(shown, templates(), fields.OPERATION, "Approve Inquiry")
    assert changed[fields.AGREED]["value"] is False
    assert changed[fields.TYPED]["value"] == ""


def test_an_old_node_keeps_its_values_and_learns_what_is_new() -> None:
    saved: dict[str, Any] = json.loads(SAVED.read_text("utf-8"))["data"]["node"]["template"]
    assert "Redact Account" not in saved["operation"]["options"]
    assert "p_birthdate" not in saved
    shown = refreshed(copy.deepcopy(saved), templates(), "", None)
    assert shown["operation"]["options"] == operation_titles()
    assert shown["operation"]["value"] == "Create Report"
    assert shown["p_term"]["value"] == "Jane Q Doe"
    assert shown["p_birthdate"]["show"], "a field that the earlier block did not have"
    assert not shown["p_nickname"]["show"], "a field that the block no longer has"
    assert shown["p_nickname"]["value"] == "JD"
    changed = refreshed(shown, templates(), "operation", "Redact Account")
    assert changed["p_account_id"]["show"] and changed["p_account_id"]["required"]
    assert changed["p_term"]["value"] == "Jane Q Doe"


def test_the_extension_tells_the_version_of_the_package() -> None:
    folder = Path(fields.__file__).parent
    extension = json.loads((folder / "extension.json").read_text("utf-8"))
    assert extension["version"] == __version__
    assert all((folder / bundle["path"]).is_dir() for bundle in extension["bundles"])
    assert len((folder / "canvas/persona/persona.py").read_text("utf-8").splitlines()) < 10, "Langflow keeps it in every node"
