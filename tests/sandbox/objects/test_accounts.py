"""Accounts: fields in and out, one account for a reference id, auto-creation, photos, imports."""

from __future__ import annotations

import base64
import html
import re
from typing import Any

import pytest

from persona_block.sandbox.objects.fields import plain, redacted, typed
from tests.support.contract_client import Client


def values(client: Client, id: str) -> Any:
    return plain(client.get(f"/accounts/{id}").attributes["fields"])


JANE = {"birthdate": "1990-01-02"}


@pytest.mark.parametrize(
    "given",
    [
        {"name_first": "Jane", "address_city": "Denver", "country_code": "US", **JANE},
        {"fields": {"name-first": "Jane", "address-city": "Denver", "country-code": "US", **JANE}},
        {"fields": {"name": {"first": "Jane"}, "address": {"city": "Denver", "country_code": "US"}, **JANE}},
        {"fields": {"name": typed({"first": "Jane"}), "address_city": "Denver", "address-country-code": "US"}, **JANE},
    ],
    ids=["flat attributes", "flat fields", "nested fields", "typed fields"],
)
def test_fields_in_every_form(client: Client, given: dict[str, Any]) -> None:
    account = client.account(**given)
    fields = account.attributes["fields"]
    assert fields["name"] == {
        "type": "hash",
        "value": {
            "first": {"type": "string", "value": "Jane"},
            "middle": {"type": "string", "value": None},
            "last": {"type": "string", "value": None},
        },
    }
    assert (fields["birthdate"]["type"], fields["selfie_photo"]["type"]) == ("date", "file")
    assert plain(fields)["address"] | {"city": "Denver", "country_code": "US"} == plain(fields)["address"]


def test_what_was_read_can_be_written_back(client: Client) -> None:
    numbers = [{"identification_class": "visa", "identification_number": "1", "issuing_country": "US"}]
    custom = {"score": 3, "ratio": 0.5, "vip": True, "nothing": None, "deep": {"list": [1, {"a": "b"}]}}
    id = client.account(fields={"name-first": "Jane", "identification_numbers": numbers, **custom}).id
    before = values(client, id)
    assert {name: before[name] for name in custom} == custom
    client.patch(f"/accounts/{id}", {"fields": before})
    assert values(client, id) == before


def test_only_what_is_given_changes(client: Client) -> None:
    id = client.account(reference_id="r", name_first="Jane", name_last="Doe", tags=["a"]).id
    client.sandbox.clock.advance(1)
    client.patch(f"/accounts/{id}", {"name-first": "June"})
    account = client.get(f"/accounts/{id}").attributes
    assert plain(account["fields"])["name"] == {"first": "June", "middle": None, "last": "Doe"}
    assert (account["reference-id"], account["tags"]) == ("r", ["a"])
    assert account["updated-at"] > account["created-at"]
    client.patch(f"/accounts/{id}", {"fields": {"name": None}, "tags": None})
    assert values(client, id)["name"] == {"first": None, "middle": None, "last": None}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": "Jane"}, "/data/attributes/fields/name"),
        ({"name": {"nick": "J"}}, "/data/attributes/fields/name/nick"),
        ({"name-first": 3}, "/data/attributes/fields/name-first"),
        ({"birthdate": "2001-02-29"}, "/data/attributes/fields/birthdate"),
        ({"address": {"country_code": "USA"}}, "/data/attributes/fields/address/country_code"),
        ({"phone_number": 3}, "/data/attributes/fields/phone_number"),
        ({"identification_numbers": [{"kind": "visa"}]}, "/data/attributes/fields/identification_numbers"),
        ({"identification_numbers": "1"}, "/data/attributes/fields/identification_numbers"),
    ],
)
def test_fields_that_do_not_fit(client: Client, fields: dict[str, Any], pointer: str) -> None:
    answer = client.account(422, fields=fields)
    assert answer.body["errors"][0]["source"]["pointer"] == pointer
    id = client.account(name_first="Jane").id
    before = client.get(f"/accounts/{id}").body
    client.patch(f"/accounts/{id}", {"fields": {"name": {"last": "Doe"}, **fields}}, 422)
    assert client.get(f"/accounts/{id}").body == before


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"country_code": "Germany"}, "/data/attributes/country-code"),
        ({"birthdate": "1.2.1990"}, "/data/attributes/birthdate"),
        ({"fields": {"birthdate": "1.2.1990"}}, "/data/attributes/fields/birthdate"),
        ({"fields": {"name": {"a/b~c": "x"}}}, "/data/attributes/fields/name/a~1b~0c"),
    ],
)
def test_a_pointer_is_the_place_that_was_sent(client: Client, attributes: dict[str, Any], pointer: str) -> None:
    sent = client.account(422, **attributes)
    assert sent.body["errors"][0]["source"]["pointer"] == pointer
    assert sent.details.startswith(pointer.removeprefix("/data/attributes/").replace("/", "."))
    id = client.account().id
    given = {name.replace("_", "-"): value for name, value in attributes.items()}
    assert client.patch(f"/accounts/{id}", given, 422).body["errors"] == sent.body["errors"]


@pytest.mark.parametrize(
    ("name", "fits", "misfits"),
    [
        ("annual-income", [1, 2.5, None], ["x", "1", True, [1]]),
        ("household-size", [3, None], [1.5, "3", True]),
        ("accepts-terms", [True, False, None], ["no", 0, {"a": 1}]),
        ("nationality", ["x", None], [1, False]),
    ],
)
def test_fields_of_each_type(client: Client, name: str, fits: list[Any], misfits: list[Any]) -> None:
    template = {"inquiry-template-id": client.sandbox.templates.database}
    id = client.inquiry(template).id
    before = client.get(f"/inquiries/{id}").attributes["fields"][name]
    for value in misfits:
        for answer in (
            client.inquiry({**template, "fields": {name: value}}, status=422),
            client.patch(f"/inquiries/{id}", {"fields": {name: value}}, 422),
        ):
            assert answer.body["errors"][0]["source"]["pointer"] == f"/data/attributes/fields/{name}"
    assert client.get(f"/inquiries/{id}").attributes["fields"][name] == before
    for value in fits:
        field = client.patch(f"/inquiries/{id}", {"fields": {name: value}}).attributes["fields"][name]
        assert field == {"type": before["type"], "value": value}


def test_a_social_security_number_is_not_answered(client: Client) -> None:
    account = client.account(social_security_number="123-45-6789")
    assert "6789" not in account.response.text


def test_upsert(client: Client) -> None:
    upsert = {"upsert-by": "reference-id"}
    first = client.account(201, upsert, reference_id="r", name_first="Jane")
    again = client.account(200, {"upsert-by": "reference_id"}, reference_id="r", name_last="Doe")
    assert again.id == first.id
    assert values(client, first.id)["name"] == {"first": "Jane", "middle": None, "last": "Doe"}
    assert client.get("/accounts").ids == [first.id]


def test_photo(client: Client) -> None:
    photo = {"data": {"data": base64.b64encode(b"a photo").decode(), "filename": "me.jpg"}}
    account = client.account(selfie_photo=photo)
    file = plain(account.attributes["fields"])["selfie_photo"]
    assert (file["filename"], file["byte-size"]) == ("me.jpg", 7)
    assert client.fetch(file["url"]).content == b"a photo"
    client.patch(f"/accounts/{account.id}", {"name-first": "Jane", "fields": {"selfie_photo": file}})
    assert values(client, account.id)["selfie_photo"]["filename"] == "me.jpg"
    client.patch(f"/accounts/{account.id}", {"selfie-photo": {"data": {"data": "ISE=", "filename": "you.jpg"}}})
    assert values(client, account.id)["selfie_photo"]["byte-size"] == 2
    client.patch(f"/accounts/{account.id}", {"selfie-photo": {"data": {"data": "?"}}}, 422)
    client.patch(f"/accounts/{account.id}", {"selfie-photo": {"data": {"url": "?"}}}, 400)
    client.patch(f"/accounts/{account.id}", {"selfie-photo": {"data": None}})
    assert values(client, account.id)["selfie_photo"] is None


@pytest.mark.parametrize(
    ("given", "kept"),
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
def test_any_filename(client: Client, given: str, kept: str) -> None:
    photo = {"data": {"data": base64.b64encode(b"a photo").decode(), "filename": given}}
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
    """Which account an inquiry belongs to, by what its creation says."""

    @pytest.mark.parametrize("way", ["meta", "attribute"])
    def test_by_reference_id(self, client: Client, way: str) -> None:
        def create() -> Any:
            if way == "meta":
                return client.inquiry(meta={"auto-create-account-reference-id": "r"})
            return client.inquiry({"reference-id": "r"})

        first, second = create(), create()
        assert first.related("account") == second.related("account")
        assert first.attributes["reference-id"] == "r"
        assert client.get("/accounts?filter[reference-id]=r").ids == [first.related("account")["id"]]

    def test_by_account_id(self, client: Client) -> None:
        account = client.account(reference_id="r").id
        inquiry = client.inquiry({"account-id": account, "reference-id": "other"})
        assert (inquiry.related("account")["id"], inquiry.attributes["reference-id"]) == (account, "r")

    def test_by_nothing(self, client: Client) -> None:
        one = client.inquiry({"fields": {"name-first": "Jane", "birthdate": "1990-01-02"}})
        assert one.related("account") != client.inquiry().related("account")
        account = values(client, one.related("account")["id"])
        assert (account["name"]["first"], account["birthdate"]) == ("Jane", "1990-01-02")

    def test_switched_off(self, client: Client) -> None:
        meta = {"auto-create-account": False}
        assert client.inquiry(meta=meta).related("account") is None
        account = client.account(reference_id="r").id
        assert client.inquiry({"reference-id": "r"}, meta).related("account")["id"] == account
        assert client.inquiry({"reference-id": "new"}, meta).related("account") is None
        assert client.get("/accounts").ids == [account]
        assert client.report(query={"term": "Jane"}, meta=meta).related("account") is None

    def test_for_a_report(self, client: Client) -> None:
        query = {"name-first": "Jane", "name-last": "Doe"}
        report = client.report(query=query, meta={"auto-create-account-reference-id": "r"})
        account = client.get(f"/accounts/{report.related('account')['id']}").attributes
        assert account["reference-id"] == "r"
        assert plain(account["fields"])["name"]["last"] == "Doe"


@pytest.mark.parametrize(
    ("csv", "status", "counts"),
    [
        (b"reference_id,name_first\na,Jane\nb,Joe\n", "ready", (2, 0, 0)),
        (b"\xef\xbb\xbfReference_ID, name_first\r\na,Jane\r\n\r\n,,\r\nb,Joe", "ready", (2, 0, 0)),
        (b"reference_id\na\na\nknown\n", "ready", (1, 2, 0)),
        (b"name_first\nJane\nJane\n", "ready", (2, 0, 0)),
        (b"name_first,birthdate\nJane,1990-02-30\nJoe,01/02/1990\nJim,1990-01-02\n", "ready", (1, 0, 2)),
        (b"name_first,social_security_number\nA,123-45-6789\nB,123456789\nC,12345\n", "ready", (2, 0, 1)),
        (b"name_first,name_last\nJane,ImportError\nJoe,Doe\n", "ready", (1, 0, 1)),
        (b"name_first\nJane,too,many\n", "ready", (0, 0, 1)),
        (b"name_first,unknown\n,only unknown\n", "ready", (0, 0, 1)),
        (b'name_first,name_last\n"Jane ""J"" Q","Doe, Jr."\n', "ready", (1, 0, 0)),
        (b"reference_id\n", "ready", (0, 0, 0)),
        (b"", "errored", (0, 0, 0)),
        (b"who,what\n1,2\n", "errored", (0, 0, 0)),
        (b"name_first\n\xff\xfe\n", "errored", (0, 0, 0)),
        (b'name_first\n"never closed\n', "errored", (0, 0, 0)),
    ],
)
def test_import_counts(client: Client, csv: bytes, status: str, counts: tuple[int, int, int]) -> None:
    client.account(reference_id="known")
    created = client.upload(csv)
    names = ("successful-count", "duplicate-count", "error-count")
    assert (created.attributes["status"], created.attributes["completed-at"]) == ("pending", None)
    client.sandbox.clock.advance(1.4)
    assert client.get(f"/importers/{created.id}").attributes["status"] == "pending"
    assert len(client.get("/accounts").ids) == 1
    client.sandbox.clock.advance(1)
    done = client.get(f"/importers/{created.id}").attributes
    assert (done["status"], tuple(done[name] for name in names)) == (status, counts)
    assert done["completed-at"] is not None
    assert len(client.get("/accounts").ids) == 1 + counts[0]


def test_what_a_row_becomes(client: Client) -> None:
    client.upload(
        b"reference_id,name_first,name_middle,name_last,birthdate,social_security_number,tags\n"
        b'r,Jane,Q,Doe,1990-01-02,123456789,"vip, new;late|x"\n'
    )
    client.sandbox.clock.advance(2)
    (id,) = client.get("/accounts?filter[reference-id]=r").ids
    account = client.get(f"/accounts/{id}").attributes
    assert account["tags"] == ["vip", "new", "late", "x"]
    assert plain(account["fields"])["name"] == {"first": "Jane", "middle": "Q", "last": "Doe"}
    assert plain(account["fields"])["birthdate"] == "1990-01-02"


def test_typed_fields_empty_without_losing_their_type() -> None:
    value = {"a": "x", "b": [1, {"c": None}], "d": {"e": True}}
    assert plain(typed(value)) == value
    assert redacted(typed(value)) == {
        "type": "hash",
        "value": {
            "a": {"type": "string", "value": None},
            "b": {"type": "array", "value": []},
            "d": {"type": "hash", "value": {"e": {"type": "boolean", "value": None}}},
        },
    }
