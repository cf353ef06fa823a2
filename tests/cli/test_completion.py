"""Completion: what the hidden command offers, how little it imports, and that the real shells take it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from persona_block.cli.candidates import candidates
from persona_block.cli.commands import COMMANDS
from persona_block.cli.completion import SCRIPTS
from persona_block.spec import catalog
from tests.cli.conftest import RunHere

BIN = str(Path(sys.executable).parent)
CREATE = ["run", "create_report"]


def words(*line: str) -> list[str]:
    return [word for word, _ in candidates(line)]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ([""], list(COMMANDS)),
        (["ma"], ["manifest"]),
        (["run", ""], list(catalog.names())),
        (["describe", "get_in"], ["get_inquiry"]),
        ([*CREATE, ""], [f"{name}=" for name in catalog.load("create_report").params]),
        ([*CREATE, "reportType=watchlist", "report"], ["reportTemplateId="]),
        ([*CREATE, "reportType=a"], ["reportType=adverse-media"]),
        ([*CREATE, "--output", "nd"], ["ndjson"]),
        ([*CREATE, "--output=c"], ["--output=csv"]),
        ([*CREATE, "--fields", "status,id,reda"], ["status,id,redactedAt"]),
        ([*CREATE, "--fields", "status,id,st"], []),
        ([*CREATE, "--fre"], ["--fresh"]),
        (["completion", "z"], ["zsh"]),
        (["export", "d"], ["dify"]),
        (["mcp", "--read"], ["--read-only"]),
        ([*CREATE, "--output-dir", ""], []),
        (["run", "import_accounts", "file=/e"], []),
        (["run", "no_such_operation", ""], []),
        (["nothing", "--x", ""], []),
        (["flow", "ca"], ["cancel", "campaign"]),
        (["flow", "run", "onb"], ["onboard-customer"]),
        (["flow", "start", "onboard-customer", "contact=x", "re"], ["referenceId=", "reportTemplateId=", "reviewers="]),
        (["flow", "run", "onboard-customer", "--appl"], ["--applicant"]),
        (["flow", "run", "--applicant", ""], ["played", "browser"]),
        (["flow", "worker", "x"], []),
    ],
)
def test_what_is_offered(line: list[str], offered: list[str]) -> None:
    assert words(*line) == offered


def test_suggested_values_are_offered_as_the_specs_have_them() -> None:
    for spec in catalog.load_all():
        for name, param in spec.params.items():
            values = param.enum or param.suggestions or ()
            assert words("run", spec.name, f"{name}=") == [f"{name}={value}" for value in values]


@pytest.mark.process
def test_it_imports_next_to_nothing() -> None:
    program = (
        "import json, sys; from persona_block.cli import main; main(['__complete', 'run', 'create_report', '--idem']);"
        "main(['__complete', 'run', 'create_report', 'reportType=']);"
        "print(json.dumps([name for name in ('pydantic', 'httpx', 'asyncio', 'jsonschema') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    option, *offered, imported = done.stdout.splitlines()
    assert option.startswith("--idempotency-key\t")
    assert [line.partition("\t")[0] for line in offered] == [
        f"reportType={value}" for value in catalog.load("create_report").params["reportType"].enum or ()
    ]
    assert json.loads(imported) == []


def test_the_hidden_command_is_not_shown(run_here: RunHere) -> None:
    assert "__complete" not in run_here("--help").stdout
    assert run_here("__complete").stdout.startswith("tools\tlist the operations\n")
    for shell, script in SCRIPTS.items():
        assert run_here("completion", shell).stdout == script


def run_shell(command: Sequence[str], program: str) -> list[str]:
    """Return what a shell prints, with the command line on its path."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb", "HOME": "/nonexistent"}
    done = subprocess.run([*command, program], capture_output=True, text=True, env=environment, timeout=60, check=False)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.process
def test_bash() -> None:
    program = """
        eval "$(persona-block completion bash)"
        complete_at() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _persona_block
            printf '[%s]\\n' "${COMPREPLY[@]}"
        }
        complete_at persona-block run create_rep
        complete_at persona-block run create_report reportT
        complete_at persona-block run create_report reportType = w
        complete_at persona-block run create_report reportType = watchlist --output =
        complete -p persona-block
    """
    *offered, registered = run_shell(["bash", "--norc", "-c"], program)
    choices = ["[json ]", "[table ]", "[csv ]", "[ndjson ]"]
    assert offered == ["[create_report ]", "[reportType=]", "[reportTemplateId=]", "[watchlist ]", *choices]
    assert registered.endswith("-F _persona_block persona-block")


@pytest.mark.process
def test_fish() -> None:
    program = """
        persona-block completion fish | source
        complete -C 'persona-block run create_rep'
        complete -C 'persona-block run create_report reportType=a'
        complete -C 'persona-block run create_report --output n'
    """
    offered = run_shell(["fish", "--no-config", "-c"], program)
    first = catalog.load("create_report").description.partition(". ")[0]
    assert offered == [f"create_report\t{first}", "reportType=adverse-media", "ndjson"]


@pytest.mark.process
def test_zsh() -> None:
    """zsh completes only in a terminal, which its own module of pseudo terminals gives it."""
    program = r"""
        zmodload zsh/zpty
        zpty shell 'zsh -f -i'
        put() { zpty -w shell "$1" }
        seen() {
            local line text
            repeat 200; do
                zpty -rt shell line && text+=$line
                [[ $text == *$1* ]] && { print "seen $1"; return }
                sleep 0.05
            done
            print -r -- "unseen $1 in $text"
        }
        put 'PS1=; autoload -U compinit; compinit -u -D; eval "$(persona-block completion zsh)"; print re""ady'
        seen ready
        zpty -wn shell $'persona-block run create_rep\t'
        seen 'create_report '
        zpty -wn shell $'reportType=adv\t'
        seen 'reportType=adverse-media'
        zpty -wn shell $' --output nd\t'
        seen 'ndjson'
        zpty -d shell
    """
    offered = run_shell(["zsh", "-f", "-c"], program)
    assert offered == ["seen ready", "seen create_report ", "seen reportType=adverse-media", "seen ndjson"]
