"""Base URLs: what every parser reads alike is taken, and whatever else is refused as an InputError that repeats nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block import InputError, Runner
from persona_block.call.addresses import check_base_url, is_loopback
from persona_block.cli import main

SECRET = "planted-password"


@pytest.mark.parametrize(
    "url",
    [
        "https://persona.example",
        "https://persona.example:443/api/v1",
        "HTTPS://Persona.Example/api",
        "https://my_gateway-1.internal./a%20b/@x",
        "https://10.0.0.1:8443",
        "https://[2001:db8::1]:8443/api",
        "http://localhost:8484/api/v1",
        "http://127.0.0.1",
        "http://[::1]:1",
        " https://persona.example/\n",
    ],
)
def test_taken(url: str) -> None:
    taken = check_base_url(url)
    assert taken == url.strip().rstrip("/")
    assert httpx.URL(f"{taken}/inquiries").host == urlsplit(url.strip()).hostname


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"https://user:{SECRET}@persona.example", "a user or a password"),
        (f"https://:{SECRET}@persona.example", "a user or a password"),
        (f"http://:{SECRET}@127.0.0.1", "a user or a password"),
        (f"https://{SECRET}@persona.example", "a user or a password"),
        ("https://@persona.example", "a user or a password"),
        ("https://:@persona.example", "a user or a password"),
        ("https://persona.example@evil.example", "a user or a password"),
        ("https://persona.example:443@evil.example/api", "a user or a password"),
        ("https://persona.example\\@evil.example", "a backslash"),
        ("https:\\\\persona.example", "a backslash"),
        ("https://persona.example\\.evil.example", "a backslash"),
        ("https://persona .example", "a space"),
        ("https://persona.example/a b", "a space"),
        ("https://persona\n.example", "a control character"),
        ("https://persona\t.example", "a control character"),
        ("ht\ntps://persona.example", "a control character"),
        ("https://persona.example\0.evil.example", "a control character"),
        ("https://persönlich.example", "xn--"),
        ("https://persona。example", "xn--"),
        ("https://ｐersona.example", "xn--"),
        ("https://persona.example℀evil.example", "xn--"),
        ("https://persona.example\u202e", "xn--"),
        ("https://\ud800.example", "xn--"),
        ("https://persona.example?", "a query"),
        ("https://persona.example/?", "a query"),
        ("https://persona.example/?a=b", "a query"),
        ("https://persona.example#", "a query or a fragment"),
        ("https://persona.example/#a", "a query or a fragment"),
        ("https://", ""),
        ("https:///api", ""),
        ("https://:443", ""),
        ("https:persona.example", ""),
        ("//persona.example", ""),
        ("persona.example", ""),
        ("https://persona.example:", ""),
        ("https://persona.example:0", ""),
        ("https://persona.example:65536", ""),
        ("https://persona.example:99999999999", ""),
        ("https://persona.example:-1", ""),
        ("https://persona.example:8x", ""),
        ("https://[", ""),
        ("https://[::1", ""),
        ("https://[nonsense]", ""),
        ("https://[::ffff]:1:2", ""),
        ("https://[:::::]", ""),
        ("https://[::1%25eth0]", ""),
        ("https://..", ""),
        ("https://-", ""),
        ("https://%65vil.example", ""),
        (f"https://{'a' * 64}.example", ""),
        (f"https://{'a.' * 200}example", ""),
        ("http://persona.example", ""),
        ("http://127.1", ""),
        ("http://2130706433", ""),
        ("http://0x7f000001", ""),
        ("http://localhost.evil.example", ""),
        ("http://0.0.0.0", ""),
        ("ftp://127.0.0.1", ""),
        ("file:///etc/hosts", ""),
        (" ", ""),
        (5, ""),
        (b"https://persona.example", ""),
        (["https://persona.example"], ""),
    ],
)
def test_refused(url: Any, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"base_url: must be an https URL .* see PERSONA_BASE_URL") as caught:
        Runner(base_url=url)
    assert reason in caught.value.message
    assert SECRET not in caught.value.message
    if isinstance(url, str) and url.strip() and not {"\0", "\ud800"} & set(url):
        monkeypatch.setenv("PERSONA_BASE_URL", url)
        with pytest.raises(InputError, match="must be an https URL"):
            Runner()


def test_the_command_line_refuses_it_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PERSONA_BASE_URL", f"http://:{SECRET}@127.0.0.1:1")
    for arguments in (["run", "list_accounts"], ["mcp"]):
        assert main(arguments) == 2
        shown = "".join(capsys.readouterr())
        assert "a user or a password" in shown
        assert SECRET not in shown


pieces = st.sampled_from(
    ["https", "http", "://", ":", "/", "\\", "@", "?", "#", "[", "]", "%", "a", "127.0.0.1", "localhost", "::1"]
)


@given(st.lists(pieces | st.text(max_size=3), max_size=10).map("".join) | st.text())
def test_whatever_is_taken_goes_where_it_says(url: str) -> None:
    try:
        taken = check_base_url(url)
    except InputError:
        return
    parts, parsed = urlsplit(taken), httpx.URL(f"{taken}/inquiries")
    assert (parsed.host, parsed.scheme, parsed.userinfo, parsed.query) == (parts.hostname, parts.scheme, b"", b"")
    assert parsed.path.endswith("/inquiries")
    assert parsed.scheme == "https" or is_loopback(parsed.host)
