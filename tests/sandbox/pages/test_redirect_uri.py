"""The redirect URI: which ones are followed, and with which parameters."""

from __future__ import annotations

import html
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from persona_block.sandbox.objects.templates import TEMPLATES
from tests.sandbox.pages.applicant import START, heading, linked, send
from tests.support.contract_client import ContractClient


@pytest.mark.parametrize(
    ("uri", "before", "after"),
    [
        ("https://app.example/done", "https://app.example/done?", ""),
        ("http://127.0.0.1:9/done?order=7&x=a%20b#end", "http://127.0.0.1:9/done?order=7&x=a%20b&", "#end"),
        ("HTTPS://app.example", "https://app.example?", ""),
        ("https://bücher.example:8443/ä", "https://xn--bcher-kva.example:8443/%C3%A4?", ""),
        ("https://me@BÜCHER.example", "https://me@xn--bcher-kva.example?", ""),
        ("https://app.example/ä b", "https://app.example/%C3%A4%20b?", ""),
        ("https://app.example/\r\nSet-Cookie: a=b", "https://app.example/Set-Cookie:%20a=b?", ""),
    ],
)
def test_web_addresses_are_followed(client: ContractClient, uri: str, before: str, after: str) -> None:
    _, page = linked(client, {"redirect-uri": uri})
    location = send(client, page, outcome="pass")
    assert location.startswith(f"{before}inquiry-id=inq_")
    assert location.endswith(after)
    done = client.visit(page).text
    assert f'href="{html.escape(location)}"' in done.replace("&#39;", "&#x27;")


@pytest.mark.parametrize("uri", ["myapp://kyc/done", "com.example.app:/done"])
def test_an_app_is_a_link_and_not_followed(client: ContractClient, uri: str) -> None:
    """A browser without the app would stay on the form as if nothing had been sent."""
    inquiry, page = linked(client, {"redirect-uri": uri})
    location = send(client, page, outcome="pass")
    assert location.startswith(f"/verify?inquiry-id={inquiry}&")
    done = client.visit(location)
    assert heading(done) == "Thank you, you are done"
    assert f'href="{uri}?inquiry-id={inquiry}&amp;status=completed' in done.text


@pytest.mark.parametrize("origin", ["http://☃.net", "https://a_b.münchen.de:8443", "https://a\u2488com.example"])
def test_a_host_that_no_name_server_knows_is_a_link(client: ContractClient, origin: str) -> None:
    inquiry, page = linked(client, {"redirect-uri": f"{origin}/ä"})
    location = send(client, page, outcome="pass")
    assert location.startswith(f"/verify?inquiry-id={inquiry}&session-token=")
    assert f'href="{origin}/%C3%A4?inquiry-id={inquiry}&amp;' in client.visit(location).text


def test_the_status_is_shown_in_words(client: ContractClient) -> None:
    _, page = linked(client)
    done = client.visit(send(client, page, outcome="review")).text
    assert 'Status of the inquiry: <span class="badge wait">needs review</span>' in done


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "java\nscript://x/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example/1",
        "view-source:https://app.example",
        "//app.example/done",
        "/done",
        "done",
        "https:///done",
        "https://[broken",
    ],
)
def test_unsafe_and_relative_addresses_are_not_followed(client: ContractClient, uri: str | None) -> None:
    inquiry, page = linked(client, {"redirect-uri": uri})
    location = send(client, page, outcome="pass")
    assert location.startswith(f"/verify?inquiry-id={inquiry}&")
    done = client.visit(location)
    assert done.status_code == 200
    assert "You can close this page" in done.text
    assert "Continue" not in done.text


@pytest.mark.parametrize(("outcome", "ends"), [("pass", "completed"), ("fail", "failed"), ("review", "needs_review")])
def test_parameters(client: ContractClient, outcome: str, ends: str) -> None:
    uri = "https://app.example/done?status=own"
    account = client.account(reference_id="customer 7&x").id
    inquiry, page = linked(client, {"redirect-uri": uri, "account-id": account, "fields": {"name-first": "Jö & Co"}})
    query = parse_qsl(urlsplit(send(client, page, outcome=outcome)).query, keep_blank_values=True)
    assert query[:4] == [
        ("status", "own"),
        ("inquiry-id", inquiry),
        ("reference-id", "customer 7&x"),
        ("status", ends),
    ]
    fields = client.get(f"/inquiries/{inquiry}").attributes["fields"]
    expected = []
    for name, field in fields.items():
        expected += [(f"fields[{name}][type]", field["type"]), (f"fields[{name}][value]", field["value"] or "")]
    assert query[4:] == expected
    assert ("fields[name-first][value]", "Jö & Co") in query


def test_values_that_are_not_text(client: ContractClient) -> None:
    fields = {"annual-income": 1.5, "accepts-terms": True, "extra": [1, {"a": "b"}]}
    attributes = {"inquiry-template-id": TEMPLATES.database, "redirect-uri": "https://app.example/done", "fields": fields}
    _, page = linked(client, attributes)
    query = parse_qs(urlsplit(send(client, page, outcome="pass")).query)
    assert [query[f"fields[{name}][value]"] for name in fields] == [["1.5"], ["true"], ['[1, {"a": "b"}]']]
    assert "reference-id" not in query


def test_the_last_step_leads_there(client: ContractClient) -> None:
    for choices in ((("government-id", "fail"),), (("government-id", "pass"), ("selfie", "pass"), ("finish", "pass"))):
        _, page = linked(client, {"redirect-uri": "https://app.example/done"})
        location = send(client, page, **START)
        for step, choice in choices:
            assert location.startswith("/verify?")
            location = send(client, page, step=step, choice=choice)
        assert location.startswith("https://app.example/done?inquiry-id=")


def test_the_policy_allows_the_destination_alone(client: ContractClient) -> None:
    for uri, allowed in (("https://a.example/;x", "'self' https:"), ("my.app://a;b", "'self'"), (None, "'self'")):
        _, page = linked(client, {"redirect-uri": uri})
        policy = client.visit(page).headers["content-security-policy"]
        assert policy.partition("form-action ")[2] == allowed
