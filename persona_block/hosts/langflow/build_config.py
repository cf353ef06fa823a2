"""What a node's fields become when somebody chooses an operation, flips a switch, or opens a node that was saved long ago."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import InputError
from ...spec import catalog
from .fields import AGREED, API_KEY, BASE_URL, OPERATION, SANDBOX, TYPED, node_fields, operation_named, operation_titles

BuildConfig = dict[str, dict[str, Any]]
"""A node's fields as Langflow keeps them, by name; beside them it has entries that are no fields."""

_PARAM_PREFIX = "p_"
_TOOL_MODE = "tool_mode"
"""What Langflow says has changed where a node becomes tools of an agent, or is one operation again."""
_TOOLS = "tools_metadata"
"""The field that a node has while it is tools."""
_OF_TOOLS = (API_KEY, BASE_URL, SANDBOX)
_WORDS = ("display_name", "placeholder", "options")
"""What a field of the block as it is now says, in the place of what a saved node said."""


def refreshed(
    build_config: BuildConfig, templates: Mapping[str, dict[str, Any]], changed_name: str, changed_value: Any
) -> BuildConfig:
    """Return a node's fields as they are for its operation; what is filled in stays.

    templates: every field as a new node has it; those that a saved node lacks are added.
    changed_name, changed_value: what somebody has just filled in.
    """
    for name, template in templates.items():
        build_config.setdefault(name, dict(template))
    if changed_name in templates:
        build_config[changed_name]["value"] = changed_value
    if changed_name == OPERATION:
        # A word that was given for one operation is none for another.
        build_config[AGREED]["value"] = False
        build_config[TYPED]["value"] = ""
    is_sandbox = build_config[SANDBOX].get("value") is True
    are_tools = changed_value is True if changed_name == _TOOL_MODE else _TOOLS in build_config
    operation = _operation(build_config[OPERATION].get("value"))
    for field in node_fields():
        look = field.look(operation, is_sandbox=is_sandbox)
        template = templates[field.name]
        entry = build_config[field.name]
        entry |= {name: template[name] for name in _WORDS if name in template}
        # A tool has the fields of its own operation.
        is_shown = look.is_shown and (field.name in _OF_TOOLS or not are_tools)
        entry |= {"show": is_shown, "required": look.is_required and is_shown, "info": look.description}
    if operation:
        build_config[OPERATION] |= {"options": operation_titles(), "value": catalog.load(operation).title}
    if API_KEY in build_config and is_sandbox:
        # Langflow looks a variable up before the node runs, and stops where there is none.
        build_config[API_KEY]["load_from_db"] = False
    elif changed_name == SANDBOX:
        value = build_config[API_KEY].get("value")
        build_config[API_KEY]["load_from_db"] = value == templates[API_KEY]["value"]
    for name, entry in build_config.items():
        if name.startswith(_PARAM_PREFIX) and name not in templates:
            entry.update(show=False, required=False)
    return build_config


def _operation(label: Any) -> str:
    """Return the operation of a label; blank for one that there is not, for which nothing else is shown."""
    try:
        return operation_named(label).name
    except InputError:
        return ""
