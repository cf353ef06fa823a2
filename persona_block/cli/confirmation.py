"""Asking the person at the terminal before something is decided about somebody, or erased."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import InputError, PersonaError, Problem
from ..spec import catalog
from .terminal import is_terminal, print_error

if TYPE_CHECKING:
    from ..runner import Runner
    from ..spec.grammar import ToolSpec

_TEMPLATES = "list_inquiry_templates"
"""The operation that tells the name of a template."""
_MOST_TEMPLATES = 300
"""Templates that are looked through for a name."""
_SHOWN = {
    "referenceId": "Reference id",
    "status": "Status",
    "accountTypeName": "Type",
    "inquiryTemplateId": "Template",
    "createdAt": "Created",
    "redactedAt": "Erased before",
}
"""What a person is shown of an object as it is now: titles by property."""


def needs_agreement(spec: ToolSpec) -> bool:
    """Return whether a person has to agree to an operation."""
    return spec.effect in ("decide", "erase")


def check_that_somebody_can_agree(spec: ToolSpec) -> None:
    """Raise InputError where nobody sits at a terminal, so that nothing is decided or erased by a script's oversight."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        what = "erases for good" if spec.effect == "erase" else "decides about a person"
        message = f"is needed, since {spec.name} {what} and there is no terminal here to ask at"
        raise InputError(spec.name, [Problem("--yes", message)])


async def object_as_it_is(runner: Runner, spec: ToolSpec, values: Mapping[str, Any]) -> dict[str, str]:
    """Return what a person is shown of the object that an operation is about to change: its properties by title.

    Raises PersonaError where it cannot be read, which says that nothing was sent.
    """
    if spec.confirm is None:
        return {}
    reading = catalog.load(spec.confirm.operation)
    try:
        output = await runner.call(reading.name, {name: values[name] for name in reading.params})
    except PersonaError as error:
        message = f"{spec.name} was not sent, since what it changes could not be read first. {error.message}"
        raise error.revised(message, took_effect="no") from None
    thing = output[next(iter(reading.output))]
    shown = {title: str(thing[name]) for name, title in _SHOWN.items() if thing.get(name)}
    if template_id := thing.get("inquiryTemplateId"):
        name = await _template_name(runner, template_id)
        shown[_SHOWN["inquiryTemplateId"]] = f"{name} ({template_id})" if name else template_id
    return shown


async def _template_name(runner: Runner, template_id: str) -> str | None:
    """Return the name of a template; None where there is none, or the key may not list them, as a sandbox's may not."""
    try:
        async for page in runner.paginate(_TEMPLATES, max_items=_MOST_TEMPLATES):
            for template in page["inquiryTemplates"]:
                if template["id"] == template_id:
                    return str(template["name"]) if template.get("name") else None
    except PersonaError:
        return None
    return None


def is_agreed(spec: ToolSpec, values: Mapping[str, Any], shown: Mapping[str, str]) -> bool:
    """Show on stderr what will happen to whom, and return whether the person agrees.

    An erasure is agreed to by typing the id of what is erased. Raises InputError where all that is sent cannot be shown.
    """
    from ..hosts.consent import consent_request

    request = consent_request(spec, values)
    if request is None:
        return True
    print_error(*request.message.split("\n"), *_as_lines(shown))
    sys.stderr.write(f"{request.prompt}: ")
    sys.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except (OSError, ValueError):  # what was typed may be no text at all
        answer = ""
    if not answer.endswith("\n"):
        print_error("")
    return request.is_agreed(answer)


def _as_lines(shown: Mapping[str, str]) -> Iterator[str]:
    from ..hosts.visible import visible_text

    width = max(map(len, shown), default=0)
    for title, text in shown.items():
        yield f"  {title:{width}}  {visible_text(text)}"
