"""An operation as a model sees it: a name, a text to choose by, and schemas that every model provider takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..spec import catalog
from ..spec.grammar import TOOL_PREFIX, Schema, ToolSpec

OUTPUT_FIELDS = "outputFields"
"""The argument that narrows what is given back."""
WAIT = "wait"
"""The argument that waits for what runs in the background."""
WAIT_SECONDS = 50.0
"""How long waiting, or following pages, may take: clients of models commonly give a call a minute."""
MAX_ITEMS = "maxItems"
"""The argument that says how many items of a list to give; it stands in the place of the page size."""
PAGE_SIZE_PARAM = "pageSize"
PAGE_SIZE = 10
"""How many items a list gives where nothing else was asked for."""
ITEMS_LIMIT = 1000
"""The largest `maxItems`."""

_CSV_TEXT = "CSV text, header line first"
_OR_PATH = ", or the path of a CSV file in the folder that the host lets you read"
_MAX_ITEMS: Schema = {"type": "integer", "description": f"How many to return, up to {ITEMS_LIMIT}; left out, {PAGE_SIZE}."}
_WAIT: Schema = {"type": "boolean", "description": f"Wait up to {WAIT_SECONDS:.0f} seconds for the end."}


@dataclass(frozen=True)
class Tool:
    """One operation, its model-facing schemas and hints; `spec` is where they come from."""

    spec: ToolSpec
    input_schema: Schema
    output_schema: Schema

    @property
    def name(self) -> str:
        """The tool's name, such as `persona_get_inquiry`."""
        return self.spec.tool_id

    @property
    def title(self) -> str:
        """The name that people see."""
        return self.spec.title

    @property
    def description(self) -> str:
        """What it does, when not to use it, what comes first and what it gives back; it names other tools as a model does."""
        text = _operations().sub(lambda name: TOOL_PREFIX + name[0], self.spec.description)
        # Where a program polls, a model has an argument.
        return re.sub(rf"\bpoll ({TOOL_PREFIX}\w+)", rf"call \1 with {WAIT}", text)

    @property
    def extra(self) -> frozenset[str]:
        """The arguments that are ours and not the operation's own params."""
        return frozenset(self.input_schema["properties"]) - frozenset(self.spec.params)


@cache
def tool(name: str, reads_files: bool = False) -> Tool:
    """The tool of an operation; raises InputError for a name that is none. `reads_files` tells of paths where files go in."""
    spec = catalog.load(name)
    return Tool(spec, _input_schema(spec, reads_files), _output_schema(spec))


def record(spec: ToolSpec) -> tuple[str, Schema] | None:
    """The output that holds an object or a list of them, and the object's schema; None where there is none, as for a file."""
    for name, schema in spec.output.items():
        shape = schema.get("items", schema)
        if "properties" in shape and spec.file_source is None:
            return name, shape
    return None


@cache
def _waiters() -> dict[str, ToolSpec]:
    """By type, the operation that reads how something that was started is doing, and so can wait for its end."""
    waiters = {}
    for spec in catalog.load_all():
        if spec.then and (described := record(catalog.load(spec.then.operation))):
            waiters[described[1]["x-type"]] = catalog.load(spec.then.operation)
    return waiters


def waiter_of(spec: ToolSpec) -> ToolSpec | None:
    """The operation that can wait for what an operation gives, or None where nothing of it runs on."""
    described = record(spec)
    return _waiters().get(described[1]["x-type"]) if described else None


def _input_schema(spec: ToolSpec, reads_files: bool) -> Schema:
    shown = {name: param for name, param in spec.params.items() if name != PAGE_SIZE_PARAM}
    properties = {name: _param(param.json_schema(), reads_files) for name, param in shown.items()}
    if spec.paginate:
        properties[MAX_ITEMS] = _MAX_ITEMS
    waiter = waiter_of(spec)
    if waiter and waiter.name == spec.name:
        properties[WAIT] = _WAIT
    if described := record(spec):
        text = _fields_text(spec, described[1])
        properties[OUTPUT_FIELDS] = {"type": "array", "items": {"type": "string"}, "description": text}
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": list(spec.required)} if spec.required else {})


def _param(schema: Schema, reads_files: bool) -> Schema:
    """A param's schema without formats, which some providers refuse and the description says in words."""
    shown = {key: value for key, value in schema.items() if key != "format"}
    if schema.get("format") == "file":
        columns = schema["description"].partition(". ")[2]
        shown["description"] = f"{_CSV_TEXT}{_OR_PATH if reads_files else ''}. {columns}"
    return shown


def _fields_text(spec: ToolSpec, shape: Mapping[str, Any]) -> str:
    """The names of an object's fields, once, where the object is read; elsewhere, where they are found."""
    reader = _readers().get(shape["x-type"], spec.tool_id)
    if reader != spec.tool_id:
        return f"Only these fields, as in {reader}."
    return f"Only these, dots go deeper: {', '.join(name for name in shape['properties'] if name != 'id')}."


def _output_schema(spec: ToolSpec) -> Schema:
    """The outputs by name, each with its type and a few words."""
    properties = {}
    for name, schema in spec.output.items():
        kind = schema["type"]
        text = schema["description"].partition(";")[0].rstrip(".") + "."
        shown: Schema = {"type": kind if isinstance(kind, str) else kind[0], "description": text}
        if shown["type"] == "array":
            shown["items"] = {"type": "object"}
        properties[name] = shown
    return {"type": "object", "properties": properties}


@cache
def _operations() -> re.Pattern[str]:
    """Finds the name of any operation in a text."""
    return re.compile(rf"\b({'|'.join(catalog.names())})\b")


@cache
def _readers() -> dict[str, str]:
    """The operation that reads one object, by the object's type."""
    readers = {}
    for spec in catalog.load_all():
        described = record(spec)
        if described and spec.effect == "read" and not spec.paginate:
            readers[described[1]["x-type"]] = spec.tool_id
    return readers
