"""How much of an answer stands in its text: what the operator says, else what the client declares, in doubt the data."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client
from mcp.client.extension import advertise

from persona_block import Sandbox
from persona_block.hosts.mcp import create_server
from persona_block.hosts.mcp.text import SHOWS_STRUCTURE
from tests.support.mcp_servers import ERAS, options, text
from tests.support.scripted_model import data_of


async def told(sandbox: Sandbox, mode: str, era: str, declares: bool) -> tuple[str, Any]:
    """Return the text and the data of an answer."""
    server = create_server(options(sandbox, text=mode), api_key=sandbox.api_key)
    extensions = [advertise(SHOWS_STRUCTURE, {})] if declares else []
    async with Client(server, mode=era, extensions=extensions) as client:
        result = await client.call_tool("persona_list_cases", {"maxItems": 2})
    return text(result), result.structured_content


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("mode", "declares", "is_short"),
    [("auto", False, False), ("auto", True, True), ("full", True, False), ("summary", False, True)],
)
async def test_the_text_of_an_answer(sandbox: Sandbox, era: str, mode: str, declares: bool, is_short: bool) -> None:
    shown, data = await told(sandbox, mode, era, declares)
    first_line, *lines = shown.splitlines()
    assert first_line.startswith("2 cases: ")
    assert len(data["cases"]) == 2
    if is_short:
        assert lines[0].startswith(f"- {data['cases'][0]['id']} ")
        assert len(shown) < 500
    else:
        assert data_of(shown) == data


@pytest.mark.parametrize("mode", ["auto", "full", "summary"])
async def test_an_error_is_words_in_every_mode(sandbox: Sandbox, mode: str) -> None:
    server = create_server(options(sandbox, text=mode), api_key=sandbox.api_key)
    async with Client(server, mode="auto") as client:
        result = await client.call_tool("persona_get_case", {"caseId": "case_none"})
    assert text(result).startswith("Persona refused get_case with 404")
    assert "{" not in text(result)
