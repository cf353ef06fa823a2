"""The Dify plugin: a provider with its credentials, and one tool for each operation.

The shape of the YAML files is that of `dify_plugin` 0.7: `PluginConfiguration`, `ToolProviderConfiguration` and
`ToolConfiguration` in its `core/entities/plugin/setup.py` and `entities/tool.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import dify_tool
from .dify_texts import MAIN, PRIVACY, PROVIDER, README, TOOL
from .folder import write_files
from .yaml import dump

AUTHOR, NAME = "persona-block", "persona"
"""Who made the plugin, and its name, which is the provider's too."""
SDK = "dify_plugin>=0.7,<1"
"""The SDK that the plugin needs."""
CREATED_AT = "2026-11-01T00:00:00Z"
"""When the plugin was first made: Dify asks for it, and the same manifest has to give the same bytes."""
PYTHON = "3.12"
"""The version of Python that Dify runs plugins with."""
MEMORY = 256 * 1024 * 1024
"""The bytes of memory that the plugin asks for."""

_TYPES = {"integer": "number"}
"""Dify's types where they are not text. Its own objects and lists are not used:
there, text that is no JSON becomes an empty one without an error."""
_WRITTEN = {"object": "Give it as JSON text.", "array": "Give a JSON list, or several separated by commas."}
"""How a person or a model writes what is no single value."""


def export(manifest: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the plugin of a manifest into a folder and return its files; the same manifest gives the same bytes."""
    return write_files(folder, plugin_files(manifest))


def plugin_files(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of the plugin of a manifest by their paths within it."""
    definitions = manifest["tools"]["definitions"]
    names = [definition["name"] for definition in definitions]
    files = {
        "manifest.yaml": dump(_plugin(manifest)),
        "main.py": MAIN,
        "dify_tool.py": Path(dify_tool.__file__).read_text("utf-8"),
        "requirements.txt": f"{SDK}\n{AUTHOR}=={manifest['version']}\n",
        "README.md": _readme(manifest),
        "PRIVACY.md": PRIVACY.format(docs=manifest["docsLink"]),
        "_assets/icon.svg": f"{manifest['icon']}\n",
        f"provider/{NAME}.yaml": dump(_provider(manifest, names)),
        f"provider/{NAME}.py": _provider_code(definitions),
    }
    for definition in definitions:
        name = definition["name"]
        files[f"tools/{name}.yaml"] = dump(_tool(definition, _tool_ids(definitions)))
        files[f"tools/{name}.py"] = TOOL.format(
            class_name=name.title().replace("_", ""), title=definition["title"], operation=name
        )
    return files


# --- the plugin and its provider -------------------------------------------------------------------------------------------


def _plugin(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": manifest["version"],
        "type": "plugin",
        "author": AUTHOR,
        "name": NAME,
        "label": _words(manifest["name"]),
        "description": _words(manifest["longDescription"]),
        "icon": "icon.svg",
        "created_at": CREATED_AT,
        "privacy": "PRIVACY.md",
        # Dify's tags are a closed list that has none for identity or compliance.
        "tags": ["business", "utilities"],
        "resource": {"memory": MEMORY, "permission": {}},
        "plugins": {"tools": [f"provider/{NAME}.yaml"]},
        "meta": {
            "version": "0.0.1",
            "arch": ["amd64", "arm64"],
            "runner": {"language": "python", "version": PYTHON, "entrypoint": "main"},
        },
    }


def _provider(manifest: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    return {
        "identity": {
            "author": AUTHOR,
            "name": NAME,
            "label": _words(manifest["name"]),
            "description": _words(manifest["description"]),
            "icon": "icon.svg",
            "tags": ["business", "utilities"],
        },
        "credentials_for_provider": _credentials(manifest),
        "tools": [f"tools/{name}.yaml" for name in names],
        "extra": {"python": {"source": f"provider/{NAME}.py"}},
    }


def _credentials(manifest: Mapping[str, Any]) -> dict[str, Any]:
    wire = manifest["wire"]
    api_key = manifest["tools"]["definitions"][0]["params"]["properties"][wire["auth"]["param"]]
    word = (
        f"{dify_tool.WORD_LENGTH} characters or more. Tools that decide about a person or erase data run only where their"
        " settings hold the same word. Left empty, they never run."
    )
    address = f"Where the API is; left empty, {wire['baseUrl']}. An https URL, or http on the machine itself."
    return {
        dify_tool.API_KEY: {
            "type": "secret-input",
            "required": True,
            "label": _words(api_key["title"]),
            "help": _words(api_key["description"]),
            "url": manifest["docsLink"],
        },
        dify_tool.CONFIRMATION_WORD: {
            "type": "secret-input",
            "required": False,
            "label": _words("Confirmation word"),
            "help": _words(word),
        },
        dify_tool.BASE_URL: {
            "type": "text-input",
            "required": False,
            "label": _words("Base URL"),
            "help": _words(address),
            "placeholder": _words(wire["baseUrl"]),
        },
    }


def _provider_code(definitions: list[Mapping[str, Any]]) -> str:
    """Return the provider, whose check of the credentials reads one entry of the list that takes the fewest params."""
    lists = [definition for definition in definitions if "paginate" in definition]
    check = min(lists, key=lambda definition: len(definition["params"]["properties"]))
    return PROVIDER.format(operation=check["name"], params=f'{{"{check["paginate"]["size"]}": 1}}')


def _readme(manifest: Mapping[str, Any]) -> str:
    rows = [
        f"| `{definition['id']}` | {definition['effect']} | {definition['description'].partition('. ')[0].rstrip('.')} |"
        for definition in manifest["tools"]["definitions"]
    ]
    return README.format(
        description=manifest["longDescription"],
        version=manifest["version"],
        tools="\n".join(rows),
        wait_seconds=dify_tool.WAIT_SECONDS,
        items_limit=f"{dify_tool.ITEMS_LIMIT:,}",
        word_length=dify_tool.WORD_LENGTH,
        file_limit=dify_tool.FILE_LIMIT // 1024**2,
    )


# --- tools -----------------------------------------------------------------------------------------------------------------


def _tool(definition: Mapping[str, Any], tool_ids: Mapping[str, str]) -> dict[str, Any]:
    description = _description(definition, tool_ids)
    tool = {
        "identity": {"name": definition["id"], "author": AUTHOR, "label": _words(definition["title"])},
        "description": {"human": _words(description), "llm": description},
        "parameters": [*_params(definition), *_switches(definition)],
    }
    if not any("file" in source for source in definition["response"].values()):
        outputs = definition["output"]["properties"]
        tool["output_schema"] = {
            "type": "object",
            "properties": {name: _output_schema(schema) for name, schema in outputs.items()},
        }
    return tool | {"extra": {"python": {"source": f"tools/{definition['name']}.py"}}}


def _tool_ids(definitions: list[Mapping[str, Any]]) -> dict[str, str]:
    return {definition["name"]: definition["id"] for definition in definitions}


def _description(definition: Mapping[str, Any], tool_ids: Mapping[str, str]) -> str:
    """Return what an operation does, with the names that other tools have in Dify, and what no YAML key can say."""
    text = re.sub(rf"\b({'|'.join(tool_ids)})\b", lambda match: tool_ids[match[1]], definition["description"])
    if "requireAny" in definition:
        text += f" At least one of {', '.join(definition['requireAny'])} has to be given."
    if definition["hints"]["consent"]:
        text += " It runs only where a person has confirmed it in the settings of the tool."
    return text


def _params(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the operation's own params, which a workflow fills with variables and an agent's model by itself."""
    required = definition["params"]["required"]
    for name, schema in definition["params"]["properties"].items():
        if schema["visibility"] == "user-only":
            continue
        is_file = schema.get("format") == "file"
        description = schema["description"]
        if is_file:
            # The paths and addresses that other hosts take are none here.
            description = f"CSV file, header line first. {description.partition('. ')[2]}"
        if schema["type"] in _WRITTEN:
            description += f" {_WRITTEN[schema['type']]}"
        param = _param(name, schema["title"], description, _TYPES.get(schema["type"], "string"), form="llm")
        if is_file:
            param["type"] = "file"
        if "enum" in schema:
            param["type"] = "select"
            param["options"] = [
                {"value": value, "label": _words(value.replace("-", " ").capitalize())} for value in schema["enum"]
            ]
        limits = {"min": schema.get("minimum"), "max": schema.get("maximum")}
        yield (
            param | {"required": name in required} | {keyword: limit for keyword, limit in limits.items() if limit is not None}
        )


def _switches(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the tool takes beside its operation's params."""
    if "paginate" in definition:
        cursor, limit = definition["paginate"]["next"], f"{dify_tool.ITEMS_LIMIT:,}"
        text = f"Follow the pages to the end, up to {limit} items; {cursor} then says where to go on."
        yield _param(dify_tool.ALL_PAGES, "Read all pages", text, "boolean", form="form") | {"default": False}
    if "wait" in definition or "then" in definition:
        text = f"Wait until it has ended, {dify_tool.WAIT_SECONDS} seconds at most; a bad end is an error."
        yield _param(dify_tool.WAIT, "Wait for the end", text, "boolean", form="form") | {"default": False}
    if definition["request"]["method"] == "POST" and definition["effect"] != "read":
        text = (
            "Leave it empty, except to repeat a call whose outcome is unknown, under the key that its error told; or, where a"
            " workflow tries again, a text that only this call has. Calls under one key happen once."
        )
        yield _param(dify_tool.IDEMPOTENCY_KEY, "Idempotency key", text, "string", form="llm") | {"required": False}
    if definition["hints"]["consent"]:
        text = "The confirmation word of the plugin's credentials, typed by a person who lets this tool run as it stands here."
        yield _param(dify_tool.CONFIRMATION, "Confirmation word", text, "secret-input", form="form") | {"required": True}


def _param(name: str, title: str, description: str, param_type: str, *, form: str) -> dict[str, Any]:
    """Return a param; a model sees it where `form` is `llm`, and only a person sets it where that is `form`."""
    param = {"name": name, "type": param_type, "form": form, "label": _words(title), "human_description": _words(description)}
    return param | ({"llm_description": description} if form == "llm" else {})


def _output_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output's schema as Dify's variable picker takes it: one type, without null, and the properties below."""
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    shown: dict[str, Any] = {"type": next(each for each in types if each != "null")}
    if "description" in schema:
        shown["description"] = schema["description"]
    if "properties" in schema:
        shown["properties"] = {name: _output_schema(part) for name, part in schema["properties"].items()}
    if "items" in schema:
        shown["items"] = _output_schema(schema["items"])
    return shown


def _words(text: str) -> dict[str, str]:
    """Return a text as Dify holds texts: by language."""
    return {"en_US": text}
