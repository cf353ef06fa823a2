"""What is Pydantic AI's own: which errors are tried again, agents that cannot defer, and runs that start again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from pydantic_ai import ApprovalRequired, DeferredToolRequests, DeferredToolResults, RunContext, ToolApproved, UserError
from pydantic_ai.messages import ModelMessagesTypeAdapter
from pydantic_ai.usage import RunUsage

from persona_block import Sandbox
from persona_block.hosts import Toolbox, pydantic_ai
from persona_block.spec import catalog
from tests.hosts.conftest import MakeToolbox
from tests.support.frameworks.driver import TASK
from tests.support.frameworks.pydantic_ai import scripted_agent
from tests.support.scripted_model import (
    all_in_review,
    assert_partial_answer,
    changes,
    failing_on_the_second_page,
    in_review,
    onboarding,
    one_call,
    report,
    two_pages,
    writes,
)

pytestmark = pytest.mark.slow


def test_tools_are_never_strict() -> None:
    offered = pydantic_ai.tools()
    assert len(offered) == len(catalog.names())
    assert {tool.tool_def.strict for tool in offered} == {False}


async def test_a_refusing_hook_is_final_and_no_retry(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(consent=lambda _: False) as toolbox:
        agent, model = scripted_agent(toolbox, one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)))
        result = await agent.run(TASK)
    assert "did not agree" in result.output
    assert model.outcomes == ["failed"]
    assert writes(sandbox) == []


async def test_an_agent_that_can_ask_nobody_decides_nothing(sandbox: Sandbox, toolbox: Toolbox) -> None:
    agent, _ = scripted_agent(toolbox, one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)), output_type=str)
    with pytest.raises(UserError, match="DeferredToolRequests"):
        await agent.run(TASK)
    assert writes(sandbox) == []


async def test_wrong_arguments_are_tried_again(sandbox: Sandbox, toolbox: Toolbox) -> None:
    agent, model = scripted_agent(toolbox, one_call("persona_approve_inquiry", inquiryId="..", coment="x"))
    result = await agent.run(TASK)
    assert "- inquiryId:" in str(result.output)
    assert "- coment:" in str(result.output)
    assert model.outcomes in (["retried"], ["retry-prompt"]), "as newer and older versions call it"
    assert sandbox.requests == []


async def test_what_the_model_cannot_put_right_is_no_retry(make_toolbox: MakeToolbox) -> None:
    async with make_toolbox() as toolbox:
        agent, model = scripted_agent(toolbox, one_call("persona_get_inquiry", inquiryId="inq_none"))
        assert "404" in (await agent.run(TASK)).output
        assert model.outcomes == ["failed"]
    async with make_toolbox(api_key=None) as toolbox:
        agent, model = scripted_agent(toolbox, one_call("persona_list_cases"))
        assert "no Persona API key" in (await agent.run(TASK)).output
        assert model.outcomes == ["failed"]


@pytest.mark.parametrize(
    "deps", [None, {"persona_api_key": ""}, {"persona_api_key": "persona key"}, {"persona_api_key": "ключ"}]
)
@pytest.mark.parametrize("api_key", ["", " ", "persona key", "persona\nkey"])
@pytest.mark.parametrize("arguments", [{}, {"maxItems": -1}], ids=["sound", "unsound"])
async def test_a_key_that_is_none_is_no_retry(
    sandbox: Sandbox, make_toolbox: MakeToolbox, api_key: str, deps: Any, arguments: dict[str, Any]
) -> None:
    async with make_toolbox(api_key=api_key) as toolbox:
        agent, model = scripted_agent(toolbox, one_call("persona_list_cases", **arguments), deps_type=object)
        assert "- host:" in (await agent.run(TASK, deps=deps)).output
    assert model.outcomes == ["failed"]
    assert sandbox.requests == []


async def test_an_error_after_a_first_page_is_no_retry(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(runner=failing_on_the_second_page(sandbox)) as toolbox:
        agent, model = scripted_agent(toolbox, one_call(two_pages().name, **two_pages().arguments))
        assert_partial_answer((await agent.run(TASK)).output)
    assert model.outcomes == ["failed"]


# --- what an approval is of ------------------------------------------------------------------------------------------------


async def asked(sandbox: Sandbox, toolbox: Toolbox) -> tuple[Any, Any, DeferredToolRequests]:
    """Return an agent that was asked about the approval of the inquiry in review, its run so far, and the requests."""
    agent, _ = scripted_agent(toolbox, one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)), deps_type=object)
    result = await agent.run(TASK, deps=None)
    assert isinstance(result.output, DeferredToolRequests)
    return agent, result, result.output


async def answered(agent: Any, result: Any, approval: Any, metadata: Any = None) -> str:
    """Return what the model says after an answer to the one call that waits; the metadata are those of the requests."""
    (call,) = result.output.approvals
    metadata = result.output.metadata if metadata is None else metadata
    results = DeferredToolResults(approvals={call.tool_call_id: approval}, metadata=metadata)
    history = ModelMessagesTypeAdapter.validate_json(ModelMessagesTypeAdapter.dump_json(result.all_messages()))
    done = await agent.run(message_history=history, deferred_tool_results=results, deps=None)
    return str(done.output)


async def test_an_approval_of_other_arguments_is_refused(sandbox: Sandbox, toolbox: Toolbox) -> None:
    agent, result, _ = await asked(sandbox, toolbox)
    approval = ToolApproved(override_args={"inquiryId": all_in_review(sandbox)[0]})
    assert "holds a person's word about another call" in await answered(agent, result, approval)
    assert writes(sandbox) == []


async def test_an_approval_of_the_same_arguments_in_another_spelling_holds(sandbox: Sandbox, toolbox: Toolbox) -> None:
    agent, result, _ = await asked(sandbox, toolbox)
    approval = ToolApproved(override_args={"comment": " ", "inquiryId": f" {in_review(sandbox)} "})
    assert '"status":"approved"' in await answered(agent, result, approval)
    await toolbox.aclose()


async def test_an_approval_under_a_call_id_that_is_used_again_is_refused(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """It was given for one inquiry, and comes without metadata to the next run, whose model used the id for another."""
    runs = []
    for inquiry in all_in_review(sandbox)[:2]:
        agent, _ = scripted_agent(toolbox, one_call("persona_approve_inquiry", inquiryId=inquiry), deps_type=object)
        runs.append((agent, await agent.run(TASK, deps=None)))
    (_, first), (agent, second) = runs
    assert [call.tool_call_id for call in first.output.approvals] == [call.tool_call_id for call in second.output.approvals]
    words = await answered(agent, second, True, metadata={})
    assert "does not say what a person was asked" in words
    assert "metadata=requests.metadata" in words
    assert "another call" in await answered(agent, second, True, metadata=first.output.metadata)
    assert writes(sandbox) == []


@pytest.mark.parametrize("metadata", [None, {}, {"message": "Approve?"}, {"digest": None}, "x"])
async def test_an_approval_that_names_no_question_is_refused(sandbox: Sandbox, toolbox: Toolbox, metadata: Any) -> None:
    agent, result, requests = await asked(sandbox, toolbox)
    words = await answered(agent, result, True, dict.fromkeys(requests.metadata, metadata))
    assert "does not say what a person was asked" in words
    assert writes(sandbox) == []


@pytest.mark.parametrize("carried_over", [False, True])
async def test_an_approval_comes_with_what_was_asked(sandbox: Sandbox, toolbox: Toolbox, carried_over: bool) -> None:
    """An answer that was given under the same call id in another conversation names another call in its metadata."""
    agent, result, requests = await asked(sandbox, toolbox)
    metadata = requests.metadata
    if carried_over:
        other = await toolbox.to_approve("persona_approve_inquiry", {"inquiryId": all_in_review(sandbox)[0]})
        assert other
        metadata = dict.fromkeys(metadata, asdict(other))
    words = await answered(agent, result, True, metadata)
    assert ("holds a person's word about another call" in words) == carried_over
    assert bool(writes(sandbox)) != carried_over
    await toolbox.aclose()


async def test_a_context_without_messages_will_do(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """As in a durable workflow, which hands a tool plain values alone and refuses to be asked for others."""

    class PlainContext(RunContext[None]):
        def __getattribute__(self, name: str) -> Any:
            if name == "messages":
                raise UserError("not available here")
            return super().__getattribute__(name)

    before = len(sandbox.effects)
    approve = next(tool for tool in pydantic_ai.tools(toolbox) if tool.name == "persona_approve_inquiry")
    context: Any = PlainContext(
        deps=None, model=scripted_agent(toolbox, onboarding)[1], usage=RunUsage(), run_id="run_1", run_step=2, tool_call_id="x"
    )
    with pytest.raises(ApprovalRequired) as asking:
        await approve.function_schema.call({"inquiryId": in_review(sandbox)}, context)
    context.tool_call_approved, context.tool_call_metadata = True, asking.value.metadata
    inquiry = in_review(sandbox)
    for _ in range(2):
        assert '"status":"approved"' in await approve.function_schema.call({"inquiryId": inquiry}, context)
    assert [name for name, _ in changes(sandbox, before)] == ["inquiry.approved"]
    assert [request.replayed for request in writes(sandbox)] == [False, True]
    await toolbox.aclose()


# --- steps that are repeated -----------------------------------------------------------------------------------------------


async def test_a_run_that_starts_again_makes_its_call_once(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """As a durable workflow does, under the same `run_id`."""
    call, before = report(sandbox), len(sandbox.effects)
    agent, _ = scripted_agent(toolbox, one_call(call.name, **call.arguments))
    first, again = [(await agent.run(TASK, run_id="run_1")).output for _ in range(2)]
    assert first == again
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"]
    assert [request.replayed for request in sandbox.requests] == [False, True]
    await toolbox.aclose()
