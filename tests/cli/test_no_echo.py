"""No error of the command line repeats an argument: it may be an API key in the wrong place."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_block.cli import command
from persona_block.cli.commands import COMMANDS
from persona_block.cli.parser import Parser, without_values
from persona_block.spec import catalog
from tests.cli.conftest import RunHere
from tests.support.planted import COMMAND_LINE_KEY as KEY

importlib.import_module("persona_block.flows.engine")  # which starts a program where it is imported for the first time

UNKNOWN = "--no-such-option"
"""An option that ends every command before it does anything, once its other arguments are read."""


def _parsers(monkeypatch: pytest.MonkeyPatch) -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command by its name, such as `flow run`, and that of the whole by an empty one."""
    parsers: dict[str, argparse.ArgumentParser] = {}
    parse = Parser.parse_known_args

    def add(parser: argparse.ArgumentParser) -> None:
        parsers[parser.prog.removeprefix("persona-block").strip()] = parser
        for action in parser._actions:  # noqa: SLF001
            for sub in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
                add(sub)

    def keep(parser: Parser, *arguments: Any, **options: Any) -> Any:
        parsers[parser.prog.removeprefix("persona-block").strip()] = parser
        actions = parser._actions  # noqa: SLF001
        for action in actions:
            for sub in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
                add(sub)
        return parse(parser, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Parser, "parse_known_args", keep)
        with pytest.raises(SystemExit):
            command.main([UNKNOWN])
    return parsers


def _planted(name: str, parser: argparse.ArgumentParser) -> Iterator[list[str]]:
    """Yield arguments of a command with a key in the place of each of its arguments and options, and beside them."""
    positional = [
        action
        for action in parser._actions  # noqa: SLF001
        if not action.option_strings and not isinstance(action.choices, dict)
    ]
    good = {"operation": "get_inquiry", "pairs": "inquiryId=inq_1", "platform": "dify", "folder": "folder", "shell": "bash"}
    good |= {"name": "onboard-customer", "file": "flow.json", "flow": "wf", "option": "approve"}
    start = name.split()
    arguments = [good[action.dest] for action in positional]
    for index in range(len(arguments)):
        yield [*start, *arguments[:index], KEY, *arguments[index + 1 :], UNKNOWN]
    for action in parser._actions:  # noqa: SLF001
        for option in action.option_strings:
            if action.nargs != 0:
                yield [*start, *arguments, option, KEY, UNKNOWN]
                yield [*start, *arguments, f"{option}={KEY}", UNKNOWN]
                yield [*start, *arguments, option, KEY, option]
            else:
                yield [*start, *arguments, f"{option}={KEY}"]
                yield [*start, *arguments, f"{option}{KEY}"]
    for stray in (f"--{KEY}", f"-{KEY}", f"--api-key={KEY}", f"--apiKey={KEY}", f"--x={KEY}", f"-k{KEY}"):
        yield [*start, *arguments, stray]
    yield [*start, *arguments, "--api-key", KEY]
    yield [*start, *arguments, "--", KEY, UNKNOWN]
    yield [*start, *arguments, KEY, UNKNOWN]


def test_no_place_of_any_command_is_repeated(monkeypatch: pytest.MonkeyPatch, run_here: RunHere) -> None:
    parsers = _parsers(monkeypatch)
    assert {"", *COMMANDS} == {name.partition(" ")[0] for name in parsers}
    assert "flow run" in parsers
    tried = 0
    for name, parser in parsers.items():
        for arguments in _planted(name, parser):
            done = run_here(*arguments)
            assert done.returncode == 2, arguments
            assert KEY not in done.stdout + done.stderr, arguments
            tried += 1
    assert tried > 150


FLOW_COMMANDS = [
    ["flow", "start", "post-pending-reviews", "channel=console:"],
    ["flow", "run", "post-pending-reviews", "channel=console:"],
    ["flow", "status", "wf"],
    ["flow", "answer", "wf", "yes"],
    ["flow", "cancel", "wf"],
    ["flow", "resume", "wf"],
    ["flow", "worker"],
    ["flow", "serve", "--token", "env:HOOKS"],
    ["flow", "campaign", "post-pending-reviews", "--items", "missing"],
]
"""A command of flows each, with which only the database is wrong."""
RUNS_FLOWS = {"run": [], "worker": [], "serve": ["--work"], "campaign": []}
"""Those that run flows, and what makes them do so."""

REACHING: list[list[str]] = [
    [KEY],
    ["run", KEY],
    ["run", f"persona_{KEY}"],
    ["describe", KEY],
    ["describe", KEY, "--json"],
    ["run", "get_inquiry", KEY],
    ["run", "get_inquiry", f"apiKey:{KEY}"],
    ["run", "get_inquiry", f"apiKey={KEY}"],
    ["run", "get_inquiry", f"apikey={KEY}"],
    ["run", "get_inquiry", f"api_key={KEY}"],
    ["run", "get_inquiry", f"PERSONA_API_KEY={KEY}"],
    ["run", "get_inquiry", f"{KEY}="],
    ["run", "get_inquiry", f"{KEY}=="],
    ["run", "get_inquiry", f"{KEY}={KEY}"],
    ["run", "get_inquiry", f"={KEY}"],
    ["run", "get_inquiry", "inquiryId=inq_1", KEY],
    ["run", "get_inquiry", "--params", KEY],
    ["run", "get_inquiry", f"--params={KEY}"],
    ["run", "get_inquiry", "--params", f"@{KEY}"],
    ["run", "get_inquiry", "--params", f'"{KEY}"'],
    ["run", "get_inquiry", "--params", json.dumps({KEY: 1})],
    ["run", "get_inquiry", "--params", json.dumps({"apiKey": KEY})],
    ["run", "get_inquiry", "--params", json.dumps({"inquiryId": "inq_1", "x": {"apiKey": KEY}})],
    ["run", "get_inquiry", "inquiryId=inq_1", "--idempotency-key", KEY],
    ["run", "approve_inquiry", "inquiryId=inq_1", "--idempotency-key", KEY + "é"],
    ["run", "approve_inquiry", "inquiryId=inq_1", "--idempotency-key", KEY * 10],
    ["run", "print_inquiry_pdf", "inquiryId=inq_1", "--output-dir", f"{KEY}://x"],
    ["run", "print_inquiry_pdf", "inquiryId=inq_1", "--output-dir", f"~{KEY}/x"],
    ["run", "print_inquiry_pdf", "inquiryId=inq_1", "--output-dir", f"/dev/null/{KEY}"],
    ["run", "import_accounts", "file=x", "--storage", KEY],
    ["run", "import_accounts", f"file={KEY}"],
    ["run", "import_accounts", f"file=https://{KEY}/x"],
    ["run", "import_accounts", f"file={KEY}://x"],
    ["run", "list_accounts", f"pageSize={KEY}"],
    ["run", "list_accounts", "--fields", KEY],
    ["run", "list_accounts", "--fields", f"id,{KEY}.{KEY}"],
    ["run", "list_accounts", "--output", KEY],
    ["run", "list_accounts", "--timeout", KEY],
    ["run", "get_inquiry", "--wait", "--wait-timeout", KEY],
    ["run", "list_accounts", "--fresh", f"pageSize={KEY}"],
    ["run", "create_account", f"fields.{KEY}"],
    ["run", "create_account", f"{KEY}.x=1"],
    ["run", "create_account", f"referenceId.{KEY}=1"],
    ["run", "create_account", f"apiKey.{KEY}={KEY}"],
    ["run", "create_account", f"fields={KEY}", f"fields.{KEY}={KEY}"],
    ["run", "create_account", f"fields.={KEY}"],
    ["run", KEY, "--help"],
    ["check", "--timeout", KEY],
    ["completion", KEY],
    ["run", "create_report", f"reportType={KEY}", f"birthdate={KEY}", f"countryCode={KEY}"],
    ["run", "list_inquiries", f"createdAtStart={KEY}"],
    ["run", "create_inquiry", f"inquiryTemplateId={KEY}", f"fields={KEY}", f"redirectUri={KEY}"],
    ["manifest", "--preview", f"/dev/null/{KEY}"],
    ["export", "dify", f"/dev/null/{KEY}"],
    ["export", KEY, "folder"],
    ["demo", "--output-dir", f"/dev/null/{KEY}"],
    ["sandbox", "--port", KEY],
    ["sandbox", "--seed", KEY],
    ["sandbox", "--speed", KEY],
    ["sandbox", "--rate-limit", KEY],
    ["sandbox", "--state", f"/dev/null/{KEY}"],
    ["sandbox", "--webhook", KEY, "--webhook-secret-env", "HOOK"],
    ["sandbox", "--webhook", f"https://{KEY}@example.com/", "--webhook-secret-env", "HOOK"],
    ["sandbox", "--webhook", "http://127.0.0.1:9/", "--webhook-secret-env", KEY],
    ["sandbox", "--webhook", f"http://127.0.0.1:9/{KEY}"],
    ["sandbox", "--faults", KEY],
    ["sandbox", "--faults", f"stall,{KEY}"],
    ["sandbox", "--faults", f"stall:{KEY}"],
    ["flow", "describe", KEY],
    ["flow", "check", KEY],
    ["flow", "start", KEY],
    ["flow", "start", "onboard-customer", KEY],
    ["flow", "start", "onboard-customer", f"{KEY}={KEY}"],
    ["flow", "start", "send-link-and-wait", f"linkSeconds={KEY}"],
    ["flow", "start", "onboard-customer", "--id", f"{KEY}\n"],
    ["flow", "run", "onboard-customer", "--id", f"{KEY}\n"],
    ["flow", "run", "onboard-customer", "--applicant", KEY],
    ["flow", "run", "onboard-customer", "--answer", KEY],
    ["flow", "answer", "wf", "yes", "--comment", KEY, "--db", f"{KEY}://x"],
    ["flow", "serve", "--host", KEY],
    ["flow", "serve", "--port", KEY],
    ["flow", "serve", "--public-url", KEY],
    ["flow", "serve", "--webhook-secret", KEY],
    ["flow", "serve", "--token", KEY],
    ["flow", "campaign", "onboard-customer", "--items", KEY],
    ["flow", "campaign", "onboard-customer", "--items", "missing", "--campaign", KEY],
    ["flow", "campaign", "onboard-customer", "--items", "missing", "--row-key", KEY],
    ["flow", "campaign", "onboard-customer", "--items", "missing", "--report", KEY],
    *([*command, "--db", f"{KEY}://x"] for command in FLOW_COMMANDS),
    *([*command, "--db", f"postgresql://a:{KEY}@127.0.0.1:9/x"] for command in FLOW_COMMANDS),
    *([*command, "--encryption-key", KEY] for command in FLOW_COMMANDS),
    *([*command, "--concurrency", KEY] for command in FLOW_COMMANDS if command[1] in RUNS_FLOWS),
    *([*command, "--first-poll", KEY] for command in FLOW_COMMANDS if command[1] in RUNS_FLOWS),
    *(
        [*command, "--files", KEY, "--shared", *RUNS_FLOWS[command[1]]]
        for command in FLOW_COMMANDS
        if command[1] in RUNS_FLOWS
    ),
    ["mcp", "--toolsets", KEY],
    ["mcp", "--tools", f"get_inquiry,{KEY}"],
    ["mcp", "--exclude-tools", KEY],
    ["mcp", "--allow", KEY],
    ["mcp", "--text", KEY],
    ["mcp", "--templates", KEY],
    ["mcp", "--templates", f"{KEY}={KEY}"],
    ["mcp", "--leave-out", KEY, "--http", "--host", "0.0.0.0"],
    ["mcp", "--files-from", KEY],
    ["mcp", "--http", "--files-from", KEY],
    ["mcp", "--http", "--host", KEY],
    ["mcp", "--http", "--port", KEY],
    ["mcp", "--http", "--public-host", KEY, "--host", "0.0.0.0", "--port", "99999"],
    ["mcp", "--oauth-issuer", KEY],
    ["mcp", "--http", "--oauth-issuer", KEY, "--public-url", f"http://{KEY}", "--oauth-scopes", KEY, "--oauth-keys", "x"],
    ["mcp", "--http", "--oauth-issuer", "https://x", "--oauth-jwks", KEY, "--oauth-server", f"https://{KEY}@x"],
    ["mcp", "--http", "--oauth-issuer", "https://x", "--public-url", "https://x/mcp", "--oauth-keys", KEY],
]
"""Arguments that are read, and refused only by what they are for."""


@pytest.mark.parametrize("arguments", REACHING, ids=lambda arguments: " ".join(arguments).replace(KEY, "KEY")[:60])
def test_what_is_read_and_refused_is_not_repeated(
    arguments: list[str], run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run_here(
        *arguments, HOOK="secret", HOOKS="0123456789abcdef", PERSONA_API_KEY="another", PERSONA_BASE_URL="http://127.0.0.1:9"
    )
    assert done.returncode in (1, 2)
    assert KEY not in done.stdout + done.stderr
    assert KEY.upper() not in (done.stdout + done.stderr).upper()
    assert "Traceback" not in done.stderr
    assert not any(tmp_path.iterdir())


def test_every_option_with_a_value_is_refused_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new one is added above, with a value that only what it is for refuses."""
    for name, parser in _parsers(monkeypatch).items():
        for action in parser._actions:  # noqa: SLF001
            for option in action.option_strings if action.nargs != 0 else ():
                assert any(
                    arguments[: len(name.split())] == name.split() and any(each.startswith(option) for each in arguments)
                    for arguments in REACHING
                ), f"{name} {option}"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("argument --json: ignored explicit argument 'x'", "argument --json: takes no value"),
        ("argument A: invalid choice: 'x (choose from y)' (choose from 'a', 'b')", "argument A: must be one of 'a', 'b'"),
        ("argument A: invalid choice: 'x', maybe you meant 'a'? (choose from a, b)", "argument A: must be one of a, b"),
        ("argument --n: invalid int value: 'x'", "argument --n: cannot be read"),
        ("argument --n: can't open 'x': no", "argument --n: cannot be read"),
        ("argument --n: expected one argument", "argument --n: expected one argument"),
        ("argument --n: must be a whole number", "argument --n: must be a whole number"),
        ("argument --all: not allowed with argument --wait", "argument --all: not allowed with argument --wait"),
        ("the following arguments are required: a", "the following arguments are required: a"),
        ("ambiguous option: --x=KEY could match --xy", "unrecognized arguments"),
        ("unrecognized arguments: x", "unrecognized arguments"),
        ("anything else with x", "unrecognized arguments"),
    ],
)
def test_messages_of_the_parser(message: str, told: str) -> None:
    assert without_values(message) == told


def test_what_was_meant_is_told_without_what_was_typed(run_here: RunHere) -> None:
    done = run_here("run", "get_inquiry", "inquryId=x", "--sandbox")
    assert "argument 1: names what is no param of get_inquiry; did you mean inquiryId?" in done.stderr
    done = run_here("run", "get_inquiry", "inquiryId=x", "moon=1", "--params", '{"sun": 2}', "--sandbox")
    problems = json.loads(done.stdout)["errorDetails"]["problems"]
    assert [problem["param"] for problem in problems] == ["--params", "argument 2"]
    assert all("it takes inquiryId" in problem["message"] for problem in problems)
    done = run_here("run", "get_inquiry", "--params", "-", "--sandbox", stdin='{"inquiryId": "inq_1", "moon": 1}')
    assert "moon: get_inquiry has no such param" in done.stderr


def test_params_of_every_operation_are_taken_by_name(run_here: RunHere) -> None:
    for spec in catalog.load_all():
        done = run_here("run", spec.name, *(f"{name}= " for name in spec.params), "--api-key-stdin", "--yes")
        assert "found no key on standard input" in done.stderr
