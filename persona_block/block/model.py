"""The closed models of `block.json` and of a manifest, from which the manifest's JSON Schema is made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ..spec.grammar import (
    Choice,
    Confirm,
    CursorSource,
    Effect,
    FileSource,
    Format,
    Grammar,
    Group,
    Name,
    Pagination,
    ParamName,
    Pointer,
    Request,
    Schema,
    Sentence,
    Text,
    Then,
    Wait,
)
from .fields import Canvas, SubBlock
from .workflows import Skill, Slug, Template

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
ToolId = Annotated[str, StringConstraints(pattern=r"^persona_[a-z0-9_]+$", max_length=40)]
Seconds = Annotated[float, Field(gt=0)]
Url = Annotated[str, StringConstraints(pattern=r"^https://[^\s]+$")]
ValueType = Literal["string", "integer", "boolean", "object", "array", "file"]
"""The type of a block's input or output; `file` is a file on its way in, or one that was stored."""


class Auth(Grammar):
    """The API key: its param, the header and scheme that carry it, and the environment variable that stands in for it."""

    param: ParamName
    header: Text
    scheme: Text
    environment: Text


class RateLimitHeaders(Grammar):
    """The headers that tell of the rate limit: requests a window, requests that are left, seconds to its end."""

    limit: Text
    remaining: Text
    reset: Text


class Wire(Grammar):
    """The part that every call shares: base URL, fixed headers, authorisation, the headers that Persona gives a meaning.

    `base_url_variable` is the environment variable that points elsewhere: an https URL, or http on the machine itself, without
    user, query or fragment. `versions` are those that Persona knows; the operations are written for the one in
    `headers`.
    """

    base_url: Url
    base_url_variable: Text
    headers: dict[str, str]
    versions: tuple[Text, ...]
    auth: Auth
    idempotency_header: Text
    request_id_header: Text
    rate_limit_headers: RateLimitHeaders
    answer_limit_bytes: Annotated[int, Field(gt=0)]


class Retry(Grammar):
    """The numbers behind `grammar.retry`: seconds, and the statuses after which a call is tried again."""

    deadline_seconds: Seconds
    connect_seconds: Seconds
    read_seconds: Seconds
    first_delay_seconds: Seconds
    longest_delay_seconds: Seconds
    again: tuple[int, ...]
    again_unless_post: tuple[int, ...]
    longest_window_seconds: Seconds


class WebhookRules(Grammar):
    """The numbers and names behind `grammar.webhooks`."""

    header: Text
    tolerance_seconds: Seconds
    largest_number_of_sets: Annotated[int, Field(gt=0)]
    events: tuple[Text, ...]


class Vocabulary(Grammar):
    """The declarative vocabulary in words, for whoever writes a runtime in another language."""

    coerce: dict[Name, Text]
    refusals: dict[Name, Text]
    request: dict[Name, Text]
    response: dict[Name, Text]
    running: dict[Name, Text]
    retry: dict[Name, Text]
    error: dict[Name, Text]
    files: dict[Name, Text]
    webhooks: dict[Name, Text]
    vectors: dict[Name, Text]
    canvas: dict[Name, Text]
    templates: dict[Name, Text]
    formats: dict[Format, Text]
    effects: dict[Effect, Text]


# --- block.json ------------------------------------------------------------------------------------------------------------


class Identity(Grammar):
    """The name, the texts and the looks of the block."""

    type: Slug
    name: Text
    description: Text
    long_description: Text
    category: Slug
    integration_type: Slug
    tags: tuple[Slug, ...]
    bg_color: Colour
    icon_color: Colour
    docs_link: Url
    auth_mode: Literal["api_key"]


class Block(Identity):
    """The content of `block.json`, which a canvas and a runtime need beside the operations."""

    icon_file: Text
    wire: Wire
    retry: Retry
    webhooks: WebhookRules
    groups: dict[Group, Text]
    canvas: Canvas
    grammar: Vocabulary
    templates: tuple[Template, ...]
    skills: tuple[Skill, ...]


# --- the manifest ----------------------------------------------------------------------------------------------------------


class Hints(Grammar):
    """Four flags on what a call does; `consent` asks for a person's word before it."""

    read_only: bool
    destructive: bool
    idempotent: bool
    consent: bool


class Consent(Grammar):
    """What to ask a person before the operation; `title` has the placeholders and clauses of a sentence."""

    title: Sentence
    text: Text
    typed: ParamName | None = None
    """The param whose value the person types to agree; without one, a plain yes is enough."""


class ResourceSource(Grammar):
    """The place of an output in the answer, and the shape to give it."""

    pointer: Pointer
    shape: Schema


class Webhooks(WebhookRules):
    """The webhooks, with the shape of each object that an event may bring, by its type."""

    objects: dict[Text, Schema]


class Definition(Grammar):
    """One operation, with all that a runtime needs to call it."""

    id: ToolId
    name: Name
    aliases: tuple[Name, ...] | None = None
    title: Text
    description: Text
    group: Group
    effect: Effect
    in_default_toolset: bool
    hints: Hints
    consent: Consent | None = None
    params: Schema
    require_any: tuple[ParamName, ...] | None = None
    output: Schema
    request: Request
    choose: dict[ParamName, Choice] | None = None
    response: dict[ParamName, ResourceSource | CursorSource | FileSource]
    paginate: Pagination | None = None
    wait: Wait | None = None
    then: Then | None = None
    confirm: Confirm | None = None


class Tools(Grammar):
    """The operations: their ids and their definitions, in the same order."""

    access: tuple[ToolId, ...]
    definitions: tuple[Definition, ...]


class BlockInput(Grammar):
    """One input of the block, over all operations that take it."""

    type: ValueType
    description: Text
    operations: tuple[Name, ...]


class BlockOutput(BlockInput):
    """One output of the block, over all operations that give it."""

    nullable: bool


class Manifest(Identity):
    """The whole block as one JSON document that a runtime in any language can load."""

    manifest_version: Literal[1]
    version: Text
    icon: Annotated[str, StringConstraints(pattern=r"^<svg ")]
    wire: Wire
    retry: Retry
    webhooks: Webhooks
    grammar: Vocabulary
    groups: dict[Group, Text]
    sub_blocks: tuple[SubBlock, ...]
    sentences: dict[Name, Sentence]
    tools: Tools
    inputs: dict[ParamName, BlockInput]
    outputs: dict[ParamName, BlockOutput]
    templates: tuple[Template, ...]
    skills: tuple[Skill, ...]
