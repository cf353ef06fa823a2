"""The skills and workflow templates of the manifest as folders in the open Agent Skills form (agentskills.io/specification).

Each folder has the name of its skill and holds `SKILL.md`: YAML frontmatter with name, description, license, compatibility and
metadata, then what an agent has to do. It names operations by their plain names: over MCP a tool's name is `persona_` and the
operation's, on a command line `persona-block run` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..block.prose import INTRODUCTION, operations_of, steps_text
from .folder import write_files
from .yaml import dump

FILE = "SKILL.md"
"""The one file of a skill's folder that the form asks for."""

_COMPATIBILITY = (
    "Needs Persona's operations as tools, from `persona-block mcp` or a framework, or the command `persona-block`; and a"
    " Persona API key, or the offline sandbox."
)
_HOW = (
    "Over MCP and in agent frameworks the tool of an operation is called `persona_` and the operation's name. On a command"
    " line, `persona-block run <operation>` calls it and `persona-block describe <operation>` shows its params."
)


def export(manifest: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the skills and templates of a manifest into a folder, one folder each, and return the files."""
    files = {f"{skill['name']}/{FILE}": _skill(skill, manifest) for skill in manifest["skills"]}
    files |= {f"{each['name']}/{FILE}": _workflow(each, manifest) for each in manifest["templates"]}
    return write_files(folder, files)


def _skill(skill: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    related = f"\n\n## Workflows\nThese do this job, or a part of it, step by step: {_quoted(skill['templates'])}."
    return _file(skill["name"], skill["description"], skill["instructions"] + related, skill["operations"], manifest)


def _workflow(template: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    inputs = "\n".join(f"- `{name}`: {schema['description']}" for name, schema in template["inputs"].items())
    body = (
        f"# {template['title']}\n\n{template['description']}\n\n## Inputs\nAsk for those that you were not given.\n\n{inputs}"
        f"\n\n## Steps\n{INTRODUCTION}\n\n{steps_text(template, str)}"
    )
    description = f"{template['description']} Use for a wish such as: {template['prompt']}"
    return _file(template["name"], description, body, operations_of(template), manifest)


def _file(name: str, description: str, body: str, operations: Collection[str], manifest: Mapping[str, Any]) -> str:
    """Return a `SKILL.md`: its frontmatter, what to do, and the operations that it needs."""
    front = {
        "name": name,
        "description": description,
        "license": "Apache-2.0",
        "compatibility": _COMPATIBILITY,
        "metadata": {"version": manifest["version"], "operations": " ".join(operations)},
    }
    told = {each["name"]: each["description"] for each in manifest["tools"]["definitions"]}
    rows = "\n".join(f"- `{each}`: {_first_sentence(told[each])}" for each in operations)
    return f"---\n{dump(front)}---\n\n{body}\n\n## Operations\n{_HOW}\n\n{rows}\n"


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.) ", text)[0]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
