"""The operations as tools of Langflow's agent: reads are on, and what decides or erases needs a person's approval.

Langflow has a box for each tool by which its agent asks before it calls. Whoever unticks it lets the agent call without
asking, and some runs cannot ask. So the toolbox beneath has the last word: without an approval nothing is decided or erased.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from langchain_core.tools import BaseTool

from ...errors import InputError, Problem
from .. import langchain
from ..answer import ToolAnswer
from ..consent import NEEDS_CONSENT, Approval, ConsentRequest
from ..interrupts import GraphCall
from ..selection import Selection
from ..toolbox import Toolbox
from .outputs import SANDBOX_KEY, SANDBOX_NOTE
from .running import Connection, embedded_sandbox

APPROVALS = ("approve", "reject")
"""What a person may answer; editing a call is left for whoever adds it in Langflow."""
_BOX = "approval_actions"
"""Where Langflow keeps, with each tool, what a person may answer; empty where nobody is asked."""
_CHECKPOINTER = "__pregel_checkpointer"
"""Where LangGraph's config holds what keeps a graph that waits for a person."""
_ASKING_STEP = "HumanInTheLoopMiddleware.after_model"
"""The step of a graph that asks a person about calls, before they are made."""

_LOOKS = 30
_LOOK_SECONDS = 0.1
"""Seconds between two looks at the checkpoint."""


@cache
def enabled_tool_names() -> list[str]:
    """Return the tools that only read."""
    return [spec.tool_id for spec in Selection.of(read_only=True).specs]


def node_tools(connect: Callable[[], Connection], folder: Path) -> list[BaseTool]:
    """Return all operations as tools, those that decide or erase with the box ticked.

    connect: returns the node's connection.
    folder: where a PDF is kept.
    """
    by_operation: dict[str, BaseTool] = {}

    async def asked(
        read_request: Callable[[], Awaitable[ConsentRequest | None]],
        action: Mapping[str, Any],
        call: GraphCall,
        *_: Any,
        **__: Any,
    ) -> Approval | None:
        request = await read_request()
        if request is None:
            return None
        tool = by_operation[request.operation]
        if (tool.metadata or {}).get(_BOX) and await _was_asked(call):
            # What Langflow shows is the call, not the object.
            return Approval(True, request.digest, state=None)
        text = (
            "did not ask a person about this, and it needs a person's word; whoever runs the flow has to tick the approval of"
            " this tool in the Actions of the Persona node, and run it where Langflow can ask. Do not try again"
        )
        raise InputError(action["name"], [Problem("host", text)])

    toolbox = _toolbox(connect, folder)
    for tool, spec in zip(langchain.tools(toolbox, asking=asked), toolbox.selection.specs, strict=True):
        needs_approval = spec.effect in NEEDS_CONSENT
        tool.tags = [tool.name]
        tool.metadata = {"display_name": spec.title, _BOX: list(APPROVALS) if needs_approval else []}
        by_operation[spec.name] = tool
    return list(by_operation.values())


class _SimulatedToolbox(Toolbox):
    """A toolbox of the offline Persona, whose every answer says so."""

    async def dispatch(self, *arguments: Any, **options: Any) -> ToolAnswer:
        """Call a tool as any toolbox does, and mark what it gives."""
        answer = await super().dispatch(*arguments, **options)
        return replace(answer, data={**answer.data, SANDBOX_KEY: SANDBOX_NOTE}, text=f"{answer.text}\n{SANDBOX_NOTE}")


def _toolbox(connect: Callable[[], Connection], folder: Path) -> Toolbox:
    """Return the toolbox of a node; without a key it can still be shown, and each call says that there is none.

    A key that cannot be sent is never replaced by another.
    """
    connection = connect()
    if connection.is_sandbox:
        return _SimulatedToolbox(api_key=embedded_sandbox().api_key, runner=lambda: connection.runner(folder))
    return Toolbox(api_key=connection.api_key, runner=lambda: connection.runner(folder))


async def _was_asked(call: GraphCall) -> bool:
    """Return whether the graph of a call asked a person about it.

    Langflow gives its agent a checkpointer only where it can wait for a person, and LangChain's step that asks then stands
    before every call. The checkpoint tells whether it did; a graph without that step, or of another host, did not ask.
    """
    configurable = call.config.get("configurable") or {}
    checkpointer = configurable.get(_CHECKPOINTER)
    if not checkpointer:
        return False
    place = {"configurable": {"thread_id": configurable.get("thread_id"), "checkpoint_ns": ""}}
    for _ in range(_LOOKS):
        saved = await checkpointer.aget_tuple(place)
        if saved and _ASKING_STEP in saved.checkpoint.get("versions_seen", {}):
            return True
        # Checkpoints are written while the graph goes on.
        await asyncio.sleep(_LOOK_SECONDS)
    return False
