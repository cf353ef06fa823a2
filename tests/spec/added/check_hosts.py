"""Every host has the added operation. `tests/spec/test_added_operation.py` runs this in a copy of the project."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client

import persona_block
from persona_block import FileStore, OperationName, Runner, Sandbox
from persona_block.block.build import manifest
from persona_block.cli import main
from persona_block.hosts import Selection, Toolbox, anthropic_tools, openai_tools
from persona_block.hosts.mcp import Options, create_server
from persona_block.spec import catalog
from tests.support.case_files import API_KEY, Case, Recorder, cases
from tests.support.frameworks import DRIVERS
from tests.support.frameworks.driver import Driver, Setup
from tests.support.scripted_model import onboarding

NAME = "tag_account"
TOOL = f"persona_{NAME}"
ALIAS = "set_account_tags"
(CASE,) = (case for case in cases() if case.operation == NAME)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Make an offline Persona."""
    with Sandbox() as sandbox:
        yield sandbox


def toolbox(case: Case = CASE) -> Toolbox:
    """Make a toolbox whose calls get the answer of a case."""
    return Toolbox(api_key=API_KEY, runner=lambda: Runner(transport=Recorder(case.reply()).transport))


def test_this_is_the_copy() -> None:
    assert Path(persona_block.__file__).parents[1] == Path(__file__).parents[3]


def test_the_catalog_lists_it() -> None:
    assert NAME in catalog.names()
    assert catalog.load(ALIAS) == catalog.load(NAME)


def test_the_manifest_defines_it() -> None:
    document = manifest()
    (definition,) = (each for each in document["tools"]["definitions"] if each["name"] == NAME)
    assert definition["id"] in document["tools"]["access"]
    assert definition["aliases"] == [ALIAS]
    assert definition["inDefaultToolset"] is True
    assert document["sentences"][NAME] == catalog.load(NAME).sentence


def test_the_canvas_offers_it_with_its_fields() -> None:
    fields = manifest()["subBlocks"]
    (option,) = (option for option in fields[0]["options"] if option["id"] == NAME)
    assert option["group"] == catalog.groups()["accounts"]
    shown = [field["id"] for field in fields if NAME in field.get("condition", {"value": []})["value"]]
    assert shown == ["accountId", "tags"]


async def test_a_runner_calls_it(tmp_path: Path) -> None:
    async with Runner(api_key=API_KEY, transport=Recorder(CASE.reply()).transport, files=FileStore(tmp_path)) as runner:
        assert await runner.call(catalog.operation(NAME), CASE.params) == CASE.output
        assert await runner.call(OperationName(ALIAS), CASE.params) == CASE.output


@pytest.mark.parametrize("toolset", ["all", "default", "accounts"])
def test_a_toolset_offers_it(toolset: str) -> None:
    assert NAME in Selection.of(toolsets=[toolset]).names
    assert NAME in Selection.of(tools=[ALIAS]).names


@pytest.mark.parametrize("name", [NAME, TOOL, ALIAS])
async def test_a_toolbox_calls_it(name: str) -> None:
    async with toolbox() as tools:
        assert TOOL in [tool.name for tool in tools.tools]
        answer = await tools.dispatch(name, CASE.params)
    assert not answer.is_error
    assert answer.data["account"]["tags"] == ["vip", "reviewed"]


def test_model_providers_get_it() -> None:
    assert TOOL in [tool["name"] for tool in anthropic_tools(toolbox())]
    assert TOOL in [tool["name"] for tool in openai_tools(toolbox())]
    assert TOOL in [tool["function"]["name"] for tool in openai_tools(toolbox(), form="chat")]


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
async def test_agent_frameworks_get_it(driver: type[Driver], sandbox: Sandbox) -> None:
    async with driver(Setup(sandbox), onboarding) as agent:
        assert TOOL in await agent.offered()


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_an_mcp_client_calls_it(era: str) -> None:
    options = Options(runner=lambda files: Runner(transport=Recorder(CASE.reply()).transport, files=files))
    async with Client(create_server(options, api_key=API_KEY), mode=era) as client:
        assert TOOL in [tool.name for tool in (await client.list_tools()).tools]
        results = [await client.call_tool(name, CASE.params) for name in (TOOL, f"persona_{ALIAS}")]
    assert [result.structured_content["account"]["id"] for result in results] == ["act_Harbour1"] * 2


def test_the_command_line_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools"]) == 0
    assert f"\n{NAME} " in capsys.readouterr().out
    assert main(["tools", "--json"]) == 0
    assert TOOL in [tool["id"] for tool in json.loads(capsys.readouterr().out)]
    for name in (NAME, ALIAS):
        assert main(["describe", name]) == 0
        assert "POST /accounts/{accountId}/tags" in capsys.readouterr().out
