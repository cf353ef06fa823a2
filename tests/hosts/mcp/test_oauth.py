"""Callers with tokens of an authorization server: which are taken, whose key they use, and what they may do."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import httpx2
import jwt
import mcp_types as types
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from persona_block import InputError, Sandbox
from persona_block.cli import command as cli
from persona_block.hosts import Selection
from persona_block.hosts.mcp import Options, create_app
from persona_block.hosts.mcp.oauth import OAuth, TokenVerifier
from persona_block.hosts.mcp.secret_names import PersonaKeys
from persona_block.hosts.mcp.signing import IssuerUnavailable, SigningKeys, checked_url, metadata_urls
from tests.hosts.mcp.test_http import CLIENT_OPTIONS, caller, initialize, mirror, served
from tests.support.issuer import RESOURCE, Issuer
from tests.support.mcp_servers import first, options
from tests.support.planted import KEY

NAMES = {"alice": "KEY_ALICE", "bob": "KEY_BOB", "carol": "KEY_ALICE"}
ACCEPTED = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(autouse=True)
def secrets_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secrets that NAMES names."""
    monkeypatch.setenv("KEY_ALICE", "persona_key_alice")
    monkeypatch.setenv("KEY_BOB", "persona_key_bob")


def keys_of(tmp_path: Path, secrets: Any = NAMES, **others: Any) -> PersonaKeys:
    """The keys that a file names."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"secrets": secrets, **others}))
    return PersonaKeys.of_file(path, tmp_path / "secrets")


def oauth_of(issuer: Issuer, keys: PersonaKeys, resource: str = RESOURCE, **chosen: Any) -> OAuth:
    """How callers of an issuer without a network show who they are."""
    return OAuth(issuer.url, resource, keys, SigningKeys(issuer.url, transport=issuer.transport()), **chosen)


class TestTokens:
    async def test_a_good_one_is_taken(self, tmp_path: Path) -> None:
        issuer = Issuer()
        verifier = TokenVerifier(oauth_of(issuer, keys_of(tmp_path)))
        for claims in (
            {},
            {"aud": ["https://other.example.com", RESOURCE]},
            {"aud": f"{RESOURCE}/"},
            {"scp": ["persona:read"]},
        ):
            token = await verifier.verify_token(issuer.token(**claims, header={"typ": "at+jwt"}))
            assert token
            assert token.scopes == ["persona:read"]
            assert token.token == ""
            assert "alice" not in repr(token)
        assert issuer.readings == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"aud": "https://other.example.com/mcp"},
            {"aud": None},
            {"aud": f"{RESOURCE}.example.com"},
            {"iss": "https://issuer.example.com/"},
            {"iss": None},
            {"sub": None},
            {"exp": None},
            {"exp": int(time.time()) - 60},
            {"nbf": int(time.time()) + 3600},
            {"header": {"kid": "another"}},
            {"header": {"typ": "dpop+jwt"}},
            {"header": {"crit": ["b64"]}},
            {"key": ec.generate_private_key(ec.SECP256R1())},
            {"key": rsa.generate_private_key(65537, 2048), "alg": "RS256"},
            {"key": ec.generate_private_key(ec.SECP384R1()), "alg": "ES384"},
            {"filler": "x" * 20_000},
        ],
        ids=lambda wrong: "-".join(wrong),
    )
    async def test_what_is_not_for_this_server_or_not_by_its_issuer_is_refused(
        self, wrong: dict[str, Any], tmp_path: Path
    ) -> None:
        issuer = Issuer()
        verifier = TokenVerifier(oauth_of(issuer, keys_of(tmp_path)))
        assert await verifier.verify_token(issuer.token(**wrong)) is None
        assert await verifier.verify_token(issuer.token())

    async def test_no_signature_and_no_shared_secret_is_one(self, tmp_path: Path) -> None:
        issuer = Issuer()
        verifier = TokenVerifier(oauth_of(issuer, keys_of(tmp_path)))
        claims = jwt.decode(issuer.token(), options={"verify_signature": False})
        kid = {"kid": issuer.jwks["keys"][0]["kid"]}
        unsigned = jwt.encode(claims, "", "none", kid)
        with_public_key = jwt.encode(
            claims, jwt.PyJWK(issuer.jwks["keys"][0]).key.public_numbers().x.to_bytes(32), "HS256", kid
        )
        for token in (unsigned, with_public_key, "", "a.b.c", "persona_key_alice", issuer.token()[:-4] + "AAAA"):
            assert await verifier.verify_token(token) is None

    async def test_clocks_may_differ_a_little(self, tmp_path: Path) -> None:
        issuer = Issuer()
        verifier = TokenVerifier(oauth_of(issuer, keys_of(tmp_path)))
        now = int(time.time())
        assert await verifier.verify_token(issuer.token(exp=now - 10))
        assert await verifier.verify_token(issuer.token(nbf=now + 10, iat=now + 10))


class Clock:
    """A clock that goes forward by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestSigningKeys:
    async def test_a_new_key_comes_in_and_the_old_one_goes(self) -> None:
        issuer, clock = Issuer(), Clock()
        keys = SigningKeys(issuer.url, transport=issuer.transport(), clock=clock)
        old = issuer.jwks["keys"][0]["kid"]
        assert await keys.find(old)
        issuer.rotate()
        new = issuer.jwks["keys"][0]["kid"]
        clock.now += 11
        assert await keys.find(new)
        assert await keys.find(old) is None
        assert await keys.find(None), "the only key needs no name"

    async def test_unknown_keys_ask_the_issuer_once_in_a_while(self) -> None:
        issuer, clock = Issuer(), Clock()
        keys = SigningKeys(issuer.url, transport=issuer.transport(), clock=clock)
        for number in range(50):
            assert await keys.find(f"unknown{number}") is None
        assert issuer.readings == 1

    async def test_an_outage_of_the_issuer_is_outlived_for_an_hour(self) -> None:
        issuer, clock = Issuer(), Clock()
        keys = SigningKeys(issuer.url, transport=issuer.transport(), clock=clock)
        kid = issuer.jwks["keys"][0]["kid"]
        assert await keys.is_ready()
        issuer.is_down = True
        clock.now += 3000
        assert await keys.find(kid)
        clock.now += 700
        assert not await keys.is_ready()
        with pytest.raises(IssuerUnavailable):
            await keys.find(kid)

    @pytest.mark.parametrize(
        "document",
        [
            b"{}",
            b"[]",
            b"{",
            b'{"keys": 1}',
            b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "k"}]}',
            b'{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "k"}]}',
            b'{"keys": [{"kty": "EC", "kid": "k"}]}',
            b'{"keys": [' + b" " * 300_000 + b"]}",
            b"[" * 100_000,
        ],
        ids=lambda document: document[:40].decode(),
    )
    async def test_a_document_without_good_keys_gives_none(self, document: bytes) -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, content=document))
        keys = SigningKeys("https://issuer.example.com", "https://issuer.example.com/keys", transport=transport)
        assert not await keys.is_ready()

    @pytest.mark.parametrize("metadata", [{"issuer": "https://issuer.example.com/"}, {"jwks_uri": "http://10.0.0.1/keys"}])
    async def test_metadata_of_another_name_or_with_an_unsafe_address_is_not_followed(self, metadata: dict[str, str]) -> None:
        issuer = Issuer()
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(str(request.url))
            return httpx.Response(200, json=issuer.metadata | metadata)

        keys = SigningKeys(issuer.url, transport=httpx.MockTransport(answer))
        assert not await keys.is_ready()
        assert all("/.well-known/" in url for url in asked)

    async def test_redirects_are_not_followed(self) -> None:
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.host)
            return httpx.Response(302, headers={"Location": "https://elsewhere.example.com/keys"})

        keys = SigningKeys("https://a.example.com", "https://a.example.com/keys", transport=httpx.MockTransport(answer))
        assert not await keys.is_ready()
        assert set(asked) == {"a.example.com"}

    def test_where_metadata_is(self) -> None:
        assert metadata_urls("https://id.example.com/realms/x") == [
            "https://id.example.com/.well-known/oauth-authorization-server/realms/x",
            "https://id.example.com/realms/x/.well-known/openid-configuration",
        ]
        for url in ("http://id.example.com", "https://user@id.example.com", "ftp://x", "id", "https://x/#y"):
            with pytest.raises(ValueError, match="must be an https URL"):
                checked_url(url)


class TestSecretNames:
    def test_a_secret_may_be_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "persona-readers").write_text("persona_key_file\n")
        keys = keys_of(tmp_path, {"staff": "persona-readers", "*": "KEY_BOB"}, claim="groups")
        assert keys.secret_of({"groups": ["x", "staff"]}) == "persona-readers"
        assert keys.secret_of({"groups": ["*"], "sub": "staff"}) == "KEY_BOB"
        api_key = keys.of_secret("persona-readers")
        assert api_key
        assert api_key.reveal() == "persona_key_file"
        assert "persona_key" not in repr(vars(keys))

    @pytest.mark.parametrize(
        ("document", "told"),
        [
            ("", "JSON"),
            ("[]", "must hold"),
            ('{"secrets": {}}', "must hold"),
            ('{"secrets": {"a": "KEY_BOB"}, "keys": {}}', "must hold"),
            (f'{{"secrets": {{"a": "{KEY}"}}}}', "entry 1 must be the name of a secret"),
            ('{"secrets": {"a": "../KEY_BOB"}}', "entry 1 must be the name of a secret"),
            ('{"secrets": {"a": "KEY_BOB", "b": "KEY_NOWHERE"}}', "the secret of entry 2 is neither"),
            ('{"secrets": {"a": "KEY_BLANK"}}', "the secret of entry 1 "),
            ('{"secrets": {"a": "KEY_LINES"}}', "the secret of entry 1 holds spaces, line breaks"),
        ],
    )
    def test_what_is_wrong_is_said_without_what_it_holds(
        self, document: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KEY_BLANK", " ")
        monkeypatch.setenv("KEY_LINES", f"{KEY}\nx")
        path = tmp_path / "keys.json"
        path.write_text(document)
        with pytest.raises(InputError, match=told) as raised:
            PersonaKeys.of_file(path, tmp_path)
        assert KEY not in str(raised.value)


@pytest.mark.slow
class TestServer:
    async def test_each_caller_uses_the_key_of_their_own_and_the_token_goes_nowhere(self, tmp_path: Path) -> None:
        issuer = Issuer()
        app = create_app(Options(runner=mirror), oauth=oauth_of(issuer, keys_of(tmp_path)))
        async with served(app) as url:
            for subject, used_key in (("alice", "persona_key_alice"), ("bob", "persona_key_bob")):
                async with caller(url, issuer.token(sub=subject)) as client:
                    result = await client.call_tool("persona_get_account", {"accountId": "act_1"})
                digest = hashlib.sha256(used_key.encode()).hexdigest()
                assert result.structured_content["account"]["id"] == f"act_{digest}"

    async def test_what_is_answered_without_a_good_token(self, tmp_path: Path) -> None:
        issuer = Issuer()
        app = create_app(Options(runner=mirror), oauth=oauth_of(issuer, keys_of(tmp_path)))
        async with served(app) as url, httpx.AsyncClient(**CLIENT_OPTIONS) as http:

            async def answer(token: str | None) -> httpx.Response:
                headers = ACCEPTED | ({"Authorization": f"Bearer {token}"} if token else {})
                return await http.post(url, json=initialize("2025-06-18"), headers=headers)

            for token in (None, "persona_key_alice", issuer.token(aud="https://other.example.com")):
                refused = await answer(token)
                assert refused.status_code == 401
                assert refused.headers["www-authenticate"] == (
                    'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp",'
                    ' scope="persona:read persona:write"'
                )
            unscoped = await answer(issuer.token(scope="openid"))
            assert unscoped.status_code == 403
            assert 'error="insufficient_scope"' in unscoped.headers["www-authenticate"]
            unknown = await answer(issuer.token(sub="mallory"))
            assert (unknown.status_code, "no Persona API key for this caller" in unknown.text) == (403, True)
            assert (await answer(issuer.token())).status_code == 200

    async def test_metadata_and_health_need_no_token(self, tmp_path: Path) -> None:
        issuer = Issuer()
        oauth = oauth_of(issuer, keys_of(tmp_path), authorization_server="https://login.example.com")
        async with served(create_app(Options(runner=mirror), oauth=oauth)) as url, httpx.AsyncClient(**CLIENT_OPTIONS) as http:
            root = url.removesuffix("/mcp")
            for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
                metadata = (await http.get(root + path)).json()
                assert metadata["resource"] == RESOURCE
                assert metadata["authorization_servers"] == ["https://login.example.com"]
                assert metadata["scopes_supported"] == ["persona:read", "persona:write"]
            assert (await http.get(f"{root}/healthz")).status_code == 200
            assert (await http.get(f"{root}/readyz")).status_code == 200
            assert (await http.get(f"{root}/other")).status_code == 401

    async def test_it_is_not_ready_without_the_keys_of_the_issuer(self, tmp_path: Path) -> None:
        issuer = Issuer()
        issuer.is_down = True
        app = create_app(Options(runner=mirror), oauth=oauth_of(issuer, keys_of(tmp_path)))
        async with served(app) as url, httpx.AsyncClient(**CLIENT_OPTIONS) as http:
            root = url.removesuffix("/mcp")
            assert (await http.get(f"{root}/readyz")).status_code == 503
            assert (await http.get(f"{root}/healthz")).status_code == 200

    async def test_health_is_open_where_each_request_brings_a_key(self) -> None:
        async with served(create_app(Options(runner=mirror))) as url, httpx.AsyncClient(**CLIENT_OPTIONS) as http:
            root = url.removesuffix("/mcp")
            statuses = {path: (await http.get(root + path)).status_code for path in ("/healthz", "/readyz", "/mcp")}
        assert statuses == {"/healthz": 200, "/readyz": 200, "/mcp": 401}

    async def test_a_token_without_the_scope_to_write_only_reads(self, tmp_path: Path) -> None:
        issuer = Issuer()
        app = create_app(Options(Selection.of(), runner=mirror), oauth=oauth_of(issuer, keys_of(tmp_path)))
        read_only = set(Selection.of(read_only=True).names)
        async with served(app) as url:
            async with caller(url, issuer.token(), x_mcp_readonly="false") as client:
                names = {tool.name.removeprefix("persona_") for tool in (await client.list_tools()).tools}
                assert names == read_only
                result = await client.call_tool("persona_create_account", {"referenceId": "r"})
                assert result.is_error
                assert "not offered" in str(result.content)
                assert "manage-accounts" not in {each.name for each in (await client.list_prompts()).prompts}
            async with caller(url, issuer.token(scope="persona:read persona:write")) as client:
                assert len((await client.list_tools()).tools) > len(read_only)

    async def test_callers_who_share_a_key_share_neither_sessions_nor_files_nor_completions(
        self, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KEY_ALICE", sandbox.api_key)
        issuer = Issuer()
        app = create_app(options(sandbox), oauth=oauth_of(issuer, keys_of(tmp_path)))
        async with served(app) as url, httpx.AsyncClient(**CLIENT_OPTIONS) as http:
            async with caller(url, issuer.token()) as alice, caller(url, issuer.token(sub="carol")) as carol:
                inquiry = first(sandbox, "approved")
                await alice.call_tool("persona_print_inquiry_pdf", {"inquiryId": inquiry})
                await alice.call_tool("persona_get_inquiry", {"inquiryId": inquiry})
                seen = [await completions(each, inquiry[:8]) for each in (alice, carol)]
                files = [await file_uris(each) for each in (alice, carol)]
            begun = await http.post(url, json=initialize("2025-06-18"), headers=ACCEPTED | bearer(issuer.token()))
            session = {"Mcp-Session-Id": begun.headers["mcp-session-id"]}
            ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
            statuses = [
                (await http.post(url, json=ping, headers=ACCEPTED | session | bearer(issuer.token(sub=sub)))).status_code
                for sub in ("carol", "alice")
            ]
        assert statuses == [404, 200]
        assert (inquiry in seen[0], seen[1]) == (True, [])
        assert (len(files[0]), files[1]) == (1, [])

    async def test_the_client_of_the_sdk_finds_its_way_from_nothing(self, sandbox: Sandbox) -> None:
        """It reads where to go from the 401, registers, gets a token with PKCE, and calls a tool."""
        visited: list[str] = []

        async def go(url: str) -> None:
            async with httpx.AsyncClient(**CLIENT_OPTIONS) as browser:
                visited.append((await browser.get(url)).headers["location"])

        async def come_back() -> AuthorizationCodeResult:
            query = parse_qs(urlsplit(visited[-1]).query)
            return AuthorizationCodeResult(code=query["code"][0], state=query["state"][0])

        issuer = Issuer("http://127.0.0.1")
        async with served(issuer_app := _Late()) as issuer_url:
            issuer.url = issuer_url.removesuffix("/mcp")
            issuer_app.app = issuer.app()
            server = _Late()
            async with served(server) as url:
                keys = PersonaKeys.of_everybody(sandbox.api_key)
                oauth = OAuth(issuer.url, url, keys, SigningKeys(issuer.url))
                server.app = create_app(options(sandbox), oauth=oauth)
                async with server.app.router.lifespan_context(server.app):
                    metadata = OAuthClientMetadata(client_name="a client", redirect_uris=[AnyUrl("http://127.0.0.1:9/back")])
                    auth = OAuthClientProvider(url, metadata, Storage(), go, come_back)
                    async with httpx2.AsyncClient(auth=auth, **CLIENT_OPTIONS) as http:
                        async with Client(streamable_http_client(url, http_client=http)) as client:
                            tools = {tool.name for tool in (await client.list_tools()).tools}
                            result = await client.call_tool("persona_list_accounts", {"maxItems": 1})
        assert "persona_create_inquiry" in tools, "the client asked for both scopes, as it was told"
        assert len(result.structured_content["accounts"]) == 1
        assert len(visited) == 1


class _Late:
    """An application that is known only once its address is."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        await self.app(scope, receive, send)


class Storage:
    """What a client remembers of its registration and its token."""

    def __init__(self) -> None:
        self._tokens: OAuthToken | None = None
        self._client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self._tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self._client = client_info


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def completions(client: Client, typed: str) -> list[str]:
    """What a client is offered for the argument of a skill."""
    reference = types.PromptReference(type="ref/prompt", name="review-an-inquiry")
    return (await client.complete(reference, {"name": "about", "value": typed})).completion.values


async def file_uris(client: Client) -> list[str]:
    """The files that a client is listed."""
    return [each.uri for each in (await client.list_resources()).resources if each.uri.startswith("persona://files/")]


class TestCommand:
    ISSUER = "https://login.example.com"

    @pytest.fixture
    def served_with(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """What the command makes its application with, which then is not served."""
        made: dict[str, Any] = {}
        monkeypatch.setattr("persona_block.hosts.mcp.create_app", lambda _options, **others: made.update(others))
        monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: None)
        return made

    def test_options_and_variables_say_the_same(
        self, served_with: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys_of(tmp_path)
        said = {"oauth-issuer": self.ISSUER, "oauth-keys": str(tmp_path / "keys.json"), "public-url": RESOURCE}
        arguments = [part for name, value in said.items() for part in (f"--{name}", value)]
        assert cli.main(["mcp", "--http", "--host", "127.0.0.1", "--port", "0", *arguments]) == 0
        oauth = served_with["oauth"]
        assert (oauth.issuer, oauth.resource, oauth.scopes) == (self.ISSUER, RESOURCE, ["persona:read", "persona:write"])
        assert oauth.keys.secret_of({"sub": "bob"}) == "KEY_BOB"
        assert "persona_key" not in repr(oauth)
        for name, value in said.items():
            monkeypatch.setenv(f"PERSONA_MCP_{name.replace('-', '_').upper()}", value)
        monkeypatch.setenv("PERSONA_MCP_OAUTH_SCOPES", "r,w")
        assert cli.main(["mcp", "--http", "--port", "0", "--oauth-issuer", "https://other.example.com"]) == 0
        assert (served_with["oauth"].issuer, served_with["oauth"].scopes) == ("https://other.example.com", ["r", "w"])

    def test_the_offline_persona_needs_no_keys(self, served_with: dict[str, Any]) -> None:
        arguments = ["--oauth-issuer", self.ISSUER, "--public-url", RESOURCE]
        assert cli.main(["mcp", "--http", "--port", "0", "--sandbox", *arguments]) == 0
        assert served_with["oauth"].keys.secret_of({"sub": "anybody"})
        assert served_with["api_key"] is None, "else everybody would be let in"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--oauth-issuer", ISSUER], "--oauth-issuer: is for --http alone"),
            (["--http", "--oauth-jwks", ISSUER], "--oauth-jwks: also needs --oauth-issuer"),
            (["--http", "--oauth-issuer", ISSUER], "--oauth-keys: is needed with --oauth-issuer"),
            (["--http", "--oauth-issuer", ISSUER], "--public-url: is needed with --oauth-issuer"),
            (["--http", "--oauth-issuer", "http://login.example.com"], "--oauth-issuer: must be an https URL"),
            (["--http", "--oauth-issuer", ISSUER, "--oauth-scopes", "read"], "--oauth-scopes: must be two names"),
            (
                ["--http", "--oauth-issuer", ISSUER, "--public-url", RESOURCE, "--oauth-keys", "nowhere.json"],
                "--oauth-keys: there is no file of this name",
            ),
        ],
    )
    def test_a_wrong_option_is_named(self, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["mcp", *arguments]) == cli.MISUSE
        assert said in capsys.readouterr().err
