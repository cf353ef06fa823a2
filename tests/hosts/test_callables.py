"""Tools as Python functions: what a framework reads from them, and what they give."""

from __future__ import annotations

import inspect
import typing
from typing import Any, Literal

import pytest

from persona_block import Sandbox
from persona_block.hosts import Toolbox, langchain
from persona_block.hosts.callables import make_callable
from tests.hosts.conftest import MakeToolbox
from tests.support.scripted_model import changes, data_of, in_review


def by_name(functions: list[Any]) -> dict[str, Any]:
    """Return functions by their names."""
    return {function.__name__: function for function in functions}


@pytest.mark.parametrize("blocking", [False, True])
def test_a_function_says_what_its_tool_does(toolbox: Toolbox, blocking: bool) -> None:
    functions = toolbox.callables(blocking=blocking)
    assert [function.__name__ for function in functions] == [tool.name for tool in toolbox.tools]
    for function, tool in zip(functions, toolbox.tools, strict=True):
        assert inspect.iscoroutinefunction(function) != blocking
        assert inspect.getdoc(function)
        assert str(function.__doc__).startswith(tool.description)
        hints = typing.get_type_hints(function, include_extras=True)
        assert set(hints) == {*tool.input_schema["properties"], "return"}
        for name, parameter in inspect.signature(function).parameters.items():
            schema = tool.input_schema["properties"][name]
            assert (parameter.default is inspect.Parameter.empty) == (name in tool.input_schema.get("required", ()))
            assert hints[name].__metadata__ == (schema["description"],)
            assert f"    {name}: {schema['description']}" in str(function.__doc__)


def test_types_are_those_of_the_schema(toolbox: Toolbox) -> None:
    hints = typing.get_type_hints(by_name(toolbox.callables())["persona_create_report"])
    assert hints["reportType"] == Literal["watchlist", "adverse-media", "politically-exposed-person"]
    assert hints["term"] == str | None
    listing = typing.get_type_hints(by_name(toolbox.callables())["persona_list_inquiries"])
    assert listing["maxItems"] == int | None
    assert listing["outputFields"] == list[str] | None
    updating = typing.get_type_hints(by_name(toolbox.callables())["persona_update_inquiry"])
    assert updating["fields"] == dict[str, Any] | None


async def test_a_call_gives_the_text_for_a_model(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(consent=lambda _: True) as toolbox:
        functions = by_name(toolbox.callables())
        inquiry, before = in_review(sandbox), len(sandbox.effects)
        read = await functions["persona_get_inquiry"](inquiry, outputFields=None)
        assert data_of(read)["inquiry"]["id"] == inquiry
        assert "404" in await functions["persona_get_inquiry"](inquiryId="inq_none")
        await functions["persona_approve_inquiry"](inquiryId=inquiry, comment="Clear")
    assert changes(sandbox, before) == [("inquiry.approved", inquiry)]


async def test_without_a_consent_nothing_is_decided(sandbox: Sandbox, toolbox: Toolbox) -> None:
    answer = await by_name(toolbox.callables())["persona_approve_inquiry"](inquiryId=in_review(sandbox))
    assert "cannot ask a person here" in answer
    assert sandbox.requests == []


def test_a_blocking_call_works_without_an_event_loop(toolbox: Toolbox) -> None:
    assert "cases" in data_of(by_name(toolbox.callables(blocking=True))["persona_list_cases"](maxItems=1))


async def test_a_blocking_call_works_beside_an_event_loop(toolbox: Toolbox) -> None:
    assert "cases" in data_of(make_callable(toolbox, toolbox.find("list_cases"), is_blocking=True)(maxItems=1))


# --- LangChain's tools outside a graph -------------------------------------------------------------------------------------


async def test_a_tool_of_langchain_works_outside_a_graph(sandbox: Sandbox, toolbox: Toolbox) -> None:
    tools: dict[str, Any] = {tool.name: tool for tool in langchain.tools(toolbox)}
    listing, decision = tools["persona_list_cases"], tools["persona_approve_inquiry"]
    texts = [
        listing.run({"maxItems": 1}),
        listing.func(maxItems=1),
        listing.invoke({"maxItems": 1}),
        await listing.arun({"maxItems": 1}),
        await listing.coroutine(maxItems=1),
        await listing.ainvoke({"maxItems": 1}),
    ]
    assert len(set(texts)) == 1
    assert len(data_of(texts[0])["cases"]) == 1
    assert "404" in tools["persona_get_case"].func(caseId="case_none")
    arguments = {"inquiryId": in_review(sandbox)}
    for refused in (decision.run(arguments), decision.func(**arguments), await decision.ainvoke(arguments)):
        assert "cannot ask a person here" in refused
    await toolbox.aclose()


@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "- inquiryId: is required"),
        ({"inquiryId": "inq_1", "inquiry": "inq_2"}, "- inquiry: "),
    ],
)
async def test_a_model_is_told_which_arguments_to_put_right(
    toolbox: Toolbox, blocking: bool, arguments: dict[str, Any], words: str
) -> None:
    given = by_name(toolbox.callables(blocking=blocking))["persona_get_inquiry"](**arguments)
    text = given if blocking else await given
    assert text.startswith("Nothing was sent. Put right:")
    assert words in text
