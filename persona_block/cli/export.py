"""The command `persona-block export`: the block for another platform, written into a folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..export import GENERATORS, generator
from .terminal import print_lines


def add_command(commands: Any, help_text: str) -> None:
    """Add the command to a parser's subcommands."""
    export = commands.add_parser("export", help=help_text)
    export.add_argument("platform", choices=sorted(GENERATORS), metavar="PLATFORM", help=", ".join(sorted(GENERATORS)))
    export.add_argument("folder", metavar="DIR", help="where to write it; files of the same names are replaced")
    export.set_defaults(handler=write_export)


def write_export(arguments: argparse.Namespace) -> int:
    """Write the block for a platform and return the exit code."""
    from ..block import manifest

    folder = Path(arguments.folder)
    paths = generator(arguments.platform).export(manifest(), folder)
    print_lines(f"Wrote {len(paths)} files to {folder}.")
    return 0
