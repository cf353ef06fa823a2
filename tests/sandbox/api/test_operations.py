"""Every operation: its success and its errors, with each reply checked against the contract."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from persona_block.sandbox import TEMPLATES
from persona_block.sandbox.api.operations import OPERATIONS
from tests.support import openapi
from tests.support.contract_client import AS_JSON, ContractClient, contract
from tests.support.states import copied_state

official = pytest.mark.skipif(not openapi.available(), reason=openapi.REASON)


@dataclass(frozen=True)
class Exchange:
    """One request and the status of its reply; `{inquiry}` and the like in a path stand for ids of prepared objects."""

    method: str
    path: str
    status: int
    body: Any = None
    details: str = ""  # part of the error's details
    sandbox_key: bool = False
    content: bytes | None = None
    files: Any = None


def attributes_body(**attributes: Any) -> dict[str, Any]:
    """Return a body of attributes, whose names are given in snake_case."""
    return {"data": {"attributes": {name.replace("_", "-"): value for name, value in attributes.items()}}}


TEMPLATE = {"inquiry-template-id": TEMPLATES.inquiry}
NEW = {"data": {"attributes": TEMPLATE}}
WATCHLIST = {"type": "report/watchlist", "attributes": {"query": {"term": "Jane Doe"}}}


def inquiry_body(**attributes: Any) -> dict[str, Any]:
    """Return the body of a new inquiry of the usual template."""
    return {"data": {"attributes": TEMPLATE | {name.replace("_", "-"): value for name, value in attributes.items()}}}


def report_body(query: Any, type_: str = "report/watchlist", **attributes: Any) -> dict[str, Any]:
    """Return the body of a new report."""
    kebab_attributes = {name.replace("_", "-"): value for name, value in attributes.items()}
    return {"data": {"type": type_, "attributes": {"query": query, **kebab_attributes}}}


EXCHANGES = [
    # inquiries
    Exchange("POST", "/inquiries", 201, NEW),
    Exchange("POST", "/inquiries", 201, attributes_body(inquiry_template_version_id=TEMPLATES.inquiry_version)),
    Exchange("POST", "/inquiries", 201, attributes_body(template_id=TEMPLATES.legacy)),
    Exchange(
        "POST",
        "/inquiries",
        201,
        inquiry_body(note="n", tags=["a"], fields={"name-first": "Zoë", "loose": 3}, redirect_uri="x:y"),
    ),
    Exchange("POST", "/inquiries", 201, inquiry_body(fields=None, tags=None, note=None, initial_step_name="here")),
    Exchange("POST", "/inquiries", 201, inquiry_body(account_id="{account}")),
    Exchange("POST", "/inquiries", 400, None, "data is missing"),
    Exchange("POST", "/inquiries", 400, [], "request body must be an object"),
    Exchange("POST", "/inquiries", 400, content=b'{"data": ', details="not valid JSON"),
    Exchange("POST", "/inquiries", 400, content=b'{"data": {"attributes": {"note": "\\ud800"}}}', details="not valid JSON"),
    Exchange("POST", "/inquiries", 400, content=b'{"data": NaN}', details="not valid JSON"),
    Exchange("POST", "/inquiries", 400, content=b"[" * 100_000, details="not valid JSON"),
    Exchange("POST", "/inquiries", 400, files={"data[attributes][file]": ("a", b"")}, details="must be JSON"),
    Exchange("POST", "/inquiries", 400, {"data": {}}, "data.attributes is missing"),
    Exchange("POST", "/inquiries", 400, attributes_body(), "exactly one of"),
    Exchange("POST", "/inquiries", 400, inquiry_body(template_id=TEMPLATES.legacy), "exactly one of"),
    Exchange("POST", "/inquiries", 400, inquiry_body(name_first="Jane"), "data.attributes.name_first is not allowed"),
    Exchange("POST", "/inquiries", 400, inquiry_body(note=3), "data.attributes.note must be a string"),
    Exchange("POST", "/inquiries", 400, inquiry_body(tags=["a", 1]), "data.attributes.tags must be an array of strings"),
    Exchange("POST", "/inquiries", 400, {**NEW, "meta": {"auto-create-account": "yes"}}, "must be a boolean"),
    Exchange(
        "POST", "/inquiries", 400, {**NEW, "meta": {"expiration-after-create-interval-seconds": 0}}, "from 1 to 2147483647"
    ),
    Exchange(
        "POST",
        "/inquiries",
        400,
        {**NEW, "meta": {"auto-create-account": False, "auto-create-account-reference-id": "r"}},
        "needs meta.auto_create_account",
    ),
    Exchange("POST", "/inquiries", 404, attributes_body(inquiry_template_id="itmpl_nowhere")),
    Exchange("POST", "/inquiries", 404, attributes_body(inquiry_template_id=TEMPLATES.inquiry_version)),
    Exchange("POST", "/inquiries", 404, inquiry_body(account_id="act_nobody")),
    Exchange("POST", "/inquiries", 422, attributes_body(inquiry_template_id=TEMPLATES.inactive), "not active"),
    Exchange("POST", "/inquiries", 422, inquiry_body(fields={"birthdate": "1.2.1990"}), "must be a date"),
    Exchange("POST", "/inquiries", 422, inquiry_body(fields={"name-first": 3}), "must be a string"),
    Exchange("POST", "/inquiries", 400, content=b'{"data": 1e999}', details="not valid JSON"),
    Exchange("POST", "/inquiries", 400, content=b'{"data": %d}' % 2**1024, details="a number that is too large"),
    Exchange("POST", "/inquiries", 422, {**NEW, "meta": {"auto-create-account-type-id": "acttp_Dog"}}, "no such account type"),
    Exchange("GET", "/inquiries/{inquiry}", 200),
    Exchange("GET", "/inquiries/{inquiry}?include=account,sessions,inquiry-template,inquiry-template-version,reviewer", 200),
    Exchange("GET", "/inquiries/{finished}?include=verifications,documents,selfies,sessions,account.account-type", 400),
    Exchange("GET", "/inquiries/{finished}?include=verifications.document,documents.document-files", 400),
    Exchange("GET", "/inquiries/{finished}?include=verifications.document,documents,selfies,sessions", 200),
    Exchange("GET", "/inquiries/{inquiry}?include=inquiryTemplate,inquiry_template,inquiryTemplateVersion", 200),
    Exchange("GET", "/inquiries/{inquiry}?include=", 200),
    Exchange("GET", "/inquiries/{inquiry}?include=friends", 400, details="include path friends"),
    Exchange("GET", "/inquiries/{inquiry}?page[size]=3", 400, details="page[size] is not allowed"),
    Exchange("GET", "/inquiries/{account}", 404),
    Exchange("GET", "/inquiries/inq_nowhere", 404),
    Exchange("GET", "/inquiries/{inquiry}", 404, sandbox_key=True),
    Exchange(
        "PATCH",
        "/inquiries/{inquiry}",
        200,
        attributes_body(note="n", tags=[], fields={"name-last": "Doe"}, redirect_uri=None),
    ),
    Exchange("PATCH", "/inquiries/{inquiry}", 200),
    Exchange(
        "PATCH", "/inquiries/{inquiry}", 400, attributes_body(status="approved"), "data.attributes.status is not allowed"
    ),
    Exchange("PATCH", "/inquiries/{inquiry}", 400, attributes_body(tags=None), "tags must be an array"),
    Exchange("PATCH", "/inquiries/{redacted}", 409, attributes_body(note="n"), "Inquiry already redacted"),
    Exchange("PATCH", "/inquiries/inq_nowhere", 404, attributes_body(note="n")),
    Exchange("POST", "/inquiries/{finished}/approve", 200),
    Exchange("POST", "/inquiries/{finished}/approve", 200, {"meta": {"comment": "fine"}}),
    Exchange("POST", "/inquiries/{finished}/approve", 400, {"comment": "fine"}, "comment is not allowed"),
    Exchange("POST", "/inquiries/{redacted}/approve", 409, details="Inquiry already redacted"),
    Exchange("POST", "/inquiries/inq_nowhere/approve", 404),
    Exchange("POST", "/inquiries/{finished}/decline", 200, {"meta": {"comment": "no"}}),
    Exchange("POST", "/inquiries/{redacted}/decline", 409),
    Exchange("POST", "/inquiries/inq_nowhere/decline", 404),
    Exchange("POST", "/inquiries/{finished}/mark-for-review", 200),
    Exchange("POST", "/inquiries/{approved}/mark-for-review", 422, details="mark-for-review is not possible"),
    Exchange("POST", "/inquiries/{inquiry}/mark-for-review", 400, {"meta": {}}, "meta is not allowed"),
    Exchange("POST", "/inquiries/{redacted}/mark-for-review", 409),
    Exchange("POST", "/inquiries/inq_nowhere/mark-for-review", 404),
    Exchange("POST", "/inquiries/{inquiry}/resume", 200),
    Exchange("POST", "/inquiries/{finished}/resume", 422),
    Exchange("POST", "/inquiries/{redacted}/resume", 409),
    Exchange("POST", "/inquiries/inq_nowhere/resume", 404),
    Exchange("POST", "/inquiries/{inquiry}/expire", 200),
    Exchange("POST", "/inquiries/{finished}/expire", 422),
    Exchange("POST", "/inquiries/{redacted}/expire", 409),
    Exchange("POST", "/inquiries/inq_nowhere/expire", 404),
    Exchange("POST", "/inquiries/{inquiry}/generate-one-time-link", 200),
    Exchange("POST", "/inquiries/{inquiry}/generate-one-time-link", 200, {"meta": {"expires-in-seconds": 60}}),
    Exchange(
        "POST", "/inquiries/{inquiry}/generate-one-time-link", 400, {"meta": {"expires-in-seconds": 2**31}}, "to 2147483647"
    ),
    Exchange("POST", "/inquiries/{inquiry}/generate-one-time-link", 400, {"meta": {"expires-in-seconds": True}}),
    Exchange("POST", "/inquiries/{finished}/generate-one-time-link", 422, details="resume it first"),
    Exchange("POST", "/inquiries/{redacted}/generate-one-time-link", 409),
    Exchange("POST", "/inquiries/inq_nowhere/generate-one-time-link", 404),
    Exchange("GET", "/inquiries/{finished}/print", 200),
    Exchange("GET", "/inquiries/{finished}/print?include=account", 400, details="include is not allowed"),
    Exchange("GET", "/inquiries/{redacted}/print", 409),
    Exchange("GET", "/inquiries/inq_nowhere/print", 404),
    Exchange("DELETE", "/inquiries/{finished}", 200),
    Exchange("DELETE", "/inquiries/{redacted}", 409, details="Inquiry already redacted"),
    Exchange("DELETE", "/inquiries/inq_nowhere", 404),
    # the sandbox's control
    Exchange(
        "POST", "/inquiries/{sandboxed}/perform-simulate-actions", 200, {"meta": {"simulate-actions": []}}, sandbox_key=True
    ),
    Exchange("POST", "/inquiries/{inquiry}/perform-simulate-actions", 403, {"meta": {"simulate-actions": []}}),
    Exchange("POST", "/inquiries/{sandboxed}/perform-simulate-actions", 400, {}, "meta is missing", sandbox_key=True),
    Exchange(
        "POST",
        "/inquiries/{sandboxed}/perform-simulate-actions",
        400,
        {"meta": {"simulate-actions": [{"type": "dance"}]}},
        "must be one of",
        sandbox_key=True,
    ),
    Exchange(
        "POST",
        "/inquiries/{sandboxed}/perform-simulate-actions",
        404,
        {"meta": {"simulate-actions": [{"type": "create_passed_verification", "data": {"verification-template-id": "v"}}]}},
        sandbox_key=True,
    ),
    Exchange(
        "POST",
        "/inquiries/{sandboxed}/perform-simulate-actions",
        422,
        {"meta": {"simulate-actions": [{"type": "approve_inquiry"}, {"type": "expire_inquiry"}]}},
        sandbox_key=True,
    ),
    # accounts
    Exchange("POST", "/accounts", 201, attributes_body(reference_id="new", tags=["vip"], fields={"name-first": "Jane"})),
    Exchange("POST", "/accounts", 201),
    Exchange("POST", "/accounts", 200, {**attributes_body(reference_id="taken"), "meta": {"upsert-by": "reference-id"}}),
    Exchange("POST", "/accounts", 400, attributes_body(name="Jane"), "data.attributes.name is not allowed"),
    Exchange("POST", "/accounts", 409, attributes_body(reference_id="taken"), "already exists"),
    Exchange("POST", "/accounts", 422, attributes_body(reference_id=" "), "must not be blank"),
    Exchange("POST", "/accounts", 422, attributes_body(country_code="USA"), "two capital letters"),
    Exchange("POST", "/accounts", 422, attributes_body(birthdate="1990"), "must be a date"),
    Exchange("POST", "/accounts", 422, attributes_body(account_type_id="acttp_Dog"), "no such account type"),
    Exchange("POST", "/accounts", 422, {**attributes_body(), "meta": {"upsert-by": "email-address"}}, "only be upserted by"),
    Exchange("POST", "/accounts", 422, {**attributes_body(), "meta": {"upsert-by": "reference-id"}}, "needs a reference id"),
    Exchange("GET", "/accounts/{account}?include=account-type", 200),
    Exchange("GET", "/accounts/{account}?include=inquiries", 400),
    Exchange("GET", "/accounts/act_nobody", 404),
    Exchange("PATCH", "/accounts/{account}", 200, attributes_body(account_status="Archived", tags=None, reference_id="other")),
    Exchange("PATCH", "/accounts/{account}", 409, attributes_body(reference_id="taken")),
    Exchange("PATCH", "/accounts/{account}", 400, attributes_body(account_type_id=TEMPLATES.account_type), "is not allowed"),
    Exchange("PATCH", "/accounts/{account}", 422, attributes_body(fields={"birthdate": 3})),
    Exchange("PATCH", "/accounts/act_nobody", 404, attributes_body()),
    Exchange("DELETE", "/accounts/{account}", 200),
    Exchange("DELETE", "/accounts/{erased}", 409, details="Account already redacted"),
    Exchange("DELETE", "/accounts/act_nobody", 404),
    # imports
    Exchange("POST", "/importer/accounts", 201, files={"data[attributes][file]": ("a.csv", b"reference_id\n1\n")}),
    Exchange("POST", "/importer/accounts", 201, files={"data[attributes][file]": ("a.csv", b"")}),
    Exchange("POST", "/importer/accounts", 201, attributes_body(file={"data": "cmVmZXJlbmNlX2lkCjEK", "filename": "a.csv"})),
    Exchange("POST", "/importer/accounts", 400, details="data is missing"),
    Exchange("POST", "/importer/accounts", 400, files={"file": ("a.csv", b"")}, details="file is not allowed"),
    Exchange("POST", "/importer/accounts", 422, attributes_body(file={"data": "???"}), "not base64"),
    Exchange("GET", "/importers/{importer}", 200),
    Exchange("GET", "/importers/{importer}?include=account", 400),
    Exchange("GET", "/importers/mprt_nowhere", 404),
    # cases
    Exchange("GET", "/cases/{case}", 200),
    Exchange("GET", "/cases/{case}?include=accounts,inquiries,reports,verifications,case-template,case-queue", 200),
    Exchange("GET", "/cases/case_nowhere", 404),
    # reports
    Exchange("POST", "/reports", 201, {"data": WATCHLIST}),
    Exchange(
        "POST", "/reports", 201, report_body({"name-first": "A", "address-country-code": "US", "birthdate": "1990-01-02"})
    ),
    Exchange("POST", "/reports", 201, report_body({"name-last": "A", "country-code": "US"}, "report/adverse-media")),
    Exchange("POST", "/reports", 201, report_body({"term": "A"}, "report/politically-exposed-person", account_id="{account}")),
    Exchange("POST", "/reports", 201, attributes_body(query={"term": "A"}, report_template_id=TEMPLATES.watchlist)),
    Exchange("POST", "/reports?include=account,report-template", 201, {"data": WATCHLIST}),
    Exchange("POST", "/reports", 400, {"data": {"attributes": {"query": {"term": "A"}}}}, "data.type must be filled"),
    Exchange("POST", "/reports", 400, {"data": {"type": "report/watchlist", "attributes": {}}}, "query is missing"),
    Exchange("POST", "/reports", 400, report_body({"term": "A", "country-code": "US"}), "query.country_code is not allowed"),
    Exchange("POST", "/reports", 400, report_body({"term": 3}), "query.term must be a string"),
    Exchange("POST", "/reports", 404, report_body({"term": "A"}, report_template_id="rptp_nowhere")),
    Exchange("POST", "/reports", 404, report_body({"term": "A"}, account_id="act_nobody")),
    Exchange("POST", "/reports", 422, report_body({"term": ""}), "name or a term"),
    Exchange("POST", "/reports", 422, report_body({"term": "A", "birthdate": "1990-02-30"}), "must be a date"),
    Exchange("POST", "/reports", 422, report_body({"term": "A", "address-country-code": "us"}), "two capital letters"),
    Exchange("POST", "/reports", 422, report_body({"term": "A"}, "report/profile"), "no report of this type"),
    Exchange("POST", "/reports", 422, report_body({"term": "A"}, "watchlist"), "no report of this type"),
    Exchange("POST", "/reports", 422, report_body({"term": "A"}, report_template_id=TEMPLATES.adverse_media), "another type"),
    Exchange("GET", "/reports/{report}?include=account,report-template", 200),
    Exchange("GET", "/reports/rep_nowhere", 404),
    # evidence
    Exchange("GET", "/verifications/{verification}", 200),
    Exchange("GET", "/verifications/{verification}?include=inquiry,accounts,document,verification-template", 200),
    Exchange("GET", "/verifications/ver_nowhere", 404),
    Exchange("GET", "/documents/{document}?include=inquiry,document-files,inquiry-template", 200),
    Exchange("GET", "/documents/doc_nowhere", 404),
    # templates
    Exchange("GET", "/inquiry-templates", 200),
    Exchange("GET", "/inquiry-templates", 403, sandbox_key=True),
    # sparse fieldsets
    Exchange("GET", "/inquiries/{finished}?fields[inquiry]=status&include=verifications&fields[verification]=checks", 200),
    Exchange("GET", "/inquiries?fields[inquiry]=status,tags", 200),
    *(
        Exchange("GET", f"/{path}", 200)
        for path in ("inquiries", "accounts", "cases", "reports", "inquiries?filter[status]=created,approved")
    ),
    *(
        Exchange("GET", f"/{path}?{query}", 400)
        for path in ("inquiries", "accounts", "cases", "reports", "inquiry-templates")
        for query in ("include=account", "page[size]=0", "page[size]=101", "page[size]=", "page[after]=a", "filter[x]=1")
    ),
]


class PreparedObjects:
    """Objects in the states that the exchanges need, by the names in their paths."""

    def __init__(self, client: ContractClient) -> None:
        ids = {"inquiry": client.inquiry(jane()).id, "finished": client.inquiry(jane()).id}
        ids |= {name: client.inquiry(jane()).id for name in ("approved", "redacted", "reviewed")}
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
        ids["sandboxed"] = client.inquiry(api_key=client.sandbox.sandbox_key).id
        self.ids = ids

    def fill(self, value: Any) -> Any:
        """Return a value with ids in the place of names."""
        if isinstance(value, str):
            return value.format(**self.ids) if value.startswith(("{", "/")) else value
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items()}
        return value


def jane() -> dict[str, Any]:
    """Return the attributes of an inquiry of Jane Doe."""
    return {"fields": {"name-first": "Jane", "name-last": "Doe"}}


@pytest.fixture(scope="module")
def prepared_state(states: Path) -> tuple[Path, PreparedObjects]:
    """The state of a sandbox with the prepared objects, made once."""
    path = states / "prepared.db"
    with ContractClient(state=path) as client:
        return path, PreparedObjects(client)


@pytest.mark.parametrize(
    "exchange", EXCHANGES, ids=lambda exchange: f"{exchange.status} {exchange.method} {exchange.path} {exchange.details}"
)
def test_exchange(prepared_state: tuple[Path, PreparedObjects], exchange: Exchange) -> None:
    path, prepared = prepared_state
    with copied_state(path) as state, ContractClient(state=state) as client:
        client.sandbox.clock.advance(10)
        reply = client.call(
            exchange.method,
            prepared.fill(exchange.path),
            prepared.fill(exchange.body),
            api_key=client.sandbox.sandbox_key if exchange.sandbox_key else None,
            headers=AS_JSON if exchange.content is not None else None,
            content=exchange.content,
            files=exchange.files,
        ).expect(exchange.status)
        if exchange.status >= 400:
            assert exchange.details in reply.details
            assert client.sandbox.requests[-1].effects == 0
            assert not [effect for effect in client.sandbox.effects if effect.request_id == reply.headers["request-id"]]
    if exchange.status == 422:
        pointers = [error["source"]["pointer"] for error in reply.body["errors"] if "source" in error]
        assert all(pointer.startswith("/") for pointer in pointers)


def test_every_operation_has_a_success() -> None:
    succeeded = {
        (exchange.method, re.sub(r"\{\w+\}", "{id}", exchange.path.partition("?")[0]))
        for exchange in EXCHANGES
        if exchange.status < 300
    }
    assert {(operation.method, operation.path) for operation in OPERATIONS} <= succeeded


@official
def test_operations_are_the_documented_ones() -> None:
    rules = contract()
    assert rules
    ours = [rules.match(operation.method, operation.path.format(id="x")) for operation in OPERATIONS]
    assert {operation.id for operation in ours if operation} == {operation.id for operation in rules.operations}
    assert None not in ours
