"""The redirect URI: where the applicant goes in the end."""

from __future__ import annotations

import html
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from persona_block.sandbox.objects.templates import TEMPLATES
from tests.sandbox.pages.applicant import START, heading, linked, send
from tests.support.contract_client import Client


class TestRedirect:
    """Where the applicant goes in the end."""

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
    def test_followed(self, client: Client, uri: str, before: str, after: str) -> None:
        _, page = linked(client, {"redirect-uri": uri})
        location = send(client, page, outcome="pass")
        assert location.startswith(f"{before}inquiry-id=inq_")
        assert location.endswith(after)
        done = client.visit(page).text
        assert f'href="{html.escape(location)}"' in done.replace("&#39;", "&#x27;")

    @pytest.mark.parametrize("uri", ["myapp://kyc/done", "com.example.app:/done"])
    def test_an_app_is_offered_and_not_followed(self, client: Client, uri: str) -> None:
        """In a browser without the app, following would leave the form standing as if nothing had been sent."""
        inquiry, page = linked(client, {"redirect-uri": uri})
        location = send(client, page, outcome="pass")
        assert location.startswith(f"/verify?inquiry-id={inquiry}&")
        done = client.visit(location)
        assert heading(done) == "Thank you, you are done"
        assert f'href="{uri}?inquiry-id={inquiry}&amp;status=completed' in done.text

    @pytest.mark.parametrize("origin", ["http://☃.net", "https://a_b.münchen.de:8443", "https://a\u2488com.example"])
    def test_a_host_that_no_name_server_knows_is_offered_as_it_is(self, client: Client, origin: str) -> None:
        inquiry, page = linked(client, {"redirect-uri": f"{origin}/ä"})
        assert send(client, page, outcome="pass") == page
        assert f'href="{origin}/%C3%A4?inquiry-id={inquiry}&amp;' in client.visit(page).text

    def test_every_status_reads_well(self, client: Client) -> None:
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
    def test_not_followed(self, client: Client, uri: str | None) -> None:
        inquiry, page = linked(client, {"redirect-uri": uri})
        location = send(client, page, outcome="pass")
        assert location.startswith(f"/verify?inquiry-id={inquiry}&")
        done = client.visit(location)
        assert done.status_code == 200
        assert "You can close this page" in done.text
        assert "Continue" not in done.text

    @pytest.mark.parametrize(("outcome", "ends"), [("pass", "completed"), ("fail", "failed"), ("review", "needs_review")])
    def test_parameters(self, client: Client, outcome: str, ends: str) -> None:
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

    def test_values_that_are_no_text(self, client: Client) -> None:
        fields = {"annual-income": 1.5, "accepts-terms": True, "extra": [1, {"a": "b"}]}
        attributes = {"inquiry-template-id": TEMPLATES.database, "redirect-uri": "https://app.example/done", "fields": fields}
        _, page = linked(client, attributes)
        query = parse_qs(urlsplit(send(client, page, outcome="pass")).query)
        assert [query[f"fields[{name}][value]"] for name in fields] == [["1.5"], ["true"], ['[1, {"a": "b"}]']]
        assert "reference-id" not in query

    def test_a_walk_and_a_failed_step_lead_there_too(self, client: Client) -> None:
        for choices in ((("government-id", "fail"),), (("government-id", "pass"), ("selfie", "pass"), ("finish", "pass"))):
            _, page = linked(client, {"redirect-uri": "https://app.example/done"})
            location = send(client, page, **START)
            for step, choice in choices:
                assert location.startswith("/verify?")
                location = send(client, page, step=step, choice=choice)
            assert location.startswith("https://app.example/done?inquiry-id=")

    def test_the_policy_lets_the_form_lead_there_and_nowhere_else(self, client: Client) -> None:
        for uri, allowed in (("https://a.example/;x", "'self' https:"), ("my.app://a;b", "'self'"), (None, "'self'")):
            _, page = linked(client, {"redirect-uri": uri})
            policy = client.visit(page).headers["content-security-policy"]
            assert policy.partition("form-action ")[2] == allowed
