"""The grammar of a spec file: one operation, as data.

`ToolSpec` is what a file in `tool_specs/` may hold once its `$ref`s are inlined. Every model is frozen and refuses unknown
keys, so a misspelt key in a spec is an error and never silently ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=32)]
ParamName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-zA-Z0-9]{0,63}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]+\.[a-z0-9]+$", max_length=64)]
Pointer = Annotated[str, StringConstraints(pattern=r"^(/[^/{}]+)+$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Schema = dict[str, Any]

Effect = Literal["read", "write", "decide", "erase"]
Group = Literal["inquiries", "accounts", "cases", "reports", "evidence", "templates"]
Visibility = Literal["user-only", "user-or-llm"]
Format = Literal["id", "id-list", "list", "password", "uri", "date", "date-time", "country-code", "file"]

PLACEHOLDER = re.compile(r"\{([a-zA-Z][a-zA-Z0-9]*)\}")
"""A param's place in a request: `{name}`."""

TOOL_PREFIX = "persona_"

API_KEY_PARAM = "apiKey"
"""The param that holds the API key, beside every operation's own."""


class Grammar(BaseModel):
    """Base of the grammar's models: frozen, closed, camelCase in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Items(Grammar):
    """What an array param holds."""

    type: Literal["string"]


class Csv(Grammar):
    """What a CSV file may hold: its columns, which of them are dates and which may not repeat a value.

    `name` is the name it is sent under where its content is given without one.
    """

    name: FileName
    columns: tuple[Text, ...]
    dates: tuple[Text, ...] = ()
    unique: tuple[Text, ...] = ()


class Param(Grammar):
    """One param: the subset of JSON Schema that every model provider takes, and how a canvas shows it."""

    type: Literal["string", "integer", "object", "array"]
    format: Format | None = None
    enum: tuple[Text, ...] | None = None
    items: Items | None = None
    minimum: int | None = None
    maximum: int | None = None
    title: Text
    description: Text
    placeholder: Text | None = None
    visibility: Visibility = "user-or-llm"
    advanced: bool = False
    csv: Csv | None = None
    """The rules of a CSV file, which is looked through before it is sent."""
    field: ParamName
    """The key in shared/params.json it comes from; params of one field share one canvas field."""

    def json_schema(self) -> Schema:
        """The param as plain JSON Schema, without what only a canvas or a host reads."""
        shown = {"type", "format", "enum", "items", "minimum", "maximum", "description"}
        return self.model_dump(mode="json", include=shown, exclude_none=True)


class Request(Grammar):
    """A literal picture of the wire: method, path and either a JSON body or multipart fields."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: Annotated[str, StringConstraints(pattern=r"^/[a-zA-Z0-9/{}-]+$")]
    query: dict[str, str] = Field(default_factory=dict)
    body: dict[str, Any] | None = None
    multipart: dict[str, str] | None = None


class Choice(Grammar):
    """A key name looked up from a param's value: the longest case that the value begins with, else `*`."""

    by: ParamName
    cases: Annotated[dict[str, str], Field(min_length=1)]

    def key_for(self, value: str) -> str | None:
        """The key for `value`, or None where no case matches."""
        matching = [case for case in self.cases if case != "*" and _matches(case, value)]
        return self.cases[max(matching, key=len)] if matching else self.cases.get("*")

    def expectation(self) -> str:
        """What a value must look like, as a phrase for a person."""
        cases = [case for case in self.cases if case != "*"]
        return f"must start with {' or '.join(cases)}"


class CursorSource(Grammar):
    """A cursor to read out of a link's query."""

    pointer: Pointer
    query_param: str


class FileSource(Grammar):
    """A binary body that becomes a stored file."""

    file: Literal["application/pdf"]
    filename: str


class Pagination(Grammar):
    """How pages follow one another.

    The output `next` goes into the param `cursor` of the next call, the param `size` says how many entries a page may hold,
    and the output `items` holds the entries.
    """

    cursor: ParamName
    size: ParamName
    next: ParamName
    items: ParamName


class Wait(Grammar):
    """How polling ends: read `for` in the output every `delay` seconds, at most `attempts` times."""

    for_: Annotated[Pointer, Field(alias="for")]
    success: tuple[Text, ...]
    failure: tuple[Text, ...]
    delay: Annotated[float, Field(gt=0)]
    attempts: Annotated[int, Field(gt=0)]


class Then(Grammar):
    """The operation that polls what this one started, its params taken from this one's output."""

    operation: Name
    params: dict[ParamName, Pointer]


class Confirm(Grammar):
    """How to tell that an earlier attempt took effect: read with the same params, and look `at` the output.

    It holds when one of `values` stands there, or anything at all where no values are named.
    """

    operation: Name
    at: Pointer
    values: tuple[Text, ...] = ()


class ToolSpec(Grammar):
    """One operation of Persona's API."""

    name: Name
    title: Text
    description: Text
    sentence: Text
    group: Group
    effect: Effect
    params: dict[ParamName, Param]
    required: tuple[ParamName, ...] = ()
    require_any: tuple[ParamName, ...] = ()
    request: Request
    choose: dict[ParamName, Choice] = Field(default_factory=dict)
    response: Annotated[dict[ParamName, Pointer | CursorSource | FileSource], Field(min_length=1)]
    output: dict[ParamName, Schema]
    paginate: Pagination | None = None
    wait: Wait | None = None
    then: Then | None = None
    confirm: Confirm | None = None

    @property
    def tool_id(self) -> str:
        """The operation's id as a tool, such as `persona_get_inquiry`."""
        return TOOL_PREFIX + self.name

    @property
    def file_source(self) -> tuple[str, FileSource] | None:
        """The output that is a file, and where it comes from; None for JSON operations."""
        return next(((name, source) for name, source in self.response.items() if isinstance(source, FileSource)), None)

    def input_schema(self) -> Schema:
        """The JSON Schema of the params that a model or a person fills in; the API key is not among them."""
        schema: Schema = {
            "type": "object",
            "properties": {name: param.json_schema() for name, param in self.params.items()},
            "additionalProperties": False,
        }
        return schema | ({"required": list(self.required)} if self.required else {})

    def output_schema(self) -> Schema:
        """The JSON Schema of the output, open to whatever Persona adds."""
        return {"type": "object", "properties": without_mapping(self.output), "required": list(self.output)}

    def placeholders(self) -> Iterator[str]:
        """Every name in braces in the request, choices included, in reading order and with repeats."""
        request = self.request
        yield from PLACEHOLDER.findall(request.path)
        for part in (request.query, request.body, request.multipart):
            yield from _names_in(part)


def without_mapping(schema: Any) -> Any:
    """A copy of a schema without the `x-` keys that say where values come from."""
    if isinstance(schema, dict):
        return {key: without_mapping(value) for key, value in schema.items() if not key.startswith("x-")}
    if isinstance(schema, list):
        return [without_mapping(value) for value in schema]
    return schema


def _matches(case: str, value: str) -> bool:
    """A case that ends in `_` is an id prefix, so something has to follow it."""
    return value.startswith(case) and (len(value) > len(case) or not case.endswith("_"))


def _names_in(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield from PLACEHOLDER.findall(node)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _names_in(key)
            yield from _names_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from _names_in(value)
