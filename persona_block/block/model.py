"""The closed models of `block.json` and of a manifest, from which the manifest's JSON Schema is made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ..spec.grammar import (
    Choice,
    Confirm,
    CursorSource,
    Effect,
    FileSource,
    Grammar,
    Group,
    IdPrefix,
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
from .rules import Retry, Url, Vocabulary, WebhookRules, Wire
from .workflows import Skill, Slug, Template

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
ToolId = Annotated[str, StringConstraints(pattern=r"^persona_[a-z0-9_]+$", max_length=40)]
ValueType = Literal["string", "integer", "boolean", "object", "array", "file"]
"""The type of a block's input or output; `file` is a file on its way in, or one that was stored."""


# --- block.json ------------------------------------------------------------------------------------------------------------


class Identity(Grammar):
    """The name, the texts and the looks of the block."""

    type: Slug
    """The block's own name among others."""
    name: Text
    """The name that a person reads."""
    description: Text
    """What the block is for, in a line."""
    long_description: Text
    """What the block is for, in a paragraph."""
    category: Slug
    """The part of a canvas's palette that it belongs to."""
    integration_type: Slug
    """The kind of service that it connects to."""
    tags: tuple[Slug, ...]
    """The words to find it by."""
    bg_color: Colour
    """The colour behind the icon."""
    icon_color: Colour
    """The colour of the icon's lines."""
    docs_link: Url
    """The service's documentation."""
    auth_mode: Literal["api_key"]
    """How the block gets access to the service."""


class Block(Identity):
    """The content of `block.json`, which a canvas and a runtime need beside the operations."""

    icon_file: Text
    """The file of the icon."""
    wire: Wire
    """What every call shares."""
    retry: Retry
    """The numbers of trying again."""
    webhooks: WebhookRules
    """The numbers and names of webhooks."""
    id_kinds: dict[IdPrefix, Text]
    """What each kind of object is called, by the prefix of its ids."""
    groups: dict[Group, Text]
    """The title of each group of operations, in their order."""
    canvas: Canvas
    """What no param says of its field."""
    grammar: Vocabulary
    """The vocabulary in words."""
    templates: tuple[Template, ...]
    """The workflow templates."""
    skills: tuple[Skill, ...]
    """The skills of an agent."""


# --- the manifest ----------------------------------------------------------------------------------------------------------


class Hints(Grammar):
    """Four flags on what a call does; `consent` asks for a person's word before it."""

    read_only: bool
    """Whether it changes nothing."""
    destructive: bool
    """Whether it removes what cannot be brought back."""
    idempotent: bool
    """Whether repeating it does no more than doing it once."""
    consent: bool
    """Whether it needs a person's word, or a rule that a person wrote."""


class Consent(Grammar):
    """What to ask a person before the operation; `title` has the placeholders and clauses of a sentence."""

    title: Sentence
    """The question."""
    text: Text
    """What the operation will do, and what cannot be undone."""
    typed: ParamName | None = None
    """The param whose value the person types to agree; without one, a plain yes is enough."""


class _ToldBy:
    """Marks plain JSON whose form a model of `shapes` tells: the manifest's schema has it, building a manifest skips it."""

    def __init__(self, model: str) -> None:
        self._model = model

    def __get_pydantic_json_schema__(self, _plain: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        from . import shapes

        return handler(getattr(shapes, self._model).__pydantic_core_schema__)


class ResourceSource(Grammar):
    """The place of an output in the answer, and the shape to give it."""

    pointer: Pointer
    """The place of the output in the answer."""
    shape: Annotated[Schema, _ToldBy("Shape")]
    """The JSON Schema that builds the output from what stands there."""


class Webhooks(WebhookRules):
    """The webhooks, with the shape of each object that an event may bring, by its type."""

    objects: dict[Text, Annotated[Schema, _ToldBy("Shape")]]
    """The shape of each object, by its type up to the slash."""


class Definition(Grammar):
    """One operation, with all that a runtime needs to call it."""

    id: ToolId
    """The name of the operation among tools of other blocks."""
    name: Name
    """The operation's own name."""
    aliases: tuple[Name, ...] | None = None
    """Former names."""
    title: Text
    """The name that a person reads."""
    description: Text
    """What the operation does, and which other one to use instead, for a model that chooses."""
    group: Group
    """The group that it belongs to."""
    effect: Effect
    """What it does to the world; see `grammar.effects`."""
    in_default_toolset: bool
    """Whether the toolset `default` holds it."""
    hints: Hints
    """What a host derives from its effect."""
    consent: Consent | None = None
    """What to ask a person before it."""
    params: Annotated[Schema, _ToldBy("ParamsSchema")]
    """The JSON Schema of its params, the API key among them."""
    require_any: tuple[ParamName, ...] | None = None
    """The params of which one at least has to be given."""
    prefixes: dict[ParamName, IdPrefix] | None = None
    """The params that take the ids of one kind of object, each with its prefix."""
    output: Annotated[Schema, _ToldBy("OutputSchema")]
    """The JSON Schema of its output, which may hold more."""
    request: Request
    """The request that it sends."""
    choose: dict[ParamName, Choice] | None = None
    """The keys of the request that depend on a param."""
    response: dict[ParamName, ResourceSource | CursorSource | FileSource]
    """Where each output comes from."""
    paginate: Pagination | None = None
    """How its pages follow one another."""
    wait: Wait | None = None
    """How waiting for it ends."""
    then: Then | None = None
    """What to wait for after it."""
    confirm: Confirm | None = None
    """How to find out whether a lost attempt took effect."""


class Tools(Grammar):
    """The operations: their ids and their definitions, in the same order."""

    access: tuple[ToolId, ...]
    """The ids of the operations."""
    definitions: tuple[Definition, ...]
    """The operations."""


class BlockValue(Grammar):
    """What an input and an output of the block have in common."""

    type: ValueType
    """The type of its value."""
    description: Text
    """What it is."""
    operations: tuple[Name, ...]
    """The operations that have it."""


class BlockInput(BlockValue):
    """One input of the block, over all operations that take it."""

    descriptions: dict[Name, Text] | None = None
    """By operation, a description that replaces the general one."""


class BlockOutput(BlockValue):
    """One output of the block, over all operations that give it."""

    nullable: bool
    """Whether it may be null."""


class Manifest(Identity):
    """The whole block as one JSON document that a runtime in any language can load."""

    manifest_version: Literal[1]
    """The version of this form of document."""
    version: Text
    """The version of the block."""
    icon: Annotated[str, StringConstraints(pattern=r"^<svg ")]
    """The icon, as SVG."""
    wire: Wire
    """What every call shares."""
    retry: Retry
    """The numbers of trying again."""
    webhooks: Webhooks
    """The numbers, names and objects of webhooks."""
    grammar: Vocabulary
    """The vocabulary in words."""
    id_kinds: dict[IdPrefix, Text]
    """What each kind of object is called, by the prefix of its ids."""
    groups: dict[Group, Text]
    """The title of each group of operations, in their order."""
    sub_blocks: tuple[SubBlock, ...]
    """The fields of the canvas."""
    sentences: dict[Name, Sentence]
    """What each operation does with the params that are filled in, as a card shows it."""
    tools: Tools
    """The operations."""
    inputs: dict[ParamName, BlockInput]
    """The inputs over all operations, by name."""
    outputs: dict[ParamName, BlockOutput]
    """The outputs over all operations, by name."""
    templates: tuple[Template, ...]
    """The workflow templates."""
    skills: tuple[Skill, ...]
    """The skills of an agent."""
