"""The Dify plugin that is written: every operation is a tool, and its YAML says what the manifest says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from persona_block.block import manifest
from persona_block.export import GENERATORS, dify_tool, generator
from persona_block.export.dify import plugin_files
from persona_block.spec import catalog

MANIFEST = manifest()
FILES = plugin_files(MANIFEST)
DEFINITIONS = {definition["name"]: definition for definition in MANIFEST["tools"]["definitions"]}
HOST_PARAMS = {dify_tool.ALL_PAGES, dify_tool.WAIT, dify_tool.IDEMPOTENCY_KEY, dify_tool.CONFIRMATION}

each_operation = pytest.mark.parametrize("operation", catalog.names())


@cache
def read(path: str) -> Any:
    return yaml.safe_load(FILES[path])


def params(operation: str) -> dict[str, dict[str, Any]]:
    """Return the params of a tool by name."""
    return {param["name"]: param for param in read(f"tools/{operation}.yaml")["parameters"]}


def types(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the type of a schema and of all schemas below it."""
    yield schema["type"]
    for part in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        yield from types(part)


def test_every_operation_is_a_tool() -> None:
    tools = read("provider/persona.yaml")["tools"]
    assert [Path(tool).stem for tool in tools] == list(DEFINITIONS)
    assert {path for path in FILES if path.startswith("tools/")} == {*tools, *(f"tools/{name}.py" for name in DEFINITIONS)}
    assert [read(tool)["identity"]["name"] for tool in tools] == MANIFEST["tools"]["access"]


def test_every_file_that_is_named_is_there() -> None:
    plugin, provider = read("manifest.yaml"), read("provider/persona.yaml")
    assert plugin["plugins"]["tools"] == ["provider/persona.yaml"]
    sources = [provider["extra"]["python"]["source"]]
    sources += [read(tool)["extra"]["python"]["source"] for tool in provider["tools"]]
    named = [*sources, plugin["privacy"], f"_assets/{plugin['icon']}", f"{plugin['meta']['runner']['entrypoint']}.py"]
    assert set(named) <= set(FILES)
    assert FILES["_assets/icon.svg"].startswith("<svg ")
    assert FILES["requirements.txt"].split() == ["dify_plugin>=0.7,<1", f"persona-block=={MANIFEST['version']}"]


@each_operation
def test_a_tool_takes_the_params_of_its_operation(operation: str) -> None:
    schema, tool_params = DEFINITIONS[operation]["params"], params(operation)
    assert set(tool_params) - HOST_PARAMS == set(schema["properties"]) - {"apiKey"}
    for name, param in schema["properties"].items():
        if name == "apiKey":
            continue
        shown = tool_params[name]
        expected = {"integer": "number"}.get(param["type"], "string")
        expected = "file" if param.get("format") == "file" else "select" if "enum" in param else expected
        assert (shown["type"], shown["form"]) == (expected, "llm")
        assert shown["required"] == (name in schema["required"])
        assert (shown.get("min"), shown.get("max")) == (param.get("minimum"), param.get("maximum"))
        assert [option["value"] for option in shown.get("options", [])] == param.get("enum", [])
        assert shown["llm_description"] == shown["human_description"]["en_US"]
        assert ("JSON" in shown["llm_description"]) or param["type"] not in ("object", "array")


@each_operation
def test_a_tool_takes_what_the_module_of_the_plugin_understands(operation: str) -> None:
    spec = catalog.load(operation)
    expected = {
        dify_tool.ALL_PAGES: spec.paginate is not None,
        dify_tool.WAIT: dify_tool.can_wait(spec),
        dify_tool.IDEMPOTENCY_KEY: dify_tool.takes_idempotency_key(spec),
        dify_tool.CONFIRMATION: dify_tool.needs_confirmation(spec),
    }
    tool_params = params(operation)
    assert HOST_PARAMS & set(tool_params) == {name for name, is_taken in expected.items() if is_taken}


def test_what_decides_or_erases_asks_a_person_for_a_word_that_no_model_sees() -> None:
    asking = {name for name in DEFINITIONS if dify_tool.CONFIRMATION in params(name)}
    assert asking == {name for name, definition in DEFINITIONS.items() if definition["hints"]["consent"]}
    assert len(asking) == 6
    for name in asking:
        param = params(name)[dify_tool.CONFIRMATION]
        assert (param["type"], param["form"], param["required"]) == ("secret-input", "form", True)
        assert "llm_description" not in param


@each_operation
def test_every_output_is_a_variable_with_one_type(operation: str) -> None:
    tool, outputs = read(f"tools/{operation}.yaml"), DEFINITIONS[operation]["output"]["properties"]
    if catalog.load(operation).file_source:
        assert "output_schema" not in tool
        return
    shown = tool["output_schema"]["properties"]
    assert set(shown) == set(outputs)
    # Dify gives these to every tool.
    assert not {"text", "json", "files"} & set(shown)
    assert set(types(tool["output_schema"])) <= {"string", "integer", "number", "boolean", "object", "array"}
    for name, schema in outputs.items():
        assert shown[name]["type"] in schema["type"]
        described = schema.get("items", schema).get("properties", {})
        assert set(shown[name].get("items", shown[name]).get("properties", {})) == set(described)


@each_operation
def test_a_description_names_other_tools_as_dify_knows_them(operation: str) -> None:
    description = read(f"tools/{operation}.yaml")["description"]["llm"]
    assert not [name for name in DEFINITIONS if re.search(rf"\b{name}\b", description)]
    required = DEFINITIONS[operation].get("requireAny")
    assert required is None or f"At least one of {', '.join(required)} has to be given." in description


def test_a_tool_s_code_names_its_operation_and_no_other_code_names_one() -> None:
    named: dict[str, set[str]] = {}
    for path, text in FILES.items():
        if not path.endswith(".py"):
            continue
        texts = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
        named[path] = {str(text) for text in texts if text in DEFINITIONS}
    assert {path: names for path, names in named.items() if path.startswith("tools/")} == {
        f"tools/{name}.py": {name} for name in DEFINITIONS
    }
    assert named["provider/persona.py"] == {"list_inquiry_templates"}
    assert not named["dify_tool.py"] | named["main.py"]


def test_credentials_are_secret_where_they_have_to_be() -> None:
    credentials = read("provider/persona.yaml")["credentials_for_provider"]
    assert {name: (entry["type"], entry["required"]) for name, entry in credentials.items()} == {
        dify_tool.API_KEY: ("secret-input", True),
        dify_tool.CONFIRMATION_WORD: ("secret-input", False),
        dify_tool.BASE_URL: ("text-input", False),
    }


def test_texts_have_every_place_filled_in() -> None:
    assert "{" not in re.sub(r"`[^`]*`", "", FILES["README.md"] + FILES["PRIVACY.md"])
    assert all(
        f"| `{definition['id']}` | {definition['effect']} |" in FILES["README.md"] for definition in DEFINITIONS.values()
    )


def test_the_documentation_counts_right() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/exports.md").read_text("utf-8")
    written_as_text = [
        name
        for definition in DEFINITIONS.values()
        for name, schema in definition["params"]["properties"].items()
        if schema["type"] in ("object", "array")
    ]
    with_key = [name for name in DEFINITIONS if dify_tool.IDEMPOTENCY_KEY in params(name)]
    with_word = [name for name in DEFINITIONS if dify_tool.CONFIRMATION in params(name)]
    with_any = [definition for definition in DEFINITIONS.values() if "requireAny" in definition]
    assert f"those {len(with_word)} tools run only" in text
    assert f"| {len(written_as_text)} params are text" in text
    assert f"| {len(with_any)} tools say so" in text
    assert f"| {len(with_key)} tools take an idempotency key" in text
    assert f"waits up to {dify_tool.WAIT_SECONDS} seconds" in text
    assert f"up to {dify_tool.ITEMS_LIMIT:,} items" in text
    assert f"up to {dify_tool.FILE_LIMIT // 1024**2} MiB" in text
    assert f"{FILES['tools/get_inquiry.py'].count(chr(10))} lines of code" in text


@pytest.mark.slow
@pytest.mark.parametrize("platform", GENERATORS)
def test_an_export_is_written_anew_and_leaves_what_else_is_there(platform: str, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    paths = generator(platform).export(manifest(), tmp_path)
    first = {path: path.read_bytes() for path in paths}
    assert generator(platform).export(manifest(), tmp_path) == paths
    assert {path: path.read_bytes() for path in paths} == first
    assert {*paths, tmp_path / "kept.txt"} == {path for path in tmp_path.rglob("*") if path.is_file()}


def test_the_folder_holds_the_files_of_the_plugin(tmp_path: Path) -> None:
    generator("dify").export(MANIFEST, tmp_path / "new" / "folder")
    written = {
        path.relative_to(tmp_path / "new/folder").as_posix(): path.read_text("utf-8")
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert written == FILES
