"""The LangChain tools in graphs of one's own: what a person approved is what happens, and a repeated step happens once."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.tools import tool as native_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send, interrupt

from persona_block import Sandbox
from persona_block.hosts import Toolbox, interrupts, langchain
from tests.support.frameworks.langchain import APPROVE, APPROVED, REJECTED, ScriptedModel, run_config
from tests.support.frameworks.langchain import START as TASK
from tests.support.planted import KEY
from tests.support.scripted_model import ToolCall, all_in_review, changes, data_of, in_review, report, writes

pytestmark = pytest.mark.slow

ROUNDS = 30
ALONE = "call this one alone"

both_ways = pytest.mark.parametrize("blocking", [True, False], ids=["invoke", "ainvoke"])
"""A ToolNode runs its calls in threads or as coroutines."""


def graph(node: Any, sends: Callable[[Any], list[Send]] | None = None, saver: InMemorySaver | None = None) -> Any:
    """Return a graph of one node, which an edge leads to, or which gets what is sent."""
    builder = StateGraph(MessagesState)
    builder.add_node("tools", node)
    if sends is None:
        builder.add_edge(START, "tools")
    else:
        builder.add_conditional_edges(START, sends, ["tools"])
    return builder.compile(checkpointer=saver or InMemorySaver())


def calling(*calls: ToolCall) -> Any:
    """Return a state in which a model has made these calls at once."""
    tool_calls: Any = [
        {"name": call.name, "args": call.arguments, "id": f"call_{position}"} for position, call in enumerate(calls)
    ]
    return {"messages": [AIMessage("", tool_calls=tool_calls)]}


def decide(name: str, inquiry: str) -> ToolCall:
    return ToolCall(f"persona_{name}_inquiry", {"inquiryId": inquiry})


def results(state: Any) -> list[str]:
    return [str(message.content) for message in state["messages"] if isinstance(message, ToolMessage)]


def tools_elsewhere(toolbox: Toolbox) -> list[BaseTool]:
    """Return the tools as another process has them, which remembers nothing of this one."""
    importlib.reload(interrupts)
    elsewhere: list[BaseTool] = importlib.reload(langchain).tools(toolbox)
    return elsewhere


async def play(played: Any, state_or_command: Any, config: Any, blocking: bool, **options: Any) -> Any:
    if blocking:
        return played.invoke(state_or_command, config, **options)
    return await played.ainvoke(state_or_command, config, **options)


@both_ways
async def test_two_calls_at_once_ask_nobody(sandbox: Sandbox, toolbox: Toolbox, blocking: bool) -> None:
    first, second, before = *all_in_review(sandbox)[:2], len(sandbox.effects)
    played = graph(ToolNode(langchain.tools(toolbox)))
    for number in range(ROUNDS):
        config = run_config(str(number))
        state = await play(played, calling(decide("approve", first), decide("decline", second)), config, blocking)
        assert "__interrupt__" not in state
        assert [ALONE in each for each in results(state)] == [True, True]
    assert changes(sandbox, before) == []
    assert sandbox.requests == []


@both_ways
async def test_a_read_beside_a_decision_is_made(sandbox: Sandbox, toolbox: Toolbox, blocking: bool) -> None:
    played = graph(ToolNode(langchain.tools(toolbox)))
    calls = calling(ToolCall("persona_list_cases", {}), decide("approve", in_review(sandbox)))
    read, refused = results(await play(played, calls, run_config(), blocking))
    assert "cases" in data_of(read)
    assert ALONE in refused
    await toolbox.aclose()


@both_ways
@pytest.mark.parametrize("answer", [APPROVED, REJECTED], ids=["approve", "reject"])
async def test_one_call_is_asked_about(sandbox: Sandbox, toolbox: Toolbox, blocking: bool, answer: Any) -> None:
    inquiry, before = in_review(sandbox), len(sandbox.effects)
    played = graph(ToolNode(langchain.tools(toolbox)))
    state = await play(played, calling(decide("approve", inquiry)), run_config(), blocking)
    assert f"Approve inquiry {inquiry}?" in state["__interrupt__"][0].value["action_requests"][0]["description"]
    assert writes(sandbox) == []
    await play(played, Command(resume=answer), run_config(), blocking)
    assert changes(sandbox, before) == ([("inquiry.approved", inquiry)] if answer is APPROVED else [])
    await toolbox.aclose()


@both_ways
async def test_an_agent_asks_about_each_of_two_calls(sandbox: Sandbox, toolbox: Toolbox, blocking: bool) -> None:
    """`create_agent` gives each call a task of its own, so that LangGraph wants to know which question is answered."""
    for number, (first, second) in enumerate(list(pairwise(all_in_review(sandbox)))[::2]):
        before, config = len(sandbox.effects), run_config(str(number))
        model = Twice(script=lambda _: "", calls=calling(decide("approve", first), decide("decline", second)))
        played: Any = create_agent(model, tools=langchain.tools(toolbox), checkpointer=InMemorySaver())
        state = await play(played, TASK, config, blocking)
        ids = {each.value["action_requests"][0]["name"]: each.id for each in state["__interrupt__"]}
        approve, decline = ids["persona_approve_inquiry"], ids["persona_decline_inquiry"]
        with pytest.raises(RuntimeError, match="multiple pending interrupts"):
            await play(played, APPROVE, config, blocking)
        state = await play(played, Command(resume={decline: REJECTED if number % 2 else APPROVED}), config, blocking)
        assert changes(sandbox, before) == ([] if number % 2 else [("inquiry.declined", second)])
        state = await play(played, Command(resume={approve: APPROVED}), config, blocking)
        assert "__interrupt__" not in state
        assert changes(sandbox, before)[-1] == ("inquiry.approved", first)
        assert len(changes(sandbox, before)) == (1 if number % 2 else 2)
    await toolbox.aclose()


class Twice(ScriptedModel):
    """Makes its calls at once, then says nothing more."""

    calls: Any

    def _generate(self, messages: list[Any], *arguments: Any, **options: Any) -> Any:
        result = super()._generate(messages, *arguments, **options)
        if not isinstance(messages[-1], ToolMessage):
            result.generations[0].message = self.calls["messages"][0]
        return result


async def test_several_calls_sent_to_one_task_share_no_answer(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """One is asked about, and hears the answer where another process goes on and runs the other call first."""
    saver, (first, second, *_), before = InMemorySaver(), all_in_review(sandbox), len(sandbox.effects)

    async def late(request: Any, execute: Any) -> Any:
        await asyncio.sleep(0.05 if request.tool_call["id"] == "call_0" else 0)
        return await execute(request)

    def graph_elsewhere(wrap: Any = None) -> Any:
        node = ToolNode(tools_elsewhere(toolbox), awrap_tool_call=wrap)
        return graph(node, lambda state: [Send("tools", state)], saver)

    state = await graph_elsewhere().ainvoke(calling(decide("approve", first), decide("decline", second)), run_config())
    (interruption,) = state["__interrupt__"]
    assert interruption.value["action_requests"][0]["name"] == "persona_approve_inquiry"
    state = await graph_elsewhere(late).ainvoke(APPROVE, run_config())
    assert ALONE in results(state)[1]
    assert changes(sandbox, before) == [("inquiry.approved", first)]
    await toolbox.aclose()


async def test_a_second_question_in_a_task_is_never_asked(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """A node of one's own that runs a ToolNode once for each call: each looks alone, and both are in one task."""
    inner = ToolNode(langchain.tools(toolbox))
    first, second = all_in_review(sandbox)[:2]
    before = len(sandbox.effects)

    async def node(_state: Any, config: RunnableConfig) -> Any:
        calls = [calling(decide("approve", first)), calling(decide("decline", second))]
        done = await asyncio.gather(*(inner.ainvoke(each, config) for each in calls))
        return {"messages": [message for each in done for message in each["messages"]]}

    played = graph(node)
    state = await played.ainvoke({"messages": []}, run_config())
    (interruption,) = state["__interrupt__"]
    assert interruption.value["action_requests"][0]["name"] == "persona_approve_inquiry"
    state = await played.ainvoke(APPROVE, run_config())
    assert "__interrupt__" not in state
    assert ALONE in results(state)[1]
    assert changes(sandbox, before) == [("inquiry.approved", first)]
    await toolbox.aclose()


@pytest.mark.parametrize(
    ("more", "said"),
    [({}, "without a ToolNode"), ({"runtime": {"state": [], "tool_call_id": "call_1"}}, "- runtime: approve_inquiry has no")],
    ids=["plain", "with a runtime"],
)
async def test_in_a_node_without_a_tool_node_nobody_is_asked(sandbox: Sandbox, toolbox: Toolbox, more: Any, said: str) -> None:
    approve = named(langchain.tools(toolbox), "persona_approve_inquiry")

    async def node(_state: Any) -> Any:
        call: Any = {"type": "tool_call", "id": "call_1", "name": approve.name}
        return {"messages": [await approve.ainvoke(call | {"args": {"inquiryId": in_review(sandbox), **more}})]}

    state = await graph(node).ainvoke({"messages": []}, run_config())
    assert "__interrupt__" not in state
    assert said in results(state)[0]
    assert sandbox.requests == []


# --- what an answer is of --------------------------------------------------------------------------------------------------

DURABILITIES = pytest.mark.parametrize("durability", ["sync", "async", "exit"])
"""When LangGraph writes what it keeps: before a step goes on, beside it, or at the end."""


def calling_as(message_id: str, call: ToolCall) -> Any:
    """Return a state whose model made a call in a message of this id, which takes the place of one that has it already."""
    state = calling(call)
    state["messages"][0].id = message_id
    return state


def graph_elsewhere(toolbox: Toolbox, saver: InMemorySaver) -> Any:
    """Return the same graph as another process has it."""
    return graph(ToolNode(tools_elsewhere(toolbox)), saver=saver)


@both_ways
@DURABILITIES
async def test_an_answer_counts_in_another_process(
    sandbox: Sandbox, toolbox: Toolbox, blocking: bool, durability: Any
) -> None:
    saver, inquiry, before = InMemorySaver(), in_review(sandbox), len(sandbox.effects)
    call = decide("approve", inquiry)
    await play(graph_elsewhere(toolbox, saver), calling(call), run_config(), blocking, durability=durability)
    state = await play(graph_elsewhere(toolbox, saver), APPROVE, run_config(), blocking, durability=durability)
    assert '"status":"approved"' in results(state)[0]
    assert changes(sandbox, before) == [("inquiry.approved", inquiry)]
    await toolbox.aclose()


@both_ways
@DURABILITIES
async def test_an_answer_is_none_to_a_call_that_took_the_place_of_the_one_it_is_of(
    sandbox: Sandbox, toolbox: Toolbox, blocking: bool, durability: Any
) -> None:
    saver, (first, second, *_) = InMemorySaver(), all_in_review(sandbox)
    await play(
        graph_elsewhere(toolbox, saver),
        calling_as("m", decide("approve", first)),
        run_config(),
        blocking,
        durability=durability,
    )
    resumed: Any = Command(resume=APPROVED, update=calling_as("m", decide("approve", second)))
    state = await play(graph_elsewhere(toolbox, saver), resumed, run_config(), blocking, durability=durability)
    assert "it is about another call" in results(state)[0]
    assert writes(sandbox) == []


@both_ways
async def test_an_answer_is_none_to_a_call_of_a_state_that_was_changed(
    sandbox: Sandbox, toolbox: Toolbox, blocking: bool
) -> None:
    saver, (first, second, *_) = InMemorySaver(), all_in_review(sandbox)
    played = graph_elsewhere(toolbox, saver)
    await play(played, calling_as("m", decide("approve", first)), run_config(), blocking)
    played.update_state(run_config(), calling_as("m", decide("approve", second)), as_node=START)
    state = await play(graph_elsewhere(toolbox, saver), APPROVE, run_config(), blocking)
    assert "it is about another call" in results(state)[0]
    assert writes(sandbox) == []


@both_ways
async def test_an_answer_before_any_question_is_none(sandbox: Sandbox, toolbox: Toolbox, blocking: bool) -> None:
    """The node died before it came to ask, and somebody sent an answer all the same."""
    inner, deaths = ToolNode(langchain.tools(toolbox)), iter([True, False])

    def node(state: Any, config: RunnableConfig) -> Any:
        if next(deaths):
            raise ConnectionError
        return inner.invoke(state, config)

    played = graph(node)
    with pytest.raises(ConnectionError):
        await play(played, calling(decide("approve", in_review(sandbox))), run_config(), blocking)
    state = await play(played, APPROVE, run_config(), blocking)
    assert "it is about another call" in results(state)[0]
    assert writes(sandbox) == []


@both_ways
@pytest.mark.parametrize("changes_its_mind", [False, True])
async def test_a_graph_within_a_graph_that_keeps_nothing(
    sandbox: Sandbox, toolbox: Toolbox, blocking: bool, changes_its_mind: bool
) -> None:
    """It begins anew when it is resumed, and its model may then make another call."""
    first, second = all_in_review(sandbox)[:2]
    before, inquiries = len(sandbox.effects), iter([first, second if changes_its_mind else first])
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda _state: calling(decide("approve", next(inquiries))))
    builder.add_node("tools", ToolNode(langchain.tools(toolbox)))
    builder.add_edge(START, "model")
    builder.add_edge("model", "tools")
    played = graph(builder.compile(checkpointer=False))
    state = await play(played, {"messages": []}, run_config(), blocking)
    assert f"Approve inquiry {first}?" in state["__interrupt__"][0].value["action_requests"][0]["description"]
    state = await play(played, APPROVE, run_config(), blocking)
    if "__interrupt__" not in state:
        assert ("it is about another call" in results(state)[0]) == changes_its_mind
    assert changes(sandbox, before) in ([], [("inquiry.approved", first)])
    assert changes(sandbox, before) or changes_its_mind
    await toolbox.aclose()


def test_a_checkpointer_that_only_blocks_will_do(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """As LangGraph's own on SQLite, which knows no other way of reading."""

    class Blocking(InMemorySaver):
        async def aget_tuple(self, config: RunnableConfig) -> Any:
            raise NotImplementedError(config)

    before, inquiry = len(sandbox.effects), in_review(sandbox)
    played = graph(ToolNode(langchain.tools(toolbox)), saver=Blocking())
    played.invoke(calling(decide("approve", inquiry)), run_config())
    played.invoke(APPROVE, run_config())
    assert changes(sandbox, before) == [("inquiry.approved", inquiry)]


async def test_a_checkpoint_that_cannot_be_read_refuses(
    sandbox: Sandbox, toolbox: Toolbox, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(InMemorySaver):
        reads = 0

        async def aget_tuple(self, config: RunnableConfig) -> Any:
            self.reads += 1
            if self.reads in (2, 4):  # those of the tool, after the graph's own
                raise ConnectionError(KEY)
            return await super().aget_tuple(config)

    played = graph(ToolNode(langchain.tools(toolbox)), saver=Failing())
    await played.ainvoke(calling(decide("approve", in_review(sandbox))), run_config())
    state = await played.ainvoke(APPROVE, run_config())
    assert "it is about another call" in results(state)[0]
    assert writes(sandbox) == []
    assert "reading a checkpoint failed: ConnectionError" in caplog.text
    assert KEY not in caplog.text


# --- steps that are repeated -----------------------------------------------------------------------------------------------


@both_ways
async def test_a_call_that_is_made_again_in_one_task_is_made(sandbox: Sandbox, toolbox: Toolbox, blocking: bool) -> None:
    """A node of one's own that goes round with a model within one task, whose ids repeat."""
    inner, before = ToolNode(langchain.tools(toolbox)), len(sandbox.effects)

    def node(_state: Any, config: RunnableConfig) -> Any:
        messages: list[Any] = []
        for _ in range(2):
            messages += calling(report(sandbox))["messages"]
            messages += inner.invoke({"messages": messages}, config)["messages"]
        return {"messages": messages}

    await play(graph(node), {"messages": []}, run_config(), blocking)
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"] * 2
    await toolbox.aclose()


@both_ways
async def test_a_write_is_made_once_where_another_call_replays_it(sandbox: Sandbox, toolbox: Toolbox, blocking: bool) -> None:
    """A tool of somebody else's interrupts beside ours, so that the whole node runs again."""

    @native_tool
    def elsewhere() -> str:
        """Ask somebody something."""
        return str(interrupt("Well?"))

    before = len(sandbox.effects)
    played = graph(ToolNode([*langchain.tools(toolbox), elsewhere]))
    assert (await play(played, calling(report(sandbox), ToolCall("elsewhere", {})), run_config(), blocking))["__interrupt__"]
    state = await play(played, Command(resume="yes"), run_config(), blocking)
    assert results(state)[1] == "yes"
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"]
    assert [request.replayed for request in sandbox.requests] == [False, True]
    await toolbox.aclose()


async def test_an_approved_call_is_made_once_where_its_node_dies(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inner, inquiry, before = ToolNode(langchain.tools(toolbox)), in_review(sandbox), len(sandbox.effects)
    deaths = iter([True, False])

    async def node(state: Any, config: RunnableConfig) -> Any:
        done = await inner.ainvoke(state, config)
        if next(deaths):
            raise ConnectionError
        return done

    played = graph(node)
    await played.ainvoke(calling(decide("approve", inquiry)), run_config())
    with pytest.raises(ConnectionError):
        await played.ainvoke(APPROVE, run_config())
    state = await played.ainvoke(None, run_config())
    assert '"status":"approved"' in results(state)[0]
    assert changes(sandbox, before) == [("inquiry.approved", inquiry)]
    assert [request.replayed for request in writes(sandbox)] == [False, True]
    await toolbox.aclose()


@both_ways
async def test_equal_calls_in_other_runs_all_happen(sandbox: Sandbox, toolbox: Toolbox, blocking: bool) -> None:
    before = len(sandbox.effects)
    played = graph(ToolNode(langchain.tools(toolbox)))
    for config in (run_config("one"), run_config("one"), run_config("two")):
        await play(played, calling(report(sandbox)), config, blocking)
    await play(played, calling(report(sandbox), report(sandbox)), run_config("three"), blocking)
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"] * 5
    await toolbox.aclose()


def named(tools: list[BaseTool], name: str) -> BaseTool:
    return next(each for each in tools if each.name == name)
