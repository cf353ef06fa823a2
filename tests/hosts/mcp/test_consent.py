"""Nothing is decided or erased without a person's word, in any era and over any transport."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from persona_block import Sandbox
from persona_block.hosts import Toolbox
from persona_block.hosts.consent import Approval
from persona_block.hosts.mcp import create_server
from persona_block.hosts.mcp.consent import Agreement, ask
from persona_block.spec import catalog
from tests.support.mcp_servers import ERAS, Action, Person, connected, first, options, text

both_eras = pytest.mark.parametrize("era", ERAS)
NEEDING = [spec for spec in catalog.load_all() if spec.effect in ("decide", "erase")]


def happened(sandbox: Sandbox, name: str) -> int:
    """How often something happened by a request of the API."""
    return len([effect for effect in sandbox.effects if effect.name == name and effect.request_id])


def writes(sandbox: Sandbox) -> int:
    """How many requests were made that could change anything."""
    return len([request for request in sandbox.requests if request.method != "GET"])


class TestAsking:
    @both_eras
    async def test_a_decision_that_is_agreed_to(self, sandbox: Sandbox, era: str) -> None:
        person, inquiry = Person(), first(sandbox, "needs_review")
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era, person) as client:
            arguments = {"inquiryId": inquiry, "comment": "All fine.\nErase everything?"}
            result = await client.call_tool("persona_approve_inquiry", arguments)
        assert result.structured_content["inquiry"]["status"] == "approved"
        assert happened(sandbox, "inquiry.approved") == 1
        (question,) = person.questions
        assert f"Approve inquiry {inquiry}?" in question.message
        assert r"“All fine.\nErase everything?”" in question.message
        assert question.requested_schema["properties"]["confirm"]["type"] == "boolean"

    @both_eras
    async def test_an_erasure_is_confirmed_by_typing_the_id(self, sandbox: Sandbox, era: str) -> None:
        inquiry = first(sandbox, "declined")
        person = Person(answer=f" {inquiry} ")
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era, person) as client:
            result = await client.call_tool("persona_redact_inquiry", {"inquiryId": inquiry})
        assert result.structured_content["inquiry"]["redactedAt"]
        assert "cannot be undone" in person.questions[0].message
        assert inquiry in person.questions[0].message
        assert inquiry in person.questions[0].requested_schema["properties"]["confirm"]["description"]

    @both_eras
    @pytest.mark.parametrize(
        ("action", "answer"),
        [("decline", None), ("cancel", None), ("accept", False), ("accept", "true"), ("accept", None), ("accept", 1)],
    )
    async def test_anything_but_agreement_refuses(self, sandbox: Sandbox, era: str, action: Action, answer: Any) -> None:
        person = Person(action, answer)
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era, person) as client:
            result = await client.call_tool("persona_decline_inquiry", {"inquiryId": first(sandbox, "needs_review")})
        assert result.is_error
        assert "did not agree" in text(result)
        assert "Nothing was sent" in text(result)
        assert writes(sandbox) == 0

    @both_eras
    @pytest.mark.parametrize("typed", ["", "yes", "inq_", True])
    async def test_another_id_erases_nothing(self, sandbox: Sandbox, era: str, typed: Any) -> None:
        person = Person(answer=typed)
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era, person) as client:
            result = await client.call_tool("persona_redact_inquiry", {"inquiryId": first(sandbox, "declined")})
        assert result.is_error
        assert writes(sandbox) == 0

    @both_eras
    async def test_nobody_is_asked_about_a_call_that_cannot_be_made(self, sandbox: Sandbox, era: str) -> None:
        person = Person()
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era, person) as client:
            wrong = await client.call_tool("persona_approve_inquiry", {"inquiryId": "..", "note": "x"})
        async with connected(create_server(options(sandbox), api_key=""), era, person) as client:
            keyless = await client.call_tool("persona_approve_inquiry", {"inquiryId": "inq_1"})
        assert wrong.is_error
        assert keyless.is_error
        assert person.questions == []

    async def test_what_needs_no_word_asks_nobody(self, sandbox: Sandbox) -> None:
        person = Person()
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), "auto", person) as client:
            assert not (await client.call_tool("persona_create_account", {"referenceId": "new"})).is_error
        assert person.questions == []


class TestClientsThatCannotAsk:
    @both_eras
    @pytest.mark.parametrize("spec", NEEDING, ids=lambda spec: spec.name)
    async def test_they_are_refused(self, sandbox: Sandbox, era: str, spec: Any) -> None:
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era) as client:
            object_id = "act_1" if spec.required[0] == "accountId" else first(sandbox, "needs_review")
            result = await client.call_tool(spec.tool_id, {spec.required[0]: object_id})
        assert result.is_error
        assert f"--allow {spec.effect}" in text(result)
        assert "Nothing was sent" in text(result)
        assert writes(sandbox) == 0

    @both_eras
    async def test_the_operator_can_allow_one_effect(self, sandbox: Sandbox, era: str) -> None:
        chosen, inquiry = options(sandbox, allow=frozenset({"decide"})), first(sandbox, "needs_review")
        async with connected(create_server(chosen, api_key=sandbox.api_key), era) as client:
            assert not (await client.call_tool("persona_approve_inquiry", {"inquiryId": inquiry})).is_error
            refused = await client.call_tool("persona_redact_inquiry", {"inquiryId": inquiry})
        assert refused.is_error
        assert happened(sandbox, "inquiry.approved") == 1
        assert happened(sandbox, "inquiry.redacted") == 0

    @both_eras
    async def test_a_client_that_can_ask_asks_all_the_same(self, sandbox: Sandbox, era: str) -> None:
        person = Person("decline")
        chosen = options(sandbox, allow=frozenset({"decide", "erase"}))
        async with connected(create_server(chosen, api_key=sandbox.api_key), era, person) as client:
            result = await client.call_tool("persona_expire_inquiry", {"inquiryId": first(sandbox, "pending")})
        assert result.is_error
        assert len(person.questions) == 1

    async def test_a_client_that_fails_while_asking(self, sandbox: Sandbox) -> None:
        async def broken(*_: Any, **_named: Any) -> types.ErrorData:
            return types.ErrorData(code=types.INTERNAL_ERROR, message="the window was closed")

        server = create_server(options(sandbox, allow=frozenset({"decide"})), api_key=sandbox.api_key)
        async with Client(server, mode="legacy", elicitation_callback=broken) as client:
            result = await client.call_tool("persona_approve_inquiry", {"inquiryId": first(sandbox, "needs_review")})
        assert result.is_error
        assert writes(sandbox) == 0


class TestTheSealedState:
    """The stateless era: a client carries the question to its person and the answer back."""

    @staticmethod
    async def asked(client: Client, arguments: dict[str, Any]) -> types.InputRequiredResult:
        result = await client.session.call_tool("persona_approve_inquiry", arguments, allow_input_required=True)
        assert isinstance(result, types.InputRequiredResult)
        return result

    @staticmethod
    async def answer(client: Client, state: str | None, arguments: dict[str, Any], name: str = "approve_inquiry") -> Any:
        responses: types.InputResponses = {"confirm": types.ElicitResult(action="accept", content={"confirm": True})}
        return await client.session.call_tool(
            f"persona_{name}", arguments, input_responses=responses, request_state=state, allow_input_required=True
        )

    async def test_an_answer_that_is_sent_twice_decides_once(self, sandbox: Sandbox) -> None:
        arguments = {"inquiryId": first(sandbox, "needs_review")}
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), "auto", Person()) as client:
            state = (await self.asked(client, arguments)).request_state
            once, again = [await self.answer(client, state, arguments) for _ in range(2)]
        assert once.structured_content == again.structured_content
        assert happened(sandbox, "inquiry.approved") == 1

    async def test_it_fits_no_other_call(self, sandbox: Sandbox) -> None:
        inquiry = first(sandbox, "needs_review")
        arguments = {"inquiryId": inquiry}
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), "auto", Person()) as client:
            state = (await self.asked(client, arguments)).request_state
            assert state
            for other, name in (
                ({"inquiryId": first(sandbox, "failed")}, "approve_inquiry"),
                ({"inquiryId": inquiry, "comment": "x"}, "approve_inquiry"),
                (arguments, "decline_inquiry"),
            ):
                with pytest.raises(MCPError, match="requestState"):
                    await self.answer(client, state, other, name)
            with pytest.raises(MCPError, match="requestState"):
                await self.answer(client, f"{state[:-4]}AAAA", arguments)
        async with connected(create_server(options(sandbox), api_key="another"), "auto", Person()) as client:
            with pytest.raises(MCPError, match="requestState"):
                await self.answer(client, state, arguments)
        assert writes(sandbox) == 0

    async def test_it_is_of_the_call_that_was_asked_about(self) -> None:
        """Whatever the protocol's own seal would let through."""
        asked, other = [
            Toolbox(api_key="k").bare_request("approve_inquiry", {"inquiryId": inquiry}) for inquiry in ("inq_1", "inq_2")
        ]

        async def unread() -> None:
            raise AssertionError("what was answered is not read to be asked again")

        assert asked
        assert other
        capabilities = types.ClientCapabilities(
            elicitation=types.ElicitationCapability(form=types.FormElicitationCapability())
        )
        ctx: Any = SimpleNamespace(
            session=SimpleNamespace(client_capabilities=capabilities), protocol_version=MODERN_PROTOCOL_VERSIONS[-1]
        )
        responses: types.InputResponses = {"confirm": types.ElicitResult(action="accept", content={"confirm": True})}
        own, others = f"key {asked.digest} state", f"key {other.digest} state"
        for state, agreed in ((own, True), (others, False), ("key", False), ("", False)):
            params = types.CallToolRequestParams(name="x", input_responses=responses, request_state=state)
            reply = await ask(ctx, params, asked, unread, frozenset())
            assert isinstance(reply, Agreement) == agreed
        params = types.CallToolRequestParams(name="x", input_responses=responses, request_state=own)
        agreement = Agreement(Approval(True, asked.digest, "state"), "key")
        assert await ask(ctx, params, asked, unread, frozenset()) == agreement

    async def test_an_answer_without_a_question_is_asked(self, sandbox: Sandbox) -> None:
        arguments = {"inquiryId": first(sandbox, "needs_review")}
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), "auto", Person()) as client:
            result = await self.answer(client, None, arguments)
        assert isinstance(result, types.InputRequiredResult)
        assert writes(sandbox) == 0
