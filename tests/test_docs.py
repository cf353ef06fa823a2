"""What the documentation shows is what the project does."""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from persona_block import Sandbox, errors, manifest
from persona_block.cli import command
from persona_block.cli.commands import command_parsers
from persona_block.spec import catalog
from scripts.generate import OPERATION_PAGES, PICTURE, ROOT, demo_picture, document, documents, operations_table
from scripts.operation_pages import operation_pages

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples/README.md"]
"""The documentation that is written by hand."""
RUNNING = [
    README,
    *(ROOT / f"docs/{name}.md" for name in ("agents", "errors", "hosts", "python", "reference/types", "sandbox", "webhooks")),
]
"""The pages whose Python runs as it stands, the examples of a page one after the other."""
AGENTS = {path.read_text("utf-8") for path in (ROOT / "examples" / "agents").glob("*.py")}
"""The programs that tests/hosts/test_examples.py runs."""
RUN_PAGES = """
import json, os, sys, tempfile
for name, examples in json.load(sys.stdin).items():
    os.chdir(tempfile.mkdtemp(dir=sys.argv[1]))
    names = {"__name__": "__main__"}
    for number, example in enumerate(examples, 1):
        exec(compile(example, f"{name}, example {number}", "exec"), names)
"""
NOT_REFERRED = {"__version__", "OperationName", "webhooks"}
"""Public names that the reference shows within others."""
PARSED_ALONE = ("demo", "flow", "mcp", "sandbox")
"""Commands that go on until they are interrupted, or do what other tests show."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())


def blocks(page: Path, language: str) -> list[str]:
    """Return the code of a language that a page shows."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def command_lines(page: Path, program: str) -> list[list[str]]:
    """Return the words of each command of a program that a page shows, without the program and where its output goes."""
    commands = []
    for line in "".join(blocks(page, "sh")).replace("\\\n", " ").splitlines():
        words = shlex.split(re.sub(r"(^|\s)# .*", "", line))
        words = [word for word in words if not re.match(r"PERSONA_\w+=", word)]
        if words[:1] == [program]:
            commands.append(words[1 : words.index(">")] if ">" in words else words[1:])
    return commands


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
    pages = {page.name: [each for each in blocks(page, "python") if each not in AGENTS] for page in RUNNING}
    assert all(pages.values())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PERSONA_")}
    command = [sys.executable, "-c", RUN_PAGES, str(tmp_path)]
    options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 60, "env": environment}
    done = subprocess.run(command, input=json.dumps(pages), **options)
    assert done.returncode == 0, done.stderr
    for line in (
        "https://persona.sandbox.invalid/verify?code=",  # README.md
        "match: False",  # python.md
        "transport_error unknown True",
        "reference create_inquiry has no such param; did you mean referenceId?",  # errors.md
        f"{len(manifest()['templates'])} workflow templates",  # hosts.md
        "needs_review",  # sandbox.md
        "customer-1042 was approved 20",  # webhooks.md
    ):
        assert any(printed.startswith(line) for printed in done.stdout.splitlines()), line


def test_a_program_of_an_agent_is_shown_whole() -> None:
    shown = [program for program in blocks(ROOT / "docs/agents.md", "python") if program in AGENTS]
    assert len(shown) == 1


def test_the_tests_that_it_shows_are_the_example() -> None:
    page = (ROOT / "docs/testing.md").read_text("utf-8")
    shown = re.findall(r"^@pytest.*?(?=\n\n\n|```)", page, re.DOTALL | re.MULTILINE)
    example = (ROOT / "examples/test_onboarding.py").read_text("utf-8")
    assert len(shown) == 2
    assert all(test.strip() in example for test in shown)


@pytest.mark.slow
@each_page
def test_commands_are_understood_and_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run what needs no network, show what else would be sent, and parse what goes on until it is interrupted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "accounts.csv").write_text("reference_id,name_first\n1,Ann\n", "utf-8")
    for words in command_lines(page, "persona-block"):
        if words[0] in PARSED_ALONE or (words[0] == "check" and "--sandbox" not in words):
            parser, _ = command_parsers(words[0])
            _, unknown = parser.parse_known_args(words)
            assert [word for word in unknown if word.startswith("-")] == [], words
        elif words[0] != "run" or "--sandbox" in words:
            assert exit_code(words) == 0, words
        else:
            assert exit_code([*words, "--dry-run"]) == 0, words
    for target in re.findall(r"^make (\w+)", page.read_text("utf-8"), re.MULTILINE):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text("utf-8")


def exit_code(words: list[str]) -> int:
    """Return the exit code of a command; `--help` ends the program."""
    try:
        return command.main(words)
    except SystemExit as ended:
        return int(ended.code or 0)


def test_the_commands_that_are_shown_are_many() -> None:
    shown = {
        name: len(command_lines(ROOT / name, "persona-block")) for name in ("README.md", "docs/hosts.md", "docs/terminal.md")
    }
    assert shown["README.md"] > 1
    assert shown["docs/hosts.md"] > 6
    assert shown["docs/terminal.md"] > 20


@each_page
def test_extras_that_are_named_exist(page: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.findall(r"(?:persona-block|/path/to/persona-block|'\.)\[([a-z0-9,-]+)\]", page.read_text("utf-8"))
    assert {extra for extras in named for extra in extras.split(",")} <= set(project["optional-dependencies"])


def test_installing_lists_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (rows,) = re.findall(r"^\| extra \|.*?(?=\n\n)", (ROOT / "docs/install.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    listed = {extra for row in rows.splitlines()[2:] for extra in re.findall(r"`([a-z0-9-]+)`", row.split("|")[1])}
    assert listed == set(project["optional-dependencies"]) - {"dev"}


def test_every_kind_of_error_has_a_line() -> None:
    page = (ROOT / "docs/errors.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, re.MULTILINE))
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.PersonaError)]
    assert rows == {re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(): kind.__name__ for kind in kinds}


@pytest.mark.parametrize(
    "module", ["persona_block", *(f"persona_block.{name}" for name in ("block", "flows", "hosts", "sandbox"))]
)
def test_the_reference_has_every_public_name(module: str) -> None:
    pages = "\n".join(path.read_text("utf-8") for path in (ROOT / "docs/reference").glob("*.md"))
    referred = set(re.findall(r"^::: persona_block[\w.]*\.(\w+)$", pages, re.MULTILINE))
    # The errors are shown by their module, as a whole.
    assert "::: persona_block.errors\n" in pages
    referred |= vars(errors).keys()
    missing = set(importlib.import_module(module).__all__) - referred - NOT_REFERRED
    assert missing == set()


# --- the page of an operation ----------------------------------------------------------------------------------------------


def test_the_pages_of_operations_are_current() -> None:
    made = operation_pages(OPERATION_PAGES, operations_table())
    assert {path: path.read_text("utf-8") for path in OPERATION_PAGES.glob("*.md")} == made, "run `make generate`"


@pytest.mark.parametrize("name", catalog.names())
def test_what_the_page_of_an_operation_shows_can_be_sent(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "accounts.csv").write_text("reference_id,name_first\n1,Ann\n", "utf-8")
    page = OPERATION_PAGES / f"{name}.md"
    (words,) = command_lines(page, "persona-block")
    assert exit_code([*words, "--dry-run"]) == 0
    (program,) = blocks(page, "python")
    (call,) = re.findall(r"runner\.\w+(\(.*?\))(?::\n|\n\Z)", program, re.DOTALL)
    given = ast.literal_eval(call if "{" in call else call.replace(")", ", {})"))
    with Sandbox().blocking_runner() as runner:
        result = runner.run(*given)
    assert result.attempts == 1, result


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
