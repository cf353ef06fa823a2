"""Tools as clients list them."""

from __future__ import annotations

import mcp_types as types

from ..consent import NEEDS_CONSENT
from ..tool import Tool

# Every tool repeats it in a list that has to stay short; the server's own icon is the real one.
_TOOL_ICON = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    "<text y='13'>\N{IDENTIFICATION CARD}</text></svg>"
)


def listed_tool(tool: Tool) -> types.Tool:
    """Return a tool as clients list it."""
    effect = tool.spec.effect
    # The protocol calls destructive whatever does more than add: it overwrites, settles or erases.
    is_destructive = effect in NEEDS_CONSENT or tool.spec.request.method == "PATCH"
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        icons=[types.Icon(src=_TOOL_ICON)],
        annotations=types.ToolAnnotations(read_only_hint=effect == "read", destructive_hint=is_destructive),
    )
