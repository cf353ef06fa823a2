"""The Dify plugin as Dify runs it: Dify's own SDK reads its files and serves its tools, in a process of their own."""

from __future__ import annotations

import email
import email.policy
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from persona_block import Sandbox
from persona_block.block import conformance_vectors, manifest
from persona_block.export import dify_tool, generator
from persona_block.sandbox import Settings
from persona_block.spec import catalog
from tests.support import dify_daemon
from tests.support.dify_daemon import DifyDaemon
from tests.support.recording_server import RecordingServer, recording_server

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not dify_daemon.is_installed(), reason="Dify's SDK is not installed: make exports"),
]

MANIFEST = manifest()
DEFINITIONS = {definition["name"]: definition for definition in MANIFEST["tools"]["definitions"]}
VECTORS = conformance_vectors()
WORD = "harbour lantern"
CSV = b"reference_id,name_first,name_last\ncustomer-1,Jane,Doe\ncustomer-2,Mary,Major\n"

each_operation = pytest.mark.parametrize("operation", catalog.names())


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the plugin."""
    folder = tmp_path_factory.mktemp("dify")
    generator("dify").export(MANIFEST, folder)
    return folder


@pytest.fixture(scope="session")
def plugin(folder: Path) -> Iterator[DifyDaemon]:
    """The running plugin."""
    with DifyDaemon(folder) as daemon:
        yield daemon


@pytest.fixture(scope="session")
def recorder() -> Iterator[RecordingServer]:
    """A server that only records, and serves a CSV file."""
    with recording_server() as server:
        server.files["/accounts.csv"] = CSV
        yield server


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """An offline Persona whose reports and imports take a moment of its time."""
    with Sandbox(speed=50, settings=Settings(report_delay=1, import_delay=1)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def credentials(sandbox: Sandbox) -> Iterator[dict[str, str]]:
    """The credentials of the offline Persona, which is served."""
    with sandbox.serve_in_thread() as base_url:
        yield {dify_tool.API_KEY: sandbox.api_key, dify_tool.BASE_URL: base_url, dify_tool.CONFIRMATION_WORD: WORD}


def dify_file(url: str, **about: Any) -> dict[str, Any]:
    """Return a file as Dify hands it to a plugin."""
    return {"dify_model_identity": "__dify__file__", "url": url, "type": "document", **about}


# --- what the SDK reads ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def registration(folder: Path) -> dict[str, Any]:
    """What the SDK made of the plugin's files."""
    return dify_daemon.registration(folder)


def test_the_sdk_takes_every_file_and_imports_every_class(registration: dict[str, Any]) -> None:
    assert registration["plugin"]["version"] == MANIFEST["version"]
    assert registration["provider_class"] == "PersonaProvider"
    assert [entry["name"] for entry in registration["provider"]["credentials_schema"]] == [
        dify_tool.API_KEY,
        dify_tool.CONFIRMATION_WORD,
        dify_tool.BASE_URL,
    ]
    assert list(registration["tools"]) == MANIFEST["tools"]["access"]
    assert len({tool["class"] for tool in registration["tools"].values()}) == len(DEFINITIONS)
    assert registration["assets"]["icon.svg"] > 100


@each_operation
def test_the_sdk_sees_the_params_of_the_manifest(operation: str, registration: dict[str, Any]) -> None:
    definition = DEFINITIONS[operation]
    parameters = {parameter["name"]: parameter for parameter in registration["tools"][definition["id"]]["parameters"]}
    for name, schema in definition["params"]["properties"].items():
        if name == "apiKey":
            assert name not in parameters
            continue
        seen = parameters[name]
        assert seen["required"] == (name in definition["params"]["required"])
        assert (seen["min"], seen["max"]) == (schema.get("minimum"), schema.get("maximum"))
        assert [option["value"] for option in seen["options"] or []] == schema.get("enum", [])
    confirmation = parameters.get(dify_tool.CONFIRMATION)
    assert (confirmation is not None) == definition["hints"]["consent"]
    assert confirmation is None or (confirmation["form"], confirmation["type"]) == ("form", "secret-input")


# --- credentials -----------------------------------------------------------------------------------------------------------


def test_good_credentials_pass(plugin: DifyDaemon, credentials: dict[str, str], sandbox: Sandbox) -> None:
    before = len(sandbox.requests)
    assert plugin.check_credentials(credentials).error is None
    assert plugin.check_credentials({**credentials, dify_tool.CONFIRMATION_WORD: ""}).error is None
    assert [request.method for request in sandbox.requests[before:]] == ["GET", "GET"]


def test_a_key_of_the_sandbox_environment_passes(plugin: DifyDaemon, credentials: dict[str, str], sandbox: Sandbox) -> None:
    """Persona keeps templates to production keys, and answers 403."""
    before = len(sandbox.requests)
    assert plugin.check_credentials({**credentials, dify_tool.API_KEY: sandbox.sandbox_key}).error is None
    assert [request.status for request in sandbox.requests[before:]] == [403]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({dify_tool.API_KEY: "persona_production_wrong"}, "401"),
        ({dify_tool.API_KEY: " "}, "api_key: is missing"),
        ({dify_tool.API_KEY: "two\nlines"}, "apiKey: holds"),
        ({dify_tool.BASE_URL: "http://persona.test/api/v1"}, "base_url: must be an https URL"),
        ({dify_tool.CONFIRMATION_WORD: "yes"}, "confirmation_word: must have 8 characters"),
    ],
)
def test_wrong_credentials_say_what_is_wrong(
    wrong: dict[str, str], message: str, plugin: DifyDaemon, credentials: dict[str, str]
) -> None:
    outcome = plugin.check_credentials({**credentials, **wrong})
    assert outcome.error_type == "ToolProviderCredentialValidationError"
    assert message in (outcome.error or "")
    assert "wrong" not in (outcome.error or "")


# --- a flow ----------------------------------------------------------------------------------------------------------------


def test_an_onboarding(plugin: DifyDaemon, credentials: dict[str, str], sandbox: Sandbox, recorder: RecordingServer) -> None:
    def call(tool: str, **params: Any) -> dify_daemon.Outcome:
        outcome = plugin.call(f"persona_{tool}", params, credentials)
        assert outcome.error is None, outcome.error
        return outcome

    # A node of a workflow gives blank text for what is left empty, and objects as JSON text.
    created = call(
        "create_inquiry",
        inquiryTemplateId="itmpl_GovernmentIdAndSelfie",
        referenceId="customer-1042",
        fields='{"name-first": "Jane", "name-last": "Doe"}',
        tags="vip, spring",
        note="",
        accountId=None,
    )
    inquiry_id = created.variables["inquiry"]["id"]
    assert created.json == created.variables
    assert created.json["inquiry"]["tags"] == ["vip", "spring"]
    assert created.text == f"Create Inquiry: inquiry {inquiry_id} is created."

    link = call("generate_inquiry_link", inquiryId=inquiry_id, expiresInSeconds=3600)
    assert link.text.endswith(f" is created. {link.variables['oneTimeLink']}")
    sandbox.complete(inquiry_id, "pass")
    assert call("get_inquiry", inquiryId=inquiry_id, wait=True).json["inquiry"]["status"] in ("completed", "approved")

    listed = call("list_inquiries", referenceId="customer-1042", pageSize=1)
    assert [each["id"] for each in listed.variables["inquiries"]] == [inquiry_id]
    assert listed.text == "List Inquiries: 1 found."

    report = call("create_report", reportType="watchlist", reportTemplateId="rptp_Watchlist", term="Jane Doe", wait="true")
    assert (report.json["report"]["status"], report.json["report"]["hasMatch"]) == ("ready", False)
    assert report.text.endswith("is ready, has match false.")

    approved = call("approve_inquiry", inquiryId=inquiry_id, comment="Documents match", confirmation=WORD)
    assert approved.json["inquiry"]["status"] == "approved"

    printed = call("print_inquiry_pdf", inquiryId=inquiry_id)
    told, content = printed.file
    assert told == {"mime_type": "application/pdf", "filename": f"{inquiry_id}.pdf"}
    assert content.startswith(b"%PDF-")
    assert printed.json == {"file": {"name": f"{inquiry_id}.pdf", "mimeType": "application/pdf", "size": len(content)}}
    assert printed.variables == {}

    file = dify_file(f"{recorder.origin}/accounts.csv?sign=secret", filename="accounts.csv", size=len(CSV))
    imported = call("import_accounts", file=file, wait=True)
    assert imported.json["importer"]["successfulCount"] == 2
    assert "successful count 2, duplicate count 0, error count 0" in imported.text

    redacted = call("redact_inquiry", inquiryId=inquiry_id, confirmation=WORD)
    assert redacted.json["inquiry"]["redactedAt"]


def test_pages_are_followed_where_a_person_says_so(plugin: DifyDaemon, credentials: dict[str, str], sandbox: Sandbox) -> None:
    for number in range(12):
        plugin.call("persona_create_account", {"referenceId": f"page-{number}"}, credentials)
    before = len(sandbox.requests)
    one = plugin.call("persona_list_accounts", {"pageSize": 5, "allPages": False}, credentials)
    assert len(one.variables["accounts"]) == 5
    assert one.variables["nextCursor"]
    assert one.text == "List Accounts: 5 found, and there are more."
    every = plugin.call("persona_list_accounts", {"pageSize": 5, "allPages": True}, credentials)
    assert len(every.variables["accounts"]) >= 12
    assert every.variables["nextCursor"] is None
    assert len(sandbox.requests) - before >= 4


def test_calls_at_the_same_time_do_not_wait_for_each_other(plugin: DifyDaemon, credentials: dict[str, str]) -> None:
    params = {"reportType": "watchlist", "reportTemplateId": "rptp_Watchlist", "term": "Jane Doe", "wait": True}
    started = time.monotonic()
    alone = plugin.call("persona_create_report", params, credentials)
    seconds_alone = time.monotonic() - started
    assert alone.error is None
    started = time.monotonic()
    with ThreadPoolExecutor(8) as executor:
        outcomes = list(executor.map(lambda _: plugin.call("persona_create_report", params, credentials), range(8)))
    assert [outcome.error for outcome in outcomes] == [None] * 8
    assert time.monotonic() - started < 4 * max(seconds_alone, 0.5)


# --- errors ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("confirmation", [None, "", "wrong", True, {"a": 1}])
def test_nothing_is_decided_or_erased_without_a_person_s_word(
    confirmation: Any, plugin: DifyDaemon, recorder: RecordingServer
) -> None:
    credentials = {
        dify_tool.API_KEY: "persona_production_key",
        dify_tool.BASE_URL: recorder.origin,
        dify_tool.CONFIRMATION_WORD: WORD,
    }
    before = len(recorder.requests)
    for name in (name for name, definition in DEFINITIONS.items() if definition["hints"]["consent"]):
        (required,) = set(DEFINITIONS[name]["params"]["required"]) - {"apiKey"}
        for given in (credentials, {**credentials, dify_tool.CONFIRMATION_WORD: ""}):
            outcome = plugin.call(f"persona_{name}", {required: "inq_1", "confirmation": confirmation}, given)
            assert outcome.messages == []
            assert "confirmation: " in (outcome.error or "")
            assert "tookEffect: no" in (outcome.error or "")
            assert WORD not in (outcome.error or "")
    assert len(recorder.requests) == before


def test_one_of_several_is_asked_for_by_name(plugin: DifyDaemon, credentials: dict[str, str]) -> None:
    params = {"reportType": "watchlist", "reportTemplateId": "rptp_Watchlist"}
    outcome = plugin.call("persona_create_report", params, credentials)
    assert outcome.error_type == "CallFailed"
    assert "term: give at least one of term, nameFirst, nameMiddle, nameLast" in (outcome.error or "")
    assert "(tookEffect: no, retryable: false)" in (outcome.error or "")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("/etc/passwd", "file: must be a file of Dify"),
        ("https://persona.test/accounts.csv", "file: must be a file of Dify"),
        ({"path": "/etc/passwd"}, "file: must be a file of Dify"),
        (dify_file("{origin}/missing.csv?sign=secret"), "file: could not be fetched from Dify: HTTPStatusError"),
        (dify_file("{origin}/accounts.csv", size=2**40), "file: is over 67108864 bytes"),
        (dify_file("{origin}/wrong.csv", filename="wrong.csv"), "file: "),
    ],
)
def test_a_file_is_one_of_dify(
    file: Any, message: str, plugin: DifyDaemon, credentials: dict[str, str], recorder: RecordingServer
) -> None:
    recorder.files["/wrong.csv"] = b"colour\nblue\n"
    file = json.loads(json.dumps(file).replace("{origin}", recorder.origin))
    outcome = plugin.call("persona_import_accounts", {"file": file}, credentials)
    assert message in (outcome.error or "")
    assert "sign" not in (outcome.error or "")
    assert "passwd" not in (outcome.error or "")


def test_no_key_and_no_word_is_printed(plugin: DifyDaemon, recorder: RecordingServer) -> None:
    key, word = "persona_production_never-shown-7c1f", "never shown either"
    for address in (recorder.origin, "http://persona.test"):
        secret = {dify_tool.API_KEY: key, dify_tool.BASE_URL: address, dify_tool.CONFIRMATION_WORD: word}
        plugin.check_credentials(secret)
        plugin.call("persona_get_account", {"accountId": "act_1", "apiKey": "x"}, secret)
        plugin.call("persona_redact_account", {"accountId": "..", "confirmation": word}, secret)
    printed = "".join(plugin.printed)
    assert "CallFailed" in printed
    assert key not in printed
    assert word not in printed


# --- the vectors -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def recorded(recorder: RecordingServer) -> dict[str, str]:
    """The credentials that lead to the recording server."""
    return {
        dify_tool.API_KEY: "persona_production_recorded",
        dify_tool.BASE_URL: f"{recorder.origin}/api/v1",
        dify_tool.CONFIRMATION_WORD: WORD,
    }


@each_operation
def test_it_sends_what_the_vectors_say(
    operation: str, plugin: DifyDaemon, recorder: RecordingServer, recorded: dict[str, str]
) -> None:
    entries = [entry for entry in VECTORS["calls"] if entry["operation"] == operation]
    assert entries
    for entry in entries:
        del recorder.requests[:]
        plugin.call(DEFINITIONS[operation]["id"], as_dify_gives_them(operation, entry["params"], recorder), recorded)
        (request,) = recorder.requests
        assert sent(request.method, request.target, request.headers, request.body) == entry["request"]
        assert request.headers["authorization"] == "Bearer persona_production_recorded"
        assert ("idempotency-key" in request.headers) == (request.method == "POST")


@each_operation
def test_it_refuses_what_the_vectors_say(
    operation: str, plugin: DifyDaemon, recorder: RecordingServer, recorded: dict[str, str]
) -> None:
    entries = [entry for entry in VECTORS["refusals"] if entry["operation"] == operation]
    assert entries
    unreadable = 0
    for entry in entries:
        del recorder.requests[:]
        outcome = plugin.call(DEFINITIONS[operation]["id"], as_dify_gives_them(operation, entry["params"], recorder), recorded)
        assert recorder.requests == []
        assert outcome.error
        if outcome.error_type == "Unreadable":
            unreadable += 1
            assert {problem["code"] for problem in entry["problems"]} == {"not_carried"}
        else:
            assert all(f"{problem['param']}: " in outcome.error for problem in entry["problems"])
    assert unreadable < len(entries) / 2


def test_a_write_is_sent_under_the_key_that_is_given(
    plugin: DifyDaemon, recorder: RecordingServer, recorded: dict[str, str]
) -> None:
    del recorder.requests[:]
    params = {"inquiryTemplateId": "itmpl_1", "idempotencyKey": "run-7-create"}
    plugin.call("persona_create_inquiry", params, recorded)
    assert [request.headers["idempotency-key"] for request in recorder.requests] == ["run-7-create"]


def as_dify_gives_them(operation: str, params: Mapping[str, Any], recorder: RecordingServer) -> dict[str, Any]:
    """Return params of a vector with its file as one of Dify, and with the word of a person where one is needed."""
    spec = catalog.load(operation)
    given = dict(params)
    for name, param in spec.params.items():
        if param.format == "file" and isinstance(given.get(name), str) and given[name].strip():
            given[name] = dify_file(f"{recorder.origin}/accounts.csv", filename=given[name].strip())
    return given | ({dify_tool.CONFIRMATION: WORD} if dify_tool.needs_confirmation(spec) else {})


def sent(method: str, target: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return a request as a vector holds it."""
    path, _, query = target.partition("?")
    request: dict[str, Any] = {"method": method, "path": path.removeprefix("/api/v1")}
    if query:
        request["query"] = query
    if headers.get("content-type", "").startswith("multipart/"):
        message = email.message_from_bytes(
            b"Content-Type: " + headers["content-type"].encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP
        )
        request["multipart"] = {
            part.get_param("name", header="content-disposition"): part.get_filename() for part in message.iter_parts()
        }
        assert all(part.get_payload(decode=True) == CSV for part in message.iter_parts())
    elif body:
        request["body"] = json.loads(body)
    return request
