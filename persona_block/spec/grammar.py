"""The grammar of a spec file: one operation, as data.

`ToolSpec` is what a file in `tool_specs/` may hold once its `$ref`s are inlined. Every model is frozen and refuses unknown
keys, so a misspelt key in a spec is an error and never silently ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, NewType

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

OperationName = NewType("OperationName", str)
"""The name of an operation, once it is known to be one."""
_NAME = StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=32)
Name = Annotated[str, _NAME]
IdPrefix = Annotated[str, StringConstraints(pattern=r"^[a-z]+_$", max_length=16)]
"""What the ids of one kind of object begin with, such as `inq_`."""
ParamName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-zA-Z0-9]{0,63}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]+\.[a-z0-9]+$", max_length=64)]
Pointer = Annotated[str, StringConstraints(pattern=r"^(/[^/{}]+)+$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Sentence = Annotated[
    str,
    StringConstraints(
        pattern=r"^([^\[\]{}]|\{[a-zA-Z][a-zA-Z0-9]*\}|\[[^\[\]{}]*(\{[a-zA-Z][a-zA-Z0-9]*\}[^\[\]{}]*)+\])+$", max_length=240
    ),
]
"""A line with `{name}` for the value of a param, and clauses in brackets that are shown once all their params have values."""
Schema = dict[str, Any]

Effect = Literal["read", "write", "decide", "erase"]
"""What an operation does to the world; `block.json` says under `grammar.effects` what each word means."""
Group = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=32)]
"""One of the groups that `block.json` declares; `catalog.load` refuses any other."""
Visibility = Literal["user-only", "user-or-llm"]
Format = Literal["id", "id-list", "list", "password", "uri", "date", "date-time", "country-code", "file"]

PLACEHOLDER = re.compile(r"\{([a-zA-Z][a-zA-Z0-9]*)\}")
"""The place of a param in a request: `{name}`."""

TOOL_PREFIX = "persona_"

API_KEY_PARAM: Final = "apiKey"
"""The param that every operation takes beside its own: the API key."""


class Grammar(BaseModel):
    """The base of all models: frozen, closed to unknown keys, camelCase in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Items(Grammar):
    """The type of each entry of an array param."""

    type: Literal["string"]
    """Every entry is text."""


class Csv(Grammar):
    """The rules of a CSV file, which is checked before it is sent."""

    name: FileName
    """The name to send the file under where a host is given its content alone."""
    columns: tuple[Text, ...]
    """The columns that the file may have, as the API spells them."""
    dates: tuple[Text, ...] = ()
    """The columns that hold dates, YYYY-MM-DD."""
    unique: tuple[Text, ...] = ()
    """The columns in which no value may stand twice."""


class Param(Grammar):
    """One param: its JSON Schema, limited to what every model provider accepts, and how a canvas shows it."""

    type: Literal["string", "integer", "object", "array"]
    format: Format | None = None
    enum: tuple[Text, ...] | None = None
    suggestions: tuple[Text, ...] | None = None
    """Values that a canvas offers where any other text is taken too."""
    all_known: bool = False
    """Whether `suggestions` are all that the API has had so far; another value is sent too, and the caller gets a hint."""
    items: Items | None = None
    minimum: int | None = None
    maximum: int | None = None
    prefix: IdPrefix | None = None
    """The prefix of the one kind of object whose ids the param takes: those of the other kinds in `block.json` are refused."""
    title: Text
    description: Text
    placeholder: Text | None = None
    visibility: Visibility = "user-or-llm"
    advanced: bool = False
    csv: Csv | None = None
    """The rules of the file, where the param is a CSV file."""
    field: ParamName
    """The key in `shared/params.json` that the param comes from. Params of the same field share one field of the canvas."""

    def json_schema(self) -> Schema:
        """Return the param as plain JSON Schema, without the keys that only a canvas or a host reads."""
        shown = {"type", "format", "enum", "items", "minimum", "maximum", "description"}
        return self.model_dump(mode="json", include=shown, exclude_none=True)


class Request(Grammar):
    """The HTTP request as it is sent: method, path, query, and either a JSON body or multipart fields."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    """The HTTP method."""
    path: Annotated[str, StringConstraints(pattern=r"^/[a-zA-Z0-9/{}-]+$")]
    """The path below the base URL, with a placeholder for each param in it."""
    query: dict[str, str] = Field(default_factory=dict)
    """The entries of the query, by name."""
    body: dict[str, Any] | None = None
    """The JSON that is sent; none where the request has no body."""
    multipart: dict[str, str] | None = None
    """The files that are sent in the place of JSON, by the names of their parts."""


class Choice(Grammar):
    """A key of the request that depends on a param's value.

    `by` names the param. `cases` maps what its value may begin with to the key; the longest one that fits counts, and `*`
    stands for values that no other case fits.
    """

    by: ParamName
    """The param whose value decides."""
    cases: Annotated[dict[str, str], Field(min_length=1)]
    """The keys, by what the value may begin with."""

    def key_for(self, value: str) -> str | None:
        """Return the key for `value`, or None where no case fits."""
        matching = [case for case in self.cases if case != "*" and _matches(case, value)]
        return self.cases[max(matching, key=len)] if matching else self.cases.get("*")

    def expectation(self) -> str:
        """Return how a value has to begin, as a phrase for a person."""
        cases = [case for case in self.cases if case != "*"]
        return f"must start with {' or '.join(cases)}"


class CursorSource(Grammar):
    """An output that is a cursor: the value of `queryParam` in the query of the link at `pointer`."""

    pointer: Pointer
    """The place of the link to the next page in the answer."""
    query_param: str
    """The param of the link's query that holds the cursor."""


class FileSource(Grammar):
    """An output that is a file: the whole body, of media type `file`, stored as `filename`."""

    file: Literal["application/pdf"]
    """The media type that the answer has to have."""
    filename: str
    """The name to store the file under, with placeholders."""


class Pagination(Grammar):
    """How the pages of a list follow one another."""

    cursor: ParamName
    """The param that takes the output `next` of the page before."""
    size: ParamName
    """The param that limits how many entries a page holds; its `maximum` is the largest page."""
    next: ParamName
    """The output that holds the cursor of the next page, or null on the last one."""
    items: ParamName
    """The output that holds the entries of the page."""


class Wait(Grammar):
    """When polling the operation ends."""

    for_: Annotated[Pointer, Field(alias="for")]
    """Where the output holds the status to look at."""
    running: tuple[Text, ...]
    """The statuses that are known to mean that it is still under way."""
    success: tuple[Text, ...]
    """The statuses that end the polling well."""
    failure: tuple[Text, ...]
    """The statuses that end the polling badly."""
    final: tuple[Text, ...]
    """The statuses among these that do not become others by themselves."""
    counts: dict[Literal["done", "failed", "skipped"], Pointer] = Field(default_factory=dict)
    """Where the output holds how many of its parts are done, have failed or were passed over."""
    delay: Annotated[float, Field(gt=0)]
    """Seconds between two calls."""
    attempts: Annotated[int, Field(gt=0)]
    """The largest number of calls."""


class Then(Grammar):
    """The operation to poll after this one, which starts something that runs in the background."""

    operation: Name
    """The operation that reads how far it is."""
    params: dict[ParamName, Pointer]
    """The params of that operation, each with its place in the output of this one."""


class Confirm(Grammar):
    """How to find out whether an attempt whose answer was lost took effect."""

    operation: Name
    """The operation that reads the object, called with those params of the attempt that it takes."""
    at: Pointer
    """The place in the output of that operation to look at."""
    values: tuple[Text, ...] = ()
    """The values there that mean that the attempt took effect; without any, every value but null does."""


class ToolSpec(Grammar):
    """One operation of Persona's API, as a file in `tool_specs/` describes it."""

    name: Annotated[OperationName, _NAME]
    aliases: tuple[Name, ...] = ()
    """Former names, which `catalog.load` still takes."""
    title: Text
    description: Text
    sentence: Sentence
    """What the operation does with the params that are filled in, as a card of a canvas shows it: see `spec/sentence.py`."""
    group: Group
    order: Annotated[int, Field(ge=0)]
    """The place within the group: operations are listed in the order in which they are used, erasures last."""
    effect: Effect
    in_default_toolset: bool = False
    """Whether a host offers the operation in its toolset `default`."""
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
        """The id of the operation as a tool, such as `persona_get_inquiry`."""
        return TOOL_PREFIX + self.name

    @property
    def file_source(self) -> tuple[str, FileSource] | None:
        """The name and the source of the output that is a file; None where the answer is JSON."""
        return next(((name, source) for name, source in self.response.items() if isinstance(source, FileSource)), None)

    def input_schema(self) -> Schema:
        """Return the JSON Schema of the operation's own params; the API key is not among them."""
        schema: Schema = {
            "type": "object",
            "properties": {name: param.json_schema() for name, param in self.params.items()},
            "additionalProperties": False,
        }
        return schema | ({"required": list(self.required)} if self.required else {})

    def output_schema(self) -> Schema:
        """Return the JSON Schema of the output, which allows keys that Persona may add."""
        return {"type": "object", "properties": without_mapping(self.output), "required": list(self.output)}

    def placeholders(self) -> Iterator[str]:
        """Return every name in braces in the request, params and choices, in reading order and with repeats."""
        request = self.request
        yield from PLACEHOLDER.findall(request.path)
        for part in (request.query, request.body, request.multipart):
            yield from _names_in(part)


def without_mapping(schema: Any) -> Any:
    """Return a copy of a schema without the `x-` keys, which say where values come from."""
    if isinstance(schema, dict):
        return {key: without_mapping(value) for key, value in schema.items() if not key.startswith("x-")}
    if isinstance(schema, list):
        return [without_mapping(value) for value in schema]
    return schema


def _matches(case: str, value: str) -> bool:
    """Return whether `value` begins with `case`; a case that ends in `_` is an id's prefix, so something has to follow it."""
    return value.startswith(case) and (len(value) > len(case) or not case.endswith("_"))


def _names_in(node: Any) -> Iterator[str]:
    """Return every name in braces in the keys and values of a JSON value."""
    if isinstance(node, str):
        yield from PLACEHOLDER.findall(node)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _names_in(key)
            yield from _names_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from _names_in(value)
