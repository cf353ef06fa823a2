"""The tools for LangChain and LangGraph agents: `create_agent(model, tools=langchain.tools(toolbox))`.

A run's own API key goes into its config, as a pydantic `SecretStr` because traces and checkpoints copy plain text from there:

    await agent.ainvoke(messages, {"configurable": {"persona_api_key": SecretStr(key)}})

Without a `consent` of the toolbox, what decides or erases interrupts the graph, in the form of LangChain's own
human-in-the-loop middleware, and goes on after `Command(resume={"decisions": [{"type": "approve"}]})`; any other answer
refuses it. That takes LangGraph, a checkpointer and a `ToolNode`, as `create_agent` has, and a task of the graph with that one
call: LangGraph hands an answer to whichever call of a task takes it first. Anywhere else it is refused. Leave out LangChain's
own HumanInTheLoopMiddleware for these tools, or a person is asked twice.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from threading import Lock
from typing import Annotated, Any

from ..errors import InputError, Problem
from .answer import ToolAnswer, failure_answer
from .consent import ConsentRequest
from .run import dispatch_for_run, step_idempotency_key
from .tool import Tool
from .toolbox import Toolbox

try:
    from langchain_core.messages import AIMessage, ToolMessage
    from langchain_core.runnables import RunnableConfig
    from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, ToolException
except ImportError as error:
    raise ImportError("persona_block.hosts.langchain needs LangChain: pip install 'persona-block[langchain]'") from error

_APPROVAL = {"decisions": [{"type": "approve"}]}
_TASKS_LIMIT = 10_000
"""How many tasks are remembered; the oldest go first."""
_CHECKPOINTER = "__pregel_checkpointer"
"""Where LangGraph's config holds what keeps a graph that was interrupted; without it none can go on."""

Result = tuple[str, dict[str, Any]]
"""The content for the model, and the data as the message's artifact."""

Runtime = Annotated[Any, InjectedToolArg()]
"""The `ToolRuntime` that a ToolNode puts in the argument `runtime`, by that name; None where something else calls."""

_asking_calls: OrderedDict[str, str] = OrderedDict()
"""By task of a graph, the idempotency key of the one call that it has asked about; the latest tasks last."""
_asking_lock = Lock()


def tools(toolbox: Toolbox | None = None) -> list[BaseTool]:
    """Return the toolbox's tools, or all; they work in `invoke` and in `ainvoke`, which keeps its connections.

    An error is a ToolException that the tool itself turns into a message with the status `error`.
    """
    box = toolbox or Toolbox()
    return [_structured_tool(box, tool) for tool in box.tools]


def _structured_tool(toolbox: Toolbox, tool: Tool) -> BaseTool:
    async def acall(config: RunnableConfig, runtime: Runtime = None, **arguments: Any) -> Result:
        return _result(await _call(toolbox, tool.name, arguments, config, runtime))

    def call_blocking(config: RunnableConfig, runtime: Runtime = None, **arguments: Any) -> Result:
        async def once() -> Result:
            async with toolbox:
                return await acall(config, runtime, **arguments)

        return asyncio.run(once())

    return StructuredTool(
        name=tool.name,
        description=tool.description,
        args_schema=deepcopy(tool.input_schema),
        func=call_blocking,
        coroutine=acall,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


def _result(answer: ToolAnswer) -> Result:
    if answer.is_error:
        raise ToolException(answer.content)
    return answer.content, answer.data


async def _call(toolbox: Toolbox, name: str, arguments: Mapping[str, Any], config: RunnableConfig, runtime: Any) -> ToolAnswer:
    configurable, metadata = config.get("configurable") or {}, config.get("metadata") or {}
    namespace = metadata.get("langgraph_checkpoint_ns")
    # A task of a graph: the same one when it is replayed or resumed, and another in every run.
    task = f"{configurable.get('thread_id', '')} {namespace}" if namespace else None
    call_id = getattr(runtime, "tool_call_id", None)
    idempotency_key = step_idempotency_key(("langchain", task), call_id, name, arguments)
    request = toolbox.to_approve(name, arguments)
    approved = None
    if request and task and configurable.get(_CHECKPOINTER):
        problem = _interrupt_problem(task, idempotency_key, metadata.get("langgraph_path", ()), runtime)
        if problem:
            return failure_answer(InputError(name, [problem]))
        approved = _interrupt(request, name, arguments)
    return await dispatch_for_run(toolbox, name, arguments, configurable, approved, idempotency_key)


def _interrupt_problem(task: str, idempotency_key: str | None, path: Sequence[Any], runtime: Any) -> Problem | None:
    """Return why the answer to this call's interrupt could reach another call, or None where it cannot."""
    messages = _messages(getattr(runtime, "state", None))
    if not idempotency_key or not messages:
        text = "calls this without a ToolNode, so a person's answer could reach another call; whoever runs it has to use one"
        return Problem("host", f"{text}, or to give the toolbox a consent")
    if _is_alone(messages, runtime.tool_call_id, path) and _is_first_to_ask(task, idempotency_key):
        return None
    text = "several calls came at once, so a person's answer could reach the wrong one; call this one alone"
    return Problem("calls", f"{text}, or whoever runs it gives the toolbox a consent")


def _messages(state: Any) -> list[Any]:
    messages = state.get("messages") if isinstance(state, Mapping) else getattr(state, "messages", state)
    return messages if isinstance(messages, list) else []


def _is_alone(messages: list[Any], call_id: str, path: Sequence[Any]) -> bool:
    """Return whether a call has its task to itself, by the model's message and the task's path in the graph.

    A node that an edge leads to has all the calls of the message. Agents send each waiting call to a task of its own, in
    order, so there the task's number is the call's; should one task get several of them, that is true of one at most.
    """
    last = next((message for message in reversed(messages) if isinstance(message, AIMessage)), None)
    call_ids = [call["id"] for call in last.tool_calls] if last else []
    if call_ids == [call_id]:
        return True
    done_ids = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    waiting_ids = [each for each in call_ids if each not in done_ids]
    return waiting_ids.count(call_id) == 1 and tuple(path[:2]) == ("__pregel_push", waiting_ids.index(call_id))


def _is_first_to_ask(task: str, idempotency_key: str) -> bool:
    """Return whether a call is the first of its task to ask, or that one again; no second call gets to hear an answer."""
    with _asking_lock:
        first_key = _asking_calls.setdefault(task, idempotency_key)
        _asking_calls.move_to_end(task)
        if len(_asking_calls) > _TASKS_LIMIT:
            _asking_calls.popitem(last=False)
        return first_key == idempotency_key


def _interrupt(request: ConsentRequest, name: str, arguments: Mapping[str, Any]) -> bool | None:
    """Return whether the person who resumes the graph approved; None outside a graph, where nobody can be asked."""
    try:
        from langgraph.types import interrupt

        action = {"name": name, "args": dict(arguments), "description": request.message}
        review = {"action_name": name, "allowed_decisions": ["approve", "reject"]}
        return bool(interrupt({"action_requests": [action], "review_configs": [review]}) == _APPROVAL)
    except (ImportError, RuntimeError, KeyError):
        return None
