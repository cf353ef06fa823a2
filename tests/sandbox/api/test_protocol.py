"""The protocol: keys, environments, versions, inflection, idempotency, rate limits, and the log of requests."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from persona_block.sandbox import Settings
from persona_block.sandbox.objects import sessions
from persona_block.spec.inflection import inflect, kebab, normalize
from tests.support.contract_client import AS_JSON, CheckedReply, ContractClient

NEW = {"data": {"attributes": {"inquiry-template-id": "itmpl_GovernmentIdAndSelfie"}}}


@pytest.mark.parametrize(
    ("headers", "title"),
    [
        ({"Authorization": ""}, "Must be authenticated to access this endpoint"),
        ({"Authorization": "Basic abc"}, "Must be authenticated to access this endpoint"),
        ({"Authorization": "Bearer wrong"}, "Token is invalid"),
        ({"Authorization": "Bearer persona_production_offlin"}, "Token is invalid"),
    ],
)
def test_a_wrong_key(client: ContractClient, headers: dict[str, str], title: str) -> None:
    reply = client.get("/accounts", 401, headers=headers)
    assert reply.body == {"errors": [{"title": title}]}
    assert client.sandbox.requests[-1].environment is None


def test_keys_are_masked_in_the_log(client: ContractClient) -> None:
    client.get("/accounts")
    client.get("/accounts", 401, api_key="persona_production_somebodys-real-key")
    logged = client.sandbox.requests
    assert [record.api_key for record in logged] == ["persona_production_***", "***"]
    assert "real" not in str(logged)


def test_environments_do_not_see_each_other(client: ContractClient) -> None:
    sandbox_key = client.sandbox.sandbox_key
    mine = client.account(reference_id="same")
    theirs = client.post("/accounts", {"data": {"attributes": {"reference-id": "same"}}}, 201, api_key=sandbox_key)
    assert client.get("/accounts").ids == [mine.id]
    assert client.get("/accounts", api_key=sandbox_key).ids == [theirs.id]
    client.get(f"/accounts/{theirs.id}", 404)
    client.get(f"/accounts?page[after]={theirs.id}", 400)
    assert mine.headers["persona-environment-id"] != theirs.headers["persona-environment-id"]
    assert mine.headers["persona-organization-id"] == theirs.headers["persona-organization-id"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Persona-Version": "2025-12-08"}, 200),
        ({"Persona-Version": "latest"}, 400),
        ({"Key-Inflection": "camel"}, 200),
        ({"Key-Inflection": "Kebab"}, 400),
    ],
)
def test_values_of_the_headers(client: ContractClient, headers: dict[str, str], status: int) -> None:
    client.get("/accounts", status, headers=headers)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ("Application/JSON;charset=latin-1", 201),
        (None, 400),
        ("", 400),
        ("text/plain", 400),
        ("application/x-www-form-urlencoded", 400),
        ("application/vnd.api+json", 400),
        ("application/jsonx", 400),
    ],
)
def test_the_type_of_a_body(client: ContractClient, content_type: str | None, status: int) -> None:
    content = b'{"data": {"attributes": {"reference-id": "r"}}}'
    headers = {} if content_type is None else {"Content-Type": content_type}
    reply = client.call("POST", "/accounts", headers=headers, content=content).expect(status)
    if status == 400:
        assert reply.details == "Content-Type must be application/json"
        id = client.account().id
        client.call("PATCH", f"/accounts/{id}", headers=headers, content=content).expect(400)
        assert client.get("/accounts?filter[reference-id]=r").ids == []


def test_an_empty_body_needs_no_type(client: ContractClient) -> None:
    id = client.inquiry().id
    for action, content in (("approve", b""), ("mark-for-review", b" "), ("decline", b"")):
        reply = client.call("POST", f"/inquiries/{id}/{action}", content=content)
        assert reply.status == (422 if action == "mark-for-review" else 200)


@pytest.mark.parametrize(("inflection", "name"), [("kebab", "expires-at"), ("camel", "expiresAt"), ("snake", "expires_at")])
def test_inflection(client: ContractClient, inflection: str, name: str) -> None:
    sent = inflect({**copy.deepcopy(NEW), "meta": {"auto-create-account-reference-id": "r"}}, inflection)
    fields = {"name-first": "Jane", "loose_key": 1, "looseKey": {"inner-key": 2}}
    sent["data"]["attributes"]["fields"] = fields
    reply = client.post("/inquiries", sent, 201, headers={"Key-Inflection": inflection})
    assert name in reply.attributes
    assert {"name-first", "loose_key", "looseKey"} <= reply.attributes["fields"].keys()
    kebab_reply = client.get(f"/inquiries/{reply.id}")
    assert normalize(reply.data) == kebab_reply.data
    assert kebab_reply.attributes["reference-id"] == "r"
    client.get(f"/inquiries/{reply.id}", headers={"Key-Inflection": inflection})
    client.finished(reply.id)
    client.get(f"/inquiries/{reply.id}?include=verifications,documents,account", headers={"Key-Inflection": inflection})
    client.get("/inquiries?filter[reference_id]=r&filter[accountId]=x", headers={"Key-Inflection": inflection})


@pytest.mark.parametrize("name", ["name-first", "address-street-1", "created-at-ts", "id", "inquiry-template-version-id"])
def test_inflection_goes_both_ways(name: str) -> None:
    for inflection in ("kebab", "camel", "snake"):
        assert [kebab(spelled) for spelled in inflect({name: 1}, inflection)] == [name]


class TestIdempotency:
    """Idempotency keys and the replies that are replayed under them."""

    def send(self, client: ContractClient, body: Any = NEW, path: str = "/inquiries", **options: Any) -> CheckedReply:
        """Send a POST under an idempotency key, by default `one`, and return the reply."""
        headers = {"Idempotency-Key": options.pop("idempotency_key", "one"), **options.pop("headers", {})}
        return client.call("POST", path, body, headers=headers, **options)

    def test_the_first_reply_is_replayed(self, client: ContractClient) -> None:
        first, again = self.send(client), self.send(client)
        assert (first.status, first.body) == (again.status, again.body)
        assert client.get("/inquiries").ids == [first.id]
        assert first.headers["request-id"] != again.headers["request-id"]
        one, two = [record for record in client.sandbox.requests if record.method == "POST"]
        assert (one.replayed, one.effects, two.replayed, two.effects) == (False, 2, True, 0)

    def test_a_request_with_other_whitespace_is_the_same(self, client: ContractClient) -> None:
        first = self.send(client)
        spaced = b'{"data" : {"attributes": {"inquiry-template-id":"itmpl_GovernmentIdAndSelfie"}}}'
        assert self.send(client, None, content=spaced, headers=AS_JSON).id == first.id

    def test_an_upload_with_another_boundary_is_the_same(self, client: ContractClient) -> None:
        def upload(content: bytes) -> CheckedReply:
            return self.send(client, None, "/importer/accounts", files={"data[attributes][file]": ("a.csv", content)})

        assert upload(b"reference_id\n1\n").id == upload(b"reference_id\n1\n").id
        assert upload(b"reference_id\n2\n").status == 409

    def test_errors_are_replayed(self, client: ContractClient) -> None:
        body = {"data": {"attributes": {"reference-id": "r"}}}
        account = client.account(reference_id="r")
        assert self.send(client, body, "/accounts").status == 409
        client.patch(f"/accounts/{account.id}", {"reference-id": "other"})
        assert self.send(client, body, "/accounts").status == 409
        assert self.send(client, body, "/accounts", idempotency_key="two").status == 201

    @pytest.mark.parametrize("status", [409, 400, 422])
    def test_another_request_under_the_same_key(self, status: int) -> None:
        with ContractClient(settings=Settings(mismatch_status=status)) as client:
            first = self.send(client)
            other = {"data": {"attributes": {**NEW["data"]["attributes"], "note": "other"}}}
            assert self.send(client, other).status == status
            assert self.send(client, path=f"/inquiries/{first.id}/approve", body=None).status == status
            assert client.get("/inquiries").ids == [first.id]

    def test_a_key_lasts_a_day(self, client: ContractClient) -> None:
        first = self.send(client)
        client.sandbox.clock.advance(24 * 3600 - 1)
        assert self.send(client).id == first.id
        client.sandbox.clock.advance(1)
        assert self.send(client).id != first.id

    def test_keys_belong_to_an_api_key(self, client: ContractClient) -> None:
        assert self.send(client).id != self.send(client, api_key=client.sandbox.sandbox_key).id

    def test_an_approval_sent_twice_happens_once(self, client: ContractClient) -> None:
        id = client.inquiry().id
        client.finished(id)
        first = self.send(client, {}, f"/inquiries/{id}/approve")
        again = self.send(client, {}, f"/inquiries/{id}/approve")
        assert (first.status, again.status) == (200, 200)
        assert [effect.name for effect in client.sandbox.effects].count("inquiry.approved") == 1

    def test_only_posts_are_replayed(self, client: ContractClient) -> None:
        account = client.account().id
        for name in ("A", "B"):
            attributes = {"data": {"attributes": {"name-first": name}}}
            client.call("PATCH", f"/accounts/{account}", attributes, headers={"Idempotency-Key": "one"}).expect(200)

    def test_an_internal_error_is_replayed_and_changes_nothing(
        self, client: ContractClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: Any) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr(client, "check_reply", lambda *_: None)
        monkeypatch.setattr(sessions, "create", fail)
        body = {**NEW, "meta": {"auto-create-inquiry-session": True}}
        assert self.send(client, body).status == 500
        monkeypatch.undo()
        assert client.get("/inquiries").ids == client.get("/accounts").ids == []
        monkeypatch.setattr(client, "check_reply", lambda *_: None)
        assert self.send(client, body).status == 500
        assert "broken" in caplog.text


class TestRateLimit:
    """The rate limit and the headers that show it."""

    def test_by_default_the_headers_count_and_nothing_is_refused(self, client: ContractClient) -> None:
        def allowance(seconds: float, **options: Any) -> tuple[str, ...]:
            client.sandbox.clock.advance(seconds)
            headers = client.get("/accounts", **options).headers
            return tuple(headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "reset"))

        assert [allowance(seconds) for seconds in (0, 20, 40)] == [
            ("300", "299", "60"),
            ("300", "298", "40"),
            ("300", "299", "60"),
        ]
        assert allowance(0, api_key=client.sandbox.sandbox_key) == ("300", "299", "60")
        remaining = [int(allowance(0)[1]) for _ in range(302)]
        assert remaining == [*range(298, 29, -1), *range(299, 266, -1)], "a window is never used up"

    def test_a_window(self) -> None:
        with ContractClient(settings=Settings(rate_limit=2, rate_window=60)) as client:
            seen = []
            for seconds in (0, 20.5, 10, 29.5):
                client.sandbox.clock.advance(seconds)
                reply = client.call("GET", "/accounts")
                seen.append((reply.status, reply.headers["ratelimit-remaining"], reply.headers["ratelimit-reset"]))
            assert seen == [(200, "1", "60"), (200, "0", "40"), (429, "0", "30"), (200, "1", "60")]
            assert client.get("/accounts", api_key=client.sandbox.sandbox_key).headers["ratelimit-remaining"] == "1"

    def test_a_refusal_is_not_stored(self) -> None:
        with ContractClient(settings=Settings(rate_limit=1)) as client:
            client.get("/accounts")
            refused = client.post("/inquiries", NEW, 429, headers={"Idempotency-Key": "one"})
            assert refused.body["errors"][0]["title"] == "Rate limit exceeded"
            client.sandbox.clock.advance(61)
            client.post("/inquiries", NEW, 201, headers={"Idempotency-Key": "one"})


def test_the_log_names_the_request_of_each_change(client: ContractClient) -> None:
    created = client.inquiry(meta={"auto-create-account-reference-id": "r"})
    client.finished(created.id, "review")
    declined = client.post(f"/inquiries/{created.id}/decline")
    by_request: dict[str | None, list[tuple[str, str]]] = {}
    for effect in client.sandbox.effects:
        by_request.setdefault(effect.request_id, []).append((effect.name, effect.resource_id))
    assert [name for name, _ in by_request[created.headers["request-id"]]] == ["account.created", "inquiry.created"]
    assert ("case.resolved", client.get("/cases").ids[0]) in by_request[declined.headers["request-id"]]
    assert ("inquiry.marked-for-review", created.id) in by_request[None]
    ids = [record.id for record in client.sandbox.requests]
    assert len(set(ids)) == len(ids)
