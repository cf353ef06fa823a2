"""Fields of inquiries and accounts: the forms they are sent in, their types, and the errors that name them."""

from __future__ import annotations

from typing import Any

import pytest

from persona_block.sandbox.objects.fields import plain, redacted, typed
from tests.support.contract_client import ContractClient


def plain_fields(client: ContractClient, id: str) -> Any:
    """Return the fields of an account without their types."""
    return plain(client.get(f"/accounts/{id}").attributes["fields"])


JANE = {"birthdate": "1990-01-02"}


@pytest.mark.parametrize(
    "attributes",
    [
        {"name_first": "Jane", "address_city": "Denver", "country_code": "US", **JANE},
        {"fields": {"name-first": "Jane", "address-city": "Denver", "country-code": "US", **JANE}},
        {"fields": {"name": {"first": "Jane"}, "address": {"city": "Denver", "country_code": "US"}, **JANE}},
        {"fields": {"name": typed({"first": "Jane"}), "address_city": "Denver", "address-country-code": "US"}, **JANE},
    ],
    ids=["flat attributes", "flat fields", "nested fields", "typed fields"],
)
def test_fields_in_every_form(client: ContractClient, attributes: dict[str, Any]) -> None:
    account = client.account(**attributes)
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


def test_fields_that_were_read_can_be_written_back(client: ContractClient) -> None:
    numbers = [{"identification_class": "visa", "identification_number": "1", "issuing_country": "US"}]
    custom = {"score": 3, "ratio": 0.5, "vip": True, "nothing": None, "deep": {"list": [1, {"a": "b"}]}}
    id = client.account(fields={"name-first": "Jane", "identification_numbers": numbers, **custom}).id
    before = plain_fields(client, id)
    assert {name: before[name] for name in custom} == custom
    client.patch(f"/accounts/{id}", {"fields": before})
    assert plain_fields(client, id) == before


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
def test_misfitting_fields_are_refused_and_change_nothing(
    client: ContractClient, fields: dict[str, Any], pointer: str
) -> None:
    reply = client.account(422, fields=fields)
    assert reply.body["errors"][0]["source"]["pointer"] == pointer
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
def test_a_pointer_names_the_place_in_the_request(client: ContractClient, attributes: dict[str, Any], pointer: str) -> None:
    sent = client.account(422, **attributes)
    assert sent.body["errors"][0]["source"]["pointer"] == pointer
    assert sent.details.startswith(pointer.removeprefix("/data/attributes/").replace("/", "."))
    id = client.account().id
    kebab_attributes = {name.replace("_", "-"): value for name, value in attributes.items()}
    assert client.patch(f"/accounts/{id}", kebab_attributes, 422).body["errors"] == sent.body["errors"]


@pytest.mark.parametrize(
    ("name", "fits", "misfits"),
    [
        ("annual-income", [1, 2.5, None], ["x", "1", True, [1]]),
        ("household-size", [3, None], [1.5, "3", True]),
        ("accepts-terms", [True, False, None], ["no", 0, {"a": 1}]),
        ("nationality", ["x", None], [1, False]),
    ],
)
def test_fields_of_each_type(client: ContractClient, name: str, fits: list[Any], misfits: list[Any]) -> None:
    template = {"inquiry-template-id": client.sandbox.templates.database}
    id = client.inquiry(template).id
    before = client.get(f"/inquiries/{id}").attributes["fields"][name]
    for value in misfits:
        for reply in (
            client.inquiry({**template, "fields": {name: value}}, status=422),
            client.patch(f"/inquiries/{id}", {"fields": {name: value}}, 422),
        ):
            assert reply.body["errors"][0]["source"]["pointer"] == f"/data/attributes/fields/{name}"
    assert client.get(f"/inquiries/{id}").attributes["fields"][name] == before
    for value in fits:
        field = client.patch(f"/inquiries/{id}", {"fields": {name: value}}).attributes["fields"][name]
        assert field == {"type": before["type"], "value": value}


def test_redacted_fields_keep_their_types() -> None:
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
