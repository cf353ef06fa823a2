"""Asking the person at the terminal before something is decided about somebody, or erased."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..errors import InputError, PersonaError, Problem
from .terminal import discard_typed, is_terminal, paragraph, print_error

if TYPE_CHECKING:
    from ..hosts.consent import ConsentRequest
    from ..runner import Runner
    from ..spec.grammar import ToolSpec
    from .runners import MakeRunner

_TEMPLATES: Final = "list_inquiry_templates"
"""The operation that tells the name of a template."""
_MOST_TEMPLATES = 300
"""Templates that are looked through for a name."""


def needs_agreement(spec: ToolSpec) -> bool:
    """Return whether a person has to agree to an operation."""
    return spec.effect in ("decide", "erase")


def check_that_somebody_can_agree(spec: ToolSpec) -> None:
    """Raise InputError where nobody sits at a terminal, so that nothing is decided or erased by a script's oversight."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        what = "erases for good" if spec.effect == "erase" else "decides about a person"
        message = f"is needed, since {spec.name} {what} and there is no terminal here to ask at"
        raise InputError(spec.name, [Problem("--yes", message)])


def ask(make_runner: MakeRunner, spec: ToolSpec, values: Mapping[str, Any]) -> None:
    """Show on stderr what will happen to whom, and return where the person agrees.

    An erasure is agreed to by typing the id of what is erased. Raises PersonaError where the person does not agree, where the
    object cannot be read, or where it changed while the person was asked; nothing was changed then.
    """
    import asyncio

    async def read() -> ConsentRequest | None:
        async with make_runner() as runner:
            return await _question(runner, spec, values)

    # Only where no event loop runs can whoever is asked end the program at any time.
    request = asyncio.run(read())
    if request is None:
        return
    if not _is_agreed(request):
        raise PersonaError(f"{spec.name} was not sent, since you did not agree. Nothing was changed.", took_effect="no")
    now = asyncio.run(read())
    if now is None or now.state != request.state:
        message = f"{spec.name} was not sent, since what it changes has changed meanwhile. Run it again to see how it is now."
        raise PersonaError(message, took_effect="no")


async def _question(runner: Runner, spec: ToolSpec, values: Mapping[str, Any]) -> ConsentRequest | None:
    from ..hosts.consent import consent_request
    from ..hosts.preview import read_preview
    from ..spec.grammar import API_KEY_PARAM

    try:
        preview = await read_preview(runner, spec, {**values, API_KEY_PARAM: runner.api_key})
    except InputError:
        raise
    except PersonaError as error:
        message = f"{spec.name} was not sent, since what it changes could not be read first. {error.message}"
        raise error.revised(message, took_effect="no") from None
    template_id = preview.object.get("inquiryTemplateId") if preview else None
    names = await _template_names(runner, template_id) if template_id else {}
    return consent_request(spec, values, preview, names)


async def _template_names(runner: Runner, template_id: str) -> dict[str, str]:
    """Return the name of a template by its id; nothing where the key may not list them, as a sandbox's may not."""
    try:
        async for page in runner.paginate(_TEMPLATES, max_items=_MOST_TEMPLATES):
            for template in page["inquiryTemplates"]:
                if template["id"] == template_id and template.get("name"):
                    return {template_id: str(template["name"])}
    except PersonaError:
        pass
    return {}


def _is_agreed(request: ConsentRequest) -> bool:
    # No part of a value that wraps may look like a line of ours.
    print_error(*(line for text in request.message.split("\n") for line in paragraph(text, indent="    ")))
    discard_typed(sys.stdin)
    sys.stderr.write(f"{request.prompt}: ")
    sys.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except (OSError, ValueError):  # what was typed may be no text at all
        answer = ""
    if not answer.endswith("\n"):
        print_error("")
    return request.is_agreed(answer)
