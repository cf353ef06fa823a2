"""`--debug` and what it masks: keys and personal values are never shown, ids, statuses and types are."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block.cli import debug
from persona_block.cli.masking import MASKED, masked_json, masked_url, shown_headers
from tests.cli.conftest import Answer, RunHere
from tests.support.planted import COMMAND_LINE_KEY as KEY

PERSON = "Quentina"
"""What must not be shown on stderr; the output on stdout has it."""
ID = "inq_ABCDEFGHIJKLMNOPQRSTUVWX"
DOCUMENT = {
    "data": {
        "type": "inquiry",
        "id": ID,
        "attributes": {
            "status": "completed",
            "reference-id": PERSON,
            "note": f"Met {PERSON}",
            "tags": [PERSON],
            "fields": {PERSON: {"type": "string", "value": PERSON}, "name-first": {"type": "string", "value": PERSON}},
            "created-at": None,
        },
        "relationships": {"account": {"data": {"type": "account", "id": "act_ABCDEFGHIJKLMNOPQRSTUVWX"}}},
        PERSON: 7,
    },
    "included": [
        {"type": "verification/government-id", "id": "ver_1", "attributes": {"status": "passed", "name-last": PERSON}}
    ],
}


class Packed(httpx.AsyncByteStream):
    """A body that comes packed and in pieces."""

    def __init__(self, body: bytes) -> None:
        self.body = gzip.compress(body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.body), 7):
            yield self.body[start : start + 7]


@pytest.mark.parametrize("is_packed", [False, True])
def test_an_exchange_is_shown_without_key_and_person(is_packed: bool, answer: Answer, run_here: RunHere) -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        headers = {"Request-Id": "req_1", "Set-Cookie": KEY, "X-Person": PERSON}
        if not is_packed:
            return httpx.Response(201, json=DOCUMENT, headers=headers)
        return httpx.Response(
            201, stream=Packed(json.dumps(DOCUMENT).encode()), headers={**headers, "Content-Encoding": "gzip"}
        )

    answer(reply)
    pairs = [f"note={PERSON}", f"referenceId={PERSON}", f"fields.{PERSON}={PERSON}", "inquiryTemplateId=itmpl_1"]
    done = run_here("run", "create_inquiry", *pairs, "--debug", "--fields", "id,status", PERSONA_API_KEY=KEY)
    assert done.returncode == 0
    assert json.loads(done.stdout)["output"]["inquiry"] == {"id": ID, "status": "completed"}
    assert PERSON not in done.stderr
    assert KEY not in done.stderr
    lines = done.stderr.splitlines()
    assert lines[0] == "> POST https://api.withpersona.com/api/v1/inquiries"
    assert any(re.fullmatch("< 201, [0-9]+ ms", line) for line in lines)
    assert "  Request-Id: req_1" in lines
    text = done.stderr
    for shown in (f'"id": "{ID}"', '"type": "inquiry"', '"status": "completed"', '"type": "verification/government-id"'):
        assert shown in text
    assert '"note": …' in text
    assert re.search("Idempotency-Key: [0-9a-f-]{36}", text)


def test_a_query_and_an_error_are_masked(answer: Answer, run_here: RunHere) -> None:
    error = {"title": f"No {PERSON}", "details": PERSON, "code": PERSON}
    answer(lambda _: httpx.Response(400, json={"errors": [error]}))
    done = run_here("run", "list_accounts", f"referenceId={PERSON}", "pageSize=3", "--debug", PERSONA_API_KEY=KEY)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("> GET")]
    assert line == f"> GET https://api.withpersona.com/api/v1/accounts?filter[reference-id]={MASKED}&page[size]=3"
    debugged = done.stderr.partition("Persona refused")[0]
    assert PERSON not in debugged
    assert '"errors"' in debugged


def test_without_it_nothing_is_shown(answer: Answer, run_here: RunHere) -> None:
    answer(lambda _: httpx.Response(200, json={"data": [], "links": {}}))
    assert run_here("run", "list_accounts", PERSONA_API_KEY=KEY).stderr == ""


def test_a_large_body_is_shown_by_its_size(answer: Answer, run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debug, "_LIMIT", 20)
    answer(lambda _: httpx.Response(200, stream=Packed(json.dumps(DOCUMENT).encode()), headers={"Content-Encoding": "gzip"}))
    done = run_here("run", "get_inquiry", f"inquiryId={ID}", "--debug", PERSONA_API_KEY=KEY)
    assert done.returncode == 0
    assert re.search(r"^  \d{3} bytes$", done.stderr, re.MULTILINE)


PLANTED = st.sampled_from([PERSON, KEY, f"jane_{PERSON}", f"{PERSON}-x", f"https://{PERSON}/?t={KEY}"])
NAMES = st.sampled_from(
    ["data", "attributes", "fields", "id", "type", "status", "included", "relationships", "account", "note"]
)
DOCUMENTS = st.recursive(
    PLANTED, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | PLANTED, inner, max_size=4), max_leaves=20
)


@given(DOCUMENTS)
def test_no_planted_value_is_shown_wherever_it_stands(document: Any) -> None:
    text = json.dumps(masked_json(document))
    assert PERSON not in text
    assert KEY not in text


@pytest.mark.parametrize("planted", [PERSON, KEY, f"jane {PERSON}", f"{PERSON}_1", 7, True])
def test_no_planted_value_stands_in_for_an_id_a_type_or_a_status(planted: Any) -> None:
    resource = {"id": planted, "type": planted, "attributes": {"status": planted, "id": planted, "type": "note"}}
    masked = masked_json({"data": [resource], "status": "open", "id": "inq_1"})
    inside = {"status": MASKED, "id": MASKED, "type": MASKED}
    assert masked == {"data": [{"id": MASKED, "type": MASKED, "attributes": inside}], "status": MASKED, "id": MASKED}


@given(PLANTED, PLANTED)
def test_no_planted_value_of_a_url_or_header_is_shown(first: str, second: str) -> None:
    text = masked_url(
        f"https://user:{KEY}@host/{first}/accounts/{second}?filter[status]={first}&{second}=1&page[size]={second}"
    )
    headers = httpx.Headers(
        {"Authorization": f"Bearer {KEY}", "Idempotency-Key": first, "Request-Id": f"{second} x", "X": second}
    )
    text += str(dict(shown_headers(headers)))
    assert PERSON not in text
    assert KEY not in text


def test_what_is_no_json_is_told_by_its_size(answer: Answer, run_here: RunHere) -> None:
    answer(lambda _: httpx.Response(200, content=PERSON, headers={"Content-Type": "application/json"}))
    done = run_here("run", "get_inquiry", f"inquiryId={ID}", "--debug", PERSONA_API_KEY=KEY)
    assert f"\n  {len(PERSON)} bytes\n" in done.stderr
    assert PERSON not in done.stderr
