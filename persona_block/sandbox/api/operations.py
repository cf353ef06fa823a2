"""The operations: a table with one row for each, and how each takes its request to the module of its resource.

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
class OperationRequest:
    """A request of one operation, with its query and body checked; `upload` is the file of a multipart body."""

    env: Environment
    path: str
    ids: dict[str, str]
    query: Query
    body: dict[str, Any] = field(default_factory=dict)
    upload: bytes | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """The body's `data.attributes`, empty where there are none."""
        attributes: dict[str, Any] = self.body.get("data", {}).get("attributes", {})
        return attributes

    @property
    def meta(self) -> dict[str, Any]:
        """The body's `meta`, empty where there is none."""
        meta: dict[str, Any] = self.body.get("meta", {})
        return meta

    def resource(self, kind: str) -> Resource:
        """Return the resource of the id in the path. Raises a 404 if there is none of this kind."""
        return self.env.get(self.ids["id"], kind)


@dataclass(frozen=True)
class OperationResult:
    """What an operation answers: a resource, a page of a list, or the bytes of a PDF."""

    data: Resource | Page | bytes
    meta: dict[str, Any] | None = None
    status: int = 200


Handler = Callable[[OperationRequest], OperationResult]
Change = Callable[[OperationRequest, Resource], dict[str, Any] | None]
"""A change of the resource that the path names; it returns the answer's `meta`."""


@dataclass(frozen=True)
class Operation:
    """One operation: its method and path, the function that answers it, and what it takes.

    `body` is the shape of its JSON body, None where it takes none; `filters` are those of a list, None for other operations.
    `environment` restricts it to the keys of one environment. `upload` lets a file come as multipart; `binary` is an answer
    that is no JSON.
    """

    method: str
    path: str
    handle: Handler
    body: Shape | None = None
    filters: Filters | None = None
    environment: str | None = None
    upload: bool = False
    binary: bool = False


def _get(kind: str) -> Handler:
    return lambda request: OperationResult(request.resource(kind))


def _list(kind: str, filters: Filters, *, organization: bool = False) -> Handler:
    def handle(request: OperationRequest) -> OperationResult:
        environment = ORGANIZATION if organization else request.env.name
        return OperationResult(query.list_page(request.env, environment, kind, request.query, filters, request.path))

    return handle


def _change(kind: str, change: Change) -> Handler:
    def handle(request: OperationRequest) -> OperationResult:
        resource = request.resource(kind)
        return OperationResult(resource, change(request, resource))

    return handle


def _create_inquiry(request: OperationRequest) -> OperationResult:
    return OperationResult(*inquiries.create(request.env, request.attributes, request.meta), status=201)


def _resume(request: OperationRequest, inquiry: Resource) -> dict[str, Any]:
    return {"session-token": inquiries.resume(request.env, inquiry)}


def _one_time_link(request: OperationRequest, inquiry: Resource) -> dict[str, Any]:
    return dict(inquiries.one_time_link(request.env, inquiry, request.meta.get("expires-in-seconds")))


def _decide(action: str) -> Change:
    return lambda request, inquiry: inquiries.decide(request.env, inquiry, action, request.meta.get("comment"))


def _move(action: str) -> Change:
    return lambda request, inquiry: inquiries.move(request.env, inquiry, action)


def _print(request: OperationRequest) -> OperationResult:
    inquiry = request.resource("inquiry")
    inquiries.require_intact(inquiry)
    return OperationResult(pdf.print_inquiry(request.env, inquiry))


def _create_account(request: OperationRequest) -> OperationResult:
    account, created = accounts.create(request.env, request.attributes, request.meta.get("upsert-by"))
    return OperationResult(account, status=201 if created else 200)


def _import(request: OperationRequest) -> OperationResult:
    content = importers.decode(request.attributes["file"]) if request.upload is None else request.upload
    return OperationResult(importers.create(request.env, content), status=201)


def _create_report(request: OperationRequest) -> OperationResult:
    return OperationResult(
        reports.create(request.env, request.body["data"].get("type"), request.attributes, request.meta), status=201
    )


_INQUIRY = "/inquiries/{id}"
_ACCOUNT = "/accounts/{id}"

OPERATIONS: tuple[Operation, ...] = (
    Operation("POST", "/inquiries", _create_inquiry, shapes.CREATE_INQUIRY),
    Operation("GET", "/inquiries", _list("inquiry", query.INQUIRY_FILTERS), filters=query.INQUIRY_FILTERS),
    Operation("GET", _INQUIRY, _get("inquiry")),
    Operation(
        "PATCH",
        _INQUIRY,
        _change("inquiry", lambda request, inquiry: inquiries.update(request.env, inquiry, request.attributes)),
        shapes.UPDATE_INQUIRY,
    ),
    Operation("DELETE", _INQUIRY, _change("inquiry", lambda request, inquiry: redaction.redact_inquiry(request.env, inquiry))),
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
        _change("account", lambda request, account: accounts.update(request.env, account, request.attributes)),
        shapes.UPDATE_ACCOUNT,
    ),
    Operation("DELETE", _ACCOUNT, _change("account", lambda request, account: redaction.redact_account(request.env, account))),
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
        _change("inquiry", lambda request, inquiry: simulate.perform(request.env, inquiry, request.meta["simulate-actions"])),
        shapes.SIMULATE,
        environment=SANDBOX,
    ),
)
