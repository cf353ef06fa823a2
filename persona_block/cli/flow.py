"""The command `persona-block flow`: durable workflows, each of its commands with a parser of its own."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from typing import Any

from .flow_options import add_database
from .sandbox import port_number

Handler = Callable[[argparse.Namespace], int]


def add_command(commands: Any, help_text: str) -> None:
    """Add the command to a parser's subcommands."""
    flow = commands.add_parser(
        "flow", help=help_text, description="Workflows that outlive crashes, deploys and weeks of waiting."
    )
    actions = flow.add_subparsers(required=True, metavar="COMMAND")
    for name, (text, module, add) in _ACTIONS.items():
        action = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        add(action)
        action.set_defaults(handler=_handler(module, name), parser=action)


def _handler(module: str, name: str) -> Handler:
    """Return what runs a command, whose module is imported only then."""

    def handle(arguments: argparse.Namespace) -> int:
        run: Handler = getattr(importlib.import_module(f".{module}", __package__), name)
        return run(arguments)

    return handle


def _add_nothing(_: argparse.ArgumentParser) -> None:
    """Add nothing: the command takes no arguments."""


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a template's name, or a file whose name ends in .json")


def _add_describe(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("--json", action="store_true", help="print the document as JSON")


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a workflow document as a JSON file")


def _add_pairs(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("pairs", nargs="*", metavar="key=value", help="inputs of the workflow")


def _add_flow(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("flow", metavar="ID", help="the id of a flow")
    add_database(parser)


def _add_start(parser: argparse.ArgumentParser) -> None:
    _add_pairs(parser)
    parser.add_argument("--id", metavar="ID", help="the flow's id; one that was started before is not started again")
    add_database(parser)


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_start(parser)
    parser.add_argument("--json", action="store_true", help="print what each step gave as JSON at the end")
    _add_engine(parser)
    offline = parser.add_argument_group("with --sandbox")
    offline.add_argument(
        "--applicant",
        choices=("played", "browser"),
        help="play the applicant once the link is there, or wait until somebody opens it in a browser (default: played)",
    )
    offline.add_argument("--answer", metavar="OPTION", help="answer each question with this option, where it is one")


def _add_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("flow", metavar="ID", nargs="?", help="the id of a flow; without one the newest are listed")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--values", action="store_true", help="show inputs, outputs and texts too, which are personal")
    add_database(parser)


def _add_answer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("flow", metavar="ID", help="the id of a flow that asks")
    parser.add_argument("option", metavar="OPTION", help="one of the question's options")
    parser.add_argument("--comment", metavar="TEXT", help="what goes with the answer")
    add_database(parser)


def _add_worker(parser: argparse.ArgumentParser) -> None:
    add_database(parser)
    _add_engine(parser)


def _add_engine(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the process that runs flows")
    group.add_argument("--files", metavar="DIR|URL", help="where files between steps are kept (default: persona-flow-files)")
    group.add_argument(
        "--shared", action="store_true", help="other machines run these flows too; --files is a storage URL then"
    )
    group.add_argument(
        "--concurrency", type=_whole_number, default=16, metavar="N", help="calls and messages at once (default: 16)"
    )
    group.add_argument(
        "--first-poll",
        type=_whole_number,
        metavar="SECONDS",
        help="after so long without an event a flow looks at Persona itself, then ever more rarely",
    )


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=port_number, default=8486, help="port; 0 takes a free one (default: 8486)")
    parser.add_argument(
        "--public-url", metavar="URL", help="https://… that it is reached at through a proxy; needed to listen elsewhere"
    )
    parser.add_argument(
        "--webhook-secret",
        metavar="NAME",
        action="append",
        help="where a secret of Persona's webhook is: env:NAME or file:/path; given twice, either fits"
        " (default: PERSONA_FLOWS_WEBHOOK_SECRET)",
    )
    parser.add_argument(
        "--token",
        metavar="NAME",
        help="where the token of the page is (default: PERSONA_FLOWS_TOKEN, else a new one is shown)",
    )
    parser.add_argument("--work", action="store_true", help="run flows in this process, too")
    add_database(parser)
    _add_engine(parser)


def _add_campaign(parser: argparse.ArgumentParser) -> None:
    _add_pairs(parser)
    parser.add_argument("--items", metavar="FILE.csv", required=True, help="a flow for each row; its headings are inputs")
    parser.add_argument(
        "--campaign", metavar="LABEL", help="a row starts a flow once in each campaign (default: template and file name)"
    )
    parser.add_argument("--row-key", metavar="COLUMN", help="the column that says which row is which (default: all of them)")
    parser.add_argument("--report", metavar="FILE.csv", help="write how each row stands, at the end and when interrupted")
    parser.add_argument("--start-only", action="store_true", help="start the flows and return; workers run them")
    add_database(parser)
    _add_engine(parser)


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 1000000")
    return int(text)


_ACTIONS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "list": ("list the workflow templates", "flow_show", _add_nothing),
    "describe": ("show a workflow: its inputs and steps", "flow_show", _add_describe),
    "check": ("check a workflow document of your own, and tell all that is wrong with it", "flow_show", _add_check),
    "run": ("run a flow here and wait for its end", "flow_run", _add_run),
    "start": ("start a flow and return its id; a worker runs it", "flow_manage", _add_start),
    "status": ("show how a flow stands, step by step, or list flows", "flow_status", _add_status),
    "answer": ("answer what a flow asks", "flow_manage", _add_answer),
    "cancel": ("stop a flow before its next step", "flow_manage", _add_flow),
    "resume": ("let a flow that was cancelled go on", "flow_manage", _add_flow),
    "worker": ("run the flows of a database until this is ended", "flow_run", _add_worker),
    "serve": ("serve the receiver of webhooks, Slack's buttons, and a page of flows", "flow_serve", _add_serve),
    "campaign": ("run a flow for each row of a CSV file, at most once", "flow_campaign", _add_campaign),
}
"""The commands: what each does, the module whose function of its name runs it, and what adds its arguments."""
