"""The commands: what they are for, and where they are made."""

from __future__ import annotations

from typing import NamedTuple


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
    "demo": Command("show", "watch one onboarding from first link to archive, offline", "add_demo"),
    "completion": Command("completion", "print what makes a shell complete these commands"),
}
"""The commands by name; only the module of the given one is imported."""
