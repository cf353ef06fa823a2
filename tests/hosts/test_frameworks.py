"""What holds in every framework: the same conversations, played through a driver for each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import httpx
import pytest

from persona_block import ApiError, InputError, PersonaError, Problem, Runner, Sandbox
from persona_block.hosts import ConsentRequest, Selection
from persona_block.spec import catalog
from tests.hosts.test_visible import HIDDEN
from tests.support.budget import budget
from tests.support.frameworks import DRIVERS
from tests.support.frameworks.driver import Driver, Setup
from tests.support.planted import KEY
from tests.support.questions import shown_values
from tests.support.scripted_model import (
    DONE,
    Script,
    ToolCall,
    all_in_review,
    assert_partial_answer,
    changes,
    data_of,
    failing_on_the_second_page,
    in_review,
    onboarding,
    one_call,
    report,
    two_pages,
    writes,
)

pytestmark = pytest.mark.slow


def drivers(*fitting: type[Driver]) -> pytest.MarkDecorator:
    """Return the mark that plays a test through these drivers."""
    return pytest.mark.parametrize("driver", fitting, ids=lambda driver: driver.name)


every = drivers(*DRIVERS)
with_consent = drivers(*(driver for driver in DRIVERS if driver.takes_consent))
asking = drivers(*(driver for driver in DRIVERS if driver.asks))
repeating = drivers(*(driver for driver in DRIVERS if driver.asks and not driver.repeated_id_error))
resumable = drivers(*(driver for driver in DRIVERS if driver.is_resumable))
keyed = drivers(*(driver for driver in DRIVERS if driver.key_carriers))
local = drivers(*(driver for driver in DRIVERS if driver.is_local))


def names(changed: list[tuple[str, str]]) -> list[str]:
    """Return what happened, without the objects it happened to."""
    return [name for name, _ in changed]


# --- tools -----------------------------------------------------------------------------------------------------------------


@every
async def test_all_or_the_chosen_tools(driver: type[Driver], sandbox: Sandbox) -> None:
    async with driver(Setup(sandbox), onboarding) as agent:
        assert set(await agent.offered()) == {spec.tool_id for spec in catalog.load_all()}
    async with driver(Setup(sandbox, Selection.of(tools=["get_case"])), onboarding) as agent:
        assert await agent.offered() == ["persona_get_case"]


# --- a person's word -------------------------------------------------------------------------------------------------------


@with_consent
@pytest.mark.parametrize("later", [False, True], ids=["at once", "awaited"])
async def test_a_conversation_with_the_consent_hook(driver: type[Driver], sandbox: Sandbox, later: bool) -> None:
    asked: list[ConsentRequest] = []

    def consent(request: ConsentRequest) -> bool:
        asked.append(request)
        return True

    async def consent_later(request: ConsentRequest) -> bool:
        return consent(request)

    inquiry, before = in_review(sandbox), len(sandbox.effects)
    async with driver(Setup(sandbox, consent=consent_later if later else consent), onboarding) as agent:
        turn = await agent.start()
        assert (turn.words, turn.question) == (DONE, None)
        assert all(sandbox.api_key not in shown for shown in agent.saw)
    assert names(changes(sandbox, before)) == ["report/watchlist.created", "inquiry.approved"]
    assert changes(sandbox, before)[-1] == ("inquiry.approved", inquiry)
    assert [request.object_id for request in asked] == [inquiry]


@with_consent
async def test_a_refusing_hook_is_final(driver: type[Driver], sandbox: Sandbox) -> None:
    script = one_call("persona_approve_inquiry", inquiryId=in_review(sandbox))
    async with driver(Setup(sandbox, consent=lambda _: False), script) as agent:
        turn = await agent.start()
    assert turn.question is None
    assert "did not agree" in turn.words
    assert writes(sandbox) == []


@asking
async def test_a_run_stops_with_a_question_and_goes_on(driver: type[Driver], sandbox: Sandbox) -> None:
    inquiry, before = in_review(sandbox), len(sandbox.effects)
    async with driver(Setup(sandbox), onboarding) as agent:
        waiting = await agent.start()
        assert f"Approve inquiry {inquiry}?" in str(waiting.question)
        assert "inquiry.approved" not in dict(changes(sandbox, before))
        assert (await agent.answer(True)).words == DONE
        assert all(sandbox.api_key not in shown for shown in agent.saw)
    assert names(changes(sandbox, before)) == ["report/watchlist.created", "inquiry.approved"]
    assert changes(sandbox, before)[-1] == ("inquiry.approved", inquiry)


@asking
async def test_a_refusal_sends_nothing(driver: type[Driver], sandbox: Sandbox) -> None:
    async with driver(Setup(sandbox), onboarding) as agent:
        await agent.start()
        before, sent = len(sandbox.effects), len(sandbox.requests)
        assert (await agent.answer(False)).words.startswith("Not approved")
    assert changes(sandbox, before) == []
    assert len(sandbox.requests) == sent


@every
async def test_a_call_that_cannot_be_made_asks_nobody(driver: type[Driver], sandbox: Sandbox) -> None:
    async with driver(Setup(sandbox), one_call("persona_approve_inquiry", inquiryId="..", coment="x")) as agent:
        turn = await agent.start()
    assert turn.question is None
    assert "- inquiryId:" in turn.words
    assert "- coment:" in turn.words
    assert sandbox.requests == []


@asking
@pytest.mark.parametrize("comment", HIDDEN.values(), ids=HIDDEN)
async def test_what_is_agreed_to_is_what_is_sent(driver: type[Driver], sandbox: Sandbox, comment: str) -> None:
    sent: list[Any] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            sent.append(json.loads(await request.aread() or b"null"))
        return await sandbox.transport.handle_async_request(request)

    def runner() -> Runner:
        return Runner(base_url=sandbox.base_url, transport=httpx.MockTransport(answer))

    script = one_call("persona_approve_inquiry", inquiryId=in_review(sandbox), comment=comment)
    async with driver(Setup(sandbox, Selection.of(tools=["approve_inquiry"]), make_runner=runner), script) as agent:
        waiting = await agent.start()
        assert waiting.question
        shown = shown_values(waiting.question)
        assert sent == []
        await agent.answer(True)
    assert shown == {"Comment": comment}
    assert sent[0] == {"meta": {"comment": comment}}


@every
async def test_what_cannot_be_shown_whole_is_not_asked(driver: type[Driver], sandbox: Sandbox) -> None:
    script = one_call("persona_decline_inquiry", inquiryId=in_review(sandbox), comment="\u202e" * 1000)
    async with driver(Setup(sandbox), script) as agent:
        turn = await agent.start()
    assert turn.question is None
    assert "- comment: is too long to be shown" in turn.words
    assert sandbox.requests == []


# --- calls whose ids repeat ------------------------------------------------------------------------------------------------


def in_turn(*calls: ToolCall) -> Script:
    """Return a script that makes these calls one after the other, then says `done`."""
    return lambda seen: calls[len(seen)] if len(seen) < len(calls) else "done"


@asking
async def test_agreement_to_one_call_is_none_to_another_of_its_id(driver: type[Driver], sandbox: Sandbox) -> None:
    (first, second, *_), before = all_in_review(sandbox), len(sandbox.effects)
    calls = [ToolCall("persona_approve_inquiry", {"inquiryId": inquiry}, "call_1") for inquiry in (first, second)]
    async with driver(Setup(sandbox), in_turn(*calls)) as agent:
        assert f"Approve inquiry {first}?" in str((await agent.start()).question)
        if driver.repeated_id_error:
            with pytest.raises(driver.repeated_id_error, match="reused"):
                await agent.answer(True)
        else:
            assert f"Approve inquiry {second}?" in str((await agent.answer(True)).question)
        assert changes(sandbox, before) == [("inquiry.approved", first)]


@repeating
async def test_a_decision_that_is_made_again_under_an_id_is_made(driver: type[Driver], sandbox: Sandbox) -> None:
    inquiry, before = in_review(sandbox), len(sandbox.effects)
    approve = ToolCall("persona_approve_inquiry", {"inquiryId": inquiry}, "call_1")
    decline = ToolCall("persona_decline_inquiry", {"inquiryId": inquiry}, "call_2")
    async with driver(Setup(sandbox), in_turn(approve, decline, approve)) as agent:
        turn = await agent.start()
        for _ in range(3):
            assert turn.question
            turn = await agent.answer(True)
    assert turn.words == "done"
    assert names(changes(sandbox, before)) == ["inquiry.approved", "inquiry.declined", "inquiry.approved"]
    assert [request.replayed for request in writes(sandbox)] == [False] * 3


@repeating
async def test_a_write_that_is_made_again_under_an_id_is_made(driver: type[Driver], sandbox: Sandbox) -> None:
    call, before = report(sandbox), len(sandbox.effects)
    async with driver(Setup(sandbox), in_turn(call, call)) as agent:
        assert (await agent.start()).words == "done"
    assert names(changes(sandbox, before)) == ["report/watchlist.created"] * 2


@resumable
async def test_a_stored_run_tells_no_decision_that_another_has_undone(driver: type[Driver], sandbox: Sandbox) -> None:
    inquiry, before = in_review(sandbox), len(sandbox.effects)
    setup = Setup(sandbox)
    async with driver(setup, one_call("persona_approve_inquiry", inquiryId=inquiry)) as agent:
        await agent.start()
        assert '"status":"approved"' in (await agent.answer(True)).words
        async with setup.runner() as runner:
            await runner.call("decline_inquiry", {"inquiryId": inquiry, "apiKey": sandbox.api_key})
        words = (await agent.answer(True)).words
    assert "has changed since a person was asked about it, and its status is declined now" in words
    assert names(changes(sandbox, before)) == ["inquiry.approved", "inquiry.declined"]


# --- errors ----------------------------------------------------------------------------------------------------------------


def errors() -> Iterator[PersonaError]:
    """Yield an error of every kind, with every effect, that a new call under its idempotency key could put right."""
    details: dict[type[PersonaError], dict[str, Any]] = {InputError: {"operation": "x", "problems": [Problem("host", "x")]}}
    kinds = [PersonaError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        extra = details.get(kind, {"message": "It failed."} | ({"status": 500} if issubclass(kind, ApiError) else {}))
        for effect in (None, "no", "yes", "unknown"):
            yield kind(**extra, took_effect=effect, retryable=True, idempotency_key=KEY, retry_after=3.0)


@every
async def test_no_model_is_told_to_send_again_what_may_have_happened(driver: type[Driver], sandbox: Sandbox) -> None:
    raised: list[PersonaError] = []

    class Failing(Runner):
        async def call(self, *_: Any, **_options: Any) -> Any:
            raise raised[-1]

    async with driver(Setup(sandbox, Selection.of(tools=["create_account"]), make_runner=Failing), onboarding) as agent:
        for error in errors():
            raised.append(error)
            words = await agent.answer_to(ToolCall("persona_create_account", {"referenceId": "r"}))
            assert words
            assert not re.search("idempotency.?key", words, re.IGNORECASE)
            if error.took_effect == "unknown" and not isinstance(error, InputError):
                assert "read the object before you try again" in words
            for answer in (*agent.saw, words):
                assert KEY not in answer
    assert len(raised) == len({(type(error), error.took_effect) for error in raised}) > 50
    assert len(agent.saw_errors) == (len(raised) if driver.shows_data else 0)
    for details in agent.saw_errors:
        assert details["retryable"] == (details.get("tookEffect") != "unknown")
        assert details["retryAfter"] == 3.0
        assert "idempotencyKey" not in details


@every
async def test_an_error_goes_to_the_model_and_ends_no_run(driver: type[Driver], sandbox: Sandbox) -> None:
    async with driver(Setup(sandbox), one_call("persona_get_inquiry", inquiryId="inq_none")) as agent:
        turn = await agent.start()
    assert "404" in turn.words
    assert "Nothing was changed" not in turn.words, "a read changes nothing anyway"


@every
async def test_what_was_read_before_an_error_goes_to_the_model(driver: type[Driver], sandbox: Sandbox) -> None:
    setup = Setup(sandbox, make_runner=failing_on_the_second_page(sandbox))
    async with driver(setup, one_call(two_pages().name, **two_pages().arguments)) as agent:
        assert_partial_answer((await agent.start()).words)


# --- keys ------------------------------------------------------------------------------------------------------------------


@keyed
async def test_a_run_brings_its_own_key(driver: type[Driver], sandbox: Sandbox) -> None:
    api_key = sandbox.sandbox_key
    setup = Setup(sandbox, api_key="persona_production_wrong")
    async with driver(setup, one_call("persona_list_cases", maxItems=1)) as agent:
        for carrier in driver.key_carriers:
            turn = await agent.start(carrier(api_key))
            assert data_of(turn.words)["cases"] == [], "the other environment has no cases"
        assert all(api_key not in shown for shown in agent.saw)
    assert [request.environment for request in sandbox.requests] == ["sandbox"] * len(driver.key_carriers)


@keyed
@pytest.mark.parametrize("blank", ["", " "])
async def test_a_blank_key_does_not_fall_back(driver: type[Driver], sandbox: Sandbox, blank: str) -> None:
    async with driver(Setup(sandbox), one_call("persona_list_cases")) as agent:
        for carrier in driver.key_carriers:
            assert "blank persona_api_key" in (await agent.start(carrier(blank))).words
    assert sandbox.requests == []


# --- steps that are repeated -----------------------------------------------------------------------------------------------


@resumable
async def test_a_stored_run_that_is_resumed_twice_decides_once(driver: type[Driver], sandbox: Sandbox) -> None:
    before = len(sandbox.effects)
    async with driver(Setup(sandbox), one_call("persona_approve_inquiry", inquiryId=in_review(sandbox))) as agent:
        await agent.start()
        for _ in range(2):
            assert '"status":"approved"' in (await agent.answer(True)).words
    assert names(changes(sandbox, before)) == ["inquiry.approved"]
    assert [request.replayed for request in writes(sandbox)] == [False, True]


@every
async def test_equal_calls_of_other_runs_all_happen(driver: type[Driver], sandbox: Sandbox) -> None:
    call, before = report(sandbox), len(sandbox.effects)
    async with driver(Setup(sandbox), one_call(call.name, **call.arguments)) as agent:
        for _ in range(2):
            assert '"status":"' in (await agent.start()).words
    assert names(changes(sandbox, before)) == ["report/watchlist.created"] * 2
    assert [bool(request.replayed) for request in sandbox.requests] == [False] * 2


# --- arguments as no schema asks for them ----------------------------------------------------------------------------------

NAMES = (
    *("self", "this", "cls", "config", "run_manager", "callbacks", "runtime", "ctx", "context", "args", "kwargs", "state"),
    *("tool_call_id", "store", "tool_input", "input", "name", "arguments", "type", "id", "call", "tool", "func", "coroutine"),
    *("request", "toolbox", "api_key", "consent", "idempotency_key", "v__args", "__class__", "__init__", "", "a b"),
)
"""Names that the parameters of somebody's methods have; a model may invent any."""


@every
async def test_an_argument_of_any_name_is_named_as_unknown(driver: type[Driver], sandbox: Sandbox) -> None:
    async with driver(Setup(sandbox), onboarding) as agent:
        for name in NAMES:
            for call in (ToolCall("persona_list_cases", {name: "x"}), ToolCall("persona_approve_inquiry", {name: {"x": 1}})):
                answer = await agent.answer_to(call)
                assert answer
                assert f"- {name}: {call.name.removeprefix('persona_')} has no such param" in answer
    assert sandbox.requests == []


VALUES: list[Any] = [
    "[" * 100_000,
    '{"a":' * 100_000,
    "\0",
    "\ud800",
    "x" * 1_000_000,
    "1" * 10_000,
    "NaN",
    float("inf"),
    10**400,
    -1,
    True,
    [],
    {},
    [[["\ud800"]]],
    {"a": {"b": "\0"}},
    "../../etc/passwd",
]
"""What stands in the place of an argument, of whatever type it is."""

TEXTS = ["", "null", "[]", '"x"', "{", "\0", '{"outputFields":' + "[" * 100_000, r'{"inquiryId":"\ud800"}', "[" * 100_000]
"""What stands in the place of all arguments, where a model sends text."""

TOOLS = ("list_inquiries", "get_report", "approve_inquiry", "redact_account", "create_report", "import_accounts")


@dataclass(frozen=True)
class TextCall(ToolCall):
    """A call whose arguments are this text, JSON or not."""

    text: str = ""

    @property
    def json(self) -> str:
        """The text as it is."""
        return self.text


def hostile_calls(driver: type[Driver], name: str, schema: dict[str, Any]) -> Iterator[ToolCall]:
    """Yield all arguments at once, then one beside sound required ones, then what is no object at all.

    Where calling is fast, each argument has its turn to be that one.
    """
    sound = {argument: "inq_1" for argument in schema.get("required", ())}
    for value in VALUES:
        yield ToolCall(name, dict.fromkeys(schema["properties"], value))
        for argument in schema["properties"] if driver.calls_directly else ["outputFields"]:
            yield ToolCall(name, {**sound, argument: value})
    if driver.takes_text:
        yield from (TextCall(name, {}, text=text) for text in TEXTS)


@local
@pytest.mark.soak
@pytest.mark.parametrize("name", [f"persona_{name}" for name in TOOLS])
async def test_hostile_arguments_are_answered_or_asked_about(driver: type[Driver], sandbox: Sandbox, name: str) -> None:
    async with driver(Setup(sandbox, Selection.of(tools=[name])), onboarding) as agent:
        schema = agent.toolbox.find(name).input_schema
        for call in islice(hostile_calls(driver, name, schema), None, None, budget(small=3, full=1)):
            answer = await agent.answer_to(call)
            if answer is not None:
                assert answer
                assert answer.encode(), "it can be sent on"
                assert "fault of its own" not in answer
