"""Cases: one opens when an inquiry needs review, and resolves when the inquiry is decided.

Statuses are the organisation's own words (docs.withpersona.com/reference/cases-api); here Open, Approved and Declined.
"""

from __future__ import annotations

from typing import Any

from ..state.clock import DAY, iso
from ..state.environment import Environment
from ..state.records import Identifier, Resource
from .templates import REVIEWER_EMAIL, TEMPLATES

REVIEW_TIME = 3 * DAY

# What a case names as its creator: a rule of the organisation
_WORKFLOW = {"creator-id": "wfr_ReviewRule", "creator-type": "workflow-run"}

_RESOLUTIONS = {"approved": "Approved", "declined": "Declined"}


def open_for(env: Environment, inquiry: Resource) -> None:
    """Open a case for an inquiry that needs review, unless it has an open one."""
    if any(case.attributes["status"] == "Open" for case in env.find("case", "inquiry_id", inquiry.id)):
        return
    attributes: dict[str, Any] = {
        "status": "Open",
        "name": f"MRR-{env.store.count(env.name, 'case') + 1}",
        "resolution": None,
        "created-at": env.timestamp,
        "updated-at": env.timestamp,
        "assigned-at": None,
        "resolved-at": None,
        "redacted-at": None,
        "sla-expires-at": iso(env.now + REVIEW_TIME),
        **_WORKFLOW,
        "assignee-id": None,
        "assigner-id": None,
        "assigner-type": None,
        "resolver-id": None,
        "resolver-type": None,
        "updater-id": _WORKFLOW["creator-id"],
        "updater-type": _WORKFLOW["creator-type"],
        "tags": [],
        "fields": {},
        "attachments": [],
    }
    account = inquiry.relationships["account"]
    relationships = {
        "accounts": [account] if account else [],
        "case-comments": [],
        "case-template": {"type": "case-template", "id": TEMPLATES.case},
        "case-queue": {"type": "case-queue", "id": TEMPLATES.case_queue},
        "inquiries": [inquiry.identifier],
        "reports": _reports(env, inquiry),
        "verifications": list(inquiry.relationships["verifications"]),
        "txns": [],
    }
    private = {"reference-id": inquiry.attributes["reference-id"]}
    env.create("case", attributes, relationships, private=private, event="case.created")


def add_report(env: Environment, inquiry: Resource, report: Resource) -> None:
    """Add a new report to the open case of its inquiry, if there is one."""
    for case in env.find("case", "inquiry_id", inquiry.id):
        if case.attributes["status"] == "Open":
            case.relationships["reports"].append(report.identifier)
            env.save(case)


def resolve_for(env: Environment, inquiry: Resource) -> None:
    """Resolve the cases of an inquiry as the inquiry was decided."""
    resolution = _RESOLUTIONS[inquiry.attributes["status"]]
    for case in env.find("case", "inquiry_id", inquiry.id):
        if case.attributes["status"] == resolution:
            continue
        case.attributes |= {
            "status": resolution,
            "resolution": resolution,
            "resolved-at": env.timestamp,
            "resolver-id": REVIEWER_EMAIL,
            "resolver-type": "user",
            "updater-id": REVIEWER_EMAIL,
            "updater-type": "user",
        }
        env.save(case, "case.status-updated")
        env.log("case.resolved", case)


def _reports(env: Environment, inquiry: Resource) -> list[Identifier]:
    """Return the identifiers of the reports on an inquiry's account."""
    account = inquiry.relationships["account"]
    reports = env.find("report", "account_id", account["id"]) if account else []
    return [report.identifier for report in reports]
