"""The commands `tools`, `describe` and `manifest`, which show the operations; each returns its exit code."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..spec import catalog
from ..spec.grammar import Param, ToolSpec
from .terminal import paragraph, print_lines, table


def tools(arguments: argparse.Namespace) -> int:
    """List every operation, in the order of their use."""
    specs = catalog.in_order_of_use()
    if arguments.json:
        attributes = ("name", "title", "description", "group", "effect")
        print_json([{"id": spec.tool_id} | {name: getattr(spec, name) for name in attributes} for spec in specs])
    else:
        rows = [(spec.name, spec.group, spec.effect, spec.description.partition(". ")[0].rstrip(".")) for spec in specs]
        print_lines(*table(("operation", "group", "effect", "what it does"), rows))
        print_lines("", "More on one: persona-block describe OPERATION")
    return 0


def describe(arguments: argparse.Namespace) -> int:
    """Show one operation: its params, its outputs and a command that runs it."""
    spec = catalog.load(arguments.operation)
    if arguments.json:
        from ..block.build import definition

        print_json(definition(spec))
        return 0
    print_lines(f"{spec.title}  ({spec.name}, {spec.effect})", "")
    print_lines(*paragraph(spec.description))
    print_lines("", f"{spec.request.method} {spec.request.path}", "")
    params = [(name, _param_type(param), _needed(spec, name), param.description) for name, param in spec.params.items()]
    if params:
        print_lines(*table(("param", "type", "needed", "what it is"), params), "")
    print_lines(*table(("output", "type", "what it is"), list(_output_rows(spec))))
    print_lines("", f"persona-block run {spec.name} {_example(spec)}".rstrip())
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


def print_json(value: Any) -> None:
    """Print one JSON document on stdout, with every character that cannot be seen, or not be written there, as its escape."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    if not text.replace("\n", "").isprintable():
        text = "".join(each if each.isprintable() or each == "\n" else _json_escape(each) for each in text)
    print(text)


def _json_escape(character: str) -> str:
    """Return a character as JSON escapes it, in two halves beyond the first plane (RFC 8259, section 7)."""
    return f"\\u{ord(character):04x}" if character <= "\uffff" else json.dumps(character)[1:-1]
