"""The fields of the n8n node: which are shown for which operation, as n8n describes them.

n8n's own words and rules: `INodeProperties` in the types of `n8n-workflow`, and its UX guidelines for nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

Json = dict[str, Any]

ADDITIONAL_FIELDS = "additionalFields"
"""The collection that holds the fields that are folded away."""
ALLOW_AGENT = "allowAgent"
"""The switch that lets an agent run what wants a person's word."""
BINARY_FIELD = "binaryField"
"""The name of the binary field that a file answer is put into."""
RETURN_ALL, LIMIT = "returnAll", "limit"
"""The controls of a list, named as in every n8n node."""
DEFAULT_LIMIT = 50
"""How many entries a list gives unless told, as in every n8n node."""

_ALLOW_AGENT_HELP = (
    "Whether an agent that has this node as a tool may do it without asking a person. "
    "In a workflow of steps it changes nothing: whoever builds the workflow has decided."
)
_BINARY_HELP = "Name of the field of the output item that the file is put into"
_CURSOR_HELP = "Id of the entry after which the list begins, such as that of the last item of an earlier run"

_TYPES = {"object": "json", "date-time": "dateTime"}
"""n8n's types by the format or type of a param; all others are text, in which lists and days are written as the engine reads
them."""


@dataclass(frozen=True)
class OperationField:
    """One field as one operation shows it."""

    operation: str
    field: Json
    is_folded: bool = False


def properties(manifest: Mapping[str, Any]) -> list[Json]:
    """Return the description's properties: resource, operation, then the fields in the manifest's order.

    Raises ValueError where a param has the name of a control of the node.
    """
    definitions = {definition["name"]: definition for definition in manifest["tools"]["definitions"]}
    _check_names(manifest)
    fields = list(_operation_fields(manifest, definitions))
    return [
        *_choices(manifest),
        *_merged([entry for entry in fields if not entry.is_folded], definitions),
        *_merged(_collections(entry for entry in fields if entry.is_folded), definitions),
    ]


def _choices(manifest: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the dropdown of resources, and for each of them the one of its operations."""
    by_group = groupby(manifest["tools"]["definitions"], lambda definition: definition["group"])
    operations = {group: [_operation(definition) for definition in definitions] for group, definitions in by_group}
    resources = [{"name": manifest["groups"][group], "value": group} for group in operations]
    yield _choice("resource", "Resource", resources)
    for group, options in operations.items():
        yield _choice("operation", "Operation", options) | {"displayOptions": {"show": {"resource": [group]}}}


def _operation(definition: Json) -> Json:
    first_sentence = definition["description"].partition(". ")[0].rstrip(".")
    title = definition["title"]
    return {"name": title, "value": definition["name"], "description": first_sentence, "action": title}


def _choice(name: str, title: str, options: list[Json]) -> Json:
    default = options[0]["value"]
    return {
        "displayName": title,
        "name": name,
        "type": "options",
        "noDataExpression": True,
        "options": options,
        "default": default,
    }


# --- what each operation shows ---------------------------------------------------------------------------------------------


def _operation_fields(manifest: Mapping[str, Any], definitions: Mapping[str, Json]) -> Iterator[OperationField]:
    """Yield every field of every operation: notices, then the fields of the canvas in its order, then the node's controls."""
    for definition in definitions.values():
        yield from _notices(definition)
    seen = set()
    for sub_block in manifest["subBlocks"]:
        for operation in sub_block.get("condition", {}).get("value", ()):
            definition, name = definitions[operation], sub_block["canonicalParamId"]
            if sub_block.get("running") == "wait":
                waiter = definition if "wait" in definition else definitions[definition["then"]["operation"]]
                yield OperationField(operation, _wait_switch(sub_block, waiter["wait"]))
            # Of a pair that shares a param the first is the basic one; the size of a page is the node's to choose.
            is_param = name in definition["params"]["properties"] and name != definition.get("paginate", {}).get("size")
            if is_param and (operation, name) not in seen:
                seen.add((operation, name))
                yield _param(definition, name, sub_block)
    for definition in definitions.values():
        yield from _controls(definition)


def _notices(definition: Json) -> Iterator[OperationField]:
    consent, alternatives = definition.get("consent"), definition.get("requireAny")
    if consent:
        yield OperationField(definition["name"], _notice("consentNotice", consent["text"]))
    if alternatives:
        titles = ", ".join(definition["params"]["properties"][name]["title"] for name in alternatives)
        yield OperationField(definition["name"], _notice("requireAnyNotice", f"Fill in at least one of: {titles}"))


def _wait_switch(sub_block: Json, wait: Json) -> Json:
    minutes = wait["delay"] * wait["attempts"] / 60
    return _switch(sub_block["id"], sub_block["title"], f"{sub_block['description']} It waits {minutes:g} minutes at most.")


def _controls(definition: Json) -> Iterator[OperationField]:
    operation = definition["name"]
    if definition.get("paginate"):
        yield OperationField(
            operation, _switch(RETURN_ALL, "Return All", "Whether to return all results or only up to a given limit")
        )
        limit = _number(LIMIT, "Limit", "Max number of results to return", minimum=1, default=DEFAULT_LIMIT)
        yield OperationField(operation, limit | {"displayOptions": {"show": {RETURN_ALL: [False]}}})
    if any("file" in source for source in definition["response"].values()):
        field = _text(BINARY_FIELD, "Put Output File in Field", _BINARY_HELP, default="data")
        yield OperationField(operation, field | {"required": True})
    if definition["hints"]["consent"]:
        switch = _switch(ALLOW_AGENT, "Allow Agents Without Asking", _ALLOW_AGENT_HELP)
        yield OperationField(operation, switch | {"noDataExpression": True})


def _param(definition: Json, name: str, sub_block: Json) -> OperationField:
    param = definition["params"]["properties"][name]
    is_required = name in definition["params"]["required"]
    # A number of n8n is always one: where it may be left out it is a field that can be taken away again.
    is_folded = not is_required and (sub_block["mode"] == "advanced" or param["type"] == "integer")
    field = _field(name, param, sub_block)
    if name == definition.get("paginate", {}).get("cursor"):
        # A list gives its entries as items, and so no cursor; Persona's is the id of an entry.
        field = _text(name, param["title"], _CURSOR_HELP)
    return OperationField(definition["name"], field | ({"required": True} if is_required else {}), is_folded)


def _field(name: str, param: Json, sub_block: Json) -> Json:
    """Return a param as n8n shows it, by its kind."""
    title, help_text = param["title"], param["description"]
    if param.get("format") == "file":
        # The first sentence says where the file comes from elsewhere; what follows is about the file itself.
        about_file = sub_block["description"].partition(". ")[2]
        help_text = f"Name of the binary field of the input item that holds the file. {about_file}".strip()
        field = _text(name, f"Field With {title}", help_text, default="data")
        return field | {"typeOptions": {"binaryDataProperty": True}}
    if param["type"] == "integer":
        return _number(name, title, help_text, param.get("minimum"), param.get("maximum"))
    if param.get("enum"):
        options = [{"name": option["label"], "value": option["id"]} for option in sub_block["options"]]
        return _of_type("options", name, title, help_text) | {"options": options}
    field = _of_type(_TYPES.get(param.get("format") or param["type"], "string"), name, title, help_text)
    if param["type"] == "array":
        field["description"] += " Separate them by commas, or give a JSON list."
    if sub_block["type"] == "long-input":
        field["typeOptions"] = {"rows": 4}
    return field | ({"placeholder": f"e.g. {sub_block['placeholder']}"} if "placeholder" in sub_block else {})


def _of_type(kind: str, name: str, title: str, help_text: str) -> Json:
    return {"displayName": title, "name": name, "type": kind, "default": "", "description": help_text}


def _text(name: str, title: str, help_text: str, default: str = "") -> Json:
    return _of_type("string", name, title, help_text) | {"default": default}


def _switch(name: str, title: str, help_text: str) -> Json:
    return _of_type("boolean", name, title, help_text) | {"default": False}


def _notice(name: str, text: str) -> Json:
    return {"displayName": text, "name": name, "type": "notice", "default": ""}


def _number(
    name: str, title: str, help_text: str, minimum: int | None, maximum: int | None = None, default: int | None = None
) -> Json:
    limits = {"minValue": minimum, "maxValue": maximum, "numberPrecision": 0}
    return _of_type("number", name, title, help_text) | {
        "typeOptions": {option: value for option, value in limits.items() if value is not None},
        "default": default if default is not None else minimum or 0,
    }


# --- one property for all operations that show the same --------------------------------------------------------------------


def _collections(folded: Iterator[OperationField]) -> list[OperationField]:
    """Return for each operation that has folded fields the collection of them."""
    options: dict[str, list[Json]] = {}
    for entry in folded:
        options.setdefault(entry.operation, []).append(entry.field)
    collection = {
        "displayName": "Additional Fields",
        "name": ADDITIONAL_FIELDS,
        "type": "collection",
        "placeholder": "Add Field",
        "default": {},
    }
    return [OperationField(operation, collection | {"options": fields}) for operation, fields in options.items()]


def _merged(operation_fields: list[OperationField], definitions: Mapping[str, Json]) -> Iterator[Json]:
    """Yield each field once, with all operations that show it so, by their former names too: n8n drops what is not shown."""
    fields: list[Json] = []
    operations: list[list[str]] = []
    for entry in operation_fields:
        if entry.field not in fields:
            fields.append(entry.field)
            operations.append([])
        operations[fields.index(entry.field)].append(entry.operation)
    for field, names in zip(fields, operations, strict=True):
        resources = list(dict.fromkeys(definitions[name]["group"] for name in names))
        all_names = [each for name in names for each in (name, *definitions[name].get("aliases", ()))]
        own_conditions = field.get("displayOptions", {}).get("show", {})
        yield field | {"displayOptions": {"show": {"resource": resources, "operation": all_names} | own_conditions}}


def _check_names(manifest: Mapping[str, Any]) -> None:
    """Raise ValueError where a param has the name of a control, since one value would then be taken for the other."""
    controls = {"resource", "operation", ADDITIONAL_FIELDS, ALLOW_AGENT, BINARY_FIELD, RETURN_ALL, LIMIT}
    controls |= {sub_block["id"] for sub_block in manifest["subBlocks"] if "running" in sub_block}
    for definition in manifest["tools"]["definitions"]:
        if clashes := controls & definition["params"]["properties"].keys():
            raise ValueError(f"{definition['name']} has a param {min(clashes)}, which is a control of the n8n node")
