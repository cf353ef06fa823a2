"""Links that begin a flow without the API: each visit creates an inquiry of the template that the link names.

Source: docs.withpersona.com/hosted-flow and /hosted-flow-parameters. Parameters that are not read here, such as the language,
change nothing.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.datastructures import QueryParams

from ..messages.body import read_json
from ..messages.errors import Refusal, bad_request, refusal
from ..objects import inquiries
from ..objects.templates import field_types
from ..state.environment import ENVIRONMENT_IDS, PRODUCTION, Environment, Organization
from ..state.records import Resource, related

# The attribute of a new inquiry that takes a template, and the template's kind, by the prefix of its id
_TEMPLATES = {
    "itmpl": ("inquiry-template-id", "inquiry-template"),
    "itmplv": ("inquiry-template-version-id", "inquiry-template-version"),
    "tmpl": ("template-id", "template"),
}
_TEMPLATE_PARAMETERS = tuple(attribute for attribute, _ in _TEMPLATES.values())
_ATTRIBUTES = ("reference-id", "account-id", "redirect-uri")
_FIELD = re.compile(r"fields\[([^\[\]]+)\]")

# The types of fields whose values are written as in JSON; others are text as it is.
_JSON_TYPES = frozenset({"number", "integer", "boolean"})


def begins_flow(query: QueryParams) -> bool:
    """Return whether a link's query names a template, and so begins a flow."""
    return any(name in query for name in _TEMPLATE_PARAMETERS)


def begin(organization: Organization, query: QueryParams, now: int) -> tuple[Environment, Resource]:
    """Create the inquiry that a link asks for, and return it and its environment. Raises a 400, 404, 409 or 422."""
    env = Environment(organization, _environment(query), now, actor="applicant")
    template_ids = [query[name] for name in _TEMPLATE_PARAMETERS if query.get(name)]
    if len(template_ids) != 1:
        raise bad_request(f"A link must name exactly one template, as {' or '.join(_TEMPLATE_PARAMETERS)}")
    attribute, kind = _TEMPLATES.get(template_ids[0].partition("_")[0], ("", ""))
    template = env.store.get(template_ids[0])
    if template is None or template.kind != kind:
        raise refusal(404, f"There is no template {template_ids[0]}", title="Unknown template")
    attributes: dict[str, Any] = {name: query[name] for name in _ATTRIBUTES if query.get(name)}
    if "reference-id" in attributes and "account-id" in attributes:
        raise bad_request("A link must not name both a reference-id and an account-id")
    fields = _fields(query, field_types(related(template, "inquiry-template") or template.id))
    inquiry, _ = inquiries.create(env, {attribute: template.id, "fields": fields, **attributes}, {})
    return env, inquiry


def _environment(query: QueryParams) -> str:
    """Return the environment that a link names, by default production. Raises a 404 for an unknown one."""
    environment_id = query.get("environment-id") or ENVIRONMENT_IDS.get(query.get("environment") or PRODUCTION, "")
    for name, id in ENVIRONMENT_IDS.items():
        if id == environment_id:
            return name
    raise refusal(404, "There is no such environment", title="Unknown environment")


def _fields(query: QueryParams, types: dict[str, str]) -> dict[str, Any]:
    """Return the fields that a link fills in."""
    fields: dict[str, Any] = {}
    for name, text in query.multi_items():
        if (match := _FIELD.fullmatch(name)) and text:
            fields[match[1]] = _value(text, types.get(match[1]))
    return fields


def _value(text: str, type_: str | None) -> Any:
    """Return the value that a text writes for a field of a type, or the text itself, which that type then refuses."""
    if type_ not in _JSON_TYPES:
        return text
    try:
        return read_json(text.encode())
    except Refusal:
        return text
