"""How an answer writes a resource: its files as URLs, its relationships wrapped, related objects included.

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
from .versions import LATEST, older_attributes

_TEMPLATES = frozenset({"inquiry-template", "inquiry-template-version", "template", "transaction"})

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
"""The kinds of object that an answer about a kind can include."""


def resource_object(
    env: Environment, resource: Resource, fields: dict[str, set[str]] | None = None, version: str = LATEST
) -> dict[str, Any]:
    """Return a resource as a version of the API writes it, in kebab-case.

    `fields` names the attributes that are asked for of some types, by type.
    """
    attributes = _with_files(env, resource) if resource.files else resource.attributes
    if version != LATEST:
        attributes = attributes | older_attributes(resource, version)
    fields = fields or {}
    attribute_names = fields.get(resource.type, fields.get(resource.kind))
    if attribute_names is not None:
        attributes = {name: value for name, value in attributes.items() if name in attribute_names}
    result: dict[str, Any] = {"type": resource.type, "id": resource.id}
    if resource.attributes:
        result["attributes"] = attributes
    if resource.relationships:
        result["relationships"] = {name: {"data": target} for name, target in resource.relationships.items()}
    return result


def included_objects(env: Environment, root: Resource, query: Query, version: str) -> list[dict[str, Any]]:
    """Return the objects that a query's include paths lead to, each once. Raises a 400 for a path that leads nowhere."""
    included: dict[str, Resource] = {}
    for path in query.include or ():
        level = [root]
        for name in path.split("."):
            level = _next_level(env, root, level, kebab(name), path)
            included |= {resource.id: resource for resource in level if resource.id != root.id}
    return [resource_object(env, resource, query.fields, version) for resource in included.values()]


def _next_level(env: Environment, root: Resource, level: list[Resource], name: str, path: str) -> list[Resource]:
    """Return the resources that those of a level are related to by a name."""
    targets: list[Identifier] = []
    for resource in level:
        target = resource.relationships.get(name)
        targets += target if isinstance(target, list) else [target] if target else []
    known = any(name in resource.relationships for resource in level)
    allowed = INCLUDABLE[root.kind]
    if (level and not known) or any(target["type"].partition("/")[0] not in allowed for target in targets):
        raise bad_request(f"include path {path} is not allowed here")
    return [env.get(target["id"]) for target in targets]


def _with_files(env: Environment, resource: Resource) -> dict[str, Any]:
    """Return a copy of a resource's attributes with its files in their places: a URL in that of "", else a file object."""
    attributes: dict[str, Any] = json.loads(json.dumps(resource.attributes))
    names = env.store.file_names(resource.id)
    for place, file_id in resource.files.items():
        filename, size = names[file_id]
        url = env.organization.file_url(file_id, filename, env.now)
        *steps, last = (int(step) if step.isdigit() else step for step in place.split("/"))
        target: Any = attributes
        for step in steps:
            target = target[step]
        target[last] = url if target[last] == "" else {"filename": filename, "url": url, "byte-size": size}
    return attributes
