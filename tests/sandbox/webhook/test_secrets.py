"""The secrets of a webhook: two at once, and how one replaces another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from persona_block import webhooks
from persona_block.errors import SignatureError
from persona_block.sandbox import SandboxError, Webhook
from tests.support.contract_client import ContractClient
from tests.support.webhook_receiver import SECRET, URL

OLD = "wbhsec_of-before"


class SignedBodies:
    """A receiver that keeps each body and its signature, and checks neither."""

    def __init__(self, secret: Any) -> None:
        self._received: list[httpx.Request] = []
        self.webhook = Webhook(URL, secret, transport=httpx.MockTransport(self._receive))

    def _receive(self, request: httpx.Request) -> httpx.Response:
        self._received.append(request)
        return httpx.Response(200)

    def verified_by(self, *secrets: str) -> list[str]:
        """Return those of the secrets with which the last body can be verified."""
        header = self._received[-1].headers["Persona-Signature"]
        return [secret for secret in secrets if self.is_signed(header, secret)]

    def is_signed(self, header: str, secret: str) -> bool:
        """Return whether a header signs the last body with a secret."""
        try:
            webhooks.verify(self._received[-1].content, header, secret)
        except SignatureError:
            return False
        return True

    @property
    def signatures(self) -> list[str]:
        """The sets in the header of the last body."""
        return self._received[-1].headers["Persona-Signature"].split(" ")


def send_event(client: ContractClient) -> None:
    """Cause an event, and deliver it."""
    client.account()
    client.deliver()


def test_two_secrets_sign_the_new_one_first() -> None:
    receiver = SignedBodies((SECRET, OLD))
    with ContractClient(webhook=receiver.webhook) as client:
        send_event(client)
        client.sandbox.clock.advance(10**6)
        send_event(client)
    assert receiver.verified_by(SECRET, OLD, "another") == [SECRET, OLD]
    assert len(receiver.signatures) == 2
    assert receiver.is_signed(receiver.signatures[0], SECRET)
    assert receiver.is_signed(receiver.signatures[1], OLD)


def test_one_secret_makes_one_signature() -> None:
    for secret in (SECRET, [SECRET]):
        receiver = SignedBodies(secret)
        with ContractClient(webhook=receiver.webhook) as client:
            send_event(client)
        assert len(receiver.signatures) == 1


def test_a_replaced_secret_signs_until_it_expires() -> None:
    receiver = SignedBodies(SECRET)
    with ContractClient(webhook=receiver.webhook) as client:
        new = client.sandbox.rotate_secret(3600)
        assert new.startswith("wbhsec_")
        send_event(client)
        assert receiver.verified_by(new, SECRET) == [new, SECRET]
        client.sandbox.clock.advance(3599)
        send_event(client)
        assert receiver.verified_by(new, SECRET) == [new, SECRET]
        client.sandbox.clock.advance(1)
        send_event(client)
        assert receiver.verified_by(new, SECRET) == [new]
        assert len(receiver.signatures) == 1


def test_two_rotations_in_a_row_leave_two_secrets() -> None:
    receiver = SignedBodies((SECRET, OLD))
    with ContractClient(webhook=receiver.webhook) as client:
        first = client.sandbox.rotate_secret()
        second = client.sandbox.rotate_secret()
        send_event(client)
        assert receiver.verified_by(second, first, SECRET, OLD) == [second, first]
        client.sandbox.clock.advance(24 * 3600)
        third = client.sandbox.rotate_secret(0)
        send_event(client)
        assert receiver.verified_by(third, second, first) == [third]
    assert len({first, second, third}) == 3


def test_a_program_rotates() -> None:
    receiver = SignedBodies(SECRET)
    with ContractClient(webhook=receiver.webhook) as client:

        def rotate(body: Any) -> httpx.Response:
            return client.call("POST", "/../../sandbox/webhook/rotate-secret", body).response

        answer = rotate({"expires-in-seconds": 60}).json()
        now = client.sandbox.clock.now().timestamp()
        assert datetime.fromisoformat(answer["previous-secret-expires-at"]).timestamp() == pytest.approx(now + 60)
        send_event(client)
        assert receiver.verified_by(answer["secret"], SECRET) == [answer["secret"], SECRET]
        assert rotate({}).status_code == 200
        wrong: tuple[Any, ...] = (*({"expires-in-seconds": each} for each in (-1, True, "1", None)), {"moon": 1}, [])
        for body in wrong:
            assert rotate(body).status_code == 400
        assert client.visit("/sandbox/webhook/rotate-secret", {"expires-in-seconds": "1"}).status_code == 400


def test_without_a_webhook_there_is_nothing_to_rotate(client: ContractClient) -> None:
    with pytest.raises(SandboxError, match="no webhook"):
        client.sandbox.rotate_secret()
    client.call("POST", "/../../sandbox/webhook/rotate-secret", {}).expect(404)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 2**31])
def test_a_wrong_expiry_is_refused(seconds: float) -> None:
    with ContractClient(webhook=SignedBodies(SECRET).webhook) as client, pytest.raises(ValueError, match="a number from 0 to"):
        client.sandbox.rotate_secret(seconds)


@pytest.mark.parametrize(
    ("secret", "message"),
    [([], "one secret, or two"), ((SECRET, OLD, "third"), "one secret, or two"), ((SECRET, ""), "must not be empty")],
)
def test_wrong_secrets_are_refused(secret: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Webhook(URL, secret)
