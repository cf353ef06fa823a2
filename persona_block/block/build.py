"""The block manifest: one JSON document with all that a canvas, an agent or a runtime in any language needs.

It is derived from the specs and `block.json`; nothing about a single operation is written down here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, get_args

from ..spec import catalog, resources
from ..spec.consent import consent_words
from ..spec.grammar import API_KEY_PARAM, CursorSource, FileSource, Param, Schema, ToolSpec
from ..version import __version__
from .canvas import OPERATION, general_description, operations_running, sub_blocks
from .model import (
    Block,
    BlockInput,
    BlockOutput,
    Consent,
    Definition,
    Hints,
    Identity,
    Manifest,
    ResourceSource,
    Tools,
    ValueType,
    Webhooks,
)
from .workflows import Skill

_OPERATION_NAME = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
"""An operation as the instructions of a skill name it."""


def manifest() -> dict[str, Any]:
    """Return the block as JSON data, a fresh copy at each call; `schema.manifest_schema` gives its JSON Schema.

    Raises SpecError where a spec file breaks the grammar.
    """
    return _manifest().model_dump(mode="json", by_alias=True, exclude_none=True)


def definition(spec: ToolSpec) -> dict[str, Any]:
    """Return one operation as the manifest's `tools.definitions` holds it."""
    return _definition(spec).model_dump(mode="json", by_alias=True, exclude_none=True)


@cache
def _manifest() -> Manifest:
    block = Block.model_validate(catalog.read("block.json"))
    specs = catalog.in_order_of_use()
    definitions = tuple(_definition(spec) for spec in specs)
    identity = {name: getattr(block, name) for name in Identity.model_fields}
    return Manifest(
        **identity,
        manifest_version=1,
        version=__version__,
        icon=resources.icon(block.icon_file).strip(),
        wire=block.wire,
        retry=block.retry,
        webhooks=_webhooks(block, specs),
        grammar=block.grammar,
        id_kinds=block.id_kinds,
        groups=block.groups,
        sub_blocks=tuple(sub_blocks(block, specs)),
        sentences={spec.name: spec.sentence for spec in specs},
        tools=Tools(access=tuple(entry.id for entry in definitions), definitions=definitions),
        inputs=_inputs(block, specs),
        outputs=_outputs(specs),
        templates=block.templates,
        skills=tuple(_with_operations(skill) for skill in block.skills),
    )


def _webhooks(block: Block, specs: Iterable[ToolSpec]) -> Webhooks:
    """Add to the rules the shape of every object that an operation gives."""
    shapes = (schema.get("items", schema) for spec in specs for schema in spec.output.values())
    objects = {schema["x-type"]: _without_prose(schema) for schema in shapes if "x-type" in schema}
    return Webhooks(**block.webhooks.model_dump(), objects=objects)


def _with_operations(skill: Skill) -> Skill:
    return skill.model_copy(update={"operations": tuple(dict.fromkeys(_OPERATION_NAME.findall(skill.instructions)))})


# --- definitions -----------------------------------------------------------------------------------------------------------


def _definition(spec: ToolSpec) -> Definition:
    return Definition(
        id=spec.tool_id,
        name=spec.name,
        aliases=spec.aliases or None,
        title=spec.title,
        description=spec.description,
        group=spec.group,
        effect=spec.effect,
        in_default_toolset=spec.in_default_toolset,
        hints=_hints(spec),
        consent=_consent(spec),
        params=_params_schema(spec),
        require_any=spec.require_any or None,
        prefixes={name: param.prefix for name, param in spec.params.items() if param.prefix} or None,
        output=spec.output_schema(),
        request=spec.request,
        choose=spec.choose or None,
        response={name: _source(spec, name) for name in spec.response},
        paginate=spec.paginate,
        wait=spec.wait,
        then=spec.then,
        confirm=spec.confirm,
    )


def _hints(spec: ToolSpec) -> Hints:
    """Derive the hints from effect and method; PATCH counts as idempotent because Persona's sets values and never adds."""
    return Hints(
        read_only=spec.effect == "read",
        destructive=spec.effect == "erase",
        idempotent=spec.request.method != "POST",
        consent=spec.effect in ("decide", "erase"),
    )


def _consent(spec: ToolSpec) -> Consent | None:
    words = consent_words(spec)
    if words is None:
        return None
    return Consent(title=words.question, text=" ".join(filter(None, (words.text, words.warning))), typed=words.typed)


def _params_schema(spec: ToolSpec) -> Schema:
    properties = {}
    for name, param in {API_KEY_PARAM: catalog.api_key_param(), **spec.params}.items():
        properties[name] = param.json_schema() | {"title": param.title, "visibility": param.visibility}
    return spec.input_schema() | {"properties": properties, "required": [API_KEY_PARAM, *spec.required]}


def _source(spec: ToolSpec, name: str) -> ResourceSource | CursorSource | FileSource:
    source = spec.response[name]
    return ResourceSource(pointer=source, shape=_without_prose(spec.output[name])) if isinstance(source, str) else source


def _without_prose(schema: Schema) -> Schema:
    """Copy an output schema with its mapping but without the descriptions, which `output` already has."""
    shape = {keyword: value for keyword, value in schema.items() if keyword != "description"}
    if "properties" in shape:
        shape["properties"] = {name: _without_prose(part) for name, part in shape["properties"].items()}
    if "items" in shape:
        shape["items"] = _without_prose(shape["items"])
    return shape


# --- inputs and outputs ----------------------------------------------------------------------------------------------------


def _inputs(block: Block, specs: Sequence[ToolSpec]) -> dict[str, BlockInput]:
    all_operations = tuple(spec.name for spec in specs)
    api_key = catalog.api_key_param()
    inputs = {
        OPERATION: BlockInput(type="string", description=block.canvas.operation.description, operations=all_operations),
        API_KEY_PARAM: BlockInput(type="string", description=api_key.description, operations=all_operations),
    }
    for name in dict.fromkeys(name for spec in specs for name in spec.params):
        params: dict[str, Param] = {spec.name: spec.params[name] for spec in specs if name in spec.params}
        first = next(iter(params.values()))
        value_type: ValueType = "file" if first.format == "file" else first.type
        general = _general_description(params.values())
        own = {operation: param.description for operation, param in params.items() if param.description != general}
        inputs[name] = BlockInput(type=value_type, description=general, descriptions=own or None, operations=tuple(params))
    for rule, switch in block.canvas.switches.items():
        operations = operations_running(rule, specs)
        inputs[switch.id] = BlockInput(type="boolean", description=switch.description, operations=operations)
    return inputs


def _general_description(params: Iterable[Param]) -> str:
    """Return what most of the params of one name mean before an operation puts it in its own words."""
    descriptions = Counter(general_description(param.field) for param in params)
    return descriptions.most_common(1)[0][0]


def _outputs(specs: Sequence[ToolSpec]) -> dict[str, BlockOutput]:
    outputs = {}
    for name in dict.fromkeys(name for spec in specs for name in spec.output):
        operations = [spec for spec in specs if name in spec.output]
        schema = operations[0].output[name]
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        is_file = isinstance(operations[0].response[name], FileSource)
        outputs[name] = BlockOutput(
            type="file" if is_file else next(json_type for json_type in types if json_type in get_args(ValueType)),
            nullable="null" in types,
            description=_output_description(schema),
            operations=tuple(spec.name for spec in operations),
        )
    return outputs


def _output_description(schema: Schema) -> str:
    """Return a resource's own description, because that of one operation says too much for all of them."""
    resource = schema.get("x-type")
    return str(catalog.read(f"shared/{resource}.json")["description"] if resource else schema["description"])
