"""What n8n shows of the node: its description, its codex and the package around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .properties import Json, properties

PACKAGE = "n8n-nodes-persona-block"
"""The name of the package; n8n takes community nodes whose package begins with `n8n-nodes-`."""
CREDENTIALS = "personaApi"
"""The name of the credentials, as the node and other nodes ask for them."""

_TEST_MESSAGES = {
    401: "The API key is not known there.",
    403: "The API key is known, but may not read what this test reads. It may still do for other operations.",
}
"""What n8n says of a status that ends the test of the credentials."""


def node_description(manifest: Mapping[str, Any]) -> Json:
    """Return the node's description, an `INodeTypeDescription` of n8n."""
    return {
        "displayName": manifest["name"],
        "name": manifest["type"],
        "icon": "file:persona.svg",
        "group": ["transform"],
        "version": 1,
        "subtitle": '={{ $parameter["operation"].replaceAll("_", " ") }}',
        "description": manifest["description"],
        "defaults": {"name": manifest["name"]},
        "inputs": ["main"],
        "outputs": ["main"],
        "usableAsTool": True,
        "credentials": [{"name": CREDENTIALS, "required": True}],
        "properties": properties(manifest),
    }


def credentials_description(manifest: Mapping[str, Any]) -> Json:
    """Return what n8n shows of the credentials, the part of an `ICredentialType` that is data; their test reads one object."""
    wire = manifest["wire"]
    api_key = next(block for block in manifest["subBlocks"] if block["id"] == wire["auth"]["param"])
    base_url = {
        "displayName": "Base URL",
        "name": "baseUrl",
        "type": "string",
        "default": wire["baseUrl"],
        "description": "Where the API is: https, or http on the machine that n8n runs on, such as an offline Persona.",
    }
    key = {
        "displayName": api_key["title"],
        "name": "apiKey",
        "type": "string",
        "typeOptions": {"password": True},
        "default": "",
        "required": True,
        "description": api_key["description"],
        "placeholder": api_key["placeholder"],
    }
    return {
        "name": CREDENTIALS,
        "displayName": f"{manifest['name']} API",
        "icon": "file:../nodes/Persona/persona.svg",
        "documentationUrl": manifest["docsLink"],
        "properties": [key, base_url],
        "test": {
            "request": {
                "baseURL": f"={{{{ $credentials.baseUrl || {json.dumps(wire['baseUrl'])} }}}}",
                **_cheapest_read(manifest),
                "headers": wire["headers"],
                "disableFollowRedirect": True,
            },
            "rules": [
                {"type": "responseCode", "properties": {"value": status, "message": message}}
                for status, message in _TEST_MESSAGES.items()
            ],
        },
    }


def _cheapest_read(manifest: Mapping[str, Any]) -> Json:
    """Return URL and query of one entry of the list that has the fewest filters."""
    lists = [definition for definition in manifest["tools"]["definitions"] if definition.get("paginate")]
    request, paginate = min(
        ((definition["request"], definition["paginate"]) for definition in lists),
        key=lambda entry: len(entry[0]["query"]),
    )
    size = next(name for name, source in request["query"].items() if source == f"{{{paginate['size']}}}")
    return {"url": request["path"], "qs": {size: 1}}


def codex(manifest: Mapping[str, Any]) -> Json:
    """Return where n8n's panel of nodes lists the node, by which words it is found, and where its documentation is."""
    documentation = [{"url": manifest["docsLink"]}]
    return {
        "node": f"{PACKAGE}.{manifest['type']}",
        "nodeVersion": "1.0",
        "codexVersion": "1.0",
        "categories": ["Miscellaneous"],
        "alias": list(manifest["tags"]),
        "resources": {"primaryDocumentation": documentation, "credentialDocumentation": documentation},
    }


def package(manifest: Mapping[str, Any]) -> Json:
    """Return the package's `package.json`."""
    return {
        "name": PACKAGE,
        "version": manifest["version"],
        "description": manifest["description"],
        "keywords": ["n8n-community-node-package", *manifest["tags"]],
        "license": "Apache-2.0",
        "homepage": manifest["docsLink"],
        "engines": {"node": ">=20"},
        "files": ["credentials", "nodes", "runtime", "manifest.json"],
        "n8n": {
            "n8nNodesApiVersion": 1,
            "credentials": ["credentials/PersonaApi.credentials.js"],
            "nodes": ["nodes/Persona/Persona.node.js"],
        },
        "peerDependencies": {"n8n-workflow": "*"},
    }


def running_manifest(manifest: Mapping[str, Any]) -> Json:
    """Return the part of the manifest that the node runs by: all that is for people or for other hosts is left out."""
    definitions = [
        {name: value for name, value in definition.items() if name not in ("output", "description")}
        for definition in manifest["tools"]["definitions"]
    ]
    kept = ("manifestVersion", "version", "wire", "retry", "idKinds")
    return {name: manifest[name] for name in kept} | {
        "grammar": {"refusals": manifest["grammar"]["refusals"]},
        "tools": {"definitions": definitions},
    }
