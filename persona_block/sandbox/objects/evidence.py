"""What an applicant hands in and what is found out about it: verifications, documents, selfies and their files.

Sources: OpenAPI schemas verification-*, document-*, selfie; docs.withpersona.com/2026-09-29/verification-lifecycle.
"""

from __future__ import annotations

from typing import Any

from ..state.clock import SECOND
from ..state.environment import Environment
from ..state.records import Resource
from . import accounts
from .fields import plain, typed
from .pictures import picture
from .templates import VERIFICATION_TEMPLATES, verification_version

# What a simulated id, database or document says about an applicant who gave no such field
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

# The checks of each kind of verification; the first is the one that fails when the applicant does
CHECKS: dict[str, tuple[str, ...]] = {
    "government-id": ("id_expired_detection", "id_compromised_detection", "id_disallowed_country_detection"),
    "selfie": ("selfie_id_comparison", "selfie_pose_detection", "selfie_liveness_detection"),
    "database": ("database_name_comparison", "database_birthdate_comparison", "database_address_comparison"),
    "document": ("document_unprocessable_submission_detection", "document_disallowed_type_detection"),
}
_FAILURES = {
    "government-id": "expired",
    "selfie": "no_match",
    "database": "no_match",
    "document": "unprocessable",
}

_OPEN = frozenset({"initiated", "submitted"})

# The attributes that only one kind has, as they are before anything is handed in
_EXTRA: dict[str, dict[str, Any]] = {
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
    """Begin a verification of a kind in an inquiry, which the caller saves."""
    template_id = VERIFICATION_TEMPLATES[kind]
    account = inquiry.relationships["account"]
    verification = env.create(
        f"verification/{kind}",
        {
            "status": "initiated",
            **_moment("created-at", env.now, env.timestamp),
            **_moment("submitted-at", None, None),
            **_moment("completed-at", None, None),
            "redacted-at": None,
            "country-code": None,
            "tags": [],
            "checks": [],
            **_EXTRA[kind],
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


def submit(env: Environment, inquiry: Resource, verification: Resource) -> None:
    """Hand in what a verification asks for, with its document or selfie and their files; the caller saves the inquiry."""
    kind = verification.type.partition("/")[2]
    person = _person(env, inquiry)
    verification.attributes |= {
        "status": "submitted",
        **_moment("submitted-at", env.now, env.timestamp),
        "country-code": person["address-country-code"],
    }
    _SUBMISSIONS[kind](env, inquiry, verification, person)
    env.save(verification, "verification.submitted")


def finish(env: Environment, inquiry: Resource, verification: Resource, *, passed: bool) -> None:
    """End a verification; one that passes fills the inquiry's empty fields with what was read."""
    kind = verification.type.partition("/")[2]
    verification.attributes |= {
        "status": "passed" if passed else "failed",
        **_moment("completed-at", env.now, env.timestamp),
        "checks": [_check(name, index == 0 and not passed, _FAILURES[kind]) for index, name in enumerate(CHECKS[kind])],
    }
    env.save(verification, f"verification.{verification.attributes['status']}")
    if passed and kind != "selfie":
        fields = inquiry.attributes["fields"]
        for key, value in _person(env, inquiry).items():
            if plain(fields[key]) is None and value is not None:
                fields[key] = typed(value, fields[key]["type"])


def _person(env: Environment, inquiry: Resource) -> dict[str, Any]:
    """Give what the applicant's papers say: what is known, else what is made up."""
    known = {key: plain(inquiry.attributes["fields"][key]) for key in SAMPLE_PERSON} | accounts.applicant_names(env, inquiry)
    return {key: value or SAMPLE_PERSON.get(key) for key, value in known.items()}


def cancel_open(env: Environment, inquiry: Resource) -> None:
    """Cancel the verifications of an inquiry that have not come to an end."""
    for verification in env.children(inquiry, "verifications"):
        if verification.attributes["status"] in _OPEN:
            verification.attributes["status"] = "canceled"
            env.save(verification, "verification.canceled")


def _submit_government_id(env: Environment, inquiry: Resource, verification: Resource, person: dict[str, Any]) -> None:
    document = _document(env, inquiry, "government-id", {"front-photo": None, "back-photo": None, "selfie-photo": None})
    read = {key: value for key, value in person.items() if key != "address-country-code"}
    facts = {"id-class": "dl", "issue-date": "2021-04-29", "expiration-date": "2031-04-29", **read}
    for label in ("front", "back"):
        env.add_file(document, f"{label}_photo_{document.id}.png", picture(label.upper()), f"{label}-photo")
    _process(env, document, facts)
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
        places = (f"photo-urls/{index}/{key}" for key in ("url", "normalized-url", "original-urls/0"))
        env.add_file(verification, filename, content, f"{label}-photo-url", *places)
    names = {key: value.upper() for key, value in facts.items() if key.startswith("name-") and value}
    verification.attributes |= facts | names
    verification.attributes |= {
        "photo-urls": pages,
        "front-photo-url": "",
        "back-photo-url": "",
        "capture-method": "upload",
        "entity-confidence-score": 97.5,
    }
    verification.relationships["document"] = document.identifier


def _submit_selfie(env: Environment, inquiry: Resource, verification: Resource, person: dict[str, Any]) -> None:
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


def _submit_database(env: Environment, inquiry: Resource, verification: Resource, person: dict[str, Any]) -> None:
    given = {key: plain(value) for key, value in inquiry.attributes["fields"].items() if key in _EXTRA["database"]}
    verification.attributes |= given | {key: value for key, value in person.items() if key in given}


def _submit_document(env: Environment, inquiry: Resource, verification: Resource, person: dict[str, Any]) -> None:
    extras: dict[str, Any] = {"kind": "document", "document-type": None, "extraction-responses": [], "fields": {}}
    document = _document(env, inquiry, "generic", {**extras, "files": [], "files-normalized": []})
    for resource in (document, verification):
        resource.attributes |= {"files": [None], "files-normalized": [None]}
        env.add_file(resource, f"document_{resource.id}.png", picture("DOCUMENT"), "files/0", "files-normalized/0")
    _process(env, document, {"document-type": "other"})
    verification.attributes["document-type"] = "other"
    verification.relationships["document"] = document.identifier


_SUBMISSIONS = {
    "government-id": _submit_government_id,
    "selfie": _submit_selfie,
    "database": _submit_database,
    "document": _submit_document,
}


def _document(env: Environment, inquiry: Resource, kind: str, attributes: dict[str, Any]) -> Resource:
    """Begin a document, with its file object, in an inquiry."""
    relationships = {
        "inquiry": inquiry.identifier,
        **{name: inquiry.relationships[name] for name in ("template", "inquiry-template-version", "inquiry-template")},
        "transaction": None,
        "document-files": [],
    }
    times = {"created-at": env.timestamp, **_moment("processed-at", None, None)}
    document = env.create(
        f"document/{kind}", {"status": "initiated", **times, **attributes}, relationships, event="document.created"
    )
    label = "FRONT" if kind == "government-id" else "DOCUMENT"
    original = env.create("document-file", {"name": label.lower(), "capture-method": "upload", "originals": [None]}, {})
    env.add_file(original, f"original_{original.id}.png", picture(label), "originals/0")
    env.save(original)
    document.relationships["document-files"].append(original.identifier)
    inquiry.relationships["documents"].append(document.identifier)
    return document


def _process(env: Environment, document: Resource, read: dict[str, Any]) -> None:
    """Hand in a document with its files, and add what was read from it."""
    document.attributes["status"] = "submitted"
    env.save(document, "document.submitted")
    document.attributes |= {"status": "processed", **_moment("processed-at", env.now, env.timestamp), **read}
    env.save(document, "document.processed")


def _moment(name: str, milliseconds: int | None, text: str | None) -> dict[str, Any]:
    """Write a moment as text and as its integer twin, in seconds."""
    return {name: text, f"{name}-ts": None if milliseconds is None else milliseconds // SECOND}


def _check(name: str, failed: bool, reason: str) -> dict[str, Any]:
    return {
        "name": name,
        "status": "failed" if failed else "passed",
        "reasons": [reason] if failed else [],
        "requirement": "required",
        "metadata": {},
    }
