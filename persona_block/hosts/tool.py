"""An operation as a model sees it: a name, a text to choose by, and schemas that every model provider takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .. import catalog
from ..spec import TOOL_PREFIX, Schema, ToolSpec

OUTPUT_FIELDS = "outputFields"
"""The argument that narrows what is given back."""
WAIT = "wait"
"""The argument that waits for what runs in the background."""
MAX_ITEMS = "maxItems"
"""The argument that says how many items of a list to give; it stands in the place of the page size."""
PAGE_SIZE_PARAM = "pageSize"
PAGE_SIZE = 10
"""How many items a list gives where nothing else was asked for."""
ITEMS_LIMIT = 1000
"""The largest `maxItems`."""

_FILE_TEXT = "CSV text, header line first, or a path of a CSV file that the host lets you read. "
_MAX_ITEMS: Schema = {"type": "integer", "description": f"How many to return, up to {ITEMS_LIMIT}; left out, {PAGE_SIZE}."}
_WAIT: Schema = {"type": "boolean", "description": "Wait up to a minute for the end."}
_OUTPUT_FIELDS: Schema = {"type": "array", "items": {"type": "string"}, "description": "Only these fields."}


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
        return _operations().sub(lambda name: TOOL_PREFIX + name[0], self.spec.description)

    @property
    def extra(self) -> frozenset[str]:
        """The arguments that are ours and not the operation's own params."""
        return frozenset(self.input_schema["properties"]) - frozenset(self.spec.params)


@cache
def tool(name: str) -> Tool:
    """The tool of an operation; raises InputError for a name that is none."""
    spec = catalog.load(name)
    return Tool(spec, _input_schema(spec), _output_schema(spec))


def record(spec: ToolSpec) -> tuple[str, Schema] | None:
    """The output that holds an object or a list of them, and the object's schema; None where there is none, as for a file."""
    for name, schema in spec.output.items():
        shape = schema.get("items", schema)
        if "properties" in shape and spec.file_source is None:
            return name, shape
    return None


def waits(spec: ToolSpec) -> bool:
    """Whether an operation reads how something that was started is doing, and so can wait for its end."""
    return any(each.then and each.then.operation == spec.name for each in catalog.load_all())


def _input_schema(spec: ToolSpec) -> Schema:
    shown = {name: param for name, param in spec.params.items() if name != PAGE_SIZE_PARAM}
    properties = {name: _param(param.json_schema()) for name, param in shown.items()}
    if spec.paginate:
        properties[MAX_ITEMS] = {
            "type": "integer",
            "description": f"Follow pages up to this many items, at most {ITEMS_LIMIT}.",
        }
    if waits(spec):
        properties[WAIT] = _WAIT
    if record(spec):
        properties[OUTPUT_FIELDS] = _OUTPUT_FIELDS
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": list(spec.required)} if spec.required else {})


def _param(schema: Schema) -> Schema:
    """A param's schema without formats, which some providers refuse and the description says in words."""
    shown = {key: value for key, value in schema.items() if key != "format"}
    if schema.get("format") == "file":
        shown["description"] = _FILE_TEXT + schema["description"].partition(". ")[2]
    return shown


def _output_schema(spec: ToolSpec) -> Schema:
    """The outputs by name; the fields of an object stand in its description, once, where it is read."""
    described = record(spec)
    properties = {}
    for name, schema in spec.output.items():
        kind = schema["type"]
        text = schema["description"].partition(";")[0].rstrip(".") + "."
        shown: Schema = {"type": kind if isinstance(kind, str) else kind[0], "description": text}
        if shown["type"] == "array":
            shown["items"] = {"type": "object"}
        if described and name == described[0]:
            shown["description"] = _described(spec, text, described[1])
        properties[name] = shown
    return {"type": "object", "properties": properties}


def _described(spec: ToolSpec, text: str, shape: Mapping[str, Any]) -> str:
    if _readers().get(shape["x-type"], spec.tool_id) != spec.tool_id:
        return text
    return f"{text.rstrip('.')}: {', '.join(shape['properties'])}."


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
