"""How a resource is written in an answer: its files as URLs, its relationships wrapped, related objects included.

Sources: docs.withpersona.com/serialization; the *-included-objects schemas of the OpenAPI.
"""

from __future__ import annotations

import json
from typing import Any

from ...spec.inflection import kebab
from ..messages.errors import bad_request
from ..state.environment import Environment
from ..state.records import Identifier, Resource
from .query import Query

_TEMPLATES = frozenset({"inquiry-template", "inquiry-template-version", "template", "transaction"})

# Which kinds of object an answer about a kind can include
INCLUDABLE: dict[str, frozenset[str]] = {
    "inquiry": _TEMPLATES | {"account", "document", "user", "report", "selfie", "inquiry-session", "verification"},
    "account": frozenset({"account-type"}),
    "case": frozenset(
        {"account", "case-comment", "case-template", "case-queue", "inquiry", "report", "transaction", "verification"}
    ),
    "report": frozenset({"inquiry", "account", "report-template", "transaction"}),
    "verification": _TEMPLATES | {"account", "document", "inquiry", "verification-template", "verification-template-version"},
    "document": _TEMPLATES | {"inquiry", "document-file"},
    "importer": frozenset(),
}


def present(env: Environment, resource: Resource, fields: dict[str, set[str]]) -> dict[str, Any]:
    """Write one resource as JSON:API has it, in kebab-case, with the attributes that were asked for."""
    attributes = _placed(env, resource) if resource.files else resource.attributes
    wanted = fields.get(resource.type, fields.get(resource.kind))
    if wanted is not None:
        attributes = {key: value for key, value in attributes.items() if key in wanted}
    result: dict[str, Any] = {"type": resource.type, "id": resource.id}
    if resource.attributes:
        result["attributes"] = attributes
    if resource.relationships:
        result["relationships"] = {name: {"data": target} for name, target in resource.relationships.items()}
    return result


def included(env: Environment, root: Resource, query: Query) -> list[dict[str, Any]]:
    """Write what the include paths lead to, each object once. Raises a 400 for a path that leads nowhere."""
    found: dict[str, Resource] = {}
    for path in query.include or ():
        level = [root]
        for name in path.split("."):
            level = _step(env, root, level, kebab(name), path)
            found |= {resource.id: resource for resource in level if resource.id != root.id}
    return [present(env, resource, query.fields) for resource in found.values()]


def _step(env: Environment, root: Resource, level: list[Resource], name: str, path: str) -> list[Resource]:
    """Go one relationship further from every resource reached so far."""
    targets: list[Identifier] = []
    for resource in level:
        target = resource.relationships.get(name)
        targets += target if isinstance(target, list) else [target] if target else []
    known = any(name in resource.relationships for resource in level)
    allowed = INCLUDABLE[root.kind]
    if (level and not known) or any(target["type"].partition("/")[0] not in allowed for target in targets):
        raise bad_request(f"include path {path} is not allowed here")
    return [env.get(target["id"]) for target in targets]


def _placed(env: Environment, resource: Resource) -> dict[str, Any]:
    """Copy a resource's attributes with its files in their places: a URL where "" holds the place, else a file object."""
    attributes: dict[str, Any] = json.loads(json.dumps(resource.attributes))
    names = env.store.file_names(resource.id)
    for place, file_id in resource.files.items():
        filename, size = names[file_id]
        url = env.organization.file_url(file_id, filename, env.now)
        *way, last = (int(part) if part.isdigit() else part for part in place.split("/"))
        target: Any = attributes
        for part in way:
            target = target[part]
        target[last] = url if target[last] == "" else {"filename": filename, "url": url, "byte-size": size}
    return attributes
