"""What `persona-block export sim` writes, as far as it can be told without TypeScript."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from persona_block.block import manifest
from persona_block.export import generator
from persona_block.export.runtime import javascript_runtime
from persona_block.export.sim.block import block_config
from persona_block.export.sim.package import RUNTIME
from persona_block.export.sim.typescript import WIDTH, Code, literal

MANIFEST = manifest()
DEFINITIONS = {definition["name"]: definition for definition in MANIFEST["tools"]["definitions"]}
BLOCK = block_config(MANIFEST)
FIELDS = {field["id"]: field for field in BLOCK["subBlocks"]}
SENTENCES = BLOCK["canvasPresentation"]["sentences"]["byOperation"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The exported files by their names."""
    folder = tmp_path_factory.mktemp("sim")
    paths = generator("sim").export(MANIFEST, folder)
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in paths}


@pytest.mark.slow
def test_the_same_manifest_gives_the_same_bytes(exported: dict[str, str], tmp_path: Path) -> None:
    generator("sim").export(MANIFEST, tmp_path)
    assert {name: (tmp_path / name).read_text("utf-8") for name in exported} == exported


def test_there_is_a_tool_for_each_operation(exported: dict[str, str]) -> None:
    for name, definition in DEFINITIONS.items():
        file = exported[f"tools/persona/{name}.ts"]
        assert f"id: '{definition['id']}'" in file
        export = re.search(r"export const (\w+)", file)
        assert export
        assert f"export {{ {export[1]} }} from '@/tools/persona/{name}'" in exported["tools/persona/index.ts"]
        assert f"  {definition['id']}: {export[1]},\n" in exported["NOTES.md"]


def test_the_runtime_is_that_of_the_manifest_and_needs_no_node(exported: dict[str, str]) -> None:
    modules = javascript_runtime()
    for name in RUNTIME:
        text = exported[f"tools/persona/runtime/{name}"]
        assert text == modules[name]
        assert {module.removeprefix("./") for module in re.findall(r"from '([^']+)'", text)} <= set(RUNTIME)


def test_code_names_no_operation(exported: dict[str, str]) -> None:
    names = "|".join(DEFINITIONS)
    for name in ("operation.ts", "types.ts", "manifest.ts"):
        assert not re.search(rf"\b(persona_)?({names})\b", exported[f"tools/persona/{name}"])


def test_no_two_fields_share_a_name_and_none_a_canonical_id() -> None:
    assert len(FIELDS) == len(BLOCK["subBlocks"])
    assert not any("canonicalParamId" in field for field in BLOCK["subBlocks"])
    assert set(BLOCK["inputs"]) == set(FIELDS)


@pytest.mark.parametrize("operation", DEFINITIONS)
def test_each_param_has_a_field(operation: str, exported: dict[str, str]) -> None:
    block = exported["blocks/blocks/persona.ts"]
    row = re.search(rf"^  {operation}: \{{(.*?)\}},$", block, re.MULTILINE | re.DOTALL)
    assert row
    fields = dict(re.findall(r"(\w+): '(\w+)'", row[1]))
    assert set(DEFINITIONS[operation]["params"]["properties"]) <= set(fields)
    for field in fields.values():
        assert operation in FIELDS[field].get("condition", {"value": [operation]})["value"]


@pytest.mark.parametrize("operation", DEFINITIONS)
def test_a_sentence_says_something_on_an_untouched_card(operation: str) -> None:
    clauses: list[Any] = SENTENCES[operation]
    assert any(isinstance(clause, str) or clause.get("core") for clause in clauses)
    for clause in clauses:
        if isinstance(clause, str):
            continue
        field = FIELDS[clause["field"]]
        assert operation in field["condition"]["value"]
        if clause.get("core"):
            assert field.get("mode") != "advanced"
            # A chip without a value brings its own article.
            assert not re.search(r"\b(an?|the)$", clause["text"], re.IGNORECASE)


def test_a_sentence_of_several_parts_keeps_each() -> None:
    assert SENTENCES["mark_inquiry_for_review"] == [
        {"text": "Mark inquiry", "field": "inquiryId", "after": "for review", "core": True}
    ]
    assert SENTENCES["create_report"] == [
        "Run a report",
        {"text": "of type", "field": "reportType"},
        {"text": "on", "field": "term"},
        {"text": "on", "field": "nameFirst"},
        {"field": "nameLast"},
    ]
    assert {"text": ", good for", "field": "expiresInSeconds", "after": "seconds"} in SENTENCES["generate_inquiry_link"]


def test_the_key_is_hidden_and_a_person_alone_gives_it() -> None:
    assert FIELDS["apiKey"]["password"]
    assert FIELDS["apiKey"]["paramVisibility"] == "user-only"


def test_a_new_block_reads() -> None:
    seeded = re.fullmatch(r"\(\) => '(\w+)'", FIELDS["operation"]["value"])
    assert seeded
    assert DEFINITIONS[seeded[1]]["effect"] == "read"


def test_the_icon_is_jsx(exported: dict[str, str]) -> None:
    icon = exported["components/persona-icon.tsx"]
    assert "{...props}" in icon
    assert "strokeWidth=" in icon
    assert set(re.findall(r" ([a-z]+-[a-z]+)=", icon)) == {"aria-label"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "'plain'"),
        ("it's", '"it\'s"'),
        ('it\'s "so"', "'it\\'s \"so\"'"),
        ("back\\slash\nline", "'back\\\\slash\\nline'"),
        ([True, None, 1.5, Code("f()")], "[true, null, 1.5, f()]"),
        ([1, 0], "[1, 0]"),
        ({}, "{}"),
        ({"a": {"x-b": []}}, "{ a: { 'x-b': [] } }"),
    ],
)
def test_data_is_written_as_typescript(value: Any, written: str) -> None:
    assert literal(value) == written


def test_what_does_not_fit_a_line_is_broken() -> None:
    fits = {"a": "x" * (WIDTH - 10)}
    assert "\n" not in literal(fits)
    assert literal({"name": fits}) == f"{{\n  name: {{\n    a: '{'x' * (WIDTH - 10)}',\n  }},\n}}"
