"""The fields of the canvas, derived from the params: which are shown for which operation, in which order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, Param, ToolSpec
from .fields import Condition, Option, RunningRule, SubBlock, SubBlockType, UploadField
from .model import Block

OPERATION = "operation"
"""The id of the field that chooses the operation."""


def sub_blocks(block: Block, specs: Sequence[ToolSpec]) -> Iterator[SubBlock]:
    """Yield the operation first, the API key last, and between them basic fields, switches and advanced fields."""
    yield _operation_field(block, specs)
    fields = {field: [spec for spec in specs if field in _param_names(spec)] for field in _field_order(specs)}
    for is_advanced in (False, True):
        for field, operations in fields.items():
            param = _param(operations[0], field)
            if param.advanced == is_advanced:
                yield from _field(block, field, param, operations)
        if not is_advanced:
            yield from _switches(block, specs)
    yield from _field(block, API_KEY_PARAM, catalog.api_key_param(), [])


def operations_running(rule: RunningRule, specs: Iterable[ToolSpec]) -> tuple[str, ...]:
    """Return the names of the operations that can be run by a rule: that wait for an outcome, or give pages."""
    if rule == "paginate":
        return tuple(spec.name for spec in specs if spec.paginate)
    return tuple(spec.name for spec in specs if spec.wait or spec.then)


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
        options=_options(param),
        multiple=True if param.format in ("list", "id-list") else None,
        language="json" if param.type in ("object", "array") else None,
        min=param.minimum,
        max=param.maximum,
        password=True if param.format == "password" else None,
        visibility=param.visibility,
        condition=_condition(spec.name for spec in operations),
        required=(required or False) if operations else True,
        required_any=_required_any(field, operations),
    )
    if param.format == "file":
        yield from _file_pair(block.canvas.uploads[field], sub_block, param)
    else:
        yield sub_block


def _file_pair(words: UploadField, field: SubBlock, param: Param) -> Iterator[SubBlock]:
    """Yield the upload of a file and, folded away, the reference to one that is somewhere already."""
    columns = f" Its columns are {', '.join(param.csv.columns)}." if param.csv else ""
    upload: dict[str, Any] = {
        "id": f"{field.id}Upload",
        "accepted_types": words.accepted_types,
        "description": words.description + columns,
        "descriptions": None,
    }
    yield field.model_copy(update=upload)
    reference: dict[str, Any] = {
        "type": "short-input",
        "mode": "advanced",
        "id": f"{field.id}Reference",
        "title": words.reference_title,
        "placeholder": words.reference_placeholder,
        "description": words.reference_description + columns,
        "descriptions": None,
    }
    yield field.model_copy(update=reference)


def _switches(block: Block, specs: Sequence[ToolSpec]) -> Iterator[SubBlock]:
    for rule, words in block.canvas.switches.items():
        if condition := _condition(operations_running(rule, specs)):
            yield SubBlock(
                id=words.id,
                canonical_param_id=words.id,
                title=words.title,
                type="switch",
                description=words.description,
                default_value=False,
                running=rule,
                visibility="user-only",
                condition=condition,
            )


def _field_type(block: Block, field: str, param: Param) -> SubBlockType:
    if param.format == "file":
        return "file-upload"
    if param.format == "date" or param.format == "date-time":
        return param.format
    if param.enum:
        return "dropdown"
    if param.suggestions:
        return "combobox"
    if param.type == "integer":
        return "number"
    if param.type in ("object", "array"):
        return "code"
    return "long-input" if field in block.canvas.long_inputs else "short-input"


def _options(param: Param) -> tuple[Option, ...] | None:
    values = param.enum or param.suggestions or ()
    return tuple(Option(id=value, label=re.sub("[-_]", " ", value).capitalize()) for value in values) or None


def _condition(names: Iterable[str]) -> Condition | None:
    """Return the condition of being one of these operations; None where there are none."""
    operations = tuple(names)
    return Condition(value=operations) if operations else None


def _required_any(field: str, operations: list[ToolSpec]) -> dict[str, tuple[str, ...]] | None:
    alternatives: dict[str, tuple[str, ...]] = {}
    for spec in operations:
        if _param_names(spec)[field] in spec.require_any:
            alternatives[spec.name] = tuple(spec.params[name].field for name in spec.require_any)
    return alternatives or None
