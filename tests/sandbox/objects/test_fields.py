"""Fields of inquiries and accounts: their forms, their types, and errors that point at them."""

from __future__ import annotations

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
