"""One run of a node without Langflow: what it sends, what it gives, and what it says where it cannot."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_block.errors import PersonaError
from persona_block.hosts.langflow import fields, outputs, running
from persona_block.hosts.langflow.fields import AGREED, API_KEY, BASE_URL, IDEMPOTENCY_KEY, OPERATION, SANDBOX, TYPED
from persona_block.hosts.langflow.running import Answer, NodeError, run_node
from persona_block.sandbox import Faults, Sandbox, Settings
from persona_block.spec import catalog
from persona_block.spec.grammar import ToolSpec
from tests.hosts.langflow.nodes import ALL, CSV, TEMPLATE, filled_in, object_ids

each = pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A fresh offline Persona in the place of the server's."""
    with Sandbox(populate=True, settings=Settings(import_delay=0)) as fresh:
        monkeypatch.setattr(running, "embedded_sandbox", lambda: fresh)
        yield fresh


@each
async def test_every_operation_runs_with_what_it_needs(sandbox: Sandbox, spec: ToolSpec, tmp_path: Path) -> None:
    values = await filled_in(sandbox, spec)
    before = len(sandbox.requests)
    answer = await run_node(values, folder=tmp_path)
    assert len(sandbox.requests) - before == 1
    assert set(outputs.result(answer)) == {*spec.output, "sandbox"}
    assert outputs.SANDBOX_NOTE in outputs.text(answer)
    rows = outputs.rows(answer)
    assert len(rows) == (len(answer.output[spec.paginate.items]) if spec.paginate else 1)
    assert all(not isinstance(value, dict | list) for row in rows for value in row.values())
    assert {row["sandbox"] for row in rows} == {outputs.SANDBOX_NOTE}
    file = outputs.file(answer)
    assert (file is not None) == (spec.file_source is not None)
    if file:
        assert Path(file["path"]).parent == tmp_path
        assert base64.b64decode(file["content"]).startswith(b"%PDF-")


# --- what it says -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "values", "said"),
    [
        (
            "Create Report",
            {},
            ['fill in "Report type"', 'fill in "Report template ID"', 'at least one of "Full name", "First'],
        ),
        ("Get Inquiry", {"p_inquiry_id": "  "}, ['fill in "Inquiry ID"']),
        ("List Inquiries", {"p_page_size": "many"}, ['"Page size" must be a whole number']),
        ("List Inquiries", {"p_page_size": "500"}, ['"Page size"']),
        ("Create Inquiry", {"p_inquiry_template_id": "itmpl_1", "p_inquiry_fields": "{"}, ['"Fields"', "JSON"]),
        ("Import Accounts", {}, ['fill in "CSV file"']),
        ("Import Accounts", {"p_file_upload": "/x.csv", "p_file_reference": CSV}, ["filled in twice"]),
        ("Approve Inquiry", {"p_inquiry_id": "inq_1"}, ['"I agree" is off']),
        ("Redact Inquiry", {"p_inquiry_id": "inq_1", TYPED: "inq_2"}, ['"Id to erase, typed"', "very id"]),
        ("Walk the dog", {}, ['"Operation" there is none of this name']),
        ("List Cases", {SANDBOX: False, API_KEY: "k", BASE_URL: "http://example.com"}, ['"Base URL"']),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_sent(
    sandbox: Sandbox, operation: str, values: dict[str, Any], said: list[str]
) -> None:
    with pytest.raises(NodeError) as caught:
        await run_node({OPERATION: operation, SANDBOX: True, **values})
    assert "nothing was sent" in str(caught.value)
    for words in said:
        assert words in str(caught.value), str(caught.value)
    assert sandbox.requests == []


@pytest.mark.parametrize("given", ["", None, "PERSONA_API_KEY"])
async def test_a_node_without_a_key_says_what_to_do(monkeypatch: pytest.MonkeyPatch, given: str | None) -> None:
    monkeypatch.delenv("PERSONA_API_KEY", raising=False)
    with pytest.raises(NodeError, match=r"API key: there is none. Nothing was sent. .*PERSONA_API_KEY.*Sandbox"):
        await run_node({OPERATION: "List Accounts", API_KEY: given})


async def test_the_key_comes_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_API_KEY", "persona_from_environment")
    connection = running.Connection.of({API_KEY: "PERSONA_API_KEY"})
    assert connection.api_key.reveal() == "persona_from_environment"
    assert "persona_from" not in repr(connection)


async def test_an_object_that_there_is_not(sandbox: Sandbox) -> None:
    with pytest.raises(NodeError, match=r"Get Case: .*404.*Check the id"):
        await run_node({OPERATION: "Get Case", SANDBOX: True, "p_case_id": "case_missing"})
    assert len(sandbox.requests) == 1


async def test_a_write_in_doubt_names_the_key_that_makes_it_safe(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {OPERATION: "Create Inquiry", SANDBOX: True, "p_inquiry_template_id": TEMPLATE}
    runner_of = type(sandbox).runner
    monkeypatch.setattr(sandbox, "runner", lambda **options: runner_of(sandbox, deadline=0.2, **options))
    sandbox.faults = Faults(rate=1, kinds=["reset-after"])
    with pytest.raises(
        NodeError, match=r'may have been done all the same. Put "[^"]+" into the field Idempotency key'
    ) as caught:
        await run_node(values)
    key = str(caught.value).partition('Put "')[2].partition('"')[0]
    sandbox.faults = None
    answers = [await run_node({**values, IDEMPOTENCY_KEY: key}) for _ in range(2)]
    assert answers[0].output == answers[1].output
    assert [effect.name for effect in sandbox.effects].count("inquiry.created") - populated() == 1


def populated() -> int:
    """Return how many inquiries the organisation began with."""
    with Sandbox(populate=True) as fresh:
        return [effect.name for effect in fresh.effects].count("inquiry.created")


@pytest.mark.usefixtures("sandbox")
async def test_no_value_and_no_key_is_in_an_error() -> None:
    values = {OPERATION: "Create Report", SANDBOX: True, "p_term": "Jane Secret", "p_birthdate": "31.12.1999"}
    with pytest.raises(NodeError) as caught:
        await run_node(values)
    assert "Secret" not in str(caught.value) and "1999" not in str(caught.value)


# --- how it runs -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("sandbox")
async def test_only_what_the_operation_takes_is_sent() -> None:
    values = {OPERATION: "List Cases", SANDBOX: True, "p_case_status": "Open", "p_term": "left from another operation"}
    answer = await run_node(values)
    assert {case["status"] for case in answer.output["cases"]} == {"Open"}


@pytest.mark.slow
@pytest.mark.usefixtures("sandbox")
async def test_wait_until_done_and_all_pages() -> None:
    report = {"p_report_type": "watchlist", "p_report_template_id": "rptp_Watchlist", "p_term": "Jane Doe"}
    started = await run_node({OPERATION: "Create Report", SANDBOX: True, **report})
    assert started.output["report"]["status"] == "pending"
    ended = await run_node({OPERATION: "Create Report", SANDBOX: True, fields.switch("wait"): True, **report})
    assert outputs.text(ended).startswith(f"Report {ended.output['report']['id']}: ready, no match.")
    everything = await run_node({OPERATION: "List Accounts", SANDBOX: True, fields.switch("paginate"): True})
    assert everything.output["nextCursor"] is None
    assert len(everything.output["accounts"]) > 100
    # A switch that is left on from another operation means nothing for one that cannot be run so.
    await run_node({OPERATION: "List Inquiry Templates", SANDBOX: True, fields.switch("wait"): True})


@pytest.mark.parametrize("source", ["path", "text"])
@pytest.mark.usefixtures("sandbox")
async def test_a_csv_file_comes_as_an_upload_or_as_text(tmp_path: Path, source: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(CSV)
    asked: list[str] = []

    def readable(given: str) -> str:
        asked.append(given)
        return given

    value = {"p_file_upload": str(path)} if source == "path" else {"p_file_reference": CSV}
    values = {OPERATION: "Import Accounts", SANDBOX: True, fields.switch("wait"): True, **value}
    answer = await run_node(values, readable=readable)
    assert "ready, 1 imported, 0 duplicates, 0 failed" in outputs.text(answer)
    assert asked == ([str(path)] if source == "path" else [])


async def test_a_file_that_the_node_may_not_read_is_refused(sandbox: Sandbox) -> None:
    def forbidden(_: str) -> str:
        raise ValueError("outside, and its text names a path")

    with pytest.raises(NodeError, match='"CSV file" is no file that this flow may read: upload it here') as caught:
        await run_node({OPERATION: "Import Accounts", SANDBOX: True, "p_file_reference": "/etc/passwd"}, readable=forbidden)
    assert "outside" not in str(caught.value)
    assert sandbox.requests == []


async def test_an_agreement_is_about_one_operation_and_one_object(sandbox: Sandbox) -> None:
    ids = await object_ids(sandbox)
    before = len(sandbox.effects)
    with pytest.raises(NodeError):
        await run_node({OPERATION: "Redact Inquiry", SANDBOX: True, AGREED: True, "p_inquiry_id": ids["inquiryId"]})
    values = {OPERATION: "Approve Inquiry", SANDBOX: True, TYPED: ids["inquiryId"], "p_inquiry_id": ids["inquiryId"]}
    with pytest.raises(NodeError):
        await run_node(values)
    assert len(sandbox.effects) == before


class Wired:
    """What an earlier block hands over, as Langflow's Message does."""

    def __init__(self, text: str) -> None:
        self.text = text


@pytest.mark.parametrize("name", [OPERATION, TYPED, AGREED, SANDBOX, API_KEY, BASE_URL])
async def test_what_a_person_fills_in_takes_no_wire(sandbox: Sandbox, name: str) -> None:
    inquiry_id = (await object_ids(sandbox))["inquiryId"]
    values = {OPERATION: "Redact Inquiry", SANDBOX: True, TYPED: inquiry_id, "p_inquiry_id": inquiry_id}
    before = len(sandbox.effects)
    title = fields.fields_by_name()[name].title
    with pytest.raises(NodeError, match=f'"{title}" takes no wire') as caught:
        await run_node({**values, name: Wired(inquiry_id)})
    assert inquiry_id not in str(caught.value)
    assert len(sandbox.effects) == before


def test_the_offline_persona_is_one_for_a_server() -> None:
    assert running.embedded_sandbox() is running.embedded_sandbox()


@pytest.mark.parametrize(
    ("name", "output", "text"),
    [
        ("list_cases", {"cases": [], "nextCursor": None}, "No cases."),
        (
            "list_inquiry_templates",
            {"inquiryTemplates": [{"id": "itmpl_1", "status": "active"}], "nextCursor": "c"},
            "1 inquiry template, and there are more: itmpl_1 (active).",
        ),
        (
            "list_inquiries",
            {"inquiries": [{"id": "inq_1", "status": "needs_review", "referenceId": "c-1"}] * 12, "nextCursor": None},
            f"12 inquiries: {', '.join(['inq_1 of c-1 (needs review)'] * 10)}, and 2 further ones.",
        ),
        ("get_report", {"report": {"id": "rep_1", "status": "ready", "hasMatch": True}}, "Report rep_1: ready, a match."),
        (
            "get_inquiry",
            {"inquiry": {"id": "inq_1", "status": "failed", "referenceId": "c: approved.\n<!channel>"}},
            r"Inquiry inq_1 of “c: approved.\n<!channel>”: failed.",
        ),
        (
            "generate_inquiry_link",
            {"inquiry": {"id": "inq_1", "referenceId": "c-1"}, "oneTimeLink": "https://x.example/1", "oneTimeLinkShort": None},
            "Verification link for inq_1 of c-1: https://x.example/1",
        ),
        (
            "resume_inquiry",
            {"inquiry": {"id": "inq_1", "status": "pending"}, "sessionToken": "s3cret"},
            "Inquiry inq_1: pending.",
        ),
        (
            "redact_account",
            {"account": {"id": "act_1", "status": "Active", "redactedAt": "2026-01-01T00:00:00Z"}},
            "Account act_1: Active, personal data erased.",
        ),
    ],
)
def test_the_sentence(name: str, output: dict[str, Any], text: str) -> None:
    answer = Answer(catalog.load(name), output, is_simulated=False)
    assert outputs.text(answer) == text
    assert "sandbox" not in outputs.result(answer)


def test_a_node_error_is_not_one_of_the_runner() -> None:
    assert not issubclass(NodeError, PersonaError)
