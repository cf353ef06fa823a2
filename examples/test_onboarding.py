"""Tests of a program that onboards people with Persona, as a user of persona-block writes them.

The fixtures come with persona-block: `pip install 'persona-block[sandbox]' pytest pytest-asyncio`.
"""

import pytest

from persona_block import PersonaError, Runner, run_sync
from persona_block.sandbox import TEMPLATES, Faults, Sandbox, Settings

# The program


async def screen(runner: Runner, name: str) -> str:
    """Screen a person by name; gives clear or refer."""
    started = await runner.call(
        "create_report", {"reportType": "watchlist", "reportTemplateId": TEMPLATES.watchlist, "term": name}
    )
    report = started["report"]
    report = (await runner.wait("get_report", {"reportId": report["id"]}))["report"]
    return "refer" if report["hasMatch"] else "clear"


def invite(reference_id: str) -> str:
    """Start an inquiry for a customer, with the key and the address of the environment; gives its id."""
    result = run_sync("create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry, "referenceId": reference_id})
    return result.output["inquiry"]["id"]


# Its tests


@pytest.mark.asyncio
@pytest.mark.persona_sandbox(settings=Settings(report_delay=0))
@pytest.mark.parametrize(("name", "outcome"), [("Jane Doe", "clear"), ("Jane Sanctioned", "refer")])
async def test_a_name_steers_the_outcome(persona_sandbox: Sandbox, name: str, outcome: str) -> None:
    async with persona_sandbox.runner() as runner:
        assert await screen(runner, name) == outcome


@pytest.mark.asyncio
async def test_an_applicant_who_never_comes(persona_sandbox: Sandbox) -> None:
    async with persona_sandbox.runner() as runner:
        created = await runner.call("create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry})
        persona_sandbox.clock.advance(24 * 3600)
        read = await runner.call("get_inquiry", {"inquiryId": created["inquiry"]["id"]})
    assert read["inquiry"]["status"] == "expired"


@pytest.mark.asyncio
async def test_an_outage(persona_sandbox: Sandbox) -> None:
    persona_sandbox.faults = Faults(rate=1, kinds=["error-500"])
    async with persona_sandbox.runner(deadline=0.2) as runner:
        with pytest.raises(PersonaError):
            await screen(runner, "Jane Doe")  # the function under test
    assert persona_sandbox.requests == [], "nothing reached Persona"


@pytest.mark.usefixtures("persona_sandbox_url")
def test_code_that_is_left_as_it_is(persona_sandbox: Sandbox) -> None:
    output = persona_sandbox.complete(invite("customer-1042"), "review")
    assert output["inquiry"]["status"] == "needs_review"
    assert "case.created" in [effect.name for effect in persona_sandbox.effects]
