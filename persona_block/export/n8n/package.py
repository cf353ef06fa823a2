"""The files of the n8n package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from ..folder import write_files
from ..runtime import javascript_runtime
from .description import PACKAGE, codex, credentials_description, node_description, package, running_manifest
from .properties import Json

_TEMPLATE = Path(__file__).parent / "template"
_CREDENTIALS, _NODE = "credentials", "nodes/Persona"
_CREDENTIAL_TYPE = "Omit<import('n8n-workflow').ICredentialType, 'authenticate'>"
_NODE_TYPE = "import('n8n-workflow').INodeTypeDescription"


def export(manifest: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the package of the community node into a folder and return its files; nothing has to be built.

    Raises OSError, and ValueError where a param has the name of a control of the node.
    """
    sources = sorted(path for path in _TEMPLATE.rglob("*") if path.suffix in (".js", ".mjs", ".mts"))
    code = {path.relative_to(_TEMPLATE).as_posix(): path.read_text("utf-8") for path in sources}
    runtime = {f"runtime/{name}": text for name, text in javascript_runtime().items()}
    data = {
        "package.json": _json(package(manifest)),
        "manifest.json": _json(running_manifest(manifest)),
        "README.md": _readme(manifest),
        f"{_CREDENTIALS}/description.js": _module("credentials", _CREDENTIAL_TYPE, credentials_description(manifest)),
        f"{_NODE}/description.js": _module("description", _NODE_TYPE, node_description(manifest)),
        f"{_NODE}/Persona.node.json": _json(codex(manifest)),
        f"{_NODE}/persona.svg": manifest["icon"] + "\n",
    }
    # The template has a files.mjs of its own, which takes the place of the runtime's.
    return write_files(folder, runtime | code | data)


def _json(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _module(name: str, type_name: str, value: Json) -> str:
    """Return data as a module rather than as JSON, since a type checker takes the text in JSON for any text."""
    lines = (
        "'use strict';",
        "",
        f"/** @type {{{type_name}}} */",
        f"const {name} = {json.dumps(value, indent=2, ensure_ascii=False)};",
        "",
        f"module.exports = {{ {name} }};",
    )
    return "\n".join(lines) + "\n"


def _readme(manifest: Mapping[str, Any]) -> str:
    text = (_TEMPLATE / "README.md").read_text("utf-8")
    rows = [f"| {definition['title']} | {_sentence(definition)} |" for definition in manifest["tools"]["definitions"]]
    return Template(text).substitute(
        package=PACKAGE,
        version=manifest["version"],
        name=manifest["name"],
        about=manifest["longDescription"],
        documentation=manifest["docsLink"],
        operations="\n".join(rows),
    )


def _sentence(definition: Json) -> str:
    description: str = definition["description"]
    return description.partition(". ")[0].rstrip(".") + "."
