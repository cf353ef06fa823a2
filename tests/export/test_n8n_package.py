"""The n8n package as n8n runs it: n8n's own types, loader of packages and runner of workflows, in a process of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from persona_block import Sandbox
from persona_block.block import conformance_vectors, manifest
from persona_block.export import generator

PEER = Path(__file__).with_name("n8n")
MODULES = PEER / "node_modules"
NODE = shutil.which("node") or "node"

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not (MODULES / ".ready").is_file(), reason="n8n's packages are not installed: make export-n8n"),
]

TYPE_CHECK = {
    "strict": True,
    "noEmit": True,
    "checkJs": True,
    "module": "node16",
    "target": "es2024",
    "lib": ["es2024", "dom", "dom.iterable"],
    "types": ["node"],
    "skipLibCheck": True,
    "resolveJsonModule": True,
    "noUnusedLocals": True,
    "noUnusedParameters": True,
}
"""What TypeScript checks the package with; the declarations beside the runtime say what of it is used."""


def written(folder: Path, block: Mapping[str, Any]) -> Path:
    """Write the package into a folder where it finds n8n's packages, and return its own folder."""
    folder.mkdir(exist_ok=True)
    (folder / "node_modules").symlink_to(MODULES)
    generator("n8n").export(block, folder / "package")
    return folder / "package"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("n8n"), manifest())


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that lead n8n to an offline Persona, to a folder of its own and to the test vectors."""
    folder = tmp_path_factory.mktemp("home")
    vectors = folder / "vectors.json"
    vectors.write_text(json.dumps(conformance_vectors()), "utf-8")
    (folder / "manifest.json").write_text(json.dumps(manifest()), "utf-8")
    with Sandbox(populate=True, speed=600) as sandbox, sandbox.serve_in_thread() as base_url:
        yield {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "N8N_USER_FOLDER": str(folder),
            "PERSONA_BASE_URL": base_url,
            "PERSONA_API_KEY": sandbox.api_key,
            "PERSONA_MANIFEST": str(folder / "manifest.json"),
            "PERSONA_VECTORS": str(vectors),
        }


def passed(test_file: str, package: Path, environment: Mapping[str, str]) -> int:
    """Run the tests of one file in Node.js, and return how many there are; fails with what they print."""
    command = [NODE, "--test", "--test-reporter=spec", str(PEER / test_file)]
    variables = {**environment, "PERSONA_PACKAGE": str(package)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    counts = dict(re.findall(r"^ℹ (\w+) (\d+)$", done.stdout, re.MULTILINE))
    assert counts["pass"] == counts["tests"], done.stdout
    return int(counts["tests"])


def type_errors(package: Path) -> str:
    """Return what TypeScript says of the package, with n8n's types."""
    included = [f"package/{folder}/**/*.js" for folder in ("credentials", "nodes")]
    config = package.parent / "tsconfig.json"
    config.write_text(json.dumps({"compilerOptions": TYPE_CHECK, "include": included}), "utf-8")
    command = [NODE, str(MODULES / "typescript" / "bin" / "tsc"), "-p", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    return done.stdout + done.stderr


def test_it_has_the_types_of_n8n(package: Path) -> None:
    assert type_errors(package) == ""


IMPATIENCE = {"deadlineSeconds": 20, "firstDelaySeconds": 100, "longestDelaySeconds": 1000, "readSeconds": 3}
"""Times of trying again that leave none for a second attempt, as the vectors of errors say it, and few for an answer."""

FAULTS = [
    ("nodes/Persona/description.js", '"type": "boolean"', '"type": "switch"'),
    ("credentials/description.js", '"documentationUrl"', '"documentation"'),
    ("nodes/Persona/run.js", "context.getExecutionId()", "context.executionId()"),
    ("nodes/Persona/wire.js", "disableFollowRedirect: true", "followRedirect: false"),
]
"""What n8n does not know, in the place of what it does, by file."""


def test_what_n8n_does_not_know_is_a_type_error(tmp_path: Path) -> None:
    package = written(tmp_path / "n8n", manifest())
    for name, right, wrong in FAULTS:
        text = (package / name).read_text("utf-8")
        assert right in text
        (package / name).write_text(text.replace(right, wrong), "utf-8")
    errors = type_errors(package)
    assert all(f"package/{name}" in errors for name, _, _ in FAULTS), errors


@pytest.mark.parametrize(("test_file", "at_least"), [("flow", 13), ("wire", 8), ("vectors", 4)])
def test_it_runs_in_n8n(test_file: str, at_least: int, package: Path, environment: Mapping[str, str]) -> None:
    assert passed(f"{test_file}.test.mjs", package, environment) >= at_least


def test_its_errors(tmp_path: Path, environment: Mapping[str, str]) -> None:
    block = manifest()
    impatient = block | {"retry": block["retry"] | IMPATIENCE}
    assert passed("errors.test.mjs", written(tmp_path / "n8n", impatient), environment) >= 7
