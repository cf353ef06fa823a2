"""The commands `tools`, `describe` and `manifest`, which show the operations; each returns its exit code."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterator
from typing import Any

from ..spec import catalog
from ..spec.grammar import Param, ToolSpec
from .terminal import paragraph, table


def tools(arguments: argparse.Namespace) -> int:
    """List every operation, in the order of their use."""
    specs = catalog.in_order_of_use()
    if arguments.json:
        attributes = ("name", "title", "description", "group", "effect")
        print_json([{"id": spec.tool_id} | {name: getattr(spec, name) for name in attributes} for spec in specs])
    else:
        rows = [(spec.name, spec.group, spec.effect, spec.description.partition(". ")[0].rstrip(".")) for spec in specs]
        print("\n".join(table(("operation", "group", "effect", "what it does"), rows)))
        print("\nMore on one: persona-block describe OPERATION")
    return 0


def describe(arguments: argparse.Namespace) -> int:
    """Show one operation: its params, its outputs and a command that runs it."""
    spec = catalog.load(arguments.operation)
    if arguments.json:
        from ..block.build import definition

        print_json(definition(spec))
        return 0
    print(f"{spec.title}  ({spec.name}, {spec.effect})\n")
    print(paragraph(spec.description))
    print(f"\n{spec.request.method} {spec.request.path}\n")
    params = [(name, _param_type(param), _needed(spec, name), param.description) for name, param in spec.params.items()]
    if params:
        print("\n".join(table(("param", "type", "needed", "what it is"), params)), end="\n\n")
    print("\n".join(table(("output", "type", "what it is"), list(_output_rows(spec)))))
    print(f"\npersona-block run {spec.name} {_example(spec)}".rstrip())
    return 0


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


def manifest(arguments: argparse.Namespace) -> int:
    """Print the manifest, its JSON Schema, or its test vectors."""
    from .. import block

    if arguments.vectors:
        # Some vectors hold lone surrogates, which no UTF-8 does.
        print(json.dumps(block.conformance_vectors(), indent=2))
    else:
        print_json(block.manifest_schema() if arguments.schema else block.manifest())
    return 0


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False))
