"""Verifications: what an applicant hands in, selfies included, and the checks of it.

Sources: OpenAPI schemas verification-* and selfie; docs.withpersona.com/2026-09-29/verification-lifecycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..state.environment import Environment
from ..state.records import Resource
from . import accounts, documents
from .documents import moment_attributes
from .fields import plain, typed
from .pictures import picture
from .templates import VERIFICATION_TEMPLATES, verification_version

SAMPLE_PERSON = {
    "name-first": "Alex",
    "name-last": "Sample",
    "birthdate": "1990-01-15",
    "address-street-1": "1 Simulation Way",
    "address-city": "San Francisco",
    "address-subdivision": "California",
    "address-postal-code": "94111",
    "address-country-code": "US",
    "identification-number": "SIM000000",
}
"""The fields that simulated papers show for an applicant who gave none."""

CHECKS: dict[str, tuple[str, ...]] = {
    "government-id": ("id_expired_detection", "id_compromised_detection", "id_disallowed_country_detection"),
    "selfie": ("selfie_id_comparison", "selfie_pose_detection", "selfie_liveness_detection"),
    "database": ("database_name_comparison", "database_birthdate_comparison", "database_address_comparison"),
    "document": ("document_unprocessable_submission_detection", "document_disallowed_type_detection"),
}
"""The checks of each kind of verification; the first is the one that fails when the verification fails."""

_FAILURES = {
    "government-id": "expired",
    "selfie": "no_match",
    "database": "no_match",
    "document": "unprocessable",
}

_OPEN = frozenset({"initiated", "submitted"})

# The attributes that only one kind of verification has, as they are when it begins
_KIND_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "government-id": {
        "entity-confidence-reasons": [],
        "entity-confidence-score": None,
        "front-photo-url": None,
        "back-photo-url": None,
        "photo-urls": [],
        "selfie-photo": None,
        "selfie-photo-url": None,
        "video-url": None,
        "id-class": None,
        "capture-method": None,
        "name-first": None,
        "name-middle": None,
        "name-last": None,
        "birthdate": None,
        "address-street-1": None,
        "address-street-2": None,
        "address-city": None,
        "address-subdivision": None,
        "address-postal-code": None,
        "issue-date": None,
        "expiration-date": None,
        "identification-number": None,
        "from-reusable-persona": False,
    },
    "selfie": {
        "capture-method": None,
        "center-photo-url": None,
        "left-photo-url": None,
        "right-photo-url": None,
        "photo-urls": [],
        "document-similarity-score": None,
        "selfie-similarity-score-left": None,
        "selfie-similarity-score-right": None,
        "video-url": None,
        "entity-confidence-reasons": [],
        "from-reusable-persona": False,
    },
    "database": {
        "name-first": None,
        "name-middle": None,
        "name-last": None,
        "birthdate": None,
        "address-street-1": None,
        "address-street-2": None,
        "address-city": None,
        "address-subdivision": None,
        "address-postal-code": None,
        "phone-number": None,
        "email-address": None,
        "identification-number": None,
    },
    "document": {"fields": {}, "files": [], "files-normalized": [], "extraction-responses": [], "document-type": None},
}


def start(env: Environment, inquiry: Resource, kind: str) -> Resource:
    """Begin a verification of a kind in an inquiry; the caller saves the inquiry."""
    template_id = VERIFICATION_TEMPLATES[kind]
    account = inquiry.relationships["account"]
    verification = env.create(
        f"verification/{kind}",
        {
            "status": "initiated",
            **moment_attributes("created-at", env.now, env.timestamp),
            **moment_attributes("submitted-at", None, None),
            **moment_attributes("completed-at", None, None),
            "redacted-at": None,
            "country-code": None,
            "tags": [],
            "checks": [],
            **_KIND_ATTRIBUTES[kind],
        },
        {
            "inquiry": inquiry.identifier,
            **{name: inquiry.relationships[name] for name in ("template", "inquiry-template-version", "inquiry-template")},
            "transaction": None,
            "verification-template": {"type": f"verification-template/{kind}", "id": template_id},
            "verification-template-version": {
                "type": f"verification-template-version/{kind}",
                "id": verification_version(template_id),
            },
            "accounts": [account] if account else [],
        },
        event="verification.created",
    )
    inquiry.relationships["verifications"].append(verification.identifier)
    return verification


@dataclass(frozen=True)
class _Submission:
    """What an applicant hands in for a verification: papers of a person, by field."""

    env: Environment
    inquiry: Resource
    verification: Resource
    person: dict[str, Any]


def submit(env: Environment, inquiry: Resource, verification: Resource) -> None:
    """Hand in what a verification asks for: fields, document, selfie, files. The caller saves the inquiry."""
    person = _person(env, inquiry)
    verification.attributes |= {
        "status": "submitted",
        **moment_attributes("submitted-at", env.now, env.timestamp),
        "country-code": person["address-country-code"],
    }
    _SUBMISSIONS[verification.subtype](_Submission(env, inquiry, verification, person))
    env.save(verification, "verification.submitted")


def finish(env: Environment, inquiry: Resource, verification: Resource, *, passed: bool) -> None:
    """Let the processing time pass, and end a verification; one that passes fills the inquiry's empty fields.

    The caller saves the inquiry.
    """
    kind, delay = verification.subtype, env.settings.processing_delay
    document = env.related(verification, "document")
    if document is not None:
        env.elapse(delay / 2)
        documents.process(env, document, _document_facts(document, _person(env, inquiry)))
    env.elapse(delay / 2 if document else delay)
    verification.attributes |= {
        "status": "passed" if passed else "failed",
        **moment_attributes("completed-at", env.now, env.timestamp),
        "checks": [_check(name, index == 0 and not passed, _FAILURES[kind]) for index, name in enumerate(CHECKS[kind])],
    }
    env.save(verification, f"verification.{verification.attributes['status']}")
    if passed and kind != "selfie":
        fields = inquiry.attributes["fields"]
        for name, value in _person(env, inquiry).items():
            if plain(fields[name]) is None and value is not None:
                fields[name] = typed(value, fields[name]["type"])


def _person(env: Environment, inquiry: Resource) -> dict[str, Any]:
    """Return the fields that the applicant's papers show: the known ones, else those of the sample person."""
    fields = inquiry.attributes["fields"]
    known = {name: plain(fields[name]) for name in SAMPLE_PERSON} | accounts.applicant_names(env, inquiry)
    return {name: value or SAMPLE_PERSON.get(name) for name, value in known.items()}


def cancel_open(env: Environment, inquiry: Resource) -> None:
    """Cancel the verifications of an inquiry that have not ended."""
    for verification in env.children(inquiry, "verifications"):
        if verification.attributes["status"] in _OPEN:
            verification.attributes["status"] = "canceled"
            env.save(verification, "verification.canceled")


def _submit_government_id(submission: _Submission) -> None:
    env, verification = submission.env, submission.verification
    document = documents.begin(
        env, submission.inquiry, "government-id", {"front-photo": None, "back-photo": None, "selfie-photo": None}
    )
    for label in ("front", "back"):
        env.add_file(document, f"{label}_photo_{document.id}.png", picture(label.upper()), f"{label}-photo")
    documents.submit(env, document)
    facts = _document_facts(document, submission.person)
    pages = []
    for index, label in enumerate(("front", "back")):
        filename, content = f"{label}_photo_{verification.id}.png", picture(label.upper())
        pages.append(
            {
                "page": label,
                "url": "",
                "normalized-url": "",
                "original-urls": [""],
                "filename": filename,
                "byte-size": len(content),
            }
        )
        places = (f"photo-urls/{index}/{place}" for place in ("url", "normalized-url", "original-urls/0"))
        env.add_file(verification, filename, content, f"{label}-photo-url", *places)
    names = {name: value.upper() for name, value in facts.items() if name.startswith("name-") and value}
    verification.attributes |= facts | names
    verification.attributes |= {
        "photo-urls": pages,
        "front-photo-url": "",
        "back-photo-url": "",
        "capture-method": "upload",
        "entity-confidence-score": 97.5,
    }
    verification.relationships["document"] = document.identifier


def _submit_selfie(submission: _Submission) -> None:
    env, inquiry, verification = submission.env, submission.inquiry, submission.verification
    filename, content = f"selfie_{verification.id}.png", picture("SELFIE")
    env.add_file(verification, filename, content, "center-photo-url", "photo-urls/0/url")
    verification.attributes |= {
        "center-photo-url": "",
        "photo-urls": [{"page": "selfie_center", "url": "", "filename": filename, "byte-size": len(content)}],
        "capture-method": "upload",
        "document-similarity-score": 98.1,
    }
    times = {"created-at": env.timestamp, "processed-at": env.timestamp}
    selfie = env.create(
        "selfie/profile-and-center", {"status": "processed", **times}, {"inquiry": inquiry.identifier}, event="selfie.created"
    )
    inquiry.relationships["selfies"].append(selfie.identifier)


def _submit_database(submission: _Submission) -> None:
    compared = _KIND_ATTRIBUTES["database"]
    fields = {name: plain(value) for name, value in submission.inquiry.attributes["fields"].items() if name in compared}
    known = {name: value for name, value in submission.person.items() if name in fields}
    submission.verification.attributes |= fields | known


def _submit_document(submission: _Submission) -> None:
    env, verification = submission.env, submission.verification
    extracted: dict[str, Any] = {"document-type": None, "extraction-responses": [], "fields": {}}
    attributes = {"kind": "document", **extracted, "files": [], "files-normalized": []}
    document = documents.begin(env, submission.inquiry, "generic", attributes)
    for resource in (document, verification):
        resource.attributes |= {"files": [None], "files-normalized": [None]}
        env.add_file(resource, f"document_{resource.id}.png", picture("DOCUMENT"), "files/0", "files-normalized/0")
    documents.submit(env, document)
    verification.attributes |= _document_facts(document, submission.person)
    verification.relationships["document"] = document.identifier


def _document_facts(document: Resource, person: dict[str, Any]) -> dict[str, Any]:
    """Return what is read from a document of a person."""
    if document.subtype == "generic":
        return {"document-type": "other"}
    printed = {name: value for name, value in person.items() if name != "address-country-code"}
    return {"id-class": "dl", "issue-date": "2021-04-29", "expiration-date": "2031-04-29", **printed}


_SUBMISSIONS = {
    "government-id": _submit_government_id,
    "selfie": _submit_selfie,
    "database": _submit_database,
    "document": _submit_document,
}


def _check(name: str, failed: bool, reason: str) -> dict[str, Any]:
    return {
        "name": name,
        "status": "failed" if failed else "passed",
        "reasons": [reason] if failed else [],
        "requirement": "required",
        "metadata": {},
    }
