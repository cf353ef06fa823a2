"""The block of Sim: its fields, its sentences and what a catalogue shows of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .tools import extra_params, tool_names
from .typescript import Code, literal

Json = Mapping[str, Any]

TAGS = ("identity",)
"""Those of the manifest's tags that are in Sim's closed list."""
CATEGORY = "operations"
"""The one of Sim's closed list of template categories that fits what the templates do."""
DOCS = "https://docs.sim.ai/integrations/persona"
"""Where Sim's own page of the block is."""

_OPERATION = "operation"
_FIELD_TYPES = {"date": "short-input", "date-time": "short-input", "number": "short-input", "file-upload": "long-input"}
_FIELD_KEYWORDS = ("placeholder", "description", "password", "language")
_INPUT_TYPES = {"object": "json", "integer": "number"}
_OUTPUT_TYPES = {"object": "json", "integer": "number"}
_GENERATED = {
    "date-time": ("timestamp", "Write one moment as an ISO 8601 timestamp in UTC. Return the timestamp alone."),
    "code": ("json-object", "Write JSON for this field of an identity verification. Return the JSON alone."),
}
_EXTRA_FIELDS: dict[str, dict[str, str]] = {
    "confirmed": {"title": "A person has confirmed it", "type": "switch"},
    "idempotencyKey": {"title": "Idempotency key", "type": "short-input", "mode": "advanced"},
}
_CLAUSE = re.compile(r"\[(?P<optional>[^\]]*)\]|(?P<core>[^\[]+)")
_CHIP = re.compile(r"\{(\w+)\}")
_CONFIRMED_DESCRIPTION = (
    "What this does decides about a person, or erases data. Without it nothing is sent; a model cannot switch it on."
)
_FILE_DESCRIPTION = "The CSV as text, header line first: paste it, or refer to the text of an earlier block."


def block_file(manifest: Json) -> str:
    """Return the file of the block."""
    definitions = manifest["tools"]["definitions"]
    meta = {
        "tags": [tag for tag in manifest["tags"] if tag in TAGS],
        "url": manifest["docsLink"],
        "templates": [_template(template) for template in manifest["templates"]],
        "skills": [_skill(definitions, skill) for skill in manifest["skills"]],
    }
    fields = _fields_by_operation(definitions, block_fields(manifest))
    return BLOCK_FILE.format(fields=literal(fields), config=literal(block_config(manifest)), meta=literal(meta))


def block_config(manifest: Json) -> dict[str, Any]:
    """Return the block as Sim defines blocks, with `Code` where it is no data."""
    definitions = manifest["tools"]["definitions"]
    fields = block_fields(manifest)
    return {
        "type": manifest["type"],
        "name": manifest["name"],
        "description": manifest["description"],
        "category": "tools",
        "integrationType": Code("IntegrationType.Security"),
        "longDescription": manifest["longDescription"],
        "docsLink": DOCS,
        "authMode": Code("AuthMode.ApiKey"),
        "bgColor": manifest["bgColor"],
        "icon": Code("PersonaIcon"),
        "canvasPresentation": {
            "defaultTitle": manifest["name"],
            "operationSubBlockId": _OPERATION,
            "sentences": {"byOperation": _sentences(manifest, fields)},
        },
        "subBlocks": [_sub_block(definitions, field) for field in fields],
        "tools": {
            "access": manifest["tools"]["access"],
            "config": {"tool": Code(f"(params) => `{_prefix(manifest)}${{params.{_OPERATION}}}`"), "params": Code("paramsOf")},
        },
        "inputs": {field["id"]: _input(manifest, field) for field in fields},
        "outputs": {name: _output(output) for name, output in manifest["outputs"].items()},
    }


def block_fields(manifest: Json) -> list[dict[str, Any]]:
    """Return the fields of the block, each with the `param` that it fills and the `operations` that show it.

    Sim takes fields of one canonical id for the basic and the advanced form of one field, which a condition shows both. Here
    several fields fill one param of several operations, so none has a canonical id, and the block maps each to its param.
    """
    definitions = manifest["tools"]["definitions"]
    fields = [
        {
            **field,
            "param": field["canonicalParamId"],
            "operations": field.get("condition", {}).get("value", [each["name"] for each in definitions]),
        }
        for field in manifest["subBlocks"]
        # The other form of a file field takes what only a server could open.
        if not any(other["type"] == "file-upload" and _is_other_form(field, other) for other in manifest["subBlocks"])
    ]
    for field in fields:
        if field["type"] == "file-upload":
            field |= {"id": field["param"], "title": "CSV", "description": _FILE_DESCRIPTION}
            field["placeholder"] = "reference_id,name_first,name_last,birthdate"
    extras = {definition["name"]: extra_params(definition) for definition in definitions}
    for name, shown in _EXTRA_FIELDS.items():
        operations = [operation for operation, params in extras.items() if name in params]
        description = extras[operations[0]][name]["description"] if name == "idempotencyKey" else _CONFIRMED_DESCRIPTION
        extra = {"id": name, "param": name, "description": description, "operations": operations, **shown}
        fields.insert(-1, {**extra, "condition": {"field": _OPERATION, "value": operations}, "visibility": "user-only"})
    return fields


def _is_other_form(field: Json, other: Json) -> bool:
    return field is not other and field["canonicalParamId"] == other["canonicalParamId"]


def _prefix(manifest: Json) -> str:
    definition = manifest["tools"]["definitions"][0]
    return str(definition["id"]).removesuffix(definition["name"])


# --- fields ----------------------------------------------------------------------------------------------------------------


def _sub_block(definitions: list[Json], field: Json) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": field["id"], "title": field["title"]}
    shown["type"] = _FIELD_TYPES.get(field["type"], field["type"])
    if field.get("mode") == "advanced":
        shown["mode"] = "advanced"
    shown |= {keyword: field[keyword] for keyword in _FIELD_KEYWORDS if keyword in field}
    if "options" in field:
        shown["options"] = field["options"]
    if field["id"] == _OPERATION:
        read = next(definition["name"] for definition in definitions if definition["effect"] == "read")
        shown["value"] = Code(f"() => {literal(read)}")
    if field["type"] in _GENERATED:
        kind, prompt = _GENERATED[field["type"]]
        if field["type"] == "code" and _param_type(definitions, field) == "array":
            kind = "json-array"
        shown["wandConfig"] = {"enabled": True, "prompt": f"{prompt} {field['description']}", "generationType": kind}
    shown |= {keyword: field[keyword] for keyword in ("condition", "required") if field.get(keyword)}
    if field["visibility"] == "user-only":
        shown["paramVisibility"] = "user-only"
    return shown


def _param_type(definitions: list[Json], field: Json) -> str:
    schemas = (definition["params"]["properties"].get(field["param"]) for definition in definitions)
    return next((str(schema["type"]) for schema in schemas if schema), "string")


def _fields_by_operation(definitions: list[Json], fields: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    return {
        definition["name"]: {
            field["param"]: field["id"]
            for field in fields
            if field["id"] != _OPERATION and definition["name"] in field["operations"]
        }
        for definition in definitions
    }


def _input(manifest: Json, field: Json) -> dict[str, str]:
    known = "boolean" if field["type"] == "switch" else manifest["inputs"].get(field["param"], {}).get("type", "string")
    return {"type": _INPUT_TYPES.get(known, known) if known != "file" else "string", "description": field["description"]}


def _output(output: Json) -> dict[str, Any]:
    condition = {"field": _OPERATION, "value": output["operations"]}
    kind = _OUTPUT_TYPES.get(output["type"], output["type"])
    return {"type": kind, "description": output["description"], "condition": condition}


# --- sentences -------------------------------------------------------------------------------------------------------------


def _sentences(manifest: Json, fields: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {operation: list(_clauses(sentence, operation, fields)) for operation, sentence in manifest["sentences"].items()}


def _clauses(sentence: str, operation: str, fields: list[dict[str, Any]]) -> Iterator[Any]:
    """Yield the clauses of a sentence: what stands in brackets shows once its field is filled, the rest always."""
    for part in _CLAUSE.finditer(sentence):
        text, *rest = _CHIP.split(part["optional"] or part["core"])
        if not rest:
            yield text.strip()
        for param, after in zip(rest[::2], rest[1::2], strict=True):
            clause: dict[str, Any] = {"text": text.strip()} if text.strip() else {}
            clause["field"] = next(
                field["id"] for field in fields if field["param"] == param and operation in field["operations"]
            )
            if after.strip():
                clause["after"] = after.strip()
            yield clause | ({"core": True} if part["core"] else {})
            text = ""


def _template(template: Json) -> dict[str, Any]:
    stores = any(step.get("host") == "store" for step in template["steps"])
    return {
        "icon": Code("PersonaIcon"),
        "title": template["title"],
        "prompt": template["prompt"],
        "modules": ["workflows", "files"] if stores else ["workflows"],
        "category": CATEGORY,
        "tags": template["tags"],
    }


def _skill(definitions: list[Json], skill: Json) -> dict[str, str]:
    content = tool_names(definitions, skill["instructions"])
    return {"name": skill["name"], "description": skill["description"], "content": content}


BLOCK_FILE = """\
import {{ PersonaIcon }} from '@/components/persona-icon'
import type {{ BlockConfig, BlockMeta }} from '@/blocks/types'
import {{ AuthMode, IntegrationType }} from '@/blocks/types'
import type {{ PersonaResponse }} from '@/tools/persona/types'

/** The field that fills each param, by operation. */
const FIELDS: Record<string, Record<string, string>> = {fields}

/** Return the params of the chosen operation; a model gives them by their own names. */
function paramsOf(values: Record<string, any>): Record<string, any> {{
  const fields = Object.entries(FIELDS[values.operation] ?? {{}})
  return Object.fromEntries(fields.map(([param, field]) => [param, values[field] ?? values[param]]))
}}

export const PersonaBlock: BlockConfig<PersonaResponse> = {config}

export const PersonaBlockMeta = {meta} as const satisfies BlockMeta
"""
