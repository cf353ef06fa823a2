"""Every agent skill names operations and outputs that exist, and leaves decisions and erasures to a person."""

from __future__ import annotations

import re
from typing import Any

import pytest

from persona_block.block.build import manifest
from persona_block.flows.checker import operations
from persona_block.spec import catalog

MANIFEST = manifest()
SKILLS: dict[str, dict[str, Any]] = {skill["name"]: skill for skill in MANIFEST["skills"]}
TEMPLATES: dict[str, dict[str, Any]] = {template["name"]: template for template in MANIFEST["templates"]}
SERIOUS = {name for name in catalog.names() if catalog.load(name).effect in ("decide", "erase")}
QUOTED = re.compile(r"`([^`]+)`")
ON_A_WORD = "## Only on a person's word"

each_skill = pytest.mark.parametrize("skill", SKILLS.values(), ids=list(SKILLS))


def test_there_are_skills() -> None:
    assert len(SKILLS) == len(MANIFEST["skills"]) >= 7


@each_skill
def test_skill_names_only_what_exists(skill: dict[str, Any]) -> None:
    quoted = set(QUOTED.findall(skill["instructions"]))
    named = quoted & set(catalog.names())
    assert set(skill["operations"]) == named
    assert len(skill["operations"]) == len(named)
    unknown = {word for word in quoted - named if not _is_output(word, named)}
    assert unknown == set()


def _is_output(word: str, names: set[str]) -> bool:
    """Tell whether one of the operations gives an output of this name; a list stands for its entries."""
    output, *path = word.split(".")
    for schema in (catalog.load(name).output.get(output) for name in names):
        for step in path:
            schema = schema and schema.get("items", schema).get("properties", {}).get(step)
        if schema:
            return True
    return False


@each_skill
def test_skill_puts_serious_operations_under_a_persons_word(skill: dict[str, Any]) -> None:
    before, _, section = skill["instructions"].partition(ON_A_WORD)
    listed, _, after = section.partition("\n## ")
    assert set(QUOTED.findall(listed)) == set(skill["operations"]) & SERIOUS
    assert set(QUOTED.findall(before + after)) & SERIOUS == set()


@each_skill
def test_skill_can_run_its_templates(skill: dict[str, Any]) -> None:
    for name in skill["templates"]:
        assert operations(TEMPLATES[name]) <= set(skill["operations"]), name


@each_skill
def test_skill_reads_like_one(skill: dict[str, Any]) -> None:
    assert skill["description"].startswith("Use ")
    assert skill["instructions"].startswith(f"# {skill['title']}\n")
    assert re.search(r"^1\. ", skill["instructions"], re.MULTILINE)
    assert re.search(r"^## (Never|Check|Only)", skill["instructions"], re.MULTILINE)
