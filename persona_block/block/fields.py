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
    """The field that decides."""
    value: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The values with which the condition holds."""


class Option(Grammar):
    """One choice of a dropdown, or one suggestion of a combobox."""

    id: Text
    """The value that is chosen."""
    label: Text
    """The text that a person reads."""
    group: Text | None = None
    """The heading that it stands under."""


class SubBlock(Grammar):
    """One field of the canvas."""

    id: ParamName
    """The field's own name."""
    canonical_param_id: ParamName
    """The param that takes what is filled in; a pair of fields shares one."""
    title: Text
    """The name that a person reads."""
    type: SubBlockType
    """What the field looks like, and what it gives."""
    mode: Literal["basic", "advanced"] = "basic"
    """Whether the field is always to be seen, or folded away."""
    description: Text
    """What to fill in."""
    descriptions: dict[Name, Text] | None = None
    """By operation, a description that replaces the general one."""
    placeholder: Text | None = None
    """What stands in the field while it is empty."""
    options: tuple[Option, ...] | None = None
    """The choices of a dropdown, or the suggestions of a combobox."""
    multiple: Literal[True] | None = None
    """Whether the field takes several values, separated by commas."""
    default_value: Text | bool | None = None
    """What the field holds at first."""
    running: RunningRule | None = None
    """The rule that the host follows while a switch is on; only switches have it."""
    language: Literal["json"] | None = None
    """The language of a field for code."""
    accepted_types: Text | None = None
    """The endings and media types of a file, as HTML's `accept` lists them."""
    min: int | None = None
    """The least number that the field takes."""
    max: int | None = None
    """The largest number that the field takes."""
    password: Literal[True] | None = None
    """Whether what is filled in is hidden."""
    visibility: Visibility
    """Whether a model may fill in the field, or people alone."""
    condition: Condition | None = None
    """When the field is shown; without one it always is."""
    required: bool | Condition = False
    """Whether, or for which operations, the field has to be filled in."""
    required_any: dict[Name, tuple[ParamName, ...]] | None = None
    """By operation, the fields of which at least one must be filled in."""
