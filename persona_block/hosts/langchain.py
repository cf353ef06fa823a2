"""The tools for LangChain and LangGraph agents: `create_agent(model, tools=langchain.tools(toolbox))`.

A run's own API key goes into its config, as a pydantic `SecretStr` because traces and checkpoints copy plain text from there:

    await agent.ainvoke(messages, {"configurable": {"persona_api_key": SecretStr(key)}})

Without a `consent` of the toolbox, what decides or erases interrupts the graph, in the form of LangChain's own
human-in-the-loop middleware, and goes on after `Command(resume={"decisions": [{"type": "approve"}]})`; any other answer
refuses it. That takes LangGraph, a checkpointer and a `ToolNode`, as `create_agent` has, and a task of the graph with that one
call: LangGraph hands an answer to whichever call of a task takes it first. Anywhere else it is refused. Leave out LangChain's
own HumanInTheLoopMiddleware for these tools, or a person is asked twice.

An answer counts for the question that the checkpoint holds, and is refused where the call has become another since, or where
the object has changed since: it is read when the question is asked, and once more before anything is sent. Where people
answer several questions of one thread, name the one that is answered: `Command(resume={interrupt.id: answer})`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from typing import Annotated, Any, Self

from pydantic import PrivateAttr

from ..errors import PersonaError
from .answer import ToolAnswer, failure_answer
from .blocking import run_blocking
from .consent import Approval
from .run import dispatch_for_run, run_key, step_idempotency_key
from .tool import Tool
from .toolbox import Toolbox

try:
    from langchain_core.runnables.config import ensure_config
    from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, ToolException

    from .interrupts import GraphCall, ask
except ImportError as error:
    raise ImportError("persona_block.hosts.langchain needs LangChain: pip install 'persona-block[langchain]'") from error

Result = tuple[str, dict[str, Any]]
"""The content for the model, and the data as the message's artifact."""

Runtime = Annotated[Any, InjectedToolArg()]
"""The `ToolRuntime` that a ToolNode puts in the argument `runtime`, by that name; None where something else calls."""


Asking = Callable[..., Awaitable[Approval | None]]
"""How a person is asked: a coroutine function with the arguments and results of `interrupts.ask`."""


def tools(toolbox: Toolbox | None = None, *, asking: Asking | None = None) -> list[BaseTool]:
    """Return the toolbox's tools, or all; they work in `invoke` and in `ainvoke`, which keeps its connections.

    asking: asks a person in the place of an interrupt of the graph.

    An error is a ToolException that the tool itself turns into a message with the status `error`.
    """
    box = toolbox or Toolbox()
    return [_structured_tool(box, tool, asking or ask) for tool in box.tools]


class _Tool(StructuredTool):
    """A tool whose arguments may have any name, be it that of a parameter of LangChain's own methods.

    `func` and `coroutine` give the text alone, for frameworks that take them out of a tool of LangChain's.
    """

    _call: Callable[..., Result] = PrivateAttr()
    _acall: Callable[..., Awaitable[Result]] = PrivateAttr()

    def answering(self, call: Callable[..., Result], acall: Callable[..., Awaitable[Result]]) -> Self:
        """Take what calls the tool, blocking and not, and return the tool."""
        self._call, self._acall = call, acall
        return self

    @property
    def args(self) -> dict[str, Any]:
        """The arguments by name; those that may be left out are nullable, which smolagents goes by."""
        required = self.args_schema.get("required", ()) if isinstance(self.args_schema, dict) else ()
        return {name: {**each, **({} if name in required else {"nullable": True})} for name, each in super().args.items()}

    def _run(self, /, *_: Any, **arguments: Any) -> Any:
        return self._call(**arguments)

    async def _arun(self, /, *_: Any, **arguments: Any) -> Any:
        return await self._acall(**arguments)


def _structured_tool(toolbox: Toolbox, tool: Tool, asking: Asking) -> BaseTool:
    async def answer(runtime: Any, arguments: Mapping[str, Any]) -> ToolAnswer:
        return await _answer(toolbox, asking, tool.name, arguments, runtime, is_blocking=False)

    def answer_blocking(runtime: Any, arguments: Mapping[str, Any]) -> ToolAnswer:
        async def once() -> ToolAnswer:
            async with toolbox:
                return await _answer(toolbox, asking, tool.name, arguments, runtime, is_blocking=True)

        return run_blocking(once)

    async def acall(*, runtime: Any = None, **arguments: Any) -> Result:
        return _result(await answer(runtime, arguments))

    def call_blocking(*, runtime: Any = None, **arguments: Any) -> Result:
        return _result(answer_blocking(runtime, arguments))

    async def text(*, runtime: Runtime = None, **arguments: Any) -> str:
        return (await answer(runtime, arguments)).content

    def text_blocking(*, runtime: Runtime = None, **arguments: Any) -> str:
        return answer_blocking(runtime, arguments).content

    for function in (text, text_blocking):
        # Earlier versions of LangChain read it as it stands, and let a runtime whose type is text into traces.
        function.__annotations__["runtime"] = Runtime
    return _Tool(
        name=tool.name,
        description=tool.description,
        args_schema=deepcopy(tool.input_schema),
        func=text_blocking,
        coroutine=text,
        response_format="content_and_artifact",
        handle_tool_error=True,
    ).answering(call_blocking, acall)


def _result(answer: ToolAnswer) -> Result:
    if answer.is_error:
        raise ToolException(answer.content)
    return answer.content, answer.data


async def _answer(
    toolbox: Toolbox, asking: Asking, name: str, given_arguments: Mapping[str, Any], runtime: Any, *, is_blocking: bool
) -> ToolAnswer:
    config = ensure_config()
    call = GraphCall.of(config, runtime)
    # What a model calls `runtime` is replaced by a ToolNode's own, and without a ToolNode stands in its place.
    hidden_argument = call.argument("runtime") if hasattr(runtime, "tool_call_id") else runtime
    arguments = {**given_arguments, "runtime": hidden_argument} if hidden_argument is not None else given_arguments
    idempotency_key = step_idempotency_key(call.step, call.call_id, toolbox.call_digest(name, arguments))
    run = config.get("configurable")
    approval = None
    try:
        if toolbox.needs_approval(name, arguments):
            api_key = run_key(run)
            approval = await asking(
                lambda: toolbox.consent_request(name, arguments, api_key=api_key),
                {"name": name, "args": dict(arguments)},
                call,
                idempotency_key,
                is_blocking=is_blocking,
            )
    except PersonaError as error:
        return failure_answer(error)
    return await dispatch_for_run(toolbox, name, arguments, run, approval, idempotency_key)
