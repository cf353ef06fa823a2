"""A receiver of JSON: what it gets, how it is signed, where nothing may go, and what each failure says."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from persona_block import webhooks
from persona_block.call.wire import tls_context
from persona_block.errors import DeliveryError, InputError
from persona_block.flows.ports import Content, Message, resolve
from persona_block.flows.targets import https
from tests.support.loopback import LOST, Answered, LoopbackServer, server_context, write_authority
from tests.support.planted import PERSON

SECRET = "planted-signing-secret"
ASKED = Message("Approve?", options=("approve", "decline"), workflow_id="flow-1", question_id="q1")


@pytest.fixture
def answers() -> list[Answered]:
    """The answers that the receiver gives, one a request; a 200 when they are used up."""
    return []


@pytest.fixture
def receiver(answers: list[Answered], monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    monkeypatch.setenv("PERSONA_FLOWS_HTTPS_SECRET", SECRET)
    with LoopbackServer(lambda _: answers.pop(0) if answers else Answered()) as serving:
        yield serving


async def send(target: str, message: Message | str = "Hello", dedupe_id: str = "d1") -> None:
    await resolve(target).send(target, Message(message) if isinstance(message, str) else message, dedupe_id)


async def test_a_message_arrives_signed_with_its_files(receiver: LoopbackServer) -> None:
    pdf = Content("inq_1.pdf", "application/pdf", b"%PDF-1.7")
    await send(f"{receiver.url}/hook?team=a", Message("Grüße \x1b", attachments=(pdf,)))
    (asked,) = receiver.asked
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", "/hook?team=a", "application/json")
    assert asked.headers["idempotency-key"] == "d1"
    webhooks.verify(asked.body, asked.headers["persona-block-signature"], SECRET)
    described = {"name": "inq_1.pdf", "mimeType": "application/pdf", "size": 8}
    assert asked.json() == {
        "id": "d1",
        "text": "Grüße \\x1b",
        "question": None,
        "attachments": [{**described, "content": base64.b64encode(b"%PDF-1.7").decode()}],
    }


async def test_a_question_arrives_with_what_answers_it(receiver: LoopbackServer) -> None:
    await send(receiver.url, ASKED)
    expected = {"workflowId": "flow-1", "questionId": "q1", "options": ["approve", "decline"]}
    assert receiver.asked[0].json()["question"] == expected


async def test_a_host_may_have_a_secret_of_its_own(receiver: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_FLOWS_HTTPS_SECRET_127_0_0_1", "of this host")
    await send(receiver.url)
    webhooks.verify(receiver.asked[0].body, receiver.asked[0].headers["persona-block-signature"], "of this host")


async def test_nothing_is_sent_unsigned(receiver: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERSONA_FLOWS_HTTPS_SECRET")
    with pytest.raises(InputError, match="PERSONA_FLOWS_HTTPS_SECRET_127_0_0_1"):
        await send(receiver.url)
    assert receiver.asked == []


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("PERSONA_FLOWS_HTTPS_SECRET", SECRET)
    monkeypatch.setenv("SSL_CERT_FILE", str(write_authority(tmp_path)))
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()


@pytest.mark.usefixtures("trusted")
async def test_a_receiver_with_a_certificate_for_its_name_is_reached() -> None:
    with LoopbackServer(tls=server_context()) as serving:
        await send(serving.url)
        assert len(serving.asked) == 1


@pytest.mark.usefixtures("trusted")
async def test_a_receiver_with_a_certificate_for_another_name_gets_nothing() -> None:
    with LoopbackServer(tls=server_context("hooks.example")) as serving:
        with pytest.raises(DeliveryError) as caught:
            await send(serving.url)
        assert (caught.value.took_effect, caught.value.retryable) == ("no", True)
        assert serving.asked == []


@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize(
    "target",
    [
        "http://hooks.example/x",
        "http://169.254.169.254/latest",
        "https://user:planted@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example/?a#part",
        "https://hooks.example/a b",
        "https://hooks.example/?a b",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example/\r\nX: y",
        "https://",
        "https://hooks.example:99999/",
        " https://hooks.example/",
    ],
)
async def test_an_address_that_is_not_fit_is_refused(target: str) -> None:
    with pytest.raises(InputError) as caught:
        await https.HttpsNotifier().send(target, Message("Hello"), "d1")
    assert "planted" not in str(caught.value)


OUTCOMES: dict[str, tuple[Answered, str, bool]] = {
    "bad request": (Answered(400), "no", False),
    "unauthorized": (Answered(401), "no", False),
    "gone": (Answered(410), "no", False),
    "a redirect": (Answered(302, {"Location": "http://169.254.169.254/"}), "unknown", False),
    "done elsewhere": (Answered(303, {"Location": "/done"}), "unknown", False),
    "a permanent redirect": (Answered(308, {"Location": "https://elsewhere.example/"}), "unknown", False),
    "a conflict": (Answered(409), "unknown", True),
    "an outage": (Answered(500, body=PERSON.encode()), "unknown", True),
    "a long wait": (Answered(503, {"Retry-After": "900"}), "unknown", True),
    "a limit": (Answered(429, {"Retry-After": "900"}), "no", True),
    "a limit without a time": (Answered(429), "no", True),
    "a lost answer": (LOST, "unknown", True),
    "an unknown refusal": (Answered(418), "unknown", False),
}


@pytest.mark.parametrize(("answer", "took_effect", "is_retryable"), list(OUTCOMES.values()), ids=list(OUTCOMES))
async def test_an_answer_says_what_came_of_it(
    receiver: LoopbackServer, answers: list[Answered], answer: Answered, took_effect: str, is_retryable: bool
) -> None:
    answers += [answer] * 2
    with pytest.raises(DeliveryError) as caught:
        await send(f"{receiver.url}/secret-path?token=planted", f"{PERSON} waits")
    assert (caught.value.took_effect, caught.value.retryable) == (took_effect, is_retryable)
    assert (caught.value.idempotency_key == "d1") == (took_effect == "unknown" and is_retryable)
    assert len(receiver.asked) == 1
    assert ("No redirect is followed" in str(caught.value)) == (300 <= answer.status < 400)
    assert not any(each in str(caught.value) for each in (PERSON, "planted", "secret-path"))


async def test_a_short_wait_is_waited_for(receiver: LoopbackServer, answers: list[Answered]) -> None:
    answers += [Answered(429, {"Retry-After": "0"}), Answered(503, {"Retry-After": "0"}), Answered(202)]
    await send(receiver.url)
    assert len(receiver.asked) == 3
    assert {asked.headers["idempotency-key"] for asked in receiver.asked} == {"d1"}


async def test_a_closed_port_means_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_FLOWS_HTTPS_SECRET", SECRET)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(DeliveryError) as caught:
            await send(f"http://127.0.0.1:{free.getsockname()[1]}/")
    assert (caught.value.took_effect, caught.value.retryable) == ("no", True)


async def test_a_receiver_that_never_answers_is_given_up(receiver: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(DeliveryError) as caught:
            await send(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert (caught.value.took_effect, caught.value.idempotency_key) == ("unknown", "d1")
    assert receiver.asked == []


async def test_attachments_over_the_limit_are_refused(receiver: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "BODY_LIMIT", 10)
    with pytest.raises(InputError, match="attachments"):
        await send(receiver.url, Message("x", attachments=(Content("a.bin", "application/octet-stream", b"x" * 11),)))
    assert receiver.asked == []
