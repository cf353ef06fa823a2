"""The folders in the open Agent Skills form: each is as the form asks, and names only operations that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from persona_block.block import manifest
from persona_block.export import generator
from persona_block.spec import catalog

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""A name of the form: lower-case letters, digits and single hyphens between them."""
LONGEST = {"name": 64, "description": 1024, "compatibility": 500}
"""How many characters the form lets a field have."""
FIELDS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
BODY_LINES = 500
"""How many lines the form recommends a file to have at most."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The written folder."""
    folder = tmp_path_factory.mktemp("skills")
    generator("skills").export(manifest(), folder)
    return folder


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Return the frontmatter and the body of a file, which begins with the one between two lines of dashes."""
    begin, front, body = path.read_text("utf-8").split("---\n", 2)
    assert begin == ""
    return yaml.safe_load(front), body


def test_every_skill_and_template_is_a_folder(folder: Path) -> None:
    names = {each["name"] for kind in ("skills", "templates") for each in manifest()[kind]}
    assert {path.name for path in folder.iterdir()} == names
    assert len(names) == 25
    assert all([file.name for file in path.iterdir()] == ["SKILL.md"] for path in folder.iterdir())


def test_they_are_as_the_form_asks_and_name_operations_that_exist(folder: Path) -> None:
    for path in sorted(folder.glob("*/SKILL.md")):
        front, body = read(path)
        assert set(front) <= FIELDS
        assert front["name"] == path.parent.name
        assert NAME.fullmatch(front["name"])
        for field, longest in LONGEST.items():
            assert isinstance(front[field], str)
            assert 0 < len(front[field]) <= longest, (path, field)
        assert all(isinstance(each, str) for pair in front["metadata"].items() for each in pair)
        assert len(body.split("\n")) <= BODY_LINES
        needed = front["metadata"]["operations"].split()
        assert needed
        assert set(needed) <= set(catalog.names())
        listed = re.findall(r"^- `(\w+)`: ", body.partition("## Operations\n")[2], re.MULTILINE)
        assert listed == needed
        quoted = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", body)) & set(catalog.names())
        assert quoted <= set(needed), path
        assert quoted


def test_the_same_manifest_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for path in generator("skills").export(manifest(), tmp_path):
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes()
