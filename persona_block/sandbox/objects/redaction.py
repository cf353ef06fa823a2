"""Redaction: it erases what is known about a person, from an object downward, for good.

An account takes its inquiries and reports with it, an inquiry its verifications, documents and reports; a case is left
alone. Sources: OpenAPI DELETE /accounts/{id} and /inquiries/{id}; help.withpersona.com on redaction.
"""

from __future__ import annotations

from typing import Any

from ..messages.errors import conflict
from ..state.environment import Environment
from ..state.records import Resource
from . import sessions
from .fields import redacted
from .inquiries import require_intact

# The attributes that stay: they tell how a process went, and nothing about the person
_KEPT_ATTRIBUTES = {
    "verification": frozenset(
        {"status", "created-at", "created-at-ts", "submitted-at", "submitted-at-ts", "completed-at", "completed-at-ts", "tags"}
    ),
    "document": frozenset({"status", "created-at", "processed-at", "processed-at-ts", "kind"}),
    "document-file": frozenset({"capture-method"}),
    "report": frozenset(
        {
            "status",
            "created-at",
            "completed-at",
            "report-template-version-name",
            "has-match",
            "is-continuous",
            "is-recurring",
            "tags",
        }
    ),
}


def redact_account(env: Environment, account: Resource) -> None:
    """Redact an account and everything below it; the reference id stays. Raises a 409 the second time."""
    if account.attributes["redacted-at"]:
        raise conflict("Account already redacted")
    account.attributes |= {"fields": _redacted_fields(account), "redacted-at": env.timestamp}
    env.delete_files(account)
    env.save(account, "account.redacted")
    for inquiry in env.find("inquiry", "account_id", account.id):
        if not inquiry.attributes["redacted-at"]:
            redact_inquiry(env, inquiry)
    for report in env.find("report", "account_id", account.id):
        _strip(env, report)


def redact_inquiry(env: Environment, inquiry: Resource) -> None:
    """Redact an inquiry and everything below it. Raises a 409 the second time."""
    require_intact(inquiry)
    sessions.expire_all(env, inquiry)
    inquiry.relationships["sessions"] = []
    inquiry.attributes |= {
        "fields": _redacted_fields(inquiry),
        "note": None,
        "reviewer-comment": None,
        "expires-at": None,
        "redacted-at": env.timestamp,
    }
    inquiry.due = None
    env.save(inquiry, "inquiry.redacted")
    for name in ("verifications", "documents", "reports"):
        for child in env.children(inquiry, name):
            for original in env.children(child, "document-files"):
                _strip(env, original)
            _strip(env, child)


def _strip(env: Environment, resource: Resource) -> None:
    """Empty every attribute that may tell something about a person, and delete the files."""
    if resource.attributes.get("redacted-at") or resource.private.get("redacted"):
        return
    kept = _KEPT_ATTRIBUTES[resource.kind]
    resource.attributes = {name: value if name in kept else _emptied(value) for name, value in resource.attributes.items()}
    if "redacted-at" in resource.attributes:
        resource.attributes["redacted-at"] = env.timestamp
    if resource.kind == "report":
        _strip_report(env, resource)
    elif resource.kind == "verification":
        resource.relationships["inquiry"] = None
    resource.private = {"redacted": True, "reference-id": resource.private.get("reference-id")}
    resource.due = None
    env.delete_files(resource)
    env.save(resource, f"{resource.type if resource.kind == 'report' else resource.kind}.redacted")


def _strip_report(env: Environment, report: Resource) -> None:
    if report.type == "report/adverse-media":
        del report.attributes["term"]  # the schema admits no null there
    if report.attributes["status"] == "pending":
        report.attributes |= {"status": "errored", "completed-at": env.timestamp}


def _emptied(value: Any) -> Any:
    if isinstance(value, list):
        return []
    if isinstance(value, dict):
        return {}
    return value if isinstance(value, bool) else None


def _redacted_fields(resource: Resource) -> dict[str, Any]:
    return {name: redacted(field) for name, field in resource.attributes["fields"].items()}
