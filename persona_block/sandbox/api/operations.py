"""The operations: one row each, and a few lines that hand a call to the module of its resource.

The rows are the operations of the block and Persona's own sandbox control, perform-simulate-actions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..messages import shapes
from ..messages.shapes import Shape
from ..objects import accounts, importers, inquiries, pdf, redaction, reports
from ..simulation import simulate
from ..state.environment import ORGANIZATION, PRODUCTION, SANDBOX, Environment
from ..state.records import Resource
from . import query
from .query import Filters, Page, Query


@dataclass
class Call:
    """One call of an operation, its query and body already checked."""

    env: Environment
    path: str
    ids: dict[str, str]
    query: Query
    body: dict[str, Any] = field(default_factory=dict)
    upload: bytes | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """The body's `data.attributes`, or nothing."""
        attributes: dict[str, Any] = self.body.get("data", {}).get("attributes", {})
        return attributes

    @property
    def meta(self) -> dict[str, Any]:
        """The body's `meta`, or nothing."""
        meta: dict[str, Any] = self.body.get("meta", {})
        return meta

    def resource(self, kind: str) -> Resource:
        """The resource that the path names. Raises a 404."""
        return self.env.get(self.ids["id"], kind)


@dataclass(frozen=True)
class Reply:
    """What an operation answers: a resource, a page of them, or a PDF."""

    data: Resource | Page | bytes
    meta: dict[str, Any] | None = None
    status: int = 200


@dataclass(frozen=True)
class Operation:
    """One operation: where it is, what it takes, who answers it.

    `filters` is None where nothing is listed; `environment` restricts the operation to the keys of one environment.
    """

    method: str
    path: str
    handle: Callable[[Call], Reply]
    body: Shape | None = None
    filters: Filters | None = None
    environment: str | None = None
    upload: bool = False
    binary: bool = False


def _get(kind: str) -> Callable[[Call], Reply]:
    return lambda call: Reply(call.resource(kind))


def _list(kind: str, filters: Filters, organization: bool = False) -> Callable[[Call], Reply]:
    def handle(call: Call) -> Reply:
        environment = ORGANIZATION if organization else call.env.name
        return Reply(query.list_page(call.env, environment, kind, call.query, filters, call.path))

    return handle


def _change(kind: str, change: Callable[[Call, Resource], dict[str, Any] | None]) -> Callable[[Call], Reply]:
    def handle(call: Call) -> Reply:
        resource = call.resource(kind)
        return Reply(resource, change(call, resource))

    return handle


def _create_inquiry(call: Call) -> Reply:
    return Reply(*inquiries.create(call.env, call.attributes, call.meta), status=201)


def _resume(call: Call, inquiry: Resource) -> dict[str, Any]:
    return {"session-token": inquiries.resume(call.env, inquiry)}


def _one_time_link(call: Call, inquiry: Resource) -> dict[str, Any]:
    return dict(inquiries.one_time_link(call.env, inquiry, call.meta.get("expires-in-seconds")))


def _decide(action: str) -> Callable[[Call, Resource], None]:
    return lambda call, inquiry: inquiries.decide(call.env, inquiry, action, call.meta.get("comment"))


def _move(action: str) -> Callable[[Call, Resource], None]:
    return lambda call, inquiry: inquiries.move(call.env, inquiry, action)


def _print(call: Call) -> Reply:
    inquiry = call.resource("inquiry")
    inquiries.require_intact(inquiry)
    return Reply(pdf.print_inquiry(call.env, inquiry))


def _create_account(call: Call) -> Reply:
    account, created = accounts.create(call.env, call.attributes, call.meta.get("upsert-by"))
    return Reply(account, status=201 if created else 200)


def _import(call: Call) -> Reply:
    content = importers.decode(call.attributes["file"]) if call.upload is None else call.upload
    return Reply(importers.create(call.env, content), status=201)


def _create_report(call: Call) -> Reply:
    return Reply(reports.create(call.env, call.body["data"].get("type"), call.attributes, call.meta), status=201)


_INQUIRY = "/inquiries/{id}"
_ACCOUNT = "/accounts/{id}"

OPERATIONS: tuple[Operation, ...] = (
    Operation("POST", "/inquiries", _create_inquiry, shapes.CREATE_INQUIRY),
    Operation("GET", "/inquiries", _list("inquiry", query.INQUIRY_FILTERS), filters=query.INQUIRY_FILTERS),
    Operation("GET", _INQUIRY, _get("inquiry")),
    Operation(
        "PATCH",
        _INQUIRY,
        _change("inquiry", lambda call, inquiry: inquiries.update(call.env, inquiry, call.attributes)),
        shapes.UPDATE_INQUIRY,
    ),
    Operation("DELETE", _INQUIRY, _change("inquiry", lambda call, inquiry: redaction.redact_inquiry(call.env, inquiry))),
    Operation("POST", f"{_INQUIRY}/approve", _change("inquiry", _decide("approve")), shapes.DECISION),
    Operation("POST", f"{_INQUIRY}/decline", _change("inquiry", _decide("decline")), shapes.DECISION),
    Operation("POST", f"{_INQUIRY}/mark-for-review", _change("inquiry", _move("mark-for-review")), shapes.NOTHING),
    Operation("POST", f"{_INQUIRY}/resume", _change("inquiry", _resume), shapes.NOTHING),
    Operation("POST", f"{_INQUIRY}/expire", _change("inquiry", _move("expire")), shapes.NOTHING),
    Operation("POST", f"{_INQUIRY}/generate-one-time-link", _change("inquiry", _one_time_link), shapes.ONE_TIME_LINK),
    Operation("GET", f"{_INQUIRY}/print", _print, binary=True),
    Operation("POST", "/accounts", _create_account, shapes.CREATE_ACCOUNT),
    Operation("GET", "/accounts", _list("account", query.ACCOUNT_FILTERS), filters=query.ACCOUNT_FILTERS),
    Operation("GET", _ACCOUNT, _get("account")),
    Operation(
        "PATCH",
        _ACCOUNT,
        _change("account", lambda call, account: accounts.update(call.env, account, call.attributes)),
        shapes.UPDATE_ACCOUNT,
    ),
    Operation("DELETE", _ACCOUNT, _change("account", lambda call, account: redaction.redact_account(call.env, account))),
    Operation("POST", "/importer/accounts", _import, shapes.IMPORT_ACCOUNTS, upload=True),
    Operation("GET", "/importers/{id}", _get("importer")),
    Operation("GET", "/cases", _list("case", query.CASE_FILTERS), filters=query.CASE_FILTERS),
    Operation("GET", "/cases/{id}", _get("case")),
    Operation("POST", "/reports", _create_report, shapes.CREATE_REPORT),
    Operation("GET", "/reports", _list("report", query.REPORT_FILTERS), filters=query.REPORT_FILTERS),
    Operation("GET", "/reports/{id}", _get("report")),
    Operation("GET", "/verifications/{id}", _get("verification")),
    Operation("GET", "/documents/{id}", _get("document")),
    Operation(
        "GET",
        "/inquiry-templates",
        _list("inquiry-template", query.NO_FILTERS, organization=True),
        filters=query.NO_FILTERS,
        environment=PRODUCTION,
    ),
    Operation(
        "POST",
        f"{_INQUIRY}/perform-simulate-actions",
        _change("inquiry", lambda call, inquiry: simulate.perform(call.env, inquiry, call.meta["simulate-actions"])),
        shapes.SIMULATE,
        environment=SANDBOX,
    ),
)
