"""The organisation's fixed objects: templates, types, queues and people.

Both environments see them. Their ids are the same for every seed, so that programs can name them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..state.clock import iso
from ..state.environment import ORGANIZATION
from ..state.records import Resource
from ..state.store import Store
from .fields import INQUIRY_FIELDS

FOUNDED = 1_704_186_000_000
"""The moment of creation of all fixed objects, in milliseconds: 2024-01-02T09:00:00Z."""


@dataclass(frozen=True)
class Templates:
    """The ids of the fixed objects."""

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
        """Return the template id of a report kind, such as `watchlist`."""
        return str(getattr(self, kind.replace("-", "_")))


TEMPLATES = Templates()
"""The ids of the fixed objects, by name."""

STEPS: dict[str, tuple[str, ...]] = {
    TEMPLATES.inquiry: ("government-id", "selfie"),
    TEMPLATES.database: ("database",),
    TEMPLATES.document: ("document",),
    TEMPLATES.inactive: ("government-id",),
    TEMPLATES.legacy: ("government-id",),
}
"""The kinds of verification that a flow asks for, by the id of its inquiry template or legacy template."""

VERIFICATION_TEMPLATES = {
    "government-id": TEMPLATES.verification_government_id,
    "selfie": TEMPLATES.verification_selfie,
    "database": TEMPLATES.verification_database,
    "document": TEMPLATES.verification_document,
}
"""The template id of each kind of verification."""

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
    """Return the type of each field that an inquiry of a template has."""
    return INQUIRY_FIELDS | _CUSTOM_FIELDS.get(template_id, {})


def install(store: Store) -> bool:
    """Add the fixed objects to a store that lacks them, and return whether it did; used inside a transaction."""
    if store.get(TEMPLATES.inquiry) is not None:
        return False
    for resource in _resources():
        resource.seq = store.next_seq()
        store.insert(resource)
    return True


def _resources() -> list[Resource]:
    ids = TEMPLATES
    return [
        *_flow("Retired Flow", ids.inactive, ids.inactive_version, status="inactive"),
        *_flow("Proof of Address", ids.document, ids.document_version),
        *_flow("Database Check", ids.database, ids.database_version),
        *_flow("Government ID and Selfie", ids.inquiry, ids.inquiry_version),
        _make("template", ids.legacy, {"name": "Legacy Government ID"}),
        _report_template("watchlist", ids.watchlist, {"search-lists": [{"slug": "simulated-sanctions", "type": "sanction"}]}),
        _report_template("adverse-media", ids.adverse_media, {}),
        _report_template("politically-exposed-person", ids.politically_exposed_person, {}),
        *(_make(f"verification-template/{kind}", id, {}) for kind, id in VERIFICATION_TEMPLATES.items()),
        *(
            _make(f"verification-template-version/{kind}", verification_version(id), {})
            for kind, id in VERIFICATION_TEMPLATES.items()
        ),
        _make(
            "account-type",
            ids.account_type,
            {"name": "User", "created-at": iso(FOUNDED), "updated-at": iso(FOUNDED), "field-schemas": []},
            {"account-statuses": [{"type": "account-status", "id": "actst_Active"}],
             "default-account-status": {"type": "account-status", "id": "actst_Active"}},
        ),
        _make("case-template", ids.case, _archivable("Manual Review") | {"resolutions": ["Approved", "Declined"]}),
        _make("case-queue", ids.case_queue, _archivable("Manual Review")),
        _make("user", ids.reviewer, {"email-address": REVIEWER_EMAIL, "name-first": "Simulated", "name-last": "Reviewer"}),
    ]  # fmt: skip


def verification_version(template_id: str) -> str:
    """Return the id of a verification template's only version."""
    return template_id.replace("vtmpl_", "vtmplv_") + "1"


def _flow(name: str, id: str, version_id: str, status: str = "active") -> list[Resource]:
    schemas = [{"type": type_, "key": name, "label": None} for name, type_ in field_types(id).items()]
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
    return Resource(
        id=id,
        type=type_,
        environment=ORGANIZATION,
        created=FOUNDED,
        attributes=attributes,
        relationships=relationships or {},
    )
