"""The closed models of the schemas within a manifest: of an operation's params, of its output, and of what builds an output.

A manifest holds them as plain JSON, which is derived from specs that are checked already. So they are built for the manifest's
own schema alone, which holds every manifest to them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ..spec.grammar import Format, Grammar, Items, ParamName, Pointer, Text, Visibility

JsonType = Literal["string", "integer", "boolean", "object", "array", "null"]
TypeName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$")]
"""The type of one of Persona's resources."""


class ParamSchema(Grammar):
    """One param, as JSON Schema that every model provider accepts."""

    type: Literal["string", "integer", "object", "array"]
    """The JSON type of the param on the wire."""
    format: Format | None = None
    """What a text has to be; see `grammar.formats`."""
    enum: tuple[Text, ...] | None = None
    """The values that there are."""
    items: Items | None = None
    """The type of each entry of a list."""
    minimum: int | None = None
    """The least number."""
    maximum: int | None = None
    """The largest number."""
    description: Text
    """What to give."""
    title: Text
    """The name that a person reads."""
    visibility: Visibility
    """Whether a model may fill in the param, or people alone."""


class ParamsSchema(Grammar):
    """The params of an operation, as JSON Schema."""

    type: Literal["object"]
    """Params are an object."""
    properties: dict[ParamName, ParamSchema]
    """The params, by name."""
    additional_properties: Literal[False]
    """There are no others."""
    required: tuple[ParamName, ...]
    """The params that have to be given."""


class OutputValue(Grammar):
    """One value of an output, as JSON Schema."""

    type: JsonType | tuple[JsonType, ...]
    """The JSON type, or the types that the value may have."""
    format: Format | None = None
    """What a text is."""
    description: Text | None = None
    """What it tells."""
    properties: dict[ParamName, OutputValue] | None = None
    """The values of an object, by name."""
    required: tuple[ParamName, ...] | None = None
    """The values that are always there and never null."""
    items: OutputValue | None = None
    """Each entry of a list."""


class OutputSchema(Grammar):
    """The output of an operation, as JSON Schema; Persona may add values to it."""

    type: Literal["object"]
    """An output is an object."""
    properties: dict[ParamName, OutputValue]
    """The values, by name."""
    required: tuple[ParamName, ...]
    """The values that are always there."""


class Shape(Grammar):
    """How one value of an output is built from the answer; see `grammar.response`."""

    type: JsonType | tuple[JsonType, ...]
    """The JSON type, or the types that the value may have."""
    format: Format | None = None
    """What a text is."""
    properties: dict[ParamName, Shape] | None = None
    """The values of an object, by name."""
    required: tuple[ParamName, ...] | None = None
    """The values that are always there and never null."""
    items: Shape | None = None
    """Each entry of a list."""
    x_type: Annotated[TypeName | None, Field(alias="x-type")] = None
    """The type that the resource has to be of."""
    x_from: Annotated[Pointer | tuple[Pointer, ...] | None, Field(alias="x-from")] = None
    """Where the value stands in its resource, or the places of which the first that is not null counts."""
    x_collect: Annotated[tuple[Pointer, ...] | None, Field(alias="x-collect")] = None
    """The places of the objects that are the entries of the list."""
    x_unwrap: Annotated[Literal[True] | None, Field(alias="x-unwrap")] = None
    """Whether objects of just type and value become their values."""
