"""Webhooks: which bodies are accepted, which are refused, and what an event holds."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import persona_block
from persona_block import SignatureError, WebhookError, webhooks
from persona_block.spec.inflection import inflect
from tests.support import openapi
from tests.support.planted import PERSON

SECRET, OTHER = "wbhsec_one", "wbhsec_two"
NOW = 1_700_000_000
FIELDS = {"name-first": {"type": "string", "value": PERSON}, "favourite_colour": {"type": "string", "value": "blue"}}
RESOURCE: dict[str, Any] = {
    "type": "inquiry",
    "id": "inq_1",
    "attributes": {"status": "approved", "reference-id": "customer-1", "brand-new-attribute": 1, "fields": FIELDS},
    "relationships": {"account": {"data": {"type": "account", "id": "act_1"}}, "reports": {"data": []}},
}
EVENT: dict[str, Any] = {
    "data": {
        "type": "event",
        "id": "evt_1",
        "attributes": {
            "name": "inquiry.approved",
            "payload": {"data": RESOURCE},
            "created-at": "2026-03-01T10:00:00.123Z",
        },
    }
}
BODY = json.dumps(EVENT).encode()


def signed(body: bytes = BODY, secret: str = SECRET, moment: int | str = NOW) -> str:
    """Return a signature made by hand, as Persona documents it."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def test_a_good_signature() -> None:
    webhooks.verify(BODY, signed(), SECRET, now=NOW)
    assert webhooks.sign(BODY, SECRET, now=NOW + 0.9) == signed()
    webhooks.verify(BODY, webhooks.sign(BODY, SECRET), SECRET)
    webhooks.verify(bytearray(BODY), signed(), [SECRET], now=NOW)


@pytest.mark.parametrize(
    ("signature", "secrets"),
    [
        (f"{signed(secret=OTHER)} {signed()}", SECRET),
        (f"{signed()} {signed(secret=OTHER)}", SECRET),
        (signed(), [OTHER, SECRET]),
        (f"{signed(secret='wbhsec_three')} {signed()}", (OTHER, SECRET)),
    ],
)
def test_while_a_secret_is_replaced(signature: str, secrets: Any) -> None:
    webhooks.verify(BODY, signature, secrets, now=NOW)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        " ",
        "t=1700000000",
        signed().replace("v1=", "v0="),
        signed().replace("t=", "T="),
        signed().replace(",", ";"),
        signed().replace(",", ", "),
        signed() + ",",
        signed() + " ",
        signed() + "\n",
        signed() + "  " + signed(),
        signed() + " nonsense",
        signed()[:-1],
        signed() + "0",
        signed(moment="-1"),
        signed(moment="1e9"),
        signed(moment=" 1700000000"),
        signed(moment="٣"),
        signed(moment="9" * 13),
        signed().rpartition("=")[0] + "=" + "ü" * 64,
        f"v1={signed().rpartition('=')[2]},t={NOW}",
    ],
)
def test_a_malformed_header_is_refused(signature: str | None) -> None:
    with pytest.raises(SignatureError, match="missing or is not"):
        webhooks.verify(BODY, signature, SECRET, now=NOW)


@pytest.mark.parametrize(
    "signature",
    [
        [signed()],
        (signed(), signed()),
        {signed(): 1},
        5,
        True,
        object(),
        signed().replace("v1=", "v1=ü"),
        signed().encode().replace(b"v1=", b"v1=\xfc"),
        signed().encode("utf-16"),
        memoryview(signed().encode()),
        "\ud800" + signed(),
        signed() + "\0",
        "t=" * 50_000_000,
        signed().encode() + b" " * 50_000_000,
        " ".join([signed()] * 6),
        " ".join([signed(secret=OTHER)] * 5 + [signed()]),
        " ".join([signed(moment=each) for each in range(700)]),
    ],
    ids=lambda header: (
        f"{type(header).__name__} {header[:20]!r}" if isinstance(header, str | bytes) else type(header).__name__
    ),
)
def test_whatever_a_header_holds_is_refused_at_once(signature: Any) -> None:
    started = time.perf_counter()
    with pytest.raises(SignatureError, match="missing or is not"):
        webhooks.read(BODY, signature, SECRET, now=NOW)
    assert time.perf_counter() - started < 0.5


def test_a_header_in_bytes_is_read_like_text() -> None:
    webhooks.verify(BODY, signed().encode(), SECRET, now=NOW)


def test_five_signatures_fit_and_each_time_and_secret_takes_one_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []
    new = hmac.new

    def count(key: bytes, *arguments: Any) -> Any:
        made.append(key)
        return new(key, *arguments)

    others = [signed(secret=f"wbhsec_{number}") for number in range(4)]
    header = " ".join([*others, signed()])
    monkeypatch.setattr(hmac, "new", count)
    webhooks.verify(BODY, header, [SECRET, OTHER, SECRET], now=NOW)
    assert made == [SECRET.encode(), OTHER.encode()]


def test_a_body_that_no_event_has_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b" " * webhooks.BODY_LIMIT
    webhooks.verify(body, signed(body), SECRET, now=NOW)
    signature = signed(body + b" ")
    monkeypatch.setattr(hmac, "new", lambda *_: pytest.fail("it was looked at"))
    with pytest.raises(SignatureError, match="over 8388608 bytes"):
        webhooks.verify(body + b" ", signature, SECRET, now=NOW)


NO_SECONDS = [
    float("nan"),
    float("inf"),
    -float("inf"),
    -1,
    -0.001,
    True,
    False,
    "300",
    b"1",
    [1],
    object(),
    10**12,
    10**400,
    1j,
]


@pytest.mark.parametrize("value", NO_SECONDS, ids=lambda value: f"{type(value).__name__} {value}"[:12])
def test_a_time_that_is_none_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^tolerance: must be a number of seconds"):
        webhooks.read(BODY, signed(moment=1), SECRET, tolerance=value, now=NOW)
    with pytest.raises(ValueError, match=r"^now: must be a number of seconds"):
        webhooks.read(BODY, signed(moment=1), SECRET, now=value)
    with pytest.raises(ValueError, match=r"^now: must be a number of seconds"):
        webhooks.sign(BODY, SECRET, now=value)


@pytest.mark.parametrize("secret", ["wbhsec_\ud800", ["wbhsec_fine", "wbhsec_\ud800"]])
def test_a_secret_that_cannot_be_used_is_not_shown(secret: Any) -> None:
    with pytest.raises(ValueError, match="secrets: give text") as caught:
        webhooks.verify(BODY, signed(), secret, now=NOW)
    assert "wbhsec" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("body", "signature", "secrets"),
    [
        (BODY + b" ", signed(), SECRET),
        (json.dumps(EVENT, indent=1).encode(), signed(), SECRET),
        (BODY, signed(secret=OTHER), SECRET),
        (BODY, signed(), OTHER),
        (BODY, signed().replace(f"t={NOW}", f"t={NOW + 1}"), SECRET),
        (BODY, signed(secret=OTHER) + " " + signed(secret="wbhsec_three"), [SECRET]),
    ],
)
def test_what_was_not_signed_so_is_refused(body: bytes, signature: str, secrets: Any) -> None:
    with pytest.raises(SignatureError, match="does not fit"):
        webhooks.verify(body, signature, secrets, tolerance=None, now=NOW)


@pytest.mark.parametrize(("age", "tolerance", "good"), [
    (300, 300, True), (301, 300, False), (-300, 300, True), (-301, 300, False),
    (10**9, None, True), (-(10**9), None, True), (6, 5, False), (5, 5.0, True), (1, 0, False), (0, 0, True),
])  # fmt: skip
def test_the_age_of_a_signature(age: int, tolerance: float | None, good: bool) -> None:
    if good:
        webhooks.verify(BODY, signed(), SECRET, tolerance=tolerance, now=NOW + age)
    else:
        with pytest.raises(SignatureError, match="not signed within"):
            webhooks.verify(BODY, signed(), SECRET, tolerance=tolerance, now=NOW + age)


def test_the_default_tolerance_is_five_minutes_from_the_present() -> None:
    webhooks.verify(BODY, signed(moment=int(time.time()) - 290), SECRET)
    with pytest.raises(SignatureError, match="300 seconds"):
        webhooks.verify(BODY, signed(moment=int(time.time()) - 310), SECRET)


def test_the_time_that_counts_is_that_of_the_set_that_fits() -> None:
    fresh_but_foreign = signed(secret=OTHER, moment=NOW)
    with pytest.raises(SignatureError, match="not signed within"):
        webhooks.verify(BODY, f"{fresh_but_foreign} {signed(moment=NOW - 1000)}", SECRET, now=NOW)


@pytest.mark.parametrize("secrets", ["", [], [""], [SECRET, ""], None, 5, [None], [SECRET, None]])
def test_without_a_secret_nothing_is_accepted(secrets: Any) -> None:
    with pytest.raises(ValueError, match="secrets: give"):
        webhooks.verify(BODY, signed(secret=""), secrets, now=NOW)


@pytest.mark.parametrize("body", [BODY.decode(), EVENT, None])
def test_only_raw_bytes_are_looked_at(body: Any) -> None:
    with pytest.raises(TypeError, match="raw bytes"):
        webhooks.verify(body, signed(), SECRET, now=NOW)


@given(body=st.binary(max_size=200), secret=st.text(st.characters(codec="utf-8"), min_size=1), moment=st.integers(0, 2**38))
def test_what_is_signed_is_accepted(body: bytes, secret: str, moment: int) -> None:
    webhooks.verify(body, webhooks.sign(body, secret, now=moment), secret, now=moment)
    with pytest.raises(SignatureError):
        webhooks.verify(body + b"x", webhooks.sign(body, secret, now=moment), secret, now=moment)


@given(st.text() | st.binary() | st.lists(st.text()) | st.integers() | st.just(object()))
def test_no_header_breaks_it(signature: Any) -> None:
    with pytest.raises(SignatureError):
        webhooks.verify(BODY, signature, SECRET, now=NOW)


# --- events ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inflection", ["kebab", "camel", "snake"])
def test_an_event(inflection: str) -> None:
    body = json.dumps(inflect(EVENT, inflection)).encode()
    event = webhooks.read(body, signed(body), SECRET, now=NOW)
    assert (event.id, event.name) == ("evt_1", "inquiry.approved")
    assert event.created_at.isoformat() == "2026-03-01T10:00:00.123000+00:00"
    assert (event.resource_type, event.resource_id) == ("inquiry", "inq_1")
    assert event.data == RESOURCE
    assert event.included == ()
    assert event.context == {}
    assert event.resource is not None
    assert event.resource["referenceId"] == "customer-1"
    assert event.resource["accountId"] == "act_1"
    assert event.resource["fields"] == {"name-first": PERSON, "favourite_colour": "blue"}
    assert event in {event}


def test_an_event_does_not_show_the_person() -> None:
    event = webhooks.read(BODY, signed(), SECRET, now=NOW)
    assert PERSON not in repr(event)
    assert "evt_1" in repr(event)


def test_an_event_of_a_type_that_no_operation_gives() -> None:
    body = _changed(
        {"payload": {"data": {"type": "transaction", "id": "txn_1"}, "included": [{"type": "x"}]}, "context": {"a": 1}}
    )
    event = webhooks.read(body, signed(body), SECRET, now=NOW)
    assert event.resource is None
    assert event.included == ({"type": "x"},)
    assert event.context == {"a": 1}


@pytest.mark.skipif(not openapi.available(), reason=openapi.REASON)
def test_every_official_example_is_read() -> None:
    contract = openapi.Contract()
    for name, item in contract.document["webhooks"].items():
        for example in item["post"]["requestBody"]["content"]["application/json"]["examples"].values():
            body = json.dumps(contract.resolve(example)["value"]).encode()
            event = webhooks.read(body, signed(body), SECRET, now=NOW)
            assert event.name == name
            assert event.resource is not None
            assert event.resource["id"] == event.resource_id


def _changed(attributes: dict[str, Any]) -> bytes:
    return json.dumps({"data": {**EVENT["data"], "attributes": {**EVENT["data"]["attributes"], **attributes}}}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"null",
        b"[]",
        b"{}",
        b'{"data": []}',
        json.dumps({"data": {**EVENT["data"], "id": 3}}).encode(),
        json.dumps({"data": {**EVENT["data"], "id": ""}}).encode(),
        _changed({"name": None}),
        _changed({"created-at": "yesterday"}),
        _changed({"created-at": None}),
        _changed({"payload": {}}),
        _changed({"payload": {"data": []}}),
        _changed({"payload": {"data": {"type": "inquiry"}}}),
        *(_changed({"payload": {"data": RESOURCE, "included": each}}) for each in (5, True, "x", {"a": 1}, [RESOURCE, None])),
        *(_changed({"context": each}) for each in (5, True, "x", ["a"])),
    ],
)
def test_a_signed_body_that_is_no_event(body: bytes) -> None:
    with pytest.raises(WebhookError, match=r"signed but is (not JSON|no event)") as refused:
        webhooks.read(body, signed(body), SECRET, now=NOW)
    assert not isinstance(refused.value, SignatureError)
    assert refused.value.details()["tookEffect"] is None


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "document/government-id", "id": "doc_1", "attributes": {"front-photo": PERSON}},
        {"type": "case", "id": "case_1", "attributes": {"fields": json.loads('{"a":' * 600 + "1" + "}" * 600)}},
    ],
    ids=["kind", "depth"],
)
def test_an_object_that_breaks_its_promise(broken: dict[str, Any]) -> None:
    body = _changed({"payload": {"data": broken}})
    event = webhooks.read(body, signed(body), SECRET, now=NOW)
    with pytest.raises(WebhookError, match="is not what Persona promises") as refused:
        _ = event.resource
    assert PERSON not in str(refused.value)


def test_a_body_is_read_only_once_it_is_verified() -> None:
    with pytest.raises(SignatureError):
        webhooks.read(b"{", signed(), SECRET, now=NOW)
    with pytest.raises(SignatureError):
        webhooks.read(BODY, signed(), SECRET)


def test_the_package_gives_the_module() -> None:
    assert persona_block.webhooks is webhooks
    assert "webhooks" in dir(persona_block)
