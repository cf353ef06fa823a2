"""What is Pydantic AI's own: which errors are tried again, agents that cannot defer, and runs that start again."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_ai import UserError

from persona_block import Sandbox
from persona_block.hosts import Toolbox, pydantic_ai
from persona_block.spec import catalog
from tests.hosts.conftest import MakeToolbox
from tests.support.frameworks.driver import TASK
from tests.support.frameworks.pydantic_ai import scripted_agent
from tests.support.scripted_model import (
    assert_partial_answer,
    changes,
    failing_on_the_second_page,
    in_review,
    one_call,
    report,
    two_pages,
)


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
    assert sandbox.requests == []


async def test_an_agent_that_can_ask_nobody_decides_nothing(sandbox: Sandbox, toolbox: Toolbox) -> None:
    agent, _ = scripted_agent(toolbox, one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)), output_type=str)
    with pytest.raises(UserError, match="DeferredToolRequests"):
        await agent.run(TASK)
    assert sandbox.requests == []


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


async def test_a_run_that_starts_again_makes_its_call_once(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """As a durable workflow does, under the same `run_id`."""
    call, before = report(sandbox), len(sandbox.effects)
    agent, _ = scripted_agent(toolbox, one_call(call.name, **call.arguments))
    first, again = [(await agent.run(TASK, run_id="run_1")).output for _ in range(2)]
    assert first == again
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"]
    assert [request.replayed for request in sandbox.requests] == [False, True]
    await toolbox.aclose()
