"""Slack: what is posted and how, what cannot be smuggled in, files, buttons, and what each failure says."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from persona_block.credentials import Secret
from persona_block.errors import DeliveryError, InputError, SignatureError, WebhookError
from persona_block.flows.ports import Content, Message, resolve
from persona_block.flows.targets import slack, slack_api
from persona_block.flows.targets.slack_clicks import BODY_LIMIT, acknowledge, read_click
from tests.support.loopback import LOST, Answered
from tests.support.planted import PERSON
from tests.support.slack_server import SIGNING_SECRET, TOKEN, SlackServer, signed

ASKED = Message("Decide?", options=("approve", "leave open"), workflow_id="flow-1", question_id="review-0")
PDF = Content("inq_1.pdf", "application/pdf", b"%PDF-1.7 evidence")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    with SlackServer() as serving:
        for name, value in serving.environment.items():
            monkeypatch.setenv(name, value)
        slack.forget_members()
        yield serving


async def send(target: str, message: Message | str = "Hello", dedupe_id: str = "d1") -> None:
    message = Message(message) if isinstance(message, str) else message
    await resolve(target).send(target, message, dedupe_id)


def shown_text(message: dict[str, Any]) -> str:
    sections = [section for block in message["blocks"] if block["type"] == "rich_text" for section in block["elements"]]
    return "".join(each.get("text") or each["url"] for section in sections for each in section["elements"])


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("#identity-reviews", "#identity-reviews"),
        ("#C0123456789", "C0123456789"),
        ("@U012AB3CDE", "U012AB3CDE"),
        ("@alex@example.com", "U0MAIL0001"),
        ("@alex", "U0ALEX0001"),  # by user name, and not by the display name that another member has taken
    ],
)
async def test_a_message_goes_to_the_channel_or_the_member(server: SlackServer, target: str, place: str) -> None:
    await send(target)
    (message,) = server.messages
    assert message["to"] == place
    assert shown_text(message) == message["text"] == "Hello"
    assert (message["unfurl_links"], message["unfurl_media"], message["link_names"]) == (False, False, False)
    assert message["metadata"]["event_payload"] == {"dedupe_id": "d1"}


async def test_a_second_sending_carries_the_same_ids_and_another_step_other_ones(server: SlackServer) -> None:
    for dedupe_id in ("d1", "d1", "d2"):
        await send("@alex", dedupe_id=dedupe_id)
    ids = [(each["client_msg_id"], each["blocks"][0]["block_id"]) for each in server.messages]
    assert ids[0] == ids[1] != ids[2]
    assert server.calls("users.list") == 2  # two pages, once


@pytest.mark.parametrize("target", ["@gone", "@robot", "@stranger", "@twin", "@nobody"])
async def test_a_name_of_no_one_member_is_refused(server: SlackServer, target: str) -> None:
    with pytest.raises(InputError, match="workspace"):
        await send(target)
    assert server.messages == []


@pytest.mark.parametrize("target", ["#", "#a b", "#<!channel>", "@", "@a b", "@Alex", "#a\n", "@a@b@c"])
async def test_a_target_that_is_none_is_refused(server: SlackServer, target: str) -> None:
    with pytest.raises(InputError):
        await slack.SlackNotifier().send(target, Message("Hello"), "d1")
    assert server.asked == []


INJECTIONS = [
    "<!channel> <!here> <!subteam^S1>",
    "<@U0ALEX0001> @channel @here",
    "<https://evil.example|Click to verify>",
    "https://evil.example/login",
    "https://withpersona.com@evil.example/",
    "https://withpersona.com.evil.example/",
    "http://withpersona.com/plain",
    "*bold* _it_ ~no~ `code` &lt;!channel&gt;",
    ":tada: \x1b[31m \u202egnp.exe",
]


@pytest.mark.parametrize("name", INJECTIONS)
async def test_nothing_in_a_text_becomes_a_mention_a_link_or_markup(server: SlackServer, name: str) -> None:
    await send("#reviews", f"Applicant {name} waits")
    (message,) = server.messages
    sections = [section for block in message["blocks"] for section in block["elements"]]
    assert {element["type"] for section in sections for element in section["elements"]} == {"text"}
    assert {frozenset(element) for section in sections for element in section["elements"]} == {frozenset({"type", "text"})}
    assert "<" not in message["text"]
    assert ">" not in message["text"]
    assert (message["parse"], message["mrkdwn"]) == ("none", False)
    assert "\x1b" not in shown_text(message)
    assert "\u202e" not in shown_text(message)


async def test_an_address_of_persona_is_a_link(server: SlackServer) -> None:
    await send("#reviews", "Go on at https://inquiry.withpersona.com/verify?code=us1.abc_D-9, please.")
    (block,) = server.messages[0]["blocks"]
    assert block["elements"][0]["elements"] == [
        {"type": "text", "text": "Go on at "},
        {"type": "link", "url": "https://inquiry.withpersona.com/verify?code=us1.abc_D-9"},
        {"type": "text", "text": ", please."},
    ]


async def test_files_are_shown_in_the_thread_of_the_message(server: SlackServer, tmp_path: Path) -> None:
    photo = tmp_path / "front.jpg"
    photo.write_bytes(b"jpeg" * 1000)
    await send("@alex", Message("Record", attachments=(PDF, Content("front.jpg", "image/jpeg", photo))))
    first, second = server.files.values()
    assert (first["filename"], first["data"], first["media_type"]) == ("inq_1.pdf", PDF.data, "application/pdf")
    assert (first["length"], second["data"]) == (len(b"%PDF-1.7 evidence"), b"jpeg" * 1000)
    assert {first["channel"], second["channel"]} == {server.messages[0]["channel"]}
    assert first["thread_ts"] == server.messages[0]["ts"]


async def test_a_long_text_goes_along_as_a_file(server: SlackServer) -> None:
    await send("#reviews", "line & line\n" * 3_000)
    (message,), (file,) = server.messages, server.files.values()
    assert len(shown_text(message)) == 12_000
    assert file["data"] == b"line & line\n" * 3_000


async def test_a_click_on_a_button_is_an_answer(server: SlackServer) -> None:
    await send("#reviews", ASKED)
    click = read_click(*server.click("leave open"))
    assert click is not None
    assert (click.workflow_id, click.question_id, click.option) == ("flow-1", "review-0", "leave open")
    assert (click.user_id, click.user_name, click.team_id) == ("U0ALEX0001", "alex", "T0000TEAM")
    assert server.url not in repr(click)
    assert await acknowledge(click, "leave open, says alex")
    (replaced,) = server.replaced
    assert replaced["replace_original"] is True
    assert not [block for block in replaced["blocks"] if block["type"] == "actions"]
    assert "leave open, says alex" in json.dumps(replaced["blocks"])


async def test_a_button_holds_ids_and_its_own_words_and_nothing_of_the_question(server: SlackServer) -> None:
    question = Message(f"{PERSON} Doe, born 1994-04-12", options=("approve",), workflow_id="flow-1", question_id="review-0")
    await send("#reviews", question)
    (button,) = server.buttons()
    assert json.loads(button["value"]) == {"w": "flow-1", "q": "review-0", "o": "approve"}


@pytest.mark.parametrize(
    "options",
    [("x" * 76,), (" ",), tuple(f"{number}" for number in range(101)), ("a\x1b",)],
    ids=["long", "blank", "many", "hidden"],
)
async def test_options_that_no_button_shows_are_refused(server: SlackServer, options: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="options"):
        await send("#reviews", Message("Which?", options=options, workflow_id="w", question_id="q"))
    assert server.asked == []


async def test_sixty_options_are_sixty_buttons(server: SlackServer) -> None:
    options = tuple(f"itmpl_{number}" for number in range(60))
    await send("#reviews", Message("Which?", options=options, workflow_id="w", question_id="q"))
    assert [button["text"]["text"] for button in server.buttons()] == list(options)
    assert len({button["action_id"] for button in server.buttons()}) == 60


# --- clicks that are not to be trusted -----------------------------------------------------------------------------------


def forged(change: str, body: bytes, timestamp: str, signature: str) -> tuple[bytes, str | None, str | None]:
    """Return a signed request with one thing wrong."""
    return {
        "body": (body.replace(b"approve", b"decline"), timestamp, signature),
        "later": (body, str(int(timestamp) + 1), signature),
        "no signature": (body, timestamp, None),
        "no time": (body, None, signature),
        "no number": (body, "soon", signature),
        "not ascii": (body, timestamp, "v0=é" + signature[4:]),
        "cut": (body, timestamp, signature[:-1]),
        "other secret": signed(body, "another-secret"),
        "old": signed(body, now=int(timestamp) - 301),
        "early": signed(body, now=int(timestamp) + 301),
        "no text": signed(b"\xff\xfe"),
        "too large": signed(b"x" * (BODY_LIMIT + 1)),
    }[change]


@pytest.mark.parametrize(
    "change",
    [
        "body",
        "later",
        "no signature",
        "no time",
        "no number",
        "not ascii",
        "cut",
        "other secret",
        "old",
        "early",
        "too large",
        "no text",
    ],
)
async def test_a_click_that_slack_did_not_sign_just_now_is_refused(server: SlackServer, change: str) -> None:
    await send("#reviews", ASKED)
    body, timestamp, signature = server.click("approve")
    with pytest.raises(SignatureError):
        read_click(*forged(change, body, timestamp, signature), now=float(timestamp))
    assert read_click(body, timestamp, signature, now=float(timestamp) + 299) is not None


PAYLOADS: dict[str, tuple[Any, bool]] = {
    "another type": ({"type": "view_submission"}, False),
    "another button": ({"type": "block_actions", "actions": [{"action_id": "other", "value": "1"}]}, False),
    "two actions": ({"type": "block_actions", "actions": [{}, {}]}, False),
    "no actions": ({"type": "block_actions", "actions": {}}, False),
    "no value": ({"type": "block_actions", "actions": [{"action_id": "persona-block-answer-0", "value": "1"}]}, True),
    "no list": ([], True),
    "no user": (
        {"type": "block_actions", "actions": [{"action_id": "persona-block-answer-0", "value": '{"w":"a","q":"b","o":"c"}'}]},
        True,
    ),
    "wrong kinds": (
        {
            "type": "block_actions",
            "user": {"id": "U1"},
            "actions": [{"action_id": "persona-block-answer-0", "value": '{"w":1,"q":"b","o":"c"}'}],
        },
        True,
    ),
}


@pytest.mark.parametrize(("payload", "is_broken"), list(PAYLOADS.values()), ids=list(PAYLOADS))
def test_a_signed_request_that_is_no_answer(payload: Any, is_broken: bool) -> None:
    arrived = signed(urlencode({"payload": json.dumps(payload)}).encode())
    if is_broken:
        with pytest.raises(WebhookError):
            read_click(*arrived, signing_secret=Secret(SIGNING_SECRET))
    else:
        assert read_click(*arrived, signing_secret=Secret(SIGNING_SECRET)) is None


@pytest.mark.parametrize("body", [b"", b"payload", b"payload=%7B", b"a=1&payload=1&payload=2", b"payload=" + b"%5B" * 9_000])
def test_a_signed_body_that_is_no_form_is_no_interaction(body: bytes) -> None:
    with pytest.raises(WebhookError):
        read_click(*signed(body), signing_secret=Secret(SIGNING_SECRET))


def test_without_a_signing_secret_nothing_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERSONA_FLOWS_SLACK_SIGNING_SECRET", raising=False)
    with pytest.raises(InputError, match="PERSONA_FLOWS_SLACK_SIGNING_SECRET"):
        read_click(*signed(b"payload={}"))


# --- failures ------------------------------------------------------------------------------------------------------------


def limited(seconds: str) -> Answered:
    return Answered.of({"ok": False, "error": "ratelimited"}, 429, Retry_After=seconds)


def error(code: str, status: int = 200) -> Answered:
    return Answered.of({"ok": False, "error": code}, status)


POST = "chat.postMessage"
FAILURES: dict[str, tuple[str, Answered, str, bool, int]] = {
    "unknown channel": (POST, error("channel_not_found"), "no", False, 0),
    "a bad token": (POST, error("invalid_auth"), "no", False, 0),
    "a long limit": (POST, limited("120"), "no", True, 0),
    "a fault of theirs": (POST, error("fatal_error"), "unknown", False, 0),
    "an outage": (POST, Answered(503, body=b"<html>Down"), "unknown", False, 0),
    "an error page": (POST, Answered(200, body=f"<html>{PERSON}".encode()), "unknown", False, 0),
    "a refusal page": (POST, Answered(404, body=b"<html>"), "no", False, 0),
    "an odd answer": (POST, Answered.of([1]), "unknown", False, 0),
    "members of another shape": ("users.list", Answered.of({"ok": True, "members": [1]}), "no", True, 0),
    "no address for a file": ("files.getUploadURLExternal", Answered.of({"ok": True}), "no", False, 0),
    "an address in clear": (
        "files.getUploadURLExternal",
        Answered.of({"ok": True, "file_id": "F1", "upload_url": "http://files.example/x"}),
        "no",
        False,
        0,
    ),
    "a lost connection": (POST, LOST, "unknown", False, 0),
    "a member's outage": ("users.list", Answered(500), "no", True, 0),
    "an upload's outage": ("/upload/F000000000", Answered(500), "no", True, 0),
    "an upload's loss": ("/upload/F000000000", LOST, "no", True, 0),
    "no room for a file": ("files.getUploadURLExternal", error("storage_limit_reached"), "no", False, 0),
    "a file that is not shown": ("files.completeUploadExternal", error("fatal_error"), "yes", False, 1),
    "a limit on showing": ("files.completeUploadExternal", limited("120"), "yes", False, 1),
}


@pytest.mark.parametrize(
    ("method", "answer", "took_effect", "is_retryable", "posted"), list(FAILURES.values()), ids=list(FAILURES)
)
async def test_a_failure_says_what_came_of_it(
    server: SlackServer, method: str, answer: Answered, took_effect: str, is_retryable: bool, posted: int
) -> None:
    server.faults[method] = [answer] * 3
    with pytest.raises(DeliveryError) as caught:
        await send("@alex", Message(f"{PERSON} waits", attachments=(PDF,)))
    assert (caught.value.took_effect, caught.value.retryable) == (took_effect, is_retryable)
    assert len(server.messages) == posted
    assert server.calls(method) <= 1  # nothing is repeated by itself
    assert PERSON not in str(caught.value)
    assert TOKEN not in str(caught.value)


async def test_a_post_whose_answer_is_lost_is_in_doubt_and_not_repeated(server: SlackServer) -> None:
    server.after[POST] = [LOST]
    with pytest.raises(DeliveryError) as caught:
        await send("#reviews")
    assert (caught.value.took_effect, caught.value.retryable) == ("unknown", False)
    assert len(server.messages) == 1


@pytest.mark.usefixtures("server")
async def test_a_closed_port_means_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PERSONA_FLOWS_SLACK_URL", f"http://127.0.0.1:{free.getsockname()[1]}/api")
        with pytest.raises(DeliveryError) as caught:
            await send("#reviews")
    assert (caught.value.took_effect, caught.value.retryable) == ("no", True)


@pytest.mark.parametrize("method", ["users.list", POST, "files.completeUploadExternal"])
async def test_a_short_limit_is_waited_for(server: SlackServer, method: str) -> None:
    server.faults[method] = [limited("0"), limited("0")]
    await send("@alex", Message("Record", attachments=(PDF,)))
    assert len(server.messages) == 1
    assert next(iter(server.files.values()))["channel"] == "U0ALEX0001"


async def test_a_limit_without_end_is_left_to_the_step(server: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_api, "PATIENCE", 3.0)
    server.faults[POST] = [limited("0")] * 50
    with pytest.raises(DeliveryError) as caught:
        await send("#reviews")
    assert (caught.value.took_effect, caught.value.retryable, caught.value.retry_after) == ("no", True, 0.0)
    assert server.calls(POST) == 5


async def test_a_step_that_is_cancelled_while_it_waits_posts_nothing(server: SlackServer) -> None:
    server.faults[POST] = [limited("1")]
    sending = asyncio.create_task(send("#reviews"))
    await asyncio.to_thread(server.wait_for_one)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await asyncio.sleep(0.05)
    assert server.messages == []


# --- incoming webhooks ---------------------------------------------------------------------------------------------------


@pytest.fixture
def hook(server: SlackServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SlackServer:
    """Slack with an incoming webhook of #identity-reviews, whose address stands in a file."""
    monkeypatch.delenv("PERSONA_FLOWS_SLACK_TOKEN")
    address = tmp_path / "webhook"
    address.write_text(f"{server.url}/hooks/planted-hook\n")
    monkeypatch.setenv("PERSONA_FLOWS_SLACK_WEBHOOK_IDENTITY_REVIEWS", f"file:{address}")
    return server


async def test_a_webhook_posts_a_question_into_its_channel(hook: SlackServer) -> None:
    await send("#identity-reviews", ASKED)
    click = read_click(*hook.click("approve"))
    assert click is not None
    assert click.option == "approve"


@pytest.mark.parametrize("target", ["#general", "#identity_reviews", "#Identity-reviews", "@alex", "@U012AB3CDE"])
async def test_a_webhook_never_takes_what_is_for_somebody_else(hook: SlackServer, target: str) -> None:
    with pytest.raises(InputError, match="PERSONA_FLOWS_SLACK_TOKEN"):
        await send(target)
    assert hook.asked == []


async def test_a_webhook_takes_no_files(hook: SlackServer) -> None:
    with pytest.raises(InputError, match="files"):
        await send("#identity-reviews", Message("Record", attachments=(PDF,)))
    assert hook.asked == []


@pytest.mark.parametrize(
    ("answer", "took_effect", "is_retryable"),
    [
        (Answered(404, body=b"no_service"), "no", False),
        (Answered(410, body=b"channel_is_archived"), "no", False),
        (Answered(429, {"Retry-After": "9"}), "no", True),
        (Answered(500), "unknown", False),
        (Answered(200, body=b"<html>Log in"), "unknown", False),
        (LOST, "unknown", False),
    ],
    ids=["gone", "archived", "limited", "outage", "another page", "lost"],
)
async def test_a_webhook_that_fails_says_what_came_of_it(
    hook: SlackServer, answer: Answered, took_effect: str, is_retryable: bool
) -> None:
    hook.faults["/hooks/planted-hook"] = [answer]
    with pytest.raises(DeliveryError) as caught:
        await send("#identity-reviews")
    assert (caught.value.took_effect, caught.value.retryable) == (took_effect, is_retryable)
    assert "planted-hook" not in str(caught.value)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("url", ["http://slack.example/api", "ftp://127.0.0.1/x", "not a url"])
async def test_slack_is_reached_over_tls_or_on_this_machine(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PERSONA_FLOWS_SLACK_URL", url)
    with pytest.raises(InputError, match="PERSONA_FLOWS_SLACK_URL"):
        await send("#reviews")
