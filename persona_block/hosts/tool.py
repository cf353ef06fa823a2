"""An operation as a model sees it: a name, a text to choose by, and schemas that every model provider takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from ..spec import catalog
from ..spec.grammar import TOOL_PREFIX, Schema, ToolSpec
from .wording import for_selection, operation_names

OUTPUT_FIELDS = "outputFields"
"""The argument that names the fields to give back."""
ALL_FIELDS = "*"
"""What gives back every field, where an answer would leave some out."""
WAIT = "wait"
"""The argument that waits for what runs in the background."""
WAIT_SECONDS = 50.0
"""Seconds that waiting, or following pages, may take: clients of models commonly give a call a minute."""
MAX_ITEMS = "maxItems"
"""The argument that says how many items of a list to give; it stands in the place of the page size."""
PAGE_SIZE = 10
"""Items of a list where `maxItems` is left out."""
ITEMS_LIMIT = 1000
"""The largest `maxItems`."""

_CSV_TEXT = "CSV text, header line first"
_OR_PATH = ", or the path of a CSV file in the folder that the host lets you read"
_MAX_ITEMS: Schema = {"type": "integer", "description": f"How many to return, up to {ITEMS_LIMIT}; left out, {PAGE_SIZE}."}
_WAIT: Schema = {"type": "boolean", "description": f"Wait up to {WAIT_SECONDS:.0f} seconds for the end."}


@dataclass(frozen=True)
class Tool:
    """One operation with its model-facing schemas; `spec` is what they are made from.

    offered: the operations that the model has, so that no text sends it to another; None for all.
    told: the description in the host's own words; empty for the operation's.
    """

    spec: ToolSpec
    input_schema: Schema
    output_schema: Schema
    offered: frozenset[str] | None = None
    told: str = ""

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
        """What it does, when not to use it, what comes first and what it gives back; other tools go by their tool names."""
        if self.told:
            return self.told
        told = self.spec.description if self.offered is None else for_selection(self.spec.description, self.offered)
        text = operation_names().sub(lambda match: TOOL_PREFIX + match[0], told)
        # Where a program polls, a model has an argument.
        return re.sub(rf"\bpoll ({TOOL_PREFIX}\w+)", rf"call \1 with {WAIT}", text)

    def offers(self, name: str) -> bool:
        """Return whether the model has an operation."""
        return self.offered is None or name in self.offered

    @property
    def host_arguments(self) -> frozenset[str]:
        """The arguments that the host adds to the operation's own params."""
        return frozenset(self.input_schema["properties"]) - frozenset(self.spec.params)


def load_tool(name: str, reads_files: bool = False, offered: frozenset[str] | None = None) -> Tool:
    """Return the tool of an operation; raises InputError for an unknown name.

    reads_files: whether a file argument may be a path, which its description then says; the default is no.
    offered: the operations that the model has; the default is all.
    """
    spec = catalog.load(name)
    output = object_output(spec)
    reader = reader_of(output.object_type) if output else None
    has_reader = reader is not None and (offered is None or reader.name in offered)
    return Tool(spec, _input_schema(name, reads_files, has_reader), _output_schema(name), offered)


class ObjectOutput(NamedTuple):
    """The output of an operation that holds an object or a list of objects."""

    name: str
    schema: Schema
    """The JSON Schema of one object."""

    @property
    def object_type(self) -> str:
        """The type of the object, such as `inquiry`."""
        return str(self.schema["x-type"])


def object_output(spec: ToolSpec) -> ObjectOutput | None:
    """Return the output that holds an object or a list of them; None where there is none, as for a file."""
    for name, schema in spec.output.items():
        object_schema = schema.get("items", schema)
        if "properties" in object_schema and spec.file_source is None:
            return ObjectOutput(name, object_schema)
    return None


def waiter_of(spec: ToolSpec) -> ToolSpec | None:
    """Return the operation that can wait for what an operation gives, or None where nothing of it runs on."""
    output = object_output(spec)
    return _waiters().get(output.object_type) if output else None


@cache
def _waiters() -> dict[str, ToolSpec]:
    """Return, by the type of an object that runs in the background, the operation that can wait for its end."""
    waiters = {}
    for spec in catalog.load_all():
        if spec.then is None:
            continue
        waiter = catalog.load(spec.then.operation)
        if output := object_output(waiter):
            waiters[output.object_type] = waiter
    return waiters


def reader_of(object_type: str) -> ToolSpec | None:
    """Return the operation that reads one object of a type."""
    return _readers().get((object_type, False))


def lister_of(object_type: str) -> ToolSpec | None:
    """Return the operation that lists objects of a type."""
    return _readers().get((object_type, True))


@cache
def _readers() -> dict[tuple[str, bool], ToolSpec]:
    """Return what reads, by the type of an object and by whether it lists them."""
    readers = {}
    for spec in catalog.load_all():
        output = object_output(spec)
        if output and spec.effect == "read":
            readers[output.object_type, spec.paginate is not None] = spec
    return readers


@cache
def _input_schema(name: str, reads_files: bool, has_reader: bool) -> Schema:
    """Return the arguments; `has_reader` says whether the model has the tool that reads one object of these."""
    spec = catalog.load(name)
    hidden = spec.paginate.size if spec.paginate else None
    properties = {name: _param(param.json_schema(), reads_files) for name, param in spec.params.items() if name != hidden}
    if spec.paginate:
        properties[MAX_ITEMS] = _MAX_ITEMS
    waiter = waiter_of(spec)
    if waiter and waiter.name == spec.name:
        properties[WAIT] = _WAIT
    if output := object_output(spec):
        text = _fields_text(spec, output, has_reader)
        properties[OUTPUT_FIELDS] = {"type": "array", "items": {"type": "string"}, "description": text}
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": list(spec.required)} if spec.required else {})


def _param(schema: Mapping[str, Any], reads_files: bool) -> Schema:
    """Return a param's schema without its format: some providers refuse it, and the description says it in words."""
    shown = {keyword: value for keyword, value in schema.items() if keyword != "format"}
    if schema.get("format") == "file":
        columns = schema["description"].partition(". ")[2]
        shown["description"] = f"{_CSV_TEXT}{_OR_PATH if reads_files else ''}. {columns}"
    return shown


def _fields_text(spec: ToolSpec, output: ObjectOutput, has_reader: bool) -> str:
    """Return the names of an object's fields for the tool that reads it, and for the others where to look them up."""
    reader = reader_of(output.object_type)
    if reader and reader.name != spec.name and has_reader:
        return f"Only these fields, as in {reader.tool_id}."
    names = ", ".join(name for name in output.schema["properties"] if name != "id")
    return f"Only these, dots go deeper, {ALL_FIELDS} for all: {names}."


@cache
def _output_schema(name: str) -> Schema:
    """Return the outputs by name, each with its type and a few words."""
    spec = catalog.load(name)
    properties = {}
    for name, schema in spec.output.items():
        types = schema["type"]
        text = schema["description"].partition(";")[0].rstrip(".") + "."
        shown: Schema = {"type": types if isinstance(types, str) else types[0], "description": text}
        if shown["type"] == "array":
            shown["items"] = {"type": "object"}
        properties[name] = shown
    return {"type": "object", "properties": properties}
