"""The tools of Sim: a file for each operation, which is data alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .typescript import literal

Json = Mapping[str, Any]

TOOL_VERSION = "1.0.0"
"""The version that Sim asks each tool for."""
SWITCHES = {"paginate": "allPages", "poll": "waitUntilDone"}
"""The switch of the block that makes a tool do more than one call, by the part of its definition that says how."""

_TYPES = {"integer": "number", "object": "json"}
_PARTS = ("id", "name", "effect", "params", "requireAny", "prefixes", "choose", "request", "response", "paginate")
_PARAM_KEYWORDS = ("type", "format", "enum", "minimum", "maximum", "items")
_IDEMPOTENCY_KEY = (
    "Leave it empty, except to repeat a call whose outcome is unknown, or where a workflow tries again: a text that only this"
    " call has. Calls under one key happen once."
)
_CONFIRMED = "A person has confirmed what is about to happen; without it, nothing is sent."
_MORE_PAGES = "Follow the pages until about 1,000 entries were read; the cursor then says where to go on."
_WAIT = "Wait until it has come to an outcome, 240 seconds at most, and give that."


def export_name(name: str) -> str:
    """Return the name under which the file of an operation exports its tool."""
    return "persona" + name.title().replace("_", "") + "Tool"


def tool_names(definitions: list[Json], text: str) -> str:
    """Return a text with the names that operations have as tools of Sim."""
    ids = {definition["name"]: definition["id"] for definition in definitions}
    return re.sub(rf"(?<![\w.])({'|'.join(ids)})\b", lambda match: ids[match[1]], text)


def extra_params(definition: Json) -> dict[str, dict[str, Any]]:
    """Return the params that a tool has beside those of its operation; a person sets them, and no model."""
    texts: dict[str, tuple[str, str]] = {}
    if "paginate" in definition:
        texts[SWITCHES["paginate"]] = ("boolean", _MORE_PAGES)
    if "wait" in definition or "then" in definition:
        texts[SWITCHES["poll"]] = ("boolean", _WAIT)
    if definition["hints"]["consent"]:
        texts["confirmed"] = ("boolean", f"{definition['consent']['text']} {_CONFIRMED}")
    if definition["request"]["method"] == "POST" and definition["effect"] != "read":
        texts["idempotencyKey"] = ("string", _IDEMPOTENCY_KEY)
    return {
        name: {"type": param_type, "required": False, "visibility": "user-only", "description": text}
        for name, (param_type, text) in texts.items()
    }


def tool_file(definitions: list[Json], definition: Json) -> str:
    """Return the file of an operation's tool."""
    config = {
        "id": definition["id"],
        "name": f"Persona {definition['title']}",
        "description": _description(definitions, definition),
        "version": TOOL_VERSION,
        "params": dict(_params(definition)) | extra_params(definition),
        "outputs": _outputs(definition),
    }
    return TOOL_FILE.format(
        export_name=export_name(definition["name"]),
        definition=literal(_running_definition(definitions, definition)),
        config=literal(config).removesuffix("\n}"),
    )


def index_file(definitions: list[Json]) -> str:
    """Return the file that hands on every tool."""
    names = sorted(definition["name"] for definition in definitions)
    lines = [f"export {{ {export_name(name)} }} from '@/tools/persona/{name}'" for name in names]
    return "\n".join([*lines, "export * from '@/tools/persona/types'"]) + "\n"


def manifest_file(manifest: Json) -> str:
    """Return the file of what all operations share."""
    wire, retry = manifest["wire"], manifest["retry"]
    shared = {
        "baseUrl": wire["baseUrl"],
        "headers": wire["headers"],
        "keyParam": wire["auth"]["param"],
        "keyHeader": wire["auth"]["header"],
        "keyScheme": wire["auth"]["scheme"],
        "idempotencyHeader": wire["idempotencyHeader"],
        "remainingHeader": wire["rateLimitHeaders"]["remaining"],
    }
    retries = {
        "maxRetries": 4,
        "initialDelayMs": round(retry["firstDelaySeconds"] * 1000),
        "maxDelayMs": round(retry["longestDelaySeconds"] * 1000),
    }
    return MANIFEST_FILE.format(
        version=manifest["version"],
        wire=literal(shared),
        retry=literal(retries),
        refusals=literal(manifest["grammar"]["refusals"]),
        id_kinds=literal(manifest["idKinds"]),
    )


def _description(definitions: list[Json], definition: Json) -> str:
    text = tool_names(definitions, definition["description"])
    if "requireAny" in definition:
        text += f" At least one of {', '.join(definition['requireAny'])} has to be given."
    return text


def _params(definition: Json) -> Iterator[tuple[str, dict[str, Any]]]:
    required = definition["params"]["required"]
    for name, schema in definition["params"]["properties"].items():
        param = {
            "type": _TYPES.get(schema["type"], schema["type"]),
            "required": name in required,
            "visibility": schema["visibility"],
            "description": _param_description(schema),
        }
        if "items" in schema:
            param["items"] = {"type": schema["items"]["type"]}
        yield name, param


def _param_description(schema: Json) -> str:
    description: str = schema["description"]
    if schema.get("format") == "file":
        # The paths and addresses that other hosts take are none here.
        return f"The CSV as text, header line first, or a file of Sim with its content. {description.partition('. ')[2]}"
    missing = [value for value in schema.get("enum", ()) if value not in description]
    return f"{description} One of {', '.join(schema['enum'])}." if missing else description


def _running_definition(definitions: list[Json], definition: Json) -> dict[str, Any]:
    """Return the parts of a definition that calling it takes, and how to wait where it can be waited for."""
    properties = {
        name: {keyword: schema[keyword] for keyword in _PARAM_KEYWORDS if keyword in schema}
        for name, schema in definition["params"]["properties"].items()
    }
    params = {"properties": properties, "required": definition["params"]["required"]}
    running = {part: params if part == "params" else definition[part] for part in _PARTS if part in definition}
    by_name = {each["name"]: each for each in definitions}
    read, ids = definition, {}
    if "then" in definition:
        read, ids = by_name[definition["then"]["operation"]], definition["then"]["params"]
    if "wait" in read:
        ends = {name: read["wait"][name] for name in ("for", "success", "failure", "delay")}
        running["poll"] = {"tool": read["id"], "params": ids, **ends}
    if definition["hints"]["consent"]:
        running["consent"] = True
    return running


def _outputs(definition: Json) -> dict[str, Any]:
    outputs = {name: _output(schema) for name, schema in definition["output"]["properties"].items()}
    for name, source in definition["response"].items():
        if "file" in source:
            outputs[name] = {
                "type": "file",
                "description": outputs[name]["description"],
                "fileConfig": {"mimeType": source["file"], "extension": source["file"].partition("/")[2]},
            }
    return outputs


def _output(schema: Json) -> dict[str, Any]:
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    main = next(each for each in types if each != "null")
    shown: dict[str, Any] = {"type": "number" if main == "integer" else main}
    if main == "object" and "properties" not in schema:
        shown["type"] = "json"
    if "description" in schema:
        shown["description"] = schema["description"]
    if "null" in types:
        shown["nullable"] = True
    if "properties" in schema:
        shown["properties"] = {name: _output(part) for name, part in schema["properties"].items()}
    if "items" in schema:
        item = _output(schema["items"])
        item.pop("nullable", None)
        shown["items"] = item
    return shown


TOOL_FILE = """\
import {{ operation }} from '@/tools/persona/operation'
import type {{ PersonaDefinition, PersonaParams, PersonaResponse }} from '@/tools/persona/types'
import type {{ ToolConfig }} from '@/tools/types'

const definition: PersonaDefinition = {definition}

export const {export_name}: ToolConfig<PersonaParams, PersonaResponse> = {config}
  ...operation(definition),
}}
"""

MANIFEST_FILE = """\
/** What all operations share, from the manifest of persona-block {version}. */

export const WIRE = {wire}

/** How often and how far apart Sim repeats what can be repeated. */
export const RETRY = {retry}

/** What is wrong with a param, by the code that the runtime gives. */
export const REFUSALS: Record<string, string> = {refusals}

/** What each kind of object is called, by the prefix of its ids. */
export const ID_KINDS: Record<string, string> = {id_kinds}
"""
