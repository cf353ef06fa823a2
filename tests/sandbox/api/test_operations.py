"""Every operation: its success and its errors, each answer held against the contract by the client."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from persona_block.sandbox import TEMPLATES
from persona_block.sandbox.api.operations import OPERATIONS
from tests.support import openapi
from tests.support.contract_client import Client, contract

official = pytest.mark.skipif(not openapi.available(), reason=openapi.REASON)


@dataclass(frozen=True)
class Case:
    """One request and the status that answers it; `{inquiry}` and the like in a path are ids of the prepared objects."""

    method: str
    path: str
    status: int
    body: Any = None
    says: str = ""  # part of the error's details
    sandbox_key: bool = False
    content: bytes | None = None
    files: Any = None


def attributes(**given: Any) -> dict[str, Any]:
    return {"data": {"attributes": {name.replace("_", "-"): value for name, value in given.items()}}}


ITMPL = {"inquiry-template-id": TEMPLATES.inquiry}
NEW = {"data": {"attributes": ITMPL}}
WATCHLIST = {"type": "report/watchlist", "attributes": {"query": {"term": "Jane Doe"}}}


def new(**more: Any) -> dict[str, Any]:
    return {"data": {"attributes": ITMPL | {name.replace("_", "-"): value for name, value in more.items()}}}


def report(query: Any, type_: str = "report/watchlist", **more: Any) -> dict[str, Any]:
    return {"data": {"type": type_, "attributes": {"query": query, **{k.replace("_", "-"): v for k, v in more.items()}}}}


CASES = [
    # inquiries
    Case("POST", "/inquiries", 201, NEW),
    Case("POST", "/inquiries", 201, attributes(inquiry_template_version_id=TEMPLATES.inquiry_version)),
    Case("POST", "/inquiries", 201, attributes(template_id=TEMPLATES.legacy)),
    Case("POST", "/inquiries", 201, new(note="n", tags=["a"], fields={"name-first": "Zoë", "loose": 3}, redirect_uri="x:y")),
    Case("POST", "/inquiries", 201, new(fields=None, tags=None, note=None, initial_step_name="here")),
    Case("POST", "/inquiries", 201, new(account_id="{account}")),
    Case("POST", "/inquiries", 400, None, "data is missing"),
    Case("POST", "/inquiries", 400, [], "request body must be an object"),
    Case("POST", "/inquiries", 400, content=b'{"data": ', says="not valid JSON"),
    Case("POST", "/inquiries", 400, content=b'{"data": {"attributes": {"note": "\\ud800"}}}', says="not valid JSON"),
    Case("POST", "/inquiries", 400, content=b'{"data": NaN}', says="not valid JSON"),
    Case("POST", "/inquiries", 400, content=b"[" * 100_000, says="not valid JSON"),
    Case("POST", "/inquiries", 400, files={"data[attributes][file]": ("a", b"")}, says="must be JSON"),
    Case("POST", "/inquiries", 400, {"data": {}}, "data.attributes is missing"),
    Case("POST", "/inquiries", 400, attributes(), "exactly one of"),
    Case("POST", "/inquiries", 400, new(template_id=TEMPLATES.legacy), "exactly one of"),
    Case("POST", "/inquiries", 400, new(name_first="Jane"), "data.attributes.name_first is not allowed"),
    Case("POST", "/inquiries", 400, new(note=3), "data.attributes.note must be a string"),
    Case("POST", "/inquiries", 400, new(tags=["a", 1]), "data.attributes.tags must be an array of strings"),
    Case("POST", "/inquiries", 400, {**NEW, "meta": {"auto-create-account": "yes"}}, "must be a boolean"),
    Case("POST", "/inquiries", 400, {**NEW, "meta": {"expiration-after-create-interval-seconds": 0}}, "from 1 to 2147483647"),
    Case(
        "POST",
        "/inquiries",
        400,
        {**NEW, "meta": {"auto-create-account": False, "auto-create-account-reference-id": "r"}},
        "needs meta.auto_create_account",
    ),
    Case("POST", "/inquiries", 404, attributes(inquiry_template_id="itmpl_nowhere")),
    Case("POST", "/inquiries", 404, attributes(inquiry_template_id=TEMPLATES.inquiry_version)),
    Case("POST", "/inquiries", 404, new(account_id="act_nobody")),
    Case("POST", "/inquiries", 422, attributes(inquiry_template_id=TEMPLATES.inactive), "not active"),
    Case("POST", "/inquiries", 422, new(fields={"birthdate": "1.2.1990"}), "must be a date"),
    Case("POST", "/inquiries", 422, new(fields={"name-first": 3}), "must be a string"),
    Case("POST", "/inquiries", 400, content=b'{"data": 1e999}', says="not valid JSON"),
    Case("POST", "/inquiries", 400, content=b'{"data": %d}' % 2**1024, says="a number that is too large"),
    Case("POST", "/inquiries", 422, {**NEW, "meta": {"auto-create-account-type-id": "acttp_Dog"}}, "no such account type"),
    Case("GET", "/inquiries/{inquiry}", 200),
    Case("GET", "/inquiries/{inquiry}?include=account,sessions,inquiry-template,inquiry-template-version,reviewer", 200),
    Case("GET", "/inquiries/{finished}?include=verifications,documents,selfies,sessions,account.account-type", 400),
    Case("GET", "/inquiries/{finished}?include=verifications.document,documents.document-files", 400),
    Case("GET", "/inquiries/{finished}?include=verifications.document,documents,selfies,sessions", 200),
    Case("GET", "/inquiries/{inquiry}?include=inquiryTemplate,inquiry_template,inquiryTemplateVersion", 200),
    Case("GET", "/inquiries/{inquiry}?include=", 200),
    Case("GET", "/inquiries/{inquiry}?include=friends", 400, says="include path friends"),
    Case("GET", "/inquiries/{inquiry}?page[size]=3", 400, says="page[size] is not allowed"),
    Case("GET", "/inquiries/{account}", 404),
    Case("GET", "/inquiries/inq_nowhere", 404),
    Case("GET", "/inquiries/{inquiry}", 404, sandbox_key=True),
    Case("PATCH", "/inquiries/{inquiry}", 200, attributes(note="n", tags=[], fields={"name-last": "Doe"}, redirect_uri=None)),
    Case("PATCH", "/inquiries/{inquiry}", 200),
    Case("PATCH", "/inquiries/{inquiry}", 400, attributes(status="approved"), "data.attributes.status is not allowed"),
    Case("PATCH", "/inquiries/{inquiry}", 400, attributes(tags=None), "tags must be an array"),
    Case("PATCH", "/inquiries/{redacted}", 409, attributes(note="n"), "Inquiry already redacted"),
    Case("PATCH", "/inquiries/inq_nowhere", 404, attributes(note="n")),
    Case("POST", "/inquiries/{finished}/approve", 200),
    Case("POST", "/inquiries/{finished}/approve", 200, {"meta": {"comment": "fine"}}),
    Case("POST", "/inquiries/{finished}/approve", 400, {"comment": "fine"}, "comment is not allowed"),
    Case("POST", "/inquiries/{redacted}/approve", 409, says="Inquiry already redacted"),
    Case("POST", "/inquiries/inq_nowhere/approve", 404),
    Case("POST", "/inquiries/{finished}/decline", 200, {"meta": {"comment": "no"}}),
    Case("POST", "/inquiries/{redacted}/decline", 409),
    Case("POST", "/inquiries/inq_nowhere/decline", 404),
    Case("POST", "/inquiries/{finished}/mark-for-review", 200),
    Case("POST", "/inquiries/{approved}/mark-for-review", 422, says="mark-for-review is not possible"),
    Case("POST", "/inquiries/{inquiry}/mark-for-review", 400, {"meta": {}}, "meta is not allowed"),
    Case("POST", "/inquiries/{redacted}/mark-for-review", 409),
    Case("POST", "/inquiries/inq_nowhere/mark-for-review", 404),
    Case("POST", "/inquiries/{inquiry}/resume", 200),
    Case("POST", "/inquiries/{finished}/resume", 422),
    Case("POST", "/inquiries/{redacted}/resume", 409),
    Case("POST", "/inquiries/inq_nowhere/resume", 404),
    Case("POST", "/inquiries/{inquiry}/expire", 200),
    Case("POST", "/inquiries/{finished}/expire", 422),
    Case("POST", "/inquiries/{redacted}/expire", 409),
    Case("POST", "/inquiries/inq_nowhere/expire", 404),
    Case("POST", "/inquiries/{inquiry}/generate-one-time-link", 200),
    Case("POST", "/inquiries/{inquiry}/generate-one-time-link", 200, {"meta": {"expires-in-seconds": 60}}),
    Case("POST", "/inquiries/{inquiry}/generate-one-time-link", 400, {"meta": {"expires-in-seconds": 2**31}}, "to 2147483647"),
    Case("POST", "/inquiries/{inquiry}/generate-one-time-link", 400, {"meta": {"expires-in-seconds": True}}),
    Case("POST", "/inquiries/{finished}/generate-one-time-link", 422, says="resume it first"),
    Case("POST", "/inquiries/{redacted}/generate-one-time-link", 409),
    Case("POST", "/inquiries/inq_nowhere/generate-one-time-link", 404),
    Case("GET", "/inquiries/{finished}/print", 200),
    Case("GET", "/inquiries/{finished}/print?include=account", 400, says="include is not allowed"),
    Case("GET", "/inquiries/{redacted}/print", 409),
    Case("GET", "/inquiries/inq_nowhere/print", 404),
    Case("DELETE", "/inquiries/{finished}", 200),
    Case("DELETE", "/inquiries/{redacted}", 409, says="Inquiry already redacted"),
    Case("DELETE", "/inquiries/inq_nowhere", 404),
    # the sandbox's control
    Case("POST", "/inquiries/{sandboxed}/perform-simulate-actions", 200, {"meta": {"simulate-actions": []}}, sandbox_key=True),
    Case("POST", "/inquiries/{inquiry}/perform-simulate-actions", 403, {"meta": {"simulate-actions": []}}),
    Case("POST", "/inquiries/{sandboxed}/perform-simulate-actions", 400, {}, "meta is missing", sandbox_key=True),
    Case(
        "POST",
        "/inquiries/{sandboxed}/perform-simulate-actions",
        400,
        {"meta": {"simulate-actions": [{"type": "dance"}]}},
        "must be one of",
        sandbox_key=True,
    ),
    Case(
        "POST",
        "/inquiries/{sandboxed}/perform-simulate-actions",
        404,
        {"meta": {"simulate-actions": [{"type": "create_passed_verification", "data": {"verification-template-id": "v"}}]}},
        sandbox_key=True,
    ),
    Case(
        "POST",
        "/inquiries/{sandboxed}/perform-simulate-actions",
        422,
        {"meta": {"simulate-actions": [{"type": "approve_inquiry"}, {"type": "expire_inquiry"}]}},
        sandbox_key=True,
    ),
    # accounts
    Case("POST", "/accounts", 201, attributes(reference_id="new", tags=["vip"], fields={"name-first": "Jane"})),
    Case("POST", "/accounts", 201),
    Case("POST", "/accounts", 200, {**attributes(reference_id="taken"), "meta": {"upsert-by": "reference-id"}}),
    Case("POST", "/accounts", 400, attributes(name="Jane"), "data.attributes.name is not allowed"),
    Case("POST", "/accounts", 409, attributes(reference_id="taken"), "already exists"),
    Case("POST", "/accounts", 422, attributes(reference_id=" "), "must not be blank"),
    Case("POST", "/accounts", 422, attributes(country_code="USA"), "two capital letters"),
    Case("POST", "/accounts", 422, attributes(birthdate="1990"), "must be a date"),
    Case("POST", "/accounts", 422, attributes(account_type_id="acttp_Dog"), "no such account type"),
    Case("POST", "/accounts", 422, {**attributes(), "meta": {"upsert-by": "email-address"}}, "only be upserted by"),
    Case("POST", "/accounts", 422, {**attributes(), "meta": {"upsert-by": "reference-id"}}, "needs a reference id"),
    Case("GET", "/accounts/{account}?include=account-type", 200),
    Case("GET", "/accounts/{account}?include=inquiries", 400),
    Case("GET", "/accounts/act_nobody", 404),
    Case("PATCH", "/accounts/{account}", 200, attributes(account_status="Archived", tags=None, reference_id="other")),
    Case("PATCH", "/accounts/{account}", 409, attributes(reference_id="taken")),
    Case("PATCH", "/accounts/{account}", 400, attributes(account_type_id=TEMPLATES.account_type), "is not allowed"),
    Case("PATCH", "/accounts/{account}", 422, attributes(fields={"birthdate": 3})),
    Case("PATCH", "/accounts/act_nobody", 404, attributes()),
    Case("DELETE", "/accounts/{account}", 200),
    Case("DELETE", "/accounts/{erased}", 409, says="Account already redacted"),
    Case("DELETE", "/accounts/act_nobody", 404),
    # imports
    Case("POST", "/importer/accounts", 201, files={"data[attributes][file]": ("a.csv", b"reference_id\n1\n")}),
    Case("POST", "/importer/accounts", 201, files={"data[attributes][file]": ("a.csv", b"")}),
    Case("POST", "/importer/accounts", 201, attributes(file={"data": "cmVmZXJlbmNlX2lkCjEK", "filename": "a.csv"})),
    Case("POST", "/importer/accounts", 400, says="data is missing"),
    Case("POST", "/importer/accounts", 400, files={"file": ("a.csv", b"")}, says="file is not allowed"),
    Case("POST", "/importer/accounts", 422, attributes(file={"data": "???"}), "not base64"),
    Case("GET", "/importers/{importer}", 200),
    Case("GET", "/importers/{importer}?include=account", 400),
    Case("GET", "/importers/mprt_nowhere", 404),
    # cases
    Case("GET", "/cases/{case}", 200),
    Case("GET", "/cases/{case}?include=accounts,inquiries,reports,verifications,case-template,case-queue", 200),
    Case("GET", "/cases/case_nowhere", 404),
    # reports
    Case("POST", "/reports", 201, {"data": WATCHLIST}),
    Case("POST", "/reports", 201, report({"name-first": "A", "address-country-code": "US", "birthdate": "1990-01-02"})),
    Case("POST", "/reports", 201, report({"name-last": "A", "country-code": "US"}, "report/adverse-media")),
    Case("POST", "/reports", 201, report({"term": "A"}, "report/politically-exposed-person", account_id="{account}")),
    Case("POST", "/reports", 201, attributes(query={"term": "A"}, report_template_id=TEMPLATES.watchlist)),
    Case("POST", "/reports?include=account,report-template", 201, {"data": WATCHLIST}),
    Case("POST", "/reports", 400, {"data": {"attributes": {"query": {"term": "A"}}}}, "data.type must be filled"),
    Case("POST", "/reports", 400, {"data": {"type": "report/watchlist", "attributes": {}}}, "query is missing"),
    Case("POST", "/reports", 400, report({"term": "A", "country-code": "US"}), "query.country_code is not allowed"),
    Case("POST", "/reports", 400, report({"term": 3}), "query.term must be a string"),
    Case("POST", "/reports", 404, report({"term": "A"}, report_template_id="rptp_nowhere")),
    Case("POST", "/reports", 404, report({"term": "A"}, account_id="act_nobody")),
    Case("POST", "/reports", 422, report({"term": ""}), "name or a term"),
    Case("POST", "/reports", 422, report({"term": "A", "birthdate": "1990-02-30"}), "must be a date"),
    Case("POST", "/reports", 422, report({"term": "A", "address-country-code": "us"}), "two capital letters"),
    Case("POST", "/reports", 422, report({"term": "A"}, "report/profile"), "no report of this type"),
    Case("POST", "/reports", 422, report({"term": "A"}, "watchlist"), "no report of this type"),
    Case("POST", "/reports", 422, report({"term": "A"}, report_template_id=TEMPLATES.adverse_media), "another type"),
    Case("GET", "/reports/{report}?include=account,report-template", 200),
    Case("GET", "/reports/rep_nowhere", 404),
    # evidence
    Case("GET", "/verifications/{verification}", 200),
    Case("GET", "/verifications/{verification}?include=inquiry,accounts,document,verification-template", 200),
    Case("GET", "/verifications/ver_nowhere", 404),
    Case("GET", "/documents/{document}?include=inquiry,document-files,inquiry-template", 200),
    Case("GET", "/documents/doc_nowhere", 404),
    # templates
    Case("GET", "/inquiry-templates", 200),
    Case("GET", "/inquiry-templates", 403, sandbox_key=True),
    # sparse fieldsets
    Case("GET", "/inquiries/{finished}?fields[inquiry]=status&include=verifications&fields[verification]=checks", 200),
    Case("GET", "/inquiries?fields[inquiry]=status,tags", 200),
    *(
        Case("GET", f"/{path}", 200)
        for path in ("inquiries", "accounts", "cases", "reports", "inquiries?filter[status]=created,approved")
    ),
    *(
        Case("GET", f"/{path}?{query}", 400)
        for path in ("inquiries", "accounts", "cases", "reports", "inquiry-templates")
        for query in ("include=account", "page[size]=0", "page[size]=101", "page[size]=", "page[after]=a", "filter[x]=1")
    ),
]  # fmt: skip


class Prepared:
    """Objects in the states that the cases need, by the names they use."""

    def __init__(self, client: Client) -> None:
        ids = {"inquiry": client.inquiry(fresh()).id, "finished": client.inquiry(fresh()).id}
        ids |= {name: client.inquiry(fresh()).id for name in ("approved", "redacted", "reviewed")}
        finished = client.finished(ids["finished"])
        client.post(f"/inquiries/{ids['approved']}/approve")
        client.delete(f"/inquiries/{ids['redacted']}")
        client.post(f"/inquiries/{ids['reviewed']}/mark-for-review")
        ids["case"] = client.get("/cases").ids[0]
        ids["account"] = client.account(reference_id="mine").id
        client.account(reference_id="taken")
        ids["erased"] = client.account().id
        client.delete(f"/accounts/{ids['erased']}")
        ids["importer"] = client.upload(b"reference_id\nx\n").id
        ids["report"] = client.report(query={"term": "Jane"}).id
        ids["verification"] = finished["relationships"]["verifications"]["data"][0]["id"]
        ids["document"] = finished["relationships"]["documents"]["data"][0]["id"]
        ids["sandboxed"] = client.inquiry(key=client.sandbox.sandbox_key).id
        self.ids = ids

    def fill(self, value: Any) -> Any:
        """Put ids in the place of their names."""
        if isinstance(value, str):
            return value.format(**self.ids) if value.startswith(("{", "/")) else value
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        return value


def fresh() -> dict[str, Any]:
    return {"fields": {"name-first": "Jane", "name-last": "Doe"}}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.status} {case.method} {case.path} {case.says}")
def test_operation(client: Client, case: Case) -> None:
    prepared = Prepared(client)
    client.sandbox.clock.advance(10)
    answer = client.call(
        case.method,
        prepared.fill(case.path),
        prepared.fill(case.body),
        status=case.status,
        key=client.sandbox.sandbox_key if case.sandbox_key else None,
        content=case.content,
        files=case.files,
    )
    if case.status >= 400:
        assert case.says in answer.details
        assert client.sandbox.requests[-1].effects == 0
        assert not [effect for effect in client.sandbox.effects if effect.request_id == answer.headers["request-id"]]
    if case.status == 422:
        pointers = [error["source"]["pointer"] for error in answer.body["errors"] if "source" in error]
        assert all(pointer.startswith("/") for pointer in pointers)


def test_every_operation_is_tried() -> None:
    tried = {(case.method, re.sub(r"\{\w+\}", "{id}", case.path.partition("?")[0])) for case in CASES if case.status < 300}
    assert {(operation.method, operation.path) for operation in OPERATIONS} <= tried


@official
def test_operations_are_the_documented_ones() -> None:
    rules = contract()
    assert rules
    ours = [rules.match(operation.method, operation.path.format(id="x")) for operation in OPERATIONS]
    assert {operation.id for operation in ours if operation} == {operation.id for operation in rules.operations}
    assert None not in ours
