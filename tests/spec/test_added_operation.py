"""An operation costs two files: with a spec and a case file, and `make generate`, every host has it and every check passes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADDED = Path(__file__).resolve().parent / "added"
COPIED = ("persona_block", "tool_specs", "icons", "tests", "scripts", "examples", "docs", "README.md", "pyproject.toml")
HOST_CHECKS = "tests/spec/added/check_hosts.py"
CHECKS = (
    "tests/spec/test_specs.py",
    "tests/call/test_cases.py",
    "tests/block",
    "tests/hosts/test_selection.py",
    "tests/hosts/test_portability.py",
    "tests/hosts/test_descriptions.py",
    "tests/hosts/mcp/test_tools.py::TestListing",
    "tests/test_docs.py::test_the_tables_and_the_count_are_current",
)

pytestmark = pytest.mark.process


def run(project: Path, *arguments: str) -> str:
    """Run Python in a copy of the project and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project, add the two files, and make what is made from them."""
    copy = tmp_path_factory.mktemp("project")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(ROOT / name, copy / name)
    shutil.copy(ADDED / "tag_account.json", copy / "tool_specs")
    shutil.copy(ADDED / "tag_account.case.json", copy / "tests/cases/tag_account.json")
    run(copy, "scripts.generate")
    return copy


@pytest.fixture(scope="module")
def listing(project: Path) -> str:
    """Run the checks in the copy, and return pytest's list of them."""
    # A browser would draw the page of the preview from the manifest that the other checks hold.
    return run(project, "pytest", "-v", "-p", "no:cacheprovider", "-m", "not browser", HOST_CHECKS, *CHECKS)


def test_every_host_has_it(listing: str) -> None:
    assert f"{HOST_CHECKS}::" in listing


def test_every_check_of_the_operations_passes(listing: str) -> None:
    for check in ("test_file_layout", "test_prose", "test_cases_use_every_param", "test_shows_every_param_once"):
        assert any(check in line and "tag_account" in line and "PASSED" in line for line in listing.splitlines()), check
    assert "test_case[tag_account: two tags] PASSED" in listing


def test_what_is_made_from_the_specs_names_it(project: Path) -> None:
    assert "persona_tag_account" in (project / "tool_specs/shared/manifest.json").read_text("utf-8")
    assert (project / "tests/snapshots/tools/persona_tag_account.json").is_file()
    assert (project / "docs/operations/tag_account.md").read_text("utf-8").startswith("# tag_account\n")
    assert "| `tag_account` | accounts | write | Replace the tags of an account" in (project / "README.md").read_text("utf-8")
