"""Documents: the papers that an applicant hands in, with their files.

Source: OpenAPI schemas document-* and document-file.
"""

from __future__ import annotations

from typing import Any

from ..state.clock import SECOND
from ..state.environment import Environment
from ..state.records import Resource
from .pictures import picture


def begin(env: Environment, inquiry: Resource, kind: str, attributes: dict[str, Any]) -> Resource:
    """Begin a document of a kind, with its file object, in an inquiry; the caller saves the inquiry."""
    relationships = {
        "inquiry": inquiry.identifier,
        **{name: inquiry.relationships[name] for name in ("template", "inquiry-template-version", "inquiry-template")},
        "transaction": None,
        "document-files": [],
    }
    times = {"created-at": env.timestamp, **moment_attributes("processed-at", None, None)}
    document = env.create(
        f"document/{kind}", {"status": "initiated", **times, **attributes}, relationships, event="document.created"
    )
    label = "FRONT" if kind == "government-id" else "DOCUMENT"
    original = env.create("document-file", {"name": label.lower(), "capture-method": "upload", "originals": [None]}, {})
    env.add_file(original, f"original_{original.id}.png", picture(label), "originals/0")
    env.save(original)
    document.relationships["document-files"].append(original.identifier)
    inquiry.relationships["documents"].append(document.identifier)
    return document


def submit(env: Environment, document: Resource) -> None:
    """Hand in a document with its files."""
    document.attributes["status"] = "submitted"
    env.save(document, "document.submitted")


def process(env: Environment, document: Resource, facts: dict[str, Any]) -> None:
    """End the processing of a document, and add the facts read from it."""
    document.attributes |= {"status": "processed", **moment_attributes("processed-at", env.now, env.timestamp), **facts}
    env.save(document, "document.processed")


def moment_attributes(name: str, milliseconds: int | None, text: str | None) -> dict[str, Any]:
    """Return a moment as two attributes: its text, and its seconds since the epoch."""
    return {name: text, f"{name}-ts": None if milliseconds is None else milliseconds // SECOND}
