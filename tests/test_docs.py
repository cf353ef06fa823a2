"""What the README shows is what the project does."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from persona_block.spec import catalog
from scripts.generate import readme

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
AGENTS = {path.read_text("utf-8") for path in (ROOT / "examples" / "agents").glob("*.py")}
"""The programs that tests/hosts/test_examples.py runs."""


def test_the_table_is_current() -> None:
    assert readme(README) == README, "run `make generate`"
    assert len(re.findall(r"^\| `", README, re.MULTILINE)) == len(catalog.names())


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
    picture = (ROOT / "docs/demo.svg").read_text("utf-8")
    assert "approve_inquiry" in picture
    assert "SIMULATED" in picture
