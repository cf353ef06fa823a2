"""How operators get the server: the image's Dockerfile, and `server.json` for the MCP Registry."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from persona_block.version import __version__

ROOT = Path(__file__).resolve().parents[3]
HADOLINT = Path(sys.executable).with_name("hadolint")
SERVER: dict[str, Any] = json.loads((ROOT / "server.json").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

_ARGUMENT = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {"enum": ["named", "positional"]}, "value": {"type": "string"}, "description": {"type": "string"}},
    "if": {"properties": {"type": {"const": "named"}}},
    "then": {"required": ["name"]},
    "else": {"anyOf": [{"required": ["value"]}, {"required": ["valueHint"]}]},
}
_VARIABLE = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "format": {"enum": ["string", "number", "boolean", "filepath"]},
        "default": {"type": "string"},
        "placeholder": {"type": "string"},
        "isRequired": {"type": "boolean"},
        "isSecret": {"type": "boolean"},
    },
    "additionalProperties": False,
}
_PACKAGE = {
    "type": "object",
    "required": ["registryType", "identifier", "transport"],
    "properties": {
        "registryType": {"enum": ["npm", "pypi", "cargo", "oci", "nuget", "mcpb"]},
        "version": {"type": "string", "maxLength": 255, "pattern": r"^\d+\.\d+\.\d+$"},
        "runtimeHint": {"type": "string"},
        "runtimeArguments": {"type": "array", "items": _ARGUMENT},
        "packageArguments": {"type": "array", "items": _ARGUMENT},
        "environmentVariables": {"type": "array", "items": _VARIABLE},
        "transport": {"type": "object", "required": ["type"], "properties": {"type": {"const": "stdio"}}},
    },
    "dependentRequired": {"runtimeArguments": ["runtimeHint"]},
}
REGISTRY_RULES = {
    "type": "object",
    "required": ["$schema", "name", "description", "version", "packages"],
    "properties": {
        "$schema": {"pattern": r"^https://static\.modelcontextprotocol\.io/schemas/\d{4}-\d\d-\d\d/server\.schema\.json$"},
        "name": {"type": "string", "minLength": 3, "maxLength": 200, "pattern": r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"},
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "version": {"type": "string", "maxLength": 255},
        "packages": {"type": "array", "minItems": 1, "items": _PACKAGE},
    },
    "additionalProperties": False,
}
"""What the registry's schema of 2025-12-11 asks of such a file, as its documentation tells it."""


class TestRegistry:
    def test_the_file_is_as_the_registry_asks(self) -> None:
        jsonschema.Draft202012Validator(REGISTRY_RULES).validate(SERVER)

    @pytest.mark.parametrize(
        "wrong",
        [{"name": "persona"}, {"description": "x" * 101}, {"version": None}, {"packages": [{"registryType": "pypi"}]}],
        ids=lambda wrong: next(iter(wrong)),
    )
    def test_the_rules_refuse_another(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(REGISTRY_RULES).validate(SERVER | wrong)

    def test_it_is_of_this_package_and_version(self) -> None:
        (package,) = SERVER["packages"]
        assert SERVER["version"] == package["version"] == __version__
        assert package["identifier"] == PROJECT["project"]["name"]
        (extra,) = package["runtimeArguments"]
        assert extra["value"] == f"persona-block[mcp]=={__version__}"
        assert [each["value"] for each in package["packageArguments"]] == ["mcp"]

    def test_the_package_says_that_it_is_this_server(self) -> None:
        """The registry looks for the name in the description that the package index shows, which is the README."""
        marks = re.findall(r"<!-- mcp-name: (\S+) -->", (ROOT / "README.md").read_text("utf-8"))
        assert marks == [SERVER["name"]]

    def test_only_the_key_is_a_secret_and_needed(self) -> None:
        variables = SERVER["packages"][0]["environmentVariables"]
        assert [each["name"] for each in variables if each.get("isSecret") and each.get("isRequired")] == ["PERSONA_API_KEY"]
        known = (ROOT / "persona_block/cli/mcp.py").read_text("utf-8")
        assert all(f'"{each["name"].removeprefix("PERSONA_MCP_")}"' in known for each in variables[1:])


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, as words and what follows them."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


class TestDockerfile:
    STEPS = instructions((ROOT / "Dockerfile").read_text("utf-8"))

    @pytest.mark.process
    @pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint is not installed")
    def test_hadolint_finds_nothing(self) -> None:
        done = subprocess.run([HADOLINT, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, "")

    def test_the_server_runs_as_nobody_and_the_image_holds_no_secret(self) -> None:
        last = [word for word, _ in self.STEPS].index("FROM", 1)
        final = self.STEPS[last:]
        (user,) = [rest for word, rest in final if word == "USER"]
        assert int(user.partition(":")[0]) >= 1000
        words = [word for word, _ in final]
        assert words.index("USER") < words.index("ENTRYPOINT")
        assert "RUN" not in words, "what builds stays behind"
        assert not {"ADD", "ARG"} & {word for word, _ in self.STEPS}
        assert not re.search("KEY|TOKEN|SECRET|PASSWORD", " ".join(rest for word, rest in self.STEPS if word == "ENV"))
        assert [json.loads(rest) for word, rest in final if word == "ENTRYPOINT"] == [["persona-block", "mcp"]]

    def test_its_bases_are_pinned_to_a_version(self) -> None:
        bases = [rest.split()[0] for word, rest in self.STEPS if word == "FROM"]
        assert len(set(bases)) == 1
        assert re.fullmatch(r"python:3\.\d+-slim", bases[0])

    def test_it_copies_what_the_wheel_is_made_of_and_the_builder_is_sent_no_more(self) -> None:
        copied = {
            source.rstrip("/")
            for word, rest in self.STEPS
            if word == "COPY" and not rest.startswith("--from")
            for source in shlex.split(rest)[:-1]
        }
        wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
        assert copied == {*wheel["only-include"], "pyproject.toml", "README.md", "LICENSE"}
        assert all((ROOT / source).exists() for source in copied)
        ignored, *sent = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] in "*!"][:-1]
        assert ignored == "*"
        assert {line.strip("!/") for line in sent} == {source.partition("/")[0] for source in copied}
