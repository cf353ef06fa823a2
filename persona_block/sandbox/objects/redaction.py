"""Redaction: it erases what is known about a person, from an object downward, for good.

An account takes its inquiries and reports with it, an inquiry its verifications, documents and reports; a case is left
alone. What answers, events and logged requests hold of them is erased too. Sources: OpenAPI DELETE /accounts/{id} and
/inquiries/{id}; help.withpersona.com on redaction.
"""

from __future__ import annotations

from ..messages.errors import conflict
from ..state.environment import Environment
from ..state.records import Resource
from . import sessions
from .copies import Copies, redacted_attributes
from .inquiries import require_intact


def redact_account(env: Environment, account: Resource) -> None:
    """Redact an account and everything below it; the reference id stays. Raises a 409 the second time."""
    if account.attributes["redacted-at"]:
        raise conflict("Account already redacted")
    copies = Copies(env)
    _empty(env, account, copies)
    env.save(account, "account.redacted")
    for inquiry in env.find("inquiry", "account_id", account.id):
        if not inquiry.attributes["redacted-at"]:
            _redact_inquiry(env, inquiry, copies)
    for report in env.find("report", "account_id", account.id):
        _strip(env, report, copies)
    copies.erase()


def redact_inquiry(env: Environment, inquiry: Resource) -> None:
    """Redact an inquiry and everything below it. Raises a 409 the second time."""
    require_intact(inquiry)
    copies = Copies(env)
    _redact_inquiry(env, inquiry, copies)
    copies.erase()


def _redact_inquiry(env: Environment, inquiry: Resource, copies: Copies) -> None:
    sessions.expire_all(env, inquiry)
    inquiry.relationships["sessions"] = []
    _empty(env, inquiry, copies)
    inquiry.private["redirect-uri"] = None
    env.save(inquiry, "inquiry.redacted")
    for name in ("verifications", "documents", "reports"):
        for child in env.children(inquiry, name):
            for original in env.children(child, "document-files"):
                _strip(env, original, copies)
            _strip(env, child, copies)


def _strip(env: Environment, resource: Resource, copies: Copies) -> None:
    """Redact an object below the one that is to be redacted, unless it is already."""
    if resource.attributes.get("redacted-at") or resource.private.get("redacted"):
        return
    _empty(env, resource, copies)
    if resource.kind == "report" and resource.attributes["status"] == "pending":
        resource.attributes |= {"status": "errored", "completed-at": env.timestamp}
    elif resource.kind == "verification":
        resource.relationships["inquiry"] = None
    resource.private = {"redacted": True, "reference-id": resource.private.get("reference-id")}
    env.save(resource, f"{resource.type if resource.kind == 'report' else resource.kind}.redacted")


def _empty(env: Environment, resource: Resource, copies: Copies) -> None:
    """Empty every attribute that may tell something about a person, and delete the files; the caller saves."""
    copies.add(resource)
    resource.attributes = redacted_attributes(resource.type, resource.attributes, copies.redacted_at)
    resource.due = None
    env.delete_files(resource)
