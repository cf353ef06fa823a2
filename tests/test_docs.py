"""What the documentation shows is what the project does."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from persona_block.spec import catalog
from scripts.generate import PICTURE, ROOT, demo_picture, document, documents

README = (ROOT / "README.md").read_text("utf-8")
AGENTS = {path.read_text("utf-8") for path in (ROOT / "examples" / "agents").glob("*.py")}
"""The programs that tests/hosts/test_examples.py runs."""


def test_the_tables_and_the_count_are_current() -> None:
    texts = [path.read_text("utf-8") for path in documents()]
    assert [document(text) for text in texts] == texts, "run `make generate`"
    whole = "\n".join(texts)
    (operations,) = re.findall(r"^<!-- operations -->\n(.*?)^<!-- /operations -->$", whole, re.DOTALL | re.MULTILINE)
    assert sorted(re.findall(r"^\| `(\w+)`", operations, re.MULTILINE)) == list(catalog.names())
    assert "<!-- outcomes -->" in whole


def test_a_table_is_made_anew_where_its_section_stands() -> None:
    stale = "Persona as 3 declarative operations\n<!-- operations -->\nold\n<!-- /operations -->\nand 3 operations more\n"
    fresh = document(stale)
    assert fresh.startswith(f"Persona as {len(catalog.names())} declarative operations\n<!-- operations -->\n| operation |")
    assert fresh.endswith("|\n<!-- /operations -->\nand 3 operations more\n")
    assert document("no section\n") == "no section\n"


@pytest.mark.process
def test_python_examples_run(tmp_path: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert set(examples) >= AGENTS
    for example in (each for each in examples if each not in AGENTS):
        ast.parse(example)
        done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "match:" not in example or "match: False" in done.stdout
        assert "was approved" not in example or "customer-1042 was approved 20" in done.stdout


def test_the_tests_that_it_shows_are_the_example() -> None:
    shown = re.findall(r"^@pytest.*?(?=\n\n\n|```)", README, re.DOTALL | re.MULTILINE)
    example = (ROOT / "examples/test_onboarding.py").read_text("utf-8")
    assert len(shown) == 2
    assert all(test.strip() in example for test in shown)


def test_commands_exist() -> None:
    for operation in re.findall(r"persona-block (?:run|describe) (\w+)", README):
        assert operation in catalog.names()
    targets = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in targets


def test_the_picture_shows_the_demo() -> None:
    picture = PICTURE.read_text("utf-8")
    assert "approve_inquiry" in picture
    assert "SIMULATED" in picture
    assert picture == demo_picture(), "run `make generate`"


@pytest.mark.process
def test_generating_twice_gives_the_same_bytes() -> None:
    """Generate in processes whose sets come in different orders, at different times."""
    script = (
        "import hashlib; from scripts.generate import generated_files;"
        "print({str(path): hashlib.sha256(text.encode()).hexdigest() for path, text in generated_files().items()})"
    )
    listings = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment)
        assert run.returncode == 0, run.stderr
        listings.append(ast.literal_eval(run.stdout))
    assert listings[0] == listings[1]
    assert listings[0][str(PICTURE)] == hashlib.sha256(PICTURE.read_bytes()).hexdigest()
