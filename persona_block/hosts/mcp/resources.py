"""Skills and workflow templates as resources: a host reads them to show them, or to run a template by an engine of its own."""

from __future__ import annotations

from collections.abc import Iterable

import mcp_types as types

from .guides import Guide


def listed_resources(guides: Iterable[Guide]) -> list[types.Resource]:
    """Return guides as clients list resources."""
    return [
        types.Resource(
            uri=guide.uri, name=guide.name, title=guide.title, description=guide.description, mime_type=guide.mime_type
        )
        for guide in guides
    ]


def listed_resource_templates(guides: Iterable[Guide]) -> list[types.ResourceTemplate]:
    """Return the forms of the guides' addresses, whose names can be completed; a form that fits none is left out."""
    told = {
        "persona://skills/{name}": ("skills", "Skill", "How an agent does a job with these tools.", "text/markdown"),
        "persona://templates/{name}": ("templates", "Workflow", "A workflow's inputs and steps.", "application/json"),
    }
    roots = {guide.uri.removesuffix(guide.name) for guide in guides}
    return [
        types.ResourceTemplate(uri_template=form, name=name, title=title, description=description, mime_type=mime_type)
        for form, (name, title, description, mime_type) in told.items()
        if form.removesuffix("{name}") in roots
    ]


def read_guide(guides: Iterable[Guide], uri: str) -> types.ReadResourceResult | None:
    """Return the document of the guide at an address; None where there is none."""
    for guide in guides:
        if guide.uri == uri:
            content = types.TextResourceContents(uri=uri, mime_type=guide.mime_type, text=guide.document)
            return types.ReadResourceResult(contents=[content])
    return None
