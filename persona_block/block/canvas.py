"""The fields of the canvas, derived from the params: which are shown for which operation, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, Param, ToolSpec
from .model import Block, Condition, Option, SubBlock, SubBlockType

OPERATION = "operation"
"""The id of the field that chooses the operation."""


def sub_blocks(block: Block, specs: Sequence[ToolSpec]) -> Iterator[SubBlock]:
    """Yield the operation first, the API key last, and between them basic fields before advanced ones."""
    yield _operation_field(block, specs)
    by_field = {field: [spec for spec in specs if field in _param_names(spec)] for field in _field_order(specs)}
    fields = {field: (_param(operations[0], field), operations) for field, operations in by_field.items()}
    for field, (param, operations) in sorted(fields.items(), key=lambda entry: entry[1][0].advanced):
        yield from _field(block, field, param, operations)
    yield from _field(block, API_KEY_PARAM, catalog.api_key_param(), [])


def general_description(field: str) -> str:
    """Return what a field means before an operation puts it in its own words, from `shared/params.json`."""
    return str(catalog.read("shared/params.json")[field]["description"])


def _param_names(spec: ToolSpec) -> dict[str, str]:
    """Return the name of an operation's param by the field it is filled in at."""
    return {param.field: name for name, param in spec.params.items()}


def _param(spec: ToolSpec, field: str) -> Param:
    return spec.params[_param_names(spec)[field]]


def _field_order(specs: Iterable[ToolSpec]) -> list[str]:
    """Return all fields in one order that keeps as much as it can of each operation's own.

    A new field goes behind the one before it in its operation; leading new ones go before all that the operation shares with
    earlier ones.
    """
    order: list[str] = []
    for spec in specs:
        fields = list(_param_names(spec))
        place = min((order.index(field) for field in fields if field in order), default=0)
        for field in fields:
            if field not in order:
                order.insert(place, field)
            place = order.index(field) + 1
    return order


def _operation_field(block: Block, specs: Sequence[ToolSpec]) -> SubBlock:
    return SubBlock(
        id=OPERATION,
        canonical_param_id=OPERATION,
        title=block.canvas.operation.title,
        type="dropdown",
        description=block.canvas.operation.description,
        options=tuple(Option(id=spec.name, label=spec.title, group=block.groups[spec.group]) for spec in specs),
        default_value=specs[0].name,
        visibility="user-only",
        required=True,
    )


def _field(block: Block, field: str, param: Param, operations: list[ToolSpec]) -> Iterator[SubBlock]:
    """Yield a field and, for a file, its pair; `operations` are those that take it, none for a field of every operation."""
    general = general_description(field)
    required = _condition(spec.name for spec in operations if _param_names(spec)[field] in spec.required)
    own_descriptions = {spec.name: _param(spec, field).description for spec in operations}
    sub_block = SubBlock(
        id=field,
        canonical_param_id=_param_names(operations[0])[field] if operations else field,
        title=param.title,
        type=_field_type(block, field, param),
        mode="advanced" if param.advanced else "basic",
        description=general,
        descriptions={name: text for name, text in own_descriptions.items() if text != general} or None,
        placeholder=param.placeholder,
        options=tuple(Option(id=value, label=value.replace("-", " ").capitalize()) for value in param.enum or ()) or None,
        language="json" if param.type in ("object", "array") else None,
        min=param.minimum,
        max=param.maximum,
        password=True if param.format == "password" else None,
        visibility=param.visibility,
        condition=_condition(spec.name for spec in operations),
        required=(required or False) if operations else True,
        required_any=_required_any(field, operations),
    )
    if param.format != "file":
        yield sub_block
        return
    upload = block.canvas.uploads[field]
    yield sub_block.model_copy(update={"id": f"{field}Upload", "accepted_types": upload.accepted_types})
    reference: dict[str, Any] = {
        "type": "short-input",
        "mode": "advanced",
        "id": f"{field}Reference",
        "title": upload.reference_title,
        "placeholder": upload.reference_placeholder,
    }
    yield sub_block.model_copy(update=reference)


def _field_type(block: Block, field: str, param: Param) -> SubBlockType:
    if param.format == "file":
        return "file-upload"
    if param.enum:
        return "dropdown"
    if param.type in ("object", "array"):
        return "code"
    return "long-input" if field in block.canvas.long_inputs else "short-input"


def _condition(names: Iterable[str]) -> Condition | None:
    """Return the condition of being one of these operations; None where there are none."""
    operations = tuple(names)
    return Condition(value=operations) if operations else None


def _required_any(field: str, operations: list[ToolSpec]) -> dict[str, tuple[str, ...]] | None:
    alternatives = {}
    for spec in operations:
        if _param_names(spec)[field] in spec.require_any:
            alternatives[spec.name] = tuple(spec.params[name].field for name in spec.require_any)
    return alternatives or None
