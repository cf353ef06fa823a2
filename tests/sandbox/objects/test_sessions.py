"""Sessions and one-time links: how many, how often they open, and for how long."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from persona_block.sandbox import SandboxError
from tests.support.contract_client import ContractClient


def test_a_session_token_and_the_limit_of_sessions(client: ContractClient) -> None:
    id = client.inquiry().id
    first = client.post(f"/inquiries/{id}/resume")
    again = client.post(f"/inquiries/{id}/resume")
    assert first.related("sessions") == again.related("sessions")  # an unused session is returned again
    header, claims, signature = (part for part in first.body["meta"]["session-token"].split("."))
    assert signature
    assert _decoded(header)["alg"] == "HS256"
    token = _decoded(claims)
    assert token["sub"] == token["sid"] == first.related("sessions")[0]["id"]
    assert (token["aud"], token["exp"] - token["iat"]) == ("persona-verify", 24 * 3600)
    for _ in range(24):
        client.post(f"/inquiries/{id}/generate-one-time-link")
    refused = client.post(f"/inquiries/{id}/generate-one-time-link", status=422)
    assert "at most 25 sessions" in refused.details
    assert len(client.get(f"/inquiries/{id}").related("sessions")) == 25


def test_create_with_session_and_link(client: ContractClient) -> None:
    plain = client.inquiry()
    assert set(plain.body["meta"].values()) == {None}
    reply = client.inquiry(meta={"auto-create-inquiry-session": True, "auto-create-one-time-link": True})
    assert all(reply.body["meta"].values())
    assert len(reply.related("sessions")) == 1
    assert client.sandbox.open_link(reply.body["meta"]["one-time-link"])["session"]["status"] == "active"
    assert (
        client.sandbox.open_link(reply.body["meta"]["one-time-link-short"])["session"]["id"]
        == reply.related("sessions")[0]["id"]
    )


def test_a_link_is_used_once(client: ContractClient) -> None:
    id = client.inquiry().id
    link = client.post(f"/inquiries/{id}/generate-one-time-link").body["meta"]["one-time-link"]
    assert client.fetch(link).status_code == 200
    client.sandbox.clock.advance(5 * 60)
    assert client.fetch(link).status_code == 200  # within the grace
    client.sandbox.clock.advance(1)
    assert client.fetch(link).status_code == 410
    assert client.fetch(link[:-1] + "~").status_code == 404
    with pytest.raises(SandboxError, match="used"):
        client.sandbox.open_link(link)


def test_a_link_expires(client: ContractClient) -> None:
    id = client.inquiry().id
    short = client.post(f"/inquiries/{id}/generate-one-time-link", {"meta": {"expires-in-seconds": 30}}).body["meta"]
    long = client.post(f"/inquiries/{id}/generate-one-time-link").body["meta"]
    client.sandbox.clock.advance(31)
    with pytest.raises(SandboxError, match="expired"):
        client.sandbox.open_link(short["one-time-link"])
    assert client.sandbox.open_link(long["one-time-link"])
    other = client.post(f"/inquiries/{id}/generate-one-time-link").body["meta"]
    client.post(f"/inquiries/{id}/expire")
    with pytest.raises(SandboxError, match="expired"):
        client.sandbox.open_link(other["one-time-link-short"])


def _decoded(part: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded
