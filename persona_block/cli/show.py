"""The commands `tools`, `describe`, `manifest` and `demo`, which show the operations; each returns its exit code."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import print_json
from .tables import print_table
from .terminal import paragraph, print_lines

if TYPE_CHECKING:
    from ..spec.grammar import Param, ToolSpec


def add_tools(commands: Any, help_text: str) -> None:
    """Add the command `tools` to a parser's subcommands."""
    tools = commands.add_parser("tools", help=help_text)
    tools.add_argument("--json", action="store_true", help="print JSON for programs")
    tools.set_defaults(handler=list_operations)


def add_describe(commands: Any, help_text: str) -> None:
    """Add the command `describe` to a parser's subcommands."""
    describe = commands.add_parser("describe", help=help_text)
    describe.add_argument("operation")
    describe.add_argument("--json", action="store_true", help="print the full definition as JSON")
    describe.set_defaults(handler=describe_operation)


def add_manifest(commands: Any, help_text: str) -> None:
    """Add the command `manifest` to a parser's subcommands."""
    manifest = commands.add_parser("manifest", help=help_text)
    instead = manifest.add_mutually_exclusive_group()
    instead.add_argument("--schema", action="store_true", help="print the JSON Schema of the manifest instead")
    instead.add_argument("--vectors", action="store_true", help="print test vectors for runtimes in other languages")
    instead.add_argument("--preview", metavar="FILE.html", help="write one page that shows the block as a canvas does")
    manifest.set_defaults(handler=print_manifest)


def add_demo(commands: Any, help_text: str) -> None:
    """Add the command `demo` to a parser's subcommands."""
    demo = commands.add_parser("demo", help=help_text)
    demo.add_argument(
        "--output-dir", metavar="DIR", default="persona-demo", help="folder for the files (default: persona-demo)"
    )
    demo.set_defaults(handler=play_demo)


def list_operations(arguments: argparse.Namespace) -> int:
    """List every operation, in the order of their use."""
    from ..block import manifest

    listed = ("id", "name", "title", "description", "group", "effect")
    tools = [{name: each[name] for name in listed} for each in manifest()["tools"]["definitions"]]
    if arguments.json:
        print_json(tools)
    else:
        rows = [
            (each["name"], each["group"], each["effect"], each["description"].partition(". ")[0].rstrip(".")) for each in tools
        ]
        print_table(("operation", "group", "effect", "what it does"), rows)
        print_lines("", *paragraph("More on one: persona-block describe OPERATION"))
    return 0


def describe_operation(arguments: argparse.Namespace) -> int:
    """Show one operation: its params, its outputs and a command that runs it."""
    from ..spec import catalog

    spec = catalog.load(arguments.operation)
    if arguments.json:
        from ..block.build import definition

        print_json(definition(spec))
        return 0
    print_operation(spec)
    print_table(("output", "type", "what it is"), list(_output_rows(spec)))
    print_lines("", example(spec))
    return 0


def print_operation(spec: ToolSpec) -> None:
    """Print what an operation does, its request and its params."""
    print_lines(f"{spec.title}  ({spec.name}, {spec.effect})", heading=True)
    print_lines("", *paragraph(spec.description))
    print_lines("", f"{spec.request.method} {spec.request.path}", "")
    params = [(name, _param_type(param), _needed(spec, name), _described(param)) for name, param in spec.params.items()]
    if params:
        print_table(("param", "type", "needed", "what it is"), params)
        print_lines("")


def example(spec: ToolSpec) -> str:
    """Return a command that runs the operation."""
    return f"persona-block run {spec.name} {_example(spec)}".rstrip()


def _described(param: Param) -> str:
    """Return what a param is, and where only some values are taken, which ones."""
    return param.description + (f" One of {', '.join(param.enum)}." if param.enum else "")


def _output_rows(spec: ToolSpec) -> Iterator[tuple[str, str, str]]:
    """Yield name, type and description of every output, each followed by its properties."""
    for name, schema in spec.output.items():
        yield name, _output_type(schema), schema["description"]
        for part, shape in schema.get("items", schema).get("properties", {}).items():
            yield f"  {part}", _output_type(shape), shape.get("description", "")


def _example(spec: ToolSpec) -> str:
    """Return arguments with which the operation can run, and the option that follows it to its end."""
    names = [*spec.required, *spec.require_any[:1]]
    pairs = [f"{name}={(spec.params[name].enum or (spec.params[name].placeholder,))[0]}" for name in names]
    quoted = [shlex.quote(pair) if " " in pair or "{" in pair else pair for pair in pairs]
    follow = ["--all"] if spec.paginate else ["--wait"] if spec.wait or spec.then else []
    return " ".join(quoted + follow)


def _param_type(param: Param) -> str:
    """Return the type of a param in one word, where its format says more than its JSON type."""
    return {"file": "file", "date": "date", "date-time": "time"}.get(param.format or "", param.type)


def _needed(spec: ToolSpec, name: str) -> str:
    if name in spec.required:
        return "yes"
    return "one of these" if name in spec.require_any else "no"


def _output_type(schema: dict[str, Any]) -> str:
    json_type = schema["type"]
    return json_type if isinstance(json_type, str) else " or ".join(json_type)


def print_manifest(arguments: argparse.Namespace) -> int:
    """Print the manifest, its JSON Schema, or its test vectors; or write the page that shows the block."""
    from .. import block

    if arguments.preview:
        from ..block.preview import preview_page

        Path(arguments.preview).write_text(preview_page(block.manifest()), "utf-8")
        print_lines(f"Wrote {arguments.preview}: open it in a browser.")
    elif arguments.vectors:
        # Some vectors hold lone surrogates, which no UTF-8 does.
        print(json.dumps(block.conformance_vectors(), indent=2))
    else:
        print_json(block.manifest_schema() if arguments.schema else block.manifest())
    return 0


def play_demo(arguments: argparse.Namespace) -> int:
    """Play the demo, with its files in the folder that the arguments name."""
    import asyncio

    from .flow_options import flows_installed
    from .sandbox import sandbox_class

    sandbox_class()
    with flows_installed():
        from .demo import run_demo

        asyncio.run(run_demo(Path(arguments.output_dir).resolve()))
    return 0
