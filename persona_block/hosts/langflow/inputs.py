"""The fields of a node as Langflow's own inputs, and what its blocks hand over as text that they take."""

from __future__ import annotations

import json
from typing import Any

from lfx.inputs.inputs import InputTypes
from lfx.io import (
    BoolInput,
    DropdownInput,
    FileInput,
    MessageTextInput,
    MultilineInput,
    SecretStrInput,
)
from lfx.schema.data import Data
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message

from .fields import OPERATION, SANDBOX, NodeField, node_fields, operation_named, operation_titles

_TEXT_TYPES = ["Message"]
_JSON_TYPES = ["Message", "Data", "JSON"]
_FILE_TYPES = ["Message", "Data", "JSON", "DataFrame", "Table"]

TOOL_MODE = "tool_mode_anchor"
"""A hidden input by which Langflow knows that the component can be tools."""


def node_inputs() -> list[InputTypes]:
    """Return the inputs of a new node, as they are for the first operation."""
    operation = operation_named(operation_titles()[0]).name
    # Langflow offers tool mode only where some input can be filled in by a model.
    anchor = MessageTextInput(name=TOOL_MODE, display_name="Tool mode", show=False, tool_mode=True, input_types=[])
    return [*(_input(field, operation) for field in node_fields()), anchor]


def as_text(field: NodeField, value: Any) -> Any:
    """Return what an earlier block gave as text for a field: JSON for data, CSV for a table that is to be a file."""
    is_file = field.name.startswith("p_file")
    if isinstance(value, Message):
        return value.text
    if isinstance(value, Data) and (is_file or field.kind == "json"):
        value = value.data
    if is_file and isinstance(value, DataFrame):
        return str(value.to_csv(index=False))
    if is_file and isinstance(value, dict):
        return next((value[name] for name in ("path", "file_path", "text") if isinstance(value.get(name), str)), "")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) and field.kind == "json" else value


def _input(field: NodeField, operation: str) -> InputTypes:
    look = field.look(operation)
    common: dict[str, Any] = {
        "name": field.name,
        "display_name": field.title,
        "info": look.description,
        "show": look.is_shown,
        "required": look.is_required,
        "advanced": field.is_advanced,
    }
    if field.kind == "secret":
        return SecretStrInput(**common, value=field.default)
    if field.kind == "switch":
        return BoolInput(**common, value=field.default, real_time_refresh=field.name == SANDBOX)
    if field.kind == "file":
        return FileInput(**common, file_types=list(field.endings))
    wires = (_FILE_TYPES if field.name.startswith("p_file") else _TEXT_TYPES) if field.takes_wire else []
    if field.kind in ("choice", "suggestions"):
        return DropdownInput(
            **common,
            options=list(field.options),
            value=field.default,
            combobox=field.kind == "suggestions",
            real_time_refresh=field.name == OPERATION,
            # Langflow shows a placeholder here as if it were chosen.
            placeholder="",
            input_types=wires,
        )
    if field.kind == "json":
        return MultilineInput(**common, placeholder=field.placeholder, input_types=_JSON_TYPES)
    kind = MultilineInput if field.kind == "long-text" else MessageTextInput
    return kind(**common, placeholder=field.placeholder, input_types=wires)
