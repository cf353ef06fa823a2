"""The closed models of the canvas: its words in `block.json`, and its fields in a manifest."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..spec.grammar import Grammar, Name, ParamName, Text, Visibility

SubBlockType = Literal[
    "dropdown", "combobox", "short-input", "long-input", "number", "date", "date-time", "code", "file-upload", "switch"
]
"""What a field of the canvas looks like; `block.json` says under `grammar.canvas.kinds` what each kind gives."""
RunningRule = Literal["wait", "paginate"]
"""The rule of `grammar.running` that a switch turns on."""


# --- block.json ------------------------------------------------------------------------------------------------------------


class UploadField(Grammar):
    """The upload and the reference of a file param; title and placeholder of the upload are the param's own.

    Behind both descriptions stands which columns the file may have.
    """

    accepted_types: Text
    description: Text
    reference_title: Text
    reference_placeholder: Text
    reference_description: Text


class SwitchField(Grammar):
    """A switch that is no param of any operation: it says how the host runs those that can be run so."""

    id: ParamName
    title: Text
    description: Text


class OperationField(Grammar):
    """The dropdown that chooses the operation."""

    title: Text
    description: Text


class Canvas(Grammar):
    """The words and kinds of canvas fields that no param says of itself."""

    operation: OperationField
    long_inputs: tuple[ParamName, ...]
    uploads: dict[ParamName, UploadField]
    switches: dict[RunningRule, SwitchField]


# --- the manifest ----------------------------------------------------------------------------------------------------------


class Condition(Grammar):
    """A condition that holds while the field `operation` has one of these values."""

    field: Literal["operation"] = "operation"
    value: Annotated[tuple[Name, ...], Field(min_length=1)]


class Option(Grammar):
    """One choice of a dropdown, or one suggestion of a combobox."""

    id: Text
    label: Text
    group: Text | None = None


class SubBlock(Grammar):
    """One field of the canvas."""

    id: ParamName
    canonical_param_id: ParamName
    title: Text
    type: SubBlockType
    mode: Literal["basic", "advanced"] = "basic"
    description: Text
    descriptions: dict[Name, Text] | None = None
    """By operation, a description that replaces the general one."""
    placeholder: Text | None = None
    options: tuple[Option, ...] | None = None
    multiple: Literal[True] | None = None
    """Whether the field takes several values, separated by commas."""
    default_value: Text | bool | None = None
    running: RunningRule | None = None
    """The rule that the host follows while a switch is on; only switches have it."""
    language: Literal["json"] | None = None
    accepted_types: Text | None = None
    min: int | None = None
    max: int | None = None
    password: Literal[True] | None = None
    visibility: Visibility
    condition: Condition | None = None
    required: bool | Condition = False
    required_any: dict[Name, tuple[ParamName, ...]] | None = None
    """By operation, the fields of which at least one must be filled in."""
