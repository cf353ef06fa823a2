"""The commands: what they are for, where they are made, and their parsers."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import NamedTuple

from ..version import __version__
from .parser import Parser


class Command(NamedTuple):
    """Where a command is made: the function `add` of a module takes the parser's subcommands and the help."""

    module: str
    help: str
    add: str = "add_command"


COMMANDS = {
    "tools": Command("show", "list the operations", "add_tools"),
    "describe": Command("show", "show one operation: params, output, request", "add_describe"),
    "run": Command("run", "run one operation"),
    "check": Command("check", "try the API key and the connection, by reading alone"),
    "manifest": Command("show", "print the block manifest as JSON", "add_manifest"),
    "export": Command("export", "write the block for another platform into a folder"),
    "sandbox": Command("sandbox", "serve an offline Persona on this machine"),
    "mcp": Command("mcp", "serve the operations to agents over the Model Context Protocol"),
    "flow": Command("flow", "run workflows that outlive crashes, deploys and weeks of waiting"),
    "demo": Command("show", "watch one onboarding from first link to archive, offline", "add_demo"),
    "completion": Command("completion", "print what makes a shell complete these commands"),
}
"""The commands by name; only the module of the given one is imported."""


def command_parsers(name: str | None = None) -> tuple[Parser, Mapping[str, Parser]]:
    """Return the parser of the whole line, and those of its commands by name: of all, or of one alone."""
    parser = Parser(prog="persona-block", description="Identity verification with Persona.")
    parser.add_argument("--version", action="version", version=f"persona-block {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for each in [name] if name else COMMANDS:
        module = importlib.import_module(f".{COMMANDS[each].module}", __package__)
        getattr(module, COMMANDS[each].add)(commands, COMMANDS[each].help)
        commands.choices[each].set_defaults(parser=commands.choices[each])
    return parser, commands.choices
