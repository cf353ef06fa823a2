"""The plain dicts for a loop of one's own, and what no import of the hosts brings along."""

from __future__ import annotations

import subprocess
import sys

import pytest

from persona_block import Sandbox
from persona_block.hosts import Selection, Toolbox, anthropic_result, anthropic_tools, dispatch, openai_result, openai_tools
from persona_block.spec import catalog
from tests.hosts.conftest import MakeToolbox
from tests.support.scripted_model import assert_partial_answer, failing_on_the_second_page, in_review, two_pages

FRAMEWORKS = {
    "langchain": ("langchain_core", "LangChain", "langchain"),
    "openai_agents": ("agents", "the OpenAI Agents SDK", "openai-agents"),
    "pydantic_ai": ("pydantic_ai", "Pydantic AI", "pydantic-ai"),
}


def test_shapes() -> None:
    names = {f"persona_{name}" for name in catalog.names()}
    for tool in anthropic_tools():
        assert set(tool) == {"name", "description", "input_schema"}
    for tool in openai_tools():
        assert set(tool) == {"type", "name", "description", "parameters", "strict"}
        assert (tool["type"], tool["strict"]) == ("function", False)
    for tool in openai_tools(form="chat"):
        assert set(tool) == {"type", "function"}
        assert set(tool["function"]) == {"name", "description", "parameters"}
    assert {tool["name"] for tool in anthropic_tools()} == names
    assert {tool["name"] for tool in openai_tools()} == names
    assert {tool["function"]["name"] for tool in openai_tools(form="chat")} == names


def test_a_chosen_subset(make_toolbox: MakeToolbox) -> None:
    toolbox = make_toolbox(Selection.of(tools=["get_case"]))
    assert [tool["name"] for tool in anthropic_tools(toolbox)] == ["persona_get_case"]
    assert [tool["name"] for tool in openai_tools(toolbox)] == ["persona_get_case"]


def test_a_caller_may_change_its_copy() -> None:
    anthropic_tools()[0]["input_schema"]["properties"].clear()
    openai_tools()[0]["parameters"]["properties"].clear()
    assert anthropic_tools()[0]["input_schema"]["properties"]
    assert openai_tools()[0]["parameters"]["properties"]


async def test_results_go_back_in_the_form_of_their_provider(toolbox: Toolbox) -> None:
    async with toolbox:
        good = await dispatch("persona_list_cases", '{"maxItems": 1}', toolbox=toolbox)
        bad = await dispatch("persona_approve_inquiry", {"inquiryId": "inq_1"}, toolbox=toolbox)
    assert anthropic_result("t1", good) == {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": good.content,
        "is_error": False,
    }
    assert anthropic_result("t1", bad) == {"type": "tool_result", "tool_use_id": "t1", "content": bad.text, "is_error": True}
    assert openai_result("c1", good) == {"type": "function_call_output", "call_id": "c1", "output": good.content}
    assert openai_result("c1", bad)["output"] == bad.text
    assert openai_result("c1", good, "chat") == {"role": "tool", "tool_call_id": "c1", "content": good.content}


async def test_what_was_read_before_an_error_goes_back_too(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(runner=failing_on_the_second_page(sandbox)) as toolbox:
        answer = await dispatch(two_pages().name, two_pages().json, toolbox=toolbox)
    assert anthropic_result("t1", answer)["is_error"] is True
    assert_partial_answer(anthropic_result("t1", answer)["content"])
    assert_partial_answer(openai_result("c1", answer)["output"])
    assert_partial_answer(openai_result("c1", answer, "chat")["content"])


async def test_without_a_toolbox_the_environment_holds_the_key(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sandbox.serve() as base_url:
        monkeypatch.setenv("PERSONA_BASE_URL", base_url)
        monkeypatch.setenv("PERSONA_API_KEY", sandbox.api_key)
        answer = await dispatch("persona_list_cases", {"maxItems": 1})
        assert len(answer.data["cases"]) == 1
        refused = await dispatch("persona_approve_inquiry", {"inquiryId": in_review(sandbox)})
        assert "cannot ask a person here" in refused.text
    assert len(sandbox.requests) == 1


@pytest.mark.process
def test_no_framework_is_imported_until_it_is_asked_for() -> None:
    modules = sorted({module for module, _, _ in FRAMEWORKS.values()} | {"mcp", "openai", "anthropic", "langgraph"})
    code = f"import persona_block.hosts, sys; print([each for each in {modules} if each in sys.modules])"
    assert _python(code) == "[]"
    code = f"from persona_block.hosts import langchain; import sys; print([each for each in {modules} if each in sys.modules])"
    assert _python(code) == "['langchain_core']"


@pytest.mark.process
@pytest.mark.parametrize("host", FRAMEWORKS)
def test_a_missing_framework_names_its_extra(host: str) -> None:
    module, name, extra = FRAMEWORKS[host]
    message = _python(
        f"import sys; sys.modules[{module!r}] = None\n"
        f"try:\n    from persona_block.hosts import {host}\n"
        "except ImportError as error:\n    print(error)"
    )
    assert message == f"persona_block.hosts.{host} needs {name}: pip install 'persona-block[{extra}]'"


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
