"""The organisation's fixed objects: templates, types, queues and people, under ids one can write down.

Both environments see them. The ids never change, whatever the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..state.clock import iso
from ..state.environment import ORGANIZATION
from ..state.records import Resource
from ..state.store import Store
from .fields import INQUIRY_FIELDS

# 2024-01-02T09:00:00Z: when the organisation set itself up, for timestamps that no clock has a say in
FOUNDED = 1_704_186_000_000


@dataclass(frozen=True)
class Templates:
    """The ids to build against."""

    # A flow of government id, then selfie: what most examples use
    inquiry: str = "itmpl_GovernmentIdAndSelfie"
    inquiry_version: str = "itmplv_GovernmentIdAndSelfie1"
    # A flow that checks given data against a database, with a field of its own for each field type
    database: str = "itmpl_DatabaseCheck"
    database_version: str = "itmplv_DatabaseCheck1"
    # A flow that asks for one uploaded document
    document: str = "itmpl_ProofOfAddress"
    document_version: str = "itmplv_ProofOfAddress1"
    # Switched off: creating an inquiry from it is refused
    inactive: str = "itmpl_RetiredFlow"
    inactive_version: str = "itmplv_RetiredFlow1"
    # From before dynamic flows
    legacy: str = "tmpl_LegacyGovernmentId"
    # One report template for each kind that can be created here
    watchlist: str = "rptp_Watchlist"
    adverse_media: str = "rptp_AdverseMedia"
    politically_exposed_person: str = "rptp_PoliticallyExposedPerson"
    # What perform-simulate-actions can create verifications from
    verification_government_id: str = "vtmpl_GovernmentId"
    verification_selfie: str = "vtmpl_Selfie"
    verification_database: str = "vtmpl_Database"
    verification_document: str = "vtmpl_Document"
    account_type: str = "acttp_User"
    case: str = "ctmpl_ManualReview"
    case_queue: str = "cqueue_ManualReview"
    # Who decides, when a decision comes through the API
    reviewer: str = "user_SimulatedReviewer"

    def report(self, kind: str) -> str:
        """Give the template of a report kind, such as `watchlist`."""
        return str(getattr(self, kind.replace("-", "_")))


TEMPLATES = Templates()

# Which verifications the applicant goes through, by inquiry template or legacy template
STEPS: dict[str, tuple[str, ...]] = {
    TEMPLATES.inquiry: ("government-id", "selfie"),
    TEMPLATES.database: ("database",),
    TEMPLATES.document: ("document",),
    TEMPLATES.inactive: ("government-id",),
    TEMPLATES.legacy: ("government-id",),
}

VERIFICATION_TEMPLATES = {
    "government-id": TEMPLATES.verification_government_id,
    "selfie": TEMPLATES.verification_selfie,
    "database": TEMPLATES.verification_database,
    "document": TEMPLATES.verification_document,
}

REVIEWER_EMAIL = "reviewer@sandbox.invalid"

_CUSTOM_FIELDS = {
    TEMPLATES.database: {
        "nationality": "string",
        "annual-income": "number",
        "household-size": "integer",
        "accepts-terms": "boolean",
    }
}


def field_types(template_id: str) -> dict[str, str]:
    """Give the type of each field that an inquiry of a template has."""
    return INQUIRY_FIELDS | _CUSTOM_FIELDS.get(template_id, {})


def install(store: Store) -> bool:
    """Put the fixed objects into a store, inside a transaction; gives whether the store was new."""
    if store.get(TEMPLATES.inquiry) is not None:
        return False
    for resource in _resources():
        resource.seq = store.next_seq()
        store.insert(resource)
    return True


def _resources() -> list[Resource]:
    t = TEMPLATES
    return [
        *_flow("Retired Flow", t.inactive, t.inactive_version, status="inactive"),
        *_flow("Proof of Address", t.document, t.document_version),
        *_flow("Database Check", t.database, t.database_version),
        *_flow("Government ID and Selfie", t.inquiry, t.inquiry_version),
        _make("template", t.legacy, {"name": "Legacy Government ID"}),
        _report_template("watchlist", t.watchlist, {"search-lists": [{"slug": "simulated-sanctions", "type": "sanction"}]}),
        _report_template("adverse-media", t.adverse_media, {}),
        _report_template("politically-exposed-person", t.politically_exposed_person, {}),
        *(_make(f"verification-template/{kind}", id, {}) for kind, id in VERIFICATION_TEMPLATES.items()),
        *(
            _make(f"verification-template-version/{kind}", verification_version(id), {})
            for kind, id in VERIFICATION_TEMPLATES.items()
        ),
        _make(
            "account-type",
            t.account_type,
            {"name": "User", "created-at": iso(FOUNDED), "updated-at": iso(FOUNDED), "field-schemas": []},
            {"account-statuses": [{"type": "account-status", "id": "actst_Active"}],
             "default-account-status": {"type": "account-status", "id": "actst_Active"}},
        ),
        _make("case-template", t.case, _archivable("Manual Review") | {"resolutions": ["Approved", "Declined"]}),
        _make("case-queue", t.case_queue, _archivable("Manual Review")),
        _make("user", t.reviewer, {"email-address": REVIEWER_EMAIL, "name-first": "Simulated", "name-last": "Reviewer"}),
    ]  # fmt: skip


def verification_version(template_id: str) -> str:
    """Give the id of a verification template's only version."""
    return template_id.replace("vtmpl_", "vtmplv_") + "1"


def _flow(name: str, id: str, version_id: str, status: str = "active") -> list[Resource]:
    schemas = [{"type": type_, "key": key, "label": None} for key, type_ in field_types(id).items()]
    return [
        _make(
            "inquiry-template-version",
            version_id,
            {
                "name-display": name,
                "description": "A simulated flow: nobody is verified.",
                "status": "published",
                "live": status == "active",
                "enabled-locales": ["en-US"],
                "created-at": iso(FOUNDED),
                "updated-at": iso(FOUNDED),
                "published-at": iso(FOUNDED),
            },
            {"inquiry-template": {"type": "inquiry-template", "id": id}},
        ),
        _make(
            "inquiry-template",
            id,
            {
                "name": name,
                "status": status,
                "embedded-flow-domain-allowlist": [],
                "hosted-flow-subdomains": [],
                "hosted-flow-redirect-uri-schemes": ["https"],
                "field-schemas": schemas,
            },
            {"latest-published-version": {"type": "inquiry-template-version", "id": version_id}},
        ),
    ]


def _report_template(kind: str, id: str, attributes: dict[str, Any]) -> Resource:
    times = {"created-at": iso(FOUNDED), "updated-at": iso(FOUNDED)}
    return _make(f"report-template/{kind}", id, {"name": f"Simulated {kind} screening", **times, **attributes})


def _archivable(name: str) -> dict[str, Any]:
    times = {"created-at": iso(FOUNDED), "updated-at": iso(FOUNDED), "archived-at": None}
    return {"status": "active", "name": name, **times}


def _make(type_: str, id: str, attributes: dict[str, Any], relationships: dict[str, Any] | None = None) -> Resource:
    return Resource(id, type_, ORGANIZATION, FOUNDED, attributes, relationships or {})
