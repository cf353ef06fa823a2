"""How much of an answer stands in its text: most clients show their models nothing else."""

from __future__ import annotations

from typing import Any, Literal

from mcp.server import ServerRequestContext
from mcp_types.version import is_version_at_least

from ..answer import ToolAnswer

TextMode = Literal["summary", "full", "auto"]
"""`full` gives the data, `summary` a few words; `auto` gives the data unless the client declares SHOWS_STRUCTURE."""

SHOWS_STRUCTURE = "persona-block/structured-content"
"""What a client declares among its capabilities where its model is shown structured content, so that the text may be short."""

STRUCTURED_SINCE = "2025-06-18"
"""The first revision of the protocol whose clients know structured content."""


def text_of(answer: ToolAnswer, mode: TextMode, ctx: ServerRequestContext[Any, Any]) -> str:
    """Return the text of an answer: words alone only where the client knows structured content and the mode says so."""
    is_short = mode == "summary" or (mode == "auto" and shows_structure(ctx))
    return answer.text if is_short and is_version_at_least(ctx.protocol_version, STRUCTURED_SINCE) else answer.content


def shows_structure(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Return whether a client declares, as an extension or experimentally, that its model is shown structured content."""
    capabilities = ctx.session.client_capabilities
    declared = [capabilities.experimental, capabilities.extensions] if capabilities else []
    return any(SHOWS_STRUCTURE in (each or {}) for each in declared)
