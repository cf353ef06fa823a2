"""What every tool of the Dify plugin does, on the offline Persona and without Dify."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from persona_block import Sandbox
from persona_block.export import dify_tool
from persona_block.export.dify_tool import CallFailed, Engine, call, check_credentials

WORD = "harbour lantern"
CSV = b"reference_id,name_first\ncustomer-1,Jane\n"

populated = pytest.mark.persona_sandbox(populate=True)


class DifyTool:
    """Stands for a tool of Dify: its messages are pairs of their kind and what they hold."""

    def __init__(self, **credentials: str) -> None:
        self.runtime = SimpleNamespace(credentials=credentials)

    def create_text_message(self, text: str) -> tuple[str, Any]:
        return "text", text

    def create_json_message(self, json: dict[str, Any]) -> tuple[str, Any]:
        return "json", json

    def create_variable_message(self, variable_name: str, variable_value: Any) -> tuple[str, Any]:
        return variable_name, variable_value

    def create_blob_message(self, blob: bytes, meta: dict[str, Any]) -> tuple[str, Any]:
        return "blob", (blob, meta)


class DifyFile:
    """Stands for a file of Dify, whose content is fetched when it is asked for."""

    filename = "accounts.csv"

    def __init__(self, content: bytes | Exception, size: int | None = None) -> None:
        self._content = content
        self.size = size
        self.fetched = 0

    @property
    def blob(self) -> bytes:
        self.fetched += 1
        if isinstance(self._content, Exception):
            raise self._content
        return self._content


@pytest.fixture
def tool(persona_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DifyTool]:
    """A tool whose calls reach the sandbox, with a folder for temporary files of its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("PERSONA_API_KEY", raising=False)
    monkeypatch.delenv("PERSONA_BASE_URL", raising=False)
    with answered_by(persona_sandbox.transport, monkeypatch):
        yield DifyTool(api_key=persona_sandbox.api_key, base_url=persona_sandbox.base_url, confirmation_word=WORD)


@contextmanager
def answered_by(transport: httpx.AsyncBaseTransport, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a transport answer the calls."""
    engine = Engine(transport)
    monkeypatch.setattr(dify_tool, "engine", engine)
    yield
    engine.close()


def messages(tool: DifyTool, operation: str, **params: Any) -> dict[str, Any]:
    """Return the messages of a call by their kinds, or names of variables."""
    return dict(call(tool, operation, params))


def failure(tool: DifyTool, operation: str, **params: Any) -> CallFailed:
    """Return the error of a call."""
    with pytest.raises(CallFailed) as caught:
        list(call(tool, operation, params))
    return caught.value


def inquiry_id(sandbox: Sandbox, status: str) -> str:
    """Return the id of an inquiry that is in a status."""
    latest = {effect.resource_id: effect.status for effect in sandbox.effects if effect.resource_id.startswith("inq_")}
    return next(each for each, latest_status in latest.items() if latest_status == status)


# --- outcomes --------------------------------------------------------------------------------------------------------------


def test_an_output_comes_as_text_as_json_and_by_name(tool: DifyTool) -> None:
    outcome = messages(tool, "create_inquiry", inquiryTemplateId="itmpl_GovernmentIdAndSelfie", note=" ")
    inquiry = outcome["inquiry"]
    assert list(outcome) == ["text", "json", "inquiry"]
    assert outcome["json"] == {"inquiry": inquiry}
    assert outcome["text"] == f"Create Inquiry: inquiry {inquiry['id']} is created."
    link = messages(tool, "generate_inquiry_link", inquiryId=inquiry["id"])
    assert link["text"] == f"Generate Inquiry Link: inquiry {inquiry['id']} is created. {link['oneTimeLink']}"


@populated
def test_a_text_tells_no_token(tool: DifyTool, persona_sandbox: Sandbox) -> None:
    outcome = messages(tool, "resume_inquiry", inquiryId=inquiry_id(persona_sandbox, "pending"))
    assert outcome["sessionToken"]
    assert outcome["sessionToken"] not in outcome["text"]


def test_findings_are_told_once_there_are_any(tool: DifyTool, monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"reportType": "watchlist", "reportTemplateId": "rptp_Watchlist", "term": "Jane Doe"}
    assert messages(tool, "create_report", **params)["text"].endswith(" is pending.")
    monkeypatch.setattr(dify_tool, "WAIT_SECONDS", 0)
    error = failure(tool, "create_report", **params, wait=True)
    assert "create_report was done" in str(error)
    assert "(tookEffect: yes, retryable: false)" in str(error)


@populated
def test_a_file_is_handed_over_and_kept_nowhere(tool: DifyTool, persona_sandbox: Sandbox, tmp_path: Path) -> None:
    identifier = inquiry_id(persona_sandbox, "approved")
    outcome = messages(tool, "print_inquiry_pdf", inquiryId=identifier)
    content, about = outcome["blob"]
    assert content.startswith(b"%PDF-")
    assert about == {"mime_type": "application/pdf", "filename": f"{identifier}.pdf"}
    assert outcome["json"] == {"file": {"name": f"{identifier}.pdf", "mimeType": "application/pdf", "size": len(content)}}
    assert outcome["text"] == f"Print Inquiry PDF: {identifier}.pdf, {len(content)} bytes."
    assert list(outcome) == ["text", "json", "blob"]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@populated
def test_every_page_is_read_up_to_a_limit(tool: DifyTool, monkeypatch: pytest.MonkeyPatch) -> None:
    every = messages(tool, "list_inquiries", allPages="True", pageSize="5")
    assert len(every["inquiries"]) > 10
    assert every["nextCursor"] is None
    assert every["text"] == f"List Inquiries: {len(every['inquiries'])} found."
    monkeypatch.setattr(dify_tool, "ITEMS_LIMIT", 7)
    some = messages(tool, "list_inquiries", allPages=True)
    assert some["inquiries"] == every["inquiries"][:7]
    assert some["nextCursor"] == some["inquiries"][-1]["id"]
    assert some["text"] == "List Inquiries: 7 found, and there are more."
    assert len(messages(tool, "list_inquiries", allPages=None, pageSize=3)["inquiries"]) == 3


# --- what is refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("get_inquiry", {"inquiryId": "inq_1", "wait": "perhaps"}, "wait: must be true or false"),
        ("get_inquiry", {"inquiryId": "inq_1", "wait": 1}, "wait: must be true or false"),
        ("list_inquiries", {"allPages": []}, "allPages: must be true or false"),
        ("get_account", {"accountId": "act_1", "wait": True}, "wait: get_account has no such param"),
        ("get_account", {"accountId": "act_1", "apiKey": "another"}, "apiKey: stands in the credentials"),
        ("get_account", {"accountId": "act_1", "idempotencyKey": "k"}, "idempotencyKey: "),
        ("update_account", {"accountId": "act_1"}, "referenceId: give at least one of"),
        ("create_inquiry", {"inquiryTemplateId": "itmpl_1", "fields": "{'name-first': 'Jane'}"}, "fields: "),
        ("create_inquiry", {"inquiryTemplateId": "itmpl_1", "note": DifyFile(b"")}, "note: "),
        ("create_inquiry", {"inquiryTemplateId": "itmpl_1", "idempotencyKey": "é"}, "idempotency"),
        ("create_inquiry", {"inquiryTemplateId": "itmpl_1", "idempotencyKey": 7}, "idempotencyKey: must be text"),
    ],
)
def test_a_wrong_param_is_named_and_nothing_is_sent(
    operation: str, params: dict[str, Any], message: str, tool: DifyTool, persona_sandbox: Sandbox
) -> None:
    before = len(persona_sandbox.requests)
    error = failure(tool, operation, **params)
    assert message in str(error)
    assert "(tookEffect: no, retryable: false)" in str(error)
    assert "Jane" not in str(error)
    assert "another" not in str(error)
    assert len(persona_sandbox.requests) == before


@populated
@pytest.mark.parametrize("confirmation", [None, "", WORD[:-1], WORD.upper(), [WORD], True])
@pytest.mark.parametrize("operation", ["approve_inquiry", "redact_inquiry"])
def test_a_decision_takes_the_word_of_a_person(
    operation: str, confirmation: Any, tool: DifyTool, persona_sandbox: Sandbox
) -> None:
    params = {"inquiryId": inquiry_id(persona_sandbox, "needs_review")}
    before = len(persona_sandbox.requests)
    refused = failure(tool, operation, **params, confirmation=confirmation)
    assert "confirmation: is for a person to give" in str(refused)
    tool.runtime.credentials["confirmation_word"] = " "
    assert "a person has to set a confirmation word" in str(failure(tool, operation, **params, confirmation=confirmation))
    assert WORD not in str(refused)
    assert len(persona_sandbox.requests) == before
    tool.runtime.credentials["confirmation_word"] = WORD
    assert messages(tool, operation, **params, confirmation=f" {WORD} ")["inquiry"]["id"] == params["inquiryId"]


def test_a_blank_key_is_not_replaced_by_the_environment(tool: DifyTool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_API_KEY", tool.runtime.credentials["api_key"])
    for blank in ("", " ", None):
        tool.runtime.credentials["api_key"] = blank
        assert "api_key: is missing in the credentials" in str(failure(tool, "list_accounts"))


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("accounts.csv", "file: must be a file of Dify"),
        ({"content": "reference_id"}, "file: must be a file of Dify"),
        ([DifyFile(CSV)], "file: must be a file of Dify"),
        (DifyFile(CSV, size=dify_tool.FILE_LIMIT + 1), "file: is over 67108864 bytes"),
        (DifyFile(httpx.ConnectError("https://files.test/?sign=s")), "file: could not be fetched from Dify: ConnectError"),
        (DifyFile(b"colour\nblue\n"), "file: "),
        (DifyFile(b""), "file: "),
        ("", "file: "),
    ],
)
def test_only_a_file_of_dify_is_imported(file: Any, message: str, tool: DifyTool, persona_sandbox: Sandbox) -> None:
    before = len(persona_sandbox.requests)
    error = failure(tool, "import_accounts", file=file)
    assert message in str(error)
    assert "sign" not in str(error)
    assert len(persona_sandbox.requests) == before
    assert not isinstance(file, DifyFile) or file.fetched == (file.size is None)


def test_a_file_is_imported_under_its_name(tool: DifyTool) -> None:
    assert messages(tool, "import_accounts", file=DifyFile(CSV, size=len(CSV)))["importer"]["status"] == "pending"


# --- what goes wrong at Persona --------------------------------------------------------------------------------------------


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[httpx.Response], DifyTool]]:
    """Returns a tool whose calls get one answer; without an answer the transport fails as no transport should."""
    answers: list[httpx.Response] = []

    def answer(_: httpx.Request) -> httpx.Response:
        return answers.pop()

    def make(response: httpx.Response | None = None) -> DifyTool:
        answers[:] = [response] if response else []
        return DifyTool(api_key="key", base_url="https://persona.test", confirmation_word=WORD)

    with answered_by(httpx.MockTransport(answer), monkeypatch):
        yield make


def test_a_write_in_doubt_tells_the_key_that_repeats_it(answering: Callable[[httpx.Response], DifyTool]) -> None:
    tool = answering(httpx.Response(500, json={"errors": [{"title": "Internal"}]}))
    error = failure(tool, "create_account", referenceId="customer-1", idempotencyKey="run-7-create")
    assert "(tookEffect: unknown, retryable: false, idempotencyKey: run-7-create)" in str(error)
    assert error.details["status"] == 500


def test_what_persona_says_is_told(answering: Callable[[httpx.Response], DifyTool]) -> None:
    error = failure(answering(httpx.Response(404, json={"errors": [{"title": "Gone"}]})), "get_account", accountId="act_1")
    assert "404" in str(error)
    assert "Gone" in str(error)


def test_a_fault_of_the_plugin_shows_no_text_of_others(answering: Callable[..., DifyTool]) -> None:
    error = failure(answering(), "get_account", accountId="act_1")
    assert str(error) == "get_account failed by a fault of its own, IndexError. (retryable: false)"
    error = failure(answering(), "create_account", referenceId="x")
    assert "(tookEffect: unknown, retryable: false)" in str(error)


@pytest.mark.parametrize(("status", "passes"), [(200, True), (403, True), (401, False), (404, False)])
def test_credentials_are_good_where_the_key_is_known(
    status: int, passes: bool, answering: Callable[[httpx.Response], DifyTool]
) -> None:
    body = {"data": [], "links": {"prev": None, "next": None}} if status == 200 else {"errors": [{"title": "No"}]}
    credentials = answering(httpx.Response(status, json=body)).runtime.credentials
    if passes:
        check_credentials(credentials, "list_accounts", {"pageSize": 1})
        return
    with pytest.raises(CallFailed, match=str(status)):
        check_credentials(credentials, "list_accounts", {"pageSize": 1})


def test_a_confirmation_word_is_long_enough_or_absent(answering: Callable[..., DifyTool]) -> None:
    credentials = answering().runtime.credentials
    with pytest.raises(CallFailed, match="confirmation_word: must have 8 characters"):
        check_credentials({**credentials, "confirmation_word": "1234567"}, "list_accounts", {})
