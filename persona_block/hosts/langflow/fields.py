"""The fields of a node, derived from the manifest: what each is called, what it takes, and how it looks for an operation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from ...block.build import manifest
from ...errors import InputError, Problem
from ...spec import catalog
from ...spec.grammar import API_KEY_PARAM, ToolSpec
from ...spec.nearest import nearest_name

OPERATION = "operation"
"""The field that chooses the operation."""
API_KEY = "api_key"
"""The field of the API key."""
AGREED = "agreed"
"""The switch by which a person agrees to a decision."""
TYPED = "typed"
"""The field in which a person types the id of what is erased."""
IDEMPOTENCY_KEY = "idempotency_key"
"""The field for the key under which a write happens once."""
BASE_URL = "base_url"
"""The field for another address than Persona's."""
SANDBOX = "sandbox"
"""The switch that lets the offline Persona answer."""

Kind = Literal["choice", "suggestions", "text", "long-text", "json", "file", "switch", "secret"]

_KINDS: dict[str, Kind] = {
    "dropdown": "choice",
    "combobox": "suggestions",
    "long-input": "long-text",
    "code": "json",
    "file-upload": "file",
    "switch": "switch",
}
"""By the type of a field of the manifest, what it is on the node; everything else is a line of text.

Numbers are text too: Langflow's own field for them has no way to be empty.
"""


@dataclass(frozen=True)
class Look:
    """How a field looks for one operation."""

    is_shown: bool
    is_required: bool
    description: str


@dataclass(frozen=True)
class NodeField:
    """One field of the node.

    name: the name of the input; for a param it begins with `p_`, since Langflow gives a meaning to names such as `fields`.
    param: the param that takes what is filled in; None for a field of the host.
    options: what a choice takes, or what is suggested.
    operations: those that the field is shown for; None for all.
    required: the operations that cannot do without it.
    descriptions: by operation, what replaces `description`.
    endings: the endings of the files that it takes, without dots.
    takes_wire: whether what an earlier block gave can be wired to it.
    """

    name: str
    kind: Kind
    title: str
    description: str
    param: str | None = None
    placeholder: str = ""
    options: tuple[str, ...] = ()
    default: str | bool = ""
    is_advanced: bool = False
    operations: frozenset[str] | None = None
    required: frozenset[str] = frozenset()
    descriptions: tuple[tuple[str, str], ...] = ()
    endings: tuple[str, ...] = ()
    takes_wire: bool = True

    def look(self, operation: str, *, is_sandbox: bool = False) -> Look:
        """Return how the field looks for an operation; with the sandbox on, neither key nor address is asked for."""
        is_shown = self.operations is None or operation in self.operations
        if is_sandbox and self.name in (API_KEY, BASE_URL):
            return Look(False, False, self.description)
        is_required = is_shown and (operation in self.required or self.name in (API_KEY, OPERATION))
        return Look(is_shown, is_required, dict(self.descriptions).get(operation, self.description))


def operation_named(label: Any) -> ToolSpec:
    """Return the operation that a node names: by its title, its name, a former name, or its name as a tool.

    Raises InputError for another one.
    """
    text = label.strip() if isinstance(label, str) else ""
    name = catalog.current_name(re.sub(r"\W+", "_", text.lower()))
    if name not in catalog.names():
        nearest = nearest_name(name, catalog.names())
        hint = f"choose {catalog.load(nearest).title!r}, or another of the list" if nearest else "choose one of the list"
        raise InputError("persona", [Problem(OPERATION, f"there is none of this name; {hint}")])
    return catalog.load(name)


def operation_titles() -> list[str]:
    """Return what the dropdown offers, in the order in which operations are used."""
    return [spec.title for spec in catalog.in_order_of_use()]


@cache
def node_fields() -> tuple[NodeField, ...]:
    """Return every field: the operation first, then those of params, then those of the host."""
    shown = [_field(sub_block) for sub_block in _block()["subBlocks"]]
    operation, *params, api_key = shown
    return (operation, *_agreement(), *params, api_key, *_host_fields())


@cache
def fields_by_name() -> Mapping[str, NodeField]:
    """Return the fields by the names of their inputs."""
    return {field.name: field for field in node_fields()}


def fields_of(operation: str) -> list[NodeField]:
    """Return the fields of an operation's params."""
    return [field for field in node_fields() if field.param and field.operations and operation in field.operations]


def switch(rule: str) -> str:
    """Return the name of the switch that runs an operation by a rule, `wait` or `paginate`."""
    return next(_snake(sub_block["id"]) for sub_block in _block()["subBlocks"] if sub_block.get("running") == rule)


@cache
def _block() -> dict[str, Any]:
    return manifest()


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _field(sub_block: Mapping[str, Any]) -> NodeField:
    """Return a field of the manifest as one of the node."""
    name, param = _snake(sub_block["id"]), sub_block["canonicalParamId"]
    if name == OPERATION:
        return NodeField(
            name=OPERATION,
            kind="choice",
            title=sub_block["title"],
            description=sub_block["description"],
            options=tuple(operation_titles()),
            default=operation_titles()[0],
            takes_wire=False,
        )
    if param == API_KEY_PARAM:
        variable = _block()["wire"]["auth"]["environment"]
        return NodeField(
            name=API_KEY,
            kind="secret",
            title=sub_block["title"],
            description=f"{sub_block['description']} Choose a global variable: a key typed here is exported with the flow.",
            default=variable,
            takes_wire=False,
        )
    is_param = "running" not in sub_block
    required = sub_block["required"]
    condition = sub_block.get("condition", {}).get("value", ())
    alternatives = sub_block.get("requiredAny", {})
    own_descriptions = sub_block.get("descriptions", {})
    descriptions = {
        operation: " ".join(
            [own_descriptions.get(operation, sub_block["description"]), *_needed(alternatives.get(operation, ()))]
        )
        for operation in {*own_descriptions, *alternatives}
    }
    return NodeField(
        name=f"p_{name}" if is_param else name,
        kind=_KINDS.get(sub_block["type"], "text"),
        title=sub_block["title"],
        description=sub_block["description"],
        param=param if is_param else None,
        placeholder=sub_block.get("placeholder", ""),
        options=tuple(option["id"] for option in sub_block.get("options", ())),
        default=sub_block.get("defaultValue", ""),
        is_advanced=sub_block["mode"] == "advanced",
        operations=frozenset(condition),
        # A person fills in one field of a pair, and Langflow would insist on the one that is marked.
        required=frozenset(required["value"])
        if isinstance(required, dict) and not _is_pair(param, condition)
        else frozenset(),
        descriptions=tuple(sorted(descriptions.items())),
        endings=tuple(re.findall(r"(?:^|,)\.(\w+)", sub_block.get("acceptedTypes", ""))),
        takes_wire=is_param and sub_block["type"] != "file-upload",
    )


def _needed(alternatives: tuple[str, ...]) -> list[str]:
    """Return, as a sentence, which fields of which one at least is needed; none where there are no alternatives."""
    titles = [sub_block["title"] for sub_block in _block()["subBlocks"] if sub_block["id"] in alternatives]
    return [f"At least one is needed of {', '.join(titles)}."] if titles else []


def _is_pair(param: str, condition: Any) -> bool:
    """Return whether two fields of the same operations share a param."""
    sharing = [
        sub_block
        for sub_block in _block()["subBlocks"]
        if sub_block["canonicalParamId"] == param and sub_block.get("condition", {}).get("value") == condition
    ]
    return len(sharing) > 1


def _agreement() -> tuple[NodeField, NodeField]:
    """Return the fields in which a person agrees to what decides about somebody or erases something."""
    words = {each["name"]: each["consent"] for each in _block()["tools"]["definitions"] if "consent" in each}
    agreed = {operation: text["text"] for operation, text in words.items() if "typed" not in text}
    typed = {operation: text for operation, text in words.items() if "typed" in text}
    rule = "Every run of this node then does it without asking again: put a Human Input before it where a person should judge."
    return (
        NodeField(
            name=AGREED,
            kind="switch",
            title="I agree",
            description=rule,
            default=False,
            operations=frozenset(agreed),
            descriptions=tuple(sorted((operation, f"{text} {rule}") for operation, text in agreed.items())),
            takes_wire=False,
        ),
        NodeField(
            name=TYPED,
            kind="text",
            title="Id to erase, typed",
            description="Type the id once more to agree.",
            operations=frozenset(typed),
            required=frozenset(typed),
            descriptions=tuple(
                sorted((operation, f"{text['text']} Type the id once more to agree.") for operation, text in typed.items())
            ),
            takes_wire=False,
        ),
    )


def _host_fields() -> tuple[NodeField, ...]:
    writes = frozenset(
        spec.name for spec in catalog.in_order_of_use() if spec.request.method == "POST" and spec.effect != "read"
    )
    return (
        NodeField(
            name=IDEMPOTENCY_KEY,
            kind="text",
            title="Idempotency key",
            description="A text that this write alone has: under it Persona does it once, however often the node runs within a"
            " day. Leave it empty unless an error names one.",
            is_advanced=True,
            operations=writes,
        ),
        NodeField(
            name=BASE_URL,
            kind="text",
            title="Base URL",
            description="Another address than Persona's: https, or http on this machine. It is sent the API key.",
            is_advanced=True,
            takes_wire=False,
        ),
        NodeField(
            name=SANDBOX,
            kind="switch",
            title="Sandbox",
            description="An offline Persona inside this server answers. It needs no key, and verifies nobody.",
            default=False,
            is_advanced=True,
            takes_wire=False,
        ),
    )
