"""The command line: `persona-block tools | describe | run | manifest | export | sandbox | mcp | demo`.

`run` prints exactly one JSON envelope on stdout and everything else on stderr. Exit codes: 0 success, 1 a failed operation,
2 misuse, 130 interrupted. API keys come from the environment or standard input, never from an argument, where anybody on
the machine could read them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import InputError, PersonaError
from ..version import __version__
from . import export, mcp, run, sandbox, show
from .exits import FAILURE, INTERRUPTED, MISUSE, SUCCESS
from .parser import Parser
from .terminal import print_error

__all__ = ["FAILURE", "INTERRUPTED", "MISUSE", "SUCCESS", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` holds its arguments, by default those of the process."""
    arguments = _parse(argv)
    handler: Callable[[argparse.Namespace], int] = arguments.handler
    try:
        return handler(arguments)
    except InputError as error:
        print_error("; ".join(f"{problem.param}: {problem.message}" for problem in error.problems))
        return MISUSE
    except PersonaError as error:
        print_error(error.message)
        return FAILURE
    except KeyboardInterrupt:
        print_error("", "Interrupted.")
        return INTERRUPTED
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print_error(f"Failed: {error.strerror or type(error).__name__}")
            return FAILURE
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments; params of `run` may stand among its options."""
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    if any(argument.startswith("-") for argument in rest) or (rest and "pairs" not in arguments):
        parser.error("unrecognized arguments")
    if rest:
        arguments.pairs += rest
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="persona-block", description="Identity verification with Persona.")
    parser.add_argument("--version", action="version", version=f"persona-block {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    tools = commands.add_parser("tools", help="list the operations")
    tools.add_argument("--json", action="store_true", help="print JSON for programs")
    tools.set_defaults(handler=show.tools)

    describe = commands.add_parser("describe", help="show one operation: params, output, request")
    describe.add_argument("operation")
    describe.add_argument("--json", action="store_true", help="print the full definition as JSON")
    describe.set_defaults(handler=show.describe)

    run.add_command(commands)

    manifest = commands.add_parser("manifest", help="print the block manifest as JSON")
    instead = manifest.add_mutually_exclusive_group()
    instead.add_argument("--schema", action="store_true", help="print the JSON Schema of the manifest instead")
    instead.add_argument("--vectors", action="store_true", help="print test vectors for runtimes in other languages")
    instead.add_argument("--preview", metavar="FILE.html", help="write one page that shows the block as a canvas does")
    manifest.set_defaults(handler=show.manifest)

    export.add_command(commands)
    sandbox.add_command(commands)
    mcp.add_command(commands)

    demo = commands.add_parser("demo", help="watch one onboarding from first link to archive, offline")
    demo.add_argument(
        "--output-dir", metavar="DIR", default="persona-demo", help="folder for the files (default: persona-demo)"
    )
    demo.set_defaults(handler=_demo)
    return parser


def _demo(arguments: argparse.Namespace) -> int:
    sandbox.sandbox_class()
    from .demo import run_demo

    asyncio.run(run_demo(Path(arguments.output_dir).resolve()))
    return SUCCESS
