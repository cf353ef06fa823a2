"""Accounts: updates, one account for a reference id, photos, auto-creation."""

from __future__ import annotations

import base64
import html
import re
from typing import Any

import pytest

from persona_block.sandbox.objects.fields import plain
from tests.support.contract_client import ContractClient


def plain_fields(client: ContractClient, id: str) -> Any:
    """Return the fields of an account without their types."""
    return plain(client.get(f"/accounts/{id}").attributes["fields"])


def test_an_update_changes_the_given_attributes_alone(client: ContractClient) -> None:
    id = client.account(reference_id="r", name_first="Jane", name_last="Doe", tags=["a"]).id
    client.sandbox.clock.advance(1)
    client.patch(f"/accounts/{id}", {"name-first": "June"})
    account = client.get(f"/accounts/{id}").attributes
    assert plain(account["fields"])["name"] == {"first": "June", "middle": None, "last": "Doe"}
    assert (account["reference-id"], account["tags"]) == ("r", ["a"])
    assert account["updated-at"] > account["created-at"]
    client.patch(f"/accounts/{id}", {"fields": {"name": None}, "tags": None})
    assert plain_fields(client, id)["name"] == {"first": None, "middle": None, "last": None}


def test_a_social_security_number_is_not_answered(client: ContractClient) -> None:
    account = client.account(social_security_number="123-45-6789")
    assert "6789" not in account.response.text


def test_upsert(client: ContractClient) -> None:
    upsert = {"upsert-by": "reference-id"}
    first = client.account(201, upsert, reference_id="r", name_first="Jane")
    again = client.account(200, {"upsert-by": "reference_id"}, reference_id="r", name_last="Doe")
    assert again.id == first.id
    assert plain_fields(client, first.id)["name"] == {"first": "Jane", "middle": None, "last": "Doe"}
    assert client.get("/accounts").ids == [first.id]


def test_a_photo_is_set_and_removed(client: ContractClient) -> None:
    photo = {"data": {"data": base64.b64encode(b"a photo").decode(), "filename": "me.jpg"}}
    account = client.account(selfie_photo=photo)
    file = plain(account.attributes["fields"])["selfie_photo"]
    assert (file["filename"], file["byte-size"]) == ("me.jpg", 7)
    assert client.fetch(file["url"]).content == b"a photo"
    client.patch(f"/accounts/{account.id}", {"name-first": "Jane", "fields": {"selfie_photo": file}})
    assert plain_fields(client, account.id)["selfie_photo"]["filename"] == "me.jpg"
    client.patch(f"/accounts/{account.id}", {"selfie-photo": {"data": {"data": "ISE=", "filename": "you.jpg"}}})
    assert plain_fields(client, account.id)["selfie_photo"]["byte-size"] == 2
    client.patch(f"/accounts/{account.id}", {"selfie-photo": {"data": {"data": "?"}}}, 422)
    client.patch(f"/accounts/{account.id}", {"selfie-photo": {"data": {"url": "?"}}}, 400)
    client.patch(f"/accounts/{account.id}", {"selfie-photo": {"data": None}})
    assert plain_fields(client, account.id)["selfie_photo"] is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("x?y#z.jpg", "x?y#z.jpg"),
        ("a/b.jpg", "b.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\me.jpg", "me.jpg"),
        ("a/..", "selfie_photo.jpg"),
        ("", "selfie_photo.jpg"),
        ('it\'s "me" 100%.jpg', 'it\'s "me" 100%.jpg'),
        ("me\r\nSet-Cookie: a\x00.jpg", "meSet-Cookie: a.jpg"),
        ("Passfoto Söhne 王.jpg", "Passfoto Söhne 王.jpg"),
        ("x" * 5000 + ".jpg", "x" * 196 + ".jpg"),
    ],
)
def test_the_name_of_a_photo(client: ContractClient, sent: str, kept: str) -> None:
    photo = {"data": {"data": base64.b64encode(b"a photo").decode(), "filename": sent}}
    account = client.account(selfie_photo=photo)
    file = plain(account.attributes["fields"])["selfie_photo"]
    assert file["filename"] == kept
    path, _, token = file["url"].partition("?access_token=")
    assert re.fullmatch(r"https://files\.sandbox\.invalid/[A-Za-z0-9._~%-]+", path)
    assert re.fullmatch(r"[A-Za-z0-9.]+", token)
    assert client.fetch(file["url"]).content == b"a photo"
    page = client.visit(f"/dashboard/objects/{account.id}").text
    assert f">{html.escape(kept)}</a>" in page.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")


class TestAutoCreation:
    """The account of a new inquiry or report."""

    @pytest.mark.parametrize("way", ["meta", "attribute"])
    def test_by_reference_id(self, client: ContractClient, way: str) -> None:
        def create() -> Any:
            if way == "meta":
                return client.inquiry(meta={"auto-create-account-reference-id": "r"})
            return client.inquiry({"reference-id": "r"})

        first, second = create(), create()
        assert first.related("account") == second.related("account")
        assert first.attributes["reference-id"] == "r"
        assert client.get("/accounts?filter[reference-id]=r").ids == [first.related("account")["id"]]

    def test_by_account_id(self, client: ContractClient) -> None:
        account = client.account(reference_id="r").id
        inquiry = client.inquiry({"account-id": account, "reference-id": "other"})
        assert (inquiry.related("account")["id"], inquiry.attributes["reference-id"]) == (account, "r")

    def test_by_nothing(self, client: ContractClient) -> None:
        one = client.inquiry({"fields": {"name-first": "Jane", "birthdate": "1990-01-02"}})
        assert one.related("account") != client.inquiry().related("account")
        account = plain_fields(client, one.related("account")["id"])
        assert (account["name"]["first"], account["birthdate"]) == ("Jane", "1990-01-02")

    def test_switched_off(self, client: ContractClient) -> None:
        meta = {"auto-create-account": False}
        assert client.inquiry(meta=meta).related("account") is None
        account = client.account(reference_id="r").id
        assert client.inquiry({"reference-id": "r"}, meta).related("account")["id"] == account
        assert client.inquiry({"reference-id": "new"}, meta).related("account") is None
        assert client.get("/accounts").ids == [account]
        assert client.report(query={"term": "Jane"}, meta=meta).related("account") is None

    def test_for_a_report(self, client: ContractClient) -> None:
        query = {"name-first": "Jane", "name-last": "Doe"}
        report = client.report(query=query, meta={"auto-create-account-reference-id": "r"})
        account = client.get(f"/accounts/{report.related('account')['id']}").attributes
        assert account["reference-id"] == "r"
        assert plain(account["fields"])["name"]["last"] == "Doe"
