"""The commands `flow list`, `flow describe` and `flow check`, which need no database."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from .exits import MISUSE, SUCCESS
from .flow_options import document_in, document_of
from .output import print_json
from .tables import print_table
from .terminal import paragraph, print_error, print_lines


def list(_: argparse.Namespace) -> int:
    """List the workflow templates."""
    from ..block import manifest

    rows = [(each["name"], each["title"], each["description"]) for each in manifest()["templates"]]
    print_table(("workflow", "title", "what it does"), rows)
    print_lines("", *paragraph("More on one: persona-block flow describe NAME"))
    return SUCCESS


def describe(arguments: argparse.Namespace) -> int:
    """Show the inputs and steps of a workflow."""
    document = document_of(arguments.name)
    if arguments.json:
        print_json(document)
        return SUCCESS
    print_lines(str(document.get("title") or arguments.name), heading=True)
    print_lines("", *paragraph(str(document.get("description") or "")))
    inputs = document.get("inputs", {})
    rows = [
        (name, str(each.get("type", "")), _example(each), str(each.get("description", ""))) for name, each in inputs.items()
    ]
    print_lines("")
    if rows:
        print_table(("input", "type", "such as", "what it is"), rows)
        print_lines("")
    print_table(("step", "what it does"), [(str(step["id"]), _does(step)) for step in document["steps"]])
    print_lines("", f"persona-block flow run {arguments.name} --sandbox")
    return SUCCESS


def check(arguments: argparse.Namespace) -> int:
    """Check a document, and print everything that is wrong with it, a line each."""
    from ..flows.checker import check as check_document

    try:
        check_document(document_in(Path(arguments.file)))
    except InputError as error:
        print_error(*(f"{problem.param}: {problem.message}" for problem in error.problems))
        return MISUSE
    print_lines("It can be run.")
    return SUCCESS


def _example(schema: Mapping[str, Any]) -> str:
    examples = schema.get("examples") or [""]
    return str(examples[0])


def _does(step: Mapping[str, Any]) -> str:
    """Return what a step does in a few words."""
    what = str(step.get("operation") or step.get("host"))
    notes = [f"to {step['to']}"] if "to" in step else []
    notes += ["for each entry"] if "forEach" in step else []
    notes += ["waits"] if step.get("wait") or step.get("host") == "ask" else []
    notes += ["only in some cases"] if "when" in step else []
    return f"{what} ({', '.join(notes)})" if notes else what
