"""The n8n package that is written: every operation with its fields, as the manifest has them, and code that names none."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_block.block import manifest
from persona_block.export import generator
from persona_block.export.n8n.description import CREDENTIALS, credentials_description, node_description, running_manifest
from persona_block.export.n8n.properties import ADDITIONAL_FIELDS, ALLOW_AGENT, BINARY_FIELD, LIMIT, RETURN_ALL, properties
from persona_block.spec import catalog

Json = dict[str, Any]

MANIFEST = manifest()
DEFINITIONS: dict[str, Json] = {definition["name"]: definition for definition in MANIFEST["tools"]["definitions"]}
SUB_BLOCKS = {sub_block["id"]: sub_block for sub_block in MANIFEST["subBlocks"]}
WAIT = next(sub_block["id"] for sub_block in MANIFEST["subBlocks"] if sub_block.get("running") == "wait")
PROPERTIES = properties(MANIFEST)
CONTROLS = {"resource", "operation", ADDITIONAL_FIELDS, ALLOW_AGENT, BINARY_FIELD, RETURN_ALL, LIMIT, WAIT}

each_operation = pytest.mark.parametrize("operation", catalog.names())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the package."""
    folder = tmp_path_factory.mktemp("n8n")
    generator("n8n").export(MANIFEST, folder)
    return folder


def shown(operation: str, of: list[Json] = PROPERTIES) -> list[Json]:
    """Return the properties that one operation shows."""
    return [each for each in of if operation in each.get("displayOptions", {}).get("show", {}).get("operation", [])]


def fields(operation: str) -> dict[str, Json]:
    """Return the fields of one operation by name, the folded ones too."""
    return {field["name"]: field for each in shown(operation) for field in (each, *folded(each)) if field["type"] != "notice"}


def folded(field: Json) -> list[Json]:
    return field["options"] if field["type"] == "collection" else []


def test_every_operation_is_listed_in_the_order_of_the_manifest() -> None:
    resource, *operations = PROPERTIES[: 1 + len(MANIFEST["groups"])]
    assert [option["name"] for option in resource["options"]] == list(MANIFEST["groups"].values())
    by_resource = {each["displayOptions"]["show"]["resource"][0]: each["options"] for each in operations}
    assert list(by_resource) == [option["value"] for option in resource["options"]]
    listed = [(option["value"], option["name"], group) for group, options in by_resource.items() for option in options]
    assert listed == [(name, definition["title"], definition["group"]) for name, definition in DEFINITIONS.items()]
    assert all(each["default"] == each["options"][0]["value"] for each in (resource, *operations))


@each_operation
def test_an_operation_shows_its_params(operation: str) -> None:
    definition = DEFINITIONS[operation]
    schema = definition["params"]
    size = definition.get("paginate", {}).get("size")
    assert fields(operation).keys() - CONTROLS == schema["properties"].keys() - {"apiKey", size}
    for name, field in fields(operation).items():
        if name in CONTROLS:
            continue
        param = schema["properties"][name]
        assert field.get("required", False) == (name in schema["required"])
        assert (param["title"] in field["displayName"], field["default"] is not None) == (True, True)
        if param.get("format") == "file":
            assert field["typeOptions"] == {"binaryDataProperty": True}
        elif name != definition.get("paginate", {}).get("cursor"):
            assert field["description"].startswith(param["description"])
        assert [option["value"] for option in field.get("options", [])] == param.get("enum", [])
        limits = field.get("typeOptions", {})
        assert (limits.get("minValue"), limits.get("maxValue")) == (param.get("minimum"), param.get("maximum"))


@each_operation
def test_a_field_has_the_kind_of_its_param(operation: str) -> None:
    kinds = {"object": "json", "date-time": "dateTime", "integer": "number"}
    for name, param in DEFINITIONS[operation]["params"]["properties"].items():
        field = fields(operation).get(name)
        if field is not None:
            kind = "options" if "enum" in param else kinds.get(param.get("format") or param["type"], "string")
            assert field["type"] == kind


@each_operation
def test_what_may_be_left_out_is_left_out_unless_filled_in(operation: str) -> None:
    """A number of n8n has always a value, so one that may be left out has to be a field that is added."""
    for field in shown(operation):
        if field["name"] not in CONTROLS and not field.get("required"):
            assert field["default"] == ""
    for field in shown(operation):
        assert not any(each.get("required") for each in folded(field))


@each_operation
def test_an_operation_shows_the_controls_it_has_a_use_for(operation: str) -> None:
    definition = DEFINITIONS[operation]
    names = {field["name"] for field in shown(operation)}
    assert ({RETURN_ALL, LIMIT} <= names) == ("paginate" in definition)
    assert (WAIT in names) == ("wait" in definition or "then" in definition)
    assert (BINARY_FIELD in names) == any("file" in source for source in definition["response"].values())
    assert (ALLOW_AGENT in names) == definition["hints"]["consent"]
    notices = " ".join(field["displayName"] for field in shown(operation) if field["type"] == "notice")
    assert (definition["consent"]["text"] in notices) if definition["hints"]["consent"] else True
    alternatives = definition.get("requireAny", [])
    assert ("at least one of" in notices) == bool(alternatives)
    assert all(definition["params"]["properties"][name]["title"] in notices for name in alternatives)


@each_operation
def test_advanced_fields_are_folded_away(operation: str) -> None:
    definition = DEFINITIONS[operation]
    basic = {field["name"] for field in shown(operation)}
    for sub_block in SUB_BLOCKS.values():
        name = sub_block["canonicalParamId"]
        if operation in sub_block.get("condition", {}).get("value", ()) and name in fields(operation):
            is_pair = definition["params"]["properties"].get(name, {}).get("format") == "file"
            assert (name in basic) == (sub_block["mode"] == "basic" or is_pair)


@pytest.mark.parametrize(("is_required", "mode", "is_folded"), [(False, "basic", True), (True, "advanced", False)])
def test_a_number_that_may_be_left_out_can_be_taken_away_again(is_required: bool, mode: str, is_folded: bool) -> None:
    """A number field of n8n always has a number, so one that is always shown would always be sent."""
    changed = copy.deepcopy(MANIFEST)
    operation, name = next(
        (definition["name"], name)
        for definition in DEFINITIONS.values()
        for name, param in definition["params"]["properties"].items()
        if param["type"] == "integer" and name != definition.get("paginate", {}).get("size")
    )
    next(sub_block for sub_block in changed["subBlocks"] if sub_block["canonicalParamId"] == name)["mode"] = mode
    if is_required:
        next(each for each in changed["tools"]["definitions"] if each["name"] == operation)["params"]["required"].append(name)
    assert (name not in {field["name"] for field in shown(operation, properties(changed))}) == is_folded


def test_a_list_is_gone_on_with_by_the_id_of_its_last_item() -> None:
    for operation, definition in DEFINITIONS.items():
        if "paginate" in definition:
            field = fields(operation)[definition["paginate"]["cursor"]]
            assert "last item" in field["description"]
            assert definition["paginate"]["next"] not in json.dumps(field)


def test_it_is_said_how_long_is_waited() -> None:
    bounds = {
        operation: re.findall(r"waits (\d+) minutes", fields(operation)[WAIT]["description"])
        for operation in DEFINITIONS
        if WAIT in fields(operation)
    }
    assert bounds == {
        "get_inquiry": ["60"],
        "import_accounts": ["10"],
        "get_importer": ["10"],
        "create_report": ["5"],
        "get_report": ["5"],
    }


def test_an_agent_is_let_by_a_person_alone() -> None:
    (switch,) = [field for field in PROPERTIES if field["name"] == ALLOW_AGENT]
    assert (switch["default"], switch["noDataExpression"]) == (False, True)


def test_a_former_name_of_an_operation_shows_its_fields() -> None:
    renamed = copy.deepcopy(MANIFEST)
    renamed["tools"]["definitions"][0]["aliases"] = ["former_name"]
    current = renamed["tools"]["definitions"][0]["name"]
    assert shown("former_name", properties(renamed)) == shown(current, properties(renamed)) != []


def test_a_param_that_is_named_like_a_control_is_refused() -> None:
    clashing = copy.deepcopy(MANIFEST)
    clashing["tools"]["definitions"][0]["params"]["properties"][LIMIT] = {"type": "string"}
    with pytest.raises(ValueError, match=f"has a param {LIMIT}, which is a control"):
        properties(clashing)


def test_the_node_is_a_tool_with_credentials() -> None:
    description = node_description(MANIFEST)
    assert description["usableAsTool"] is True
    assert description["credentials"] == [{"name": CREDENTIALS, "required": True}]


def test_the_credentials_hide_the_key_and_are_tested_by_one_read() -> None:
    credentials = credentials_description(MANIFEST)
    key, base_url = credentials["properties"]
    assert (key["name"], key["typeOptions"], key["default"]) == ("apiKey", {"password": True}, "")
    assert (base_url["name"], base_url["default"]) == ("baseUrl", MANIFEST["wire"]["baseUrl"])
    request = credentials["test"]["request"]
    queries = {each["request"]["path"]: each["request"]["query"] for each in DEFINITIONS.values() if "paginate" in each}
    assert len(queries[request["url"]]) == min(map(len, queries.values()))
    assert request["qs"] == {name: 1 for name in request["qs"]}
    assert request["qs"].keys() < queries[request["url"]].keys()
    assert request["disableFollowRedirect"] is True


def test_the_package_runs_by_the_manifest_without_its_prose() -> None:
    kept = running_manifest(MANIFEST)
    assert kept["wire"] == MANIFEST["wire"]
    for definition in kept["tools"]["definitions"]:
        whole = DEFINITIONS[definition["name"]]
        assert definition == {name: value for name, value in whole.items() if name not in ("output", "description")}


def test_every_file_that_is_named_is_there(folder: Path) -> None:
    package = json.loads((folder / "package.json").read_text("utf-8"))
    assert package["name"].startswith("n8n-nodes-")
    assert "n8n-community-node-package" in package["keywords"]
    assert (package["version"], package["peerDependencies"]) == (MANIFEST["version"], {"n8n-workflow": "*"})
    assert not package.keys() & {"dependencies", "devDependencies", "scripts"}
    named = [*package["files"], *package["n8n"]["nodes"], *package["n8n"]["credentials"]]
    assert all((folder / name).exists() for name in named)
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    shipped = {name for name in written if any(name == entry or name.startswith(f"{entry}/") for entry in package["files"])}
    assert written - shipped == {"package.json", "README.md"}, "npm packs these in any case, and else what files names"
    for source in folder.rglob("*js"):
        for imported in re.findall(r"(?:require|import)\('(\.[^']+)'", source.read_text("utf-8")):
            assert (source.parent / imported).is_file(), f"{source.name}: {imported}"
    assert (folder / "nodes/Persona/persona.svg").read_text("utf-8").startswith("<svg")
    codex = json.loads((folder / "nodes/Persona/Persona.node.json").read_text("utf-8"))
    assert codex["node"] == f"{package['name']}.{node_description(MANIFEST)['name']}"


def code(folder: Path) -> Iterator[Path]:
    """Yield the files of code, without those that hold the description alone."""
    yield from (path for path in folder.rglob("*js") if path.name != "description.js")


def test_no_code_names_an_operation(folder: Path) -> None:
    names = re.compile("|".join(rf"\b{name}\b" for name in (*DEFINITIONS, *MANIFEST["tools"]["access"])))
    for path in code(folder):
        assert not names.search(path.read_text("utf-8")), path
    params = {name for definition in DEFINITIONS.values() for name in definition["params"]["properties"]} - {"apiKey", "file"}
    for path in (folder / "nodes").rglob("*.js"):
        if path.name != "description.js":
            assert not params & set(re.findall(r"'(\w+)'", path.read_text("utf-8"))), path


def test_every_parameter_that_the_code_reads_is_one_of_the_node(folder: Path) -> None:
    text = "".join(path.read_text("utf-8") for path in code(folder))
    read = set(re.findall(r"getNodeParameter\('(\w+)'", text))
    assert read == CONTROLS - {"resource", ADDITIONAL_FIELDS}


def test_no_disk_is_touched(folder: Path) -> None:
    """n8n keeps files as binary data, and what it calls verified may not reach for the disk."""
    for path in code(folder):
        assert not re.search(r"node:fs|child_process", path.read_text("utf-8")), path


def test_the_readme_names_every_operation(folder: Path) -> None:
    text = (folder / "README.md").read_text("utf-8")
    assert all(f"| {definition['title']} |" in text for definition in DEFINITIONS.values())
    assert "$" not in text.replace("`$", "")


def test_the_same_manifest_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for path in generator("n8n").export(manifest(), tmp_path):
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes()
