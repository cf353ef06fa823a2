"""The fields of the canvas, derived from the params: which are shown for which operation, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, Param, ToolSpec
from .model import Block, Condition, Option, SubBlock, SubBlockType

OPERATION = "operation"
"""The field that chooses the operation."""


def sub_blocks(block: Block, specs: list[ToolSpec]) -> Iterator[SubBlock]:
    """The operation first, the API key last, between them basic fields before advanced ones."""
    yield _operation_field(block, specs)
    by_field = {field: [spec for spec in specs if field in _fields(spec)] for field in _woven(specs)}
    fields = {field: (_param(specs[0], field), specs) for field, specs in by_field.items()}
    for field, (param, takers) in sorted(fields.items(), key=lambda entry: entry[1][0].advanced):
        yield from _field(block, field, param, takers)
    yield from _field(block, API_KEY_PARAM, catalog.api_key_param(), [])


def _fields(spec: ToolSpec) -> dict[str, str]:
    """The name of the param behind each field of an operation."""
    return {param.field: name for name, param in spec.params.items()}


def _param(spec: ToolSpec, field: str) -> Param:
    return spec.params[_fields(spec)[field]]


def _woven(specs: Iterable[ToolSpec]) -> list[str]:
    """All fields in one order that keeps as much as it can of each operation's own.

    A new field goes behind the one before it in its operation; leading new ones go before all that the operation shares with
    earlier ones.
    """
    woven: list[str] = []
    for spec in specs:
        fields = list(_fields(spec))
        place = min((woven.index(field) for field in fields if field in woven), default=0)
        for field in fields:
            if field not in woven:
                woven.insert(place, field)
            place = woven.index(field) + 1
    return woven


def _operation_field(block: Block, specs: list[ToolSpec]) -> SubBlock:
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


def _field(block: Block, field: str, param: Param, takers: list[ToolSpec]) -> Iterator[SubBlock]:
    """A field and, for a file, its pair; with no takers it belongs to every operation."""
    general = general_description(field)
    required = _condition(spec.name for spec in takers if _fields(spec)[field] in spec.required)
    own = {spec.name: _param(spec, field).description for spec in takers}
    shown = SubBlock(
        id=field,
        canonical_param_id=_fields(takers[0])[field] if takers else field,
        title=param.title,
        type=_kind(block, field, param),
        mode="advanced" if param.advanced else "basic",
        description=general,
        descriptions={name: text for name, text in own.items() if text != general} or None,
        placeholder=param.placeholder,
        options=tuple(Option(id=value, label=value.replace("-", " ").capitalize()) for value in param.enum or ()) or None,
        language="json" if param.type in ("object", "array") else None,
        min=param.minimum,
        max=param.maximum,
        password=True if param.format == "password" else None,
        visibility=param.visibility,
        condition=_condition(spec.name for spec in takers),
        required=(required or False) if takers else True,
        required_any=_required_any(field, takers),
    )
    if param.format != "file":
        yield shown
        return
    upload = block.canvas.uploads[field]
    yield shown.model_copy(update={"id": f"{field}Upload", "accepted_types": upload.accepted_types})
    reference: dict[str, Any] = {"type": "short-input", "mode": "advanced", "id": f"{field}Reference"}
    words = {"title": upload.reference_title, "placeholder": upload.reference_placeholder}
    yield shown.model_copy(update=reference | words)


def general_description(field: str) -> str:
    """What a field means before an operation puts it in its own words."""
    return str(catalog.read("shared/params.json")[field]["description"])


def _kind(block: Block, field: str, param: Param) -> SubBlockType:
    if param.format == "file":
        return "file-upload"
    if param.enum:
        return "dropdown"
    if param.type in ("object", "array"):
        return "code"
    return "long-input" if field in block.canvas.long_inputs else "short-input"


def _condition(names: Iterable[str]) -> Condition | None:
    value = tuple(names)
    return Condition(value=value) if value else None


def _required_any(field: str, takers: list[ToolSpec]) -> dict[str, tuple[str, ...]] | None:
    choices = {}
    for spec in takers:
        if _fields(spec)[field] in spec.require_any:
            choices[spec.name] = tuple(spec.params[name].field for name in spec.require_any)
    return choices or None
