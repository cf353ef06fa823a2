"""The outputs of a spec compiled to one function of an answer's document; `parse.parse` is the general way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...spec.grammar import CursorSource, Schema, ToolSpec
from ..parse import cursor_of, first
from .once import Misfit, OncePerSpec
from .shapes import Shaper, shaper


@OncePerSpec
def document_shaper(spec: ToolSpec) -> Callable[[Any], dict[str, Any]]:
    """Return the function that makes the output out of an answer's document."""
    outputs = []
    for name, source in spec.response.items():
        if isinstance(source, CursorSource):
            outputs.append((name, cursor_shaper(source), ""))
        elif isinstance(source, str):
            outputs.append((name, promised(spec.output[name], shaper(spec.output[name])), source))

    def shape_document(document: Any) -> dict[str, Any]:
        if type(document) is not dict:
            raise Misfit
        return {name: make(first(document, pointer) if pointer else document) for name, make, pointer in outputs}

    return shape_document


def promised(schema: Schema, make: Shaper) -> Shaper:
    """Return a shaper for an output of its own, whose list may be empty but never missing."""
    if schema["type"] != "array":
        return make

    def shape_promised(value: Any) -> Any:
        if value is None:
            raise Misfit
        return make(value)

    return shape_promised


def cursor_shaper(source: CursorSource) -> Shaper:
    """Return the function that makes a cursor out of the document, whose links must be there."""
    parent = source.pointer.rpartition("/")[0]

    def shape_cursor(document: Any) -> str | None:
        if not isinstance(first(document, parent), dict):
            raise Misfit
        return checked_cursor(first(document, source.pointer), source.query_param)

    return shape_cursor


def checked_cursor(link: Any, query_param: str) -> str | None:
    """Return the cursor in a link, None for no link; raises Misfit for a link without one."""
    if link is None:
        return None
    if cursor := cursor_of(link, query_param):
        return cursor
    raise Misfit
