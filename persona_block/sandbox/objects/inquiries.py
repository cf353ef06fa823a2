"""Inquiries: their creation, their statuses, and what changes with each status.

Sources: OpenAPI paths /inquiries*, docs.withpersona.com/model-lifecycle and /docs/inquiry-expiration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..messages.errors import bad_request, conflict, unprocessable
from ..state.clock import DAY, SECOND, iso
from ..state.environment import Environment
from ..state.records import Resource, related
from . import accounts, cases, evidence, sessions
from .copies import keep_former_texts
from .fields import inquiry_fields
from .templates import STEPS, TEMPLATES, field_types

DEFAULT_EXPIRY = DAY
"""How long an inquiry runs, in milliseconds, unless its creation asks for another interval."""

STATUSES = frozenset({"created", "pending", "completed", "failed", "expired", "needs_review", "approved", "declined"})
RUNNING = frozenset({"created", "pending"})
"""The statuses in which an applicant can go on."""

UNDECIDED = RUNNING | {"completed", "needs_review"}
"""The statuses that still await a decision."""


@dataclass(frozen=True)
class Transition:
    """A change of status: the statuses it starts from, the one it leads to, and the attribute that takes its moment.

    `event` is its name in the log; `next_step` becomes the inquiry's next step; `strict` holds the statuses it starts from
    under `Settings.strict`, where those are fewer.
    """

    allowed: frozenset[str]
    status: str
    stamp: str
    event: str
    next_step: str | None = None
    strict: frozenset[str] | None = None


_DECIDED = frozenset({"approved", "declined"})
_REVIEWABLE = frozenset({"pending", "completed", "failed", "needs_review"})

TRANSITIONS: dict[str, Transition] = {
    "start": Transition(frozenset({"created"}), "pending", "started-at", "inquiry.started"),
    "complete": Transition(frozenset({"pending"}), "completed", "completed-at", "inquiry.completed", "success"),
    "fail": Transition(frozenset({"pending"}), "failed", "failed-at", "inquiry.failed", "failure"),
    "expire": Transition(RUNNING, "expired", "expired-at", "inquiry.expired"),
    "mark-for-review": Transition(
        STATUSES - _DECIDED, "needs_review", "marked-for-review-at", "inquiry.marked-for-review", "review"
    ),
    "approve": Transition(
        STATUSES, "approved", "decisioned-at", "inquiry.approved", "success", strict=_REVIEWABLE | {"declined"}
    ),
    "decline": Transition(
        STATUSES, "declined", "decisioned-at", "inquiry.declined", "failure", strict=_REVIEWABLE | {"approved"}
    ),
}

_END_STEPS = frozenset({"success", "failure", "review"})

_TEMPLATE_ATTRIBUTES = {
    "inquiry-template-id": "inquiry-template",
    "inquiry-template-version-id": "inquiry-template-version",
    "template-id": "template",
}


def create(env: Environment, attributes: dict[str, Any], meta: dict[str, Any]) -> tuple[Resource, dict[str, str | None]]:
    """Create an inquiry; return it, and the answer's `meta`. Raises a 400, 404, 409 or 422."""
    templates = _templates(env, attributes)
    template_id = (templates["inquiry-template"] or templates["template"])["id"]
    fields = inquiry_fields(attributes.get("fields") or {}, field_types(template_id), strict=env.settings.strict)
    account = _account(env, attributes, meta, fields)
    lifetime = (meta.get("expiration-after-create-interval-seconds") or DEFAULT_EXPIRY // SECOND) * SECOND
    inquiry = env.create(
        "inquiry",
        {
            "status": "created",
            "reference-id": account.attributes["reference-id"] if account else None,
            "note": attributes.get("note"),
            "behaviors": {},
            "tags": attributes.get("tags") or [],
            "creator": attributes.get("creator-email-address") or "API",
            "reviewer-comment": None,
            "created-at": env.timestamp,
            "updated-at": env.timestamp,
            "started-at": None,
            "expires-at": iso(env.now + lifetime),
            "completed-at": None,
            "failed-at": None,
            "marked-for-review-at": None,
            "decisioned-at": None,
            "expired-at": None,
            "redacted-at": None,
            "previous-step-name": None,
            "next-step-name": attributes.get("initial-step-name") or "start",
            "fields": {name: {"type": type_, "value": None} for name, type_ in field_types(template_id).items()} | fields,
        },
        {
            "account": account.identifier if account else None,
            **templates,
            "transaction": None,
            "reviewer": None,
            "reports": [],
            "verifications": [],
            "sessions": [],
            "documents": [],
            "selfies": [],
        },
        private={
            "redirect-uri": attributes.get("redirect-uri"),
            "after-start": meta.get("expiration-after-start-interval-seconds"),
            "after-resume": meta.get("expiration-after-resume-interval-seconds"),
        },
        due=env.now + lifetime,
        event="inquiry.created",
    )
    access: dict[str, str | None] = dict.fromkeys(("session-token", "one-time-link", "one-time-link-short"))
    if meta.get("auto-create-inquiry-session") or meta.get("auto-create-one-time-link"):
        session = sessions.create(env, inquiry)
        if meta.get("auto-create-inquiry-session"):
            access["session-token"] = sessions.token(env, session)
        if meta.get("auto-create-one-time-link"):
            access |= sessions.link(env, session, meta.get("one-time-link-expiration-seconds"))
        env.save(inquiry)
    return inquiry, access


def update(env: Environment, inquiry: Resource, attributes: dict[str, Any]) -> None:
    """Change an inquiry's note, tags, redirect URI, or some of its fields. Raises a 409 or 422."""
    require_intact(inquiry)
    fields = inquiry_fields(attributes.get("fields") or {}, field_types(template_of(inquiry)), strict=env.settings.strict)
    keep_former_texts(inquiry)
    inquiry.attributes["fields"] |= fields
    tags = inquiry.attributes["tags"]
    for name in ("note", "tags"):
        if name in attributes:
            inquiry.attributes[name] = attributes[name]
    if "redirect-uri" in attributes:
        inquiry.private["redirect-uri"] = attributes["redirect-uri"]
    env.save(inquiry, "inquiry.updated")
    added = [tag for tag in inquiry.attributes["tags"] if tag not in tags]
    removed = [tag for tag in tags if tag not in inquiry.attributes["tags"]]
    if added or removed:
        env.log("inquiry.updated-tags", inquiry, {"added-tags": added, "removed-tags": removed})


def move(env: Environment, inquiry: Resource, action: str) -> None:
    """Change an inquiry's status by an action. Raises a 409 if it is redacted, a 422 if its status forbids the action."""
    require_intact(inquiry)
    transition = TRANSITIONS[action]
    status = inquiry.attributes["status"]
    allowed = transition.strict if env.settings.strict and transition.strict is not None else transition.allowed
    if status not in allowed:
        raise unprocessable(f"{action} is not possible: the inquiry's status is {status}")
    _enter(env, inquiry, transition)
    if transition.status == "pending":
        _keep_running(inquiry, inquiry.private["after-start"], env.now)
    else:
        if transition.status == "expired":
            evidence.cancel_open(env, inquiry)
        sessions.expire_all(env, inquiry)
    env.save(inquiry, transition.event)
    if transition.status == "needs_review":
        cases.open_for(env, inquiry)
    elif transition.status in _DECIDED:
        cases.resolve_for(env, inquiry)


def decide(env: Environment, inquiry: Resource, action: str, comment: str | None = None) -> None:
    """Approve or decline an inquiry, with a reviewer and an optional comment. Raises a 409 or 422."""
    inquiry.relationships["reviewer"] = {"type": "user", "id": TEMPLATES.reviewer}
    if comment is not None:
        inquiry.attributes["reviewer-comment"] = comment
    move(env, inquiry, action)


def resume(env: Environment, inquiry: Resource) -> str:
    """Let the applicant go on, and return a session token. An expired inquiry becomes pending again. Raises a 409 or 422."""
    require_intact(inquiry)
    status = inquiry.attributes["status"]
    if status not in RUNNING | {"expired"}:
        raise unprocessable(f"resume is not possible: the inquiry's status is {status}")
    if status == "expired":
        inquiry.attributes |= {"status": "pending", "expired-at": None}
        inquiry.attributes["started-at"] = inquiry.attributes["started-at"] or env.timestamp
        if inquiry.attributes["next-step-name"] == "start":
            inquiry.attributes |= {"previous-step-name": "start", "next-step-name": first_step(inquiry)}
    _keep_running(inquiry, inquiry.private["after-resume"] or DEFAULT_EXPIRY // SECOND, env.now)
    session = sessions.unused_or_new(env, inquiry)
    env.save(inquiry, "inquiry.resumed")
    return sessions.token(env, session)


def one_time_link(env: Environment, inquiry: Resource, seconds: int | None) -> dict[str, str]:
    """Create a session, and return its one-time link, long and short, good for some seconds or by default 24 hours.

    Raises a 409 or 422.
    """
    require_intact(inquiry)
    status = inquiry.attributes["status"]
    if status not in RUNNING:
        raise unprocessable(f"The inquiry's status is {status}, and so it has no one-time link: resume it first")
    session = sessions.create(env, inquiry)
    links = sessions.link(env, session, seconds)
    env.save(inquiry, "inquiry.one-time-link-generated")
    return links


def require_intact(inquiry: Resource) -> None:
    """Check that an inquiry is not redacted. Raises a 409."""
    if inquiry.attributes["redacted-at"]:
        raise conflict("Inquiry already redacted")


def template_of(inquiry: Resource) -> str:
    """Return the id of the template, or legacy template, that an inquiry follows."""
    return related(inquiry, "inquiry-template", "template") or TEMPLATES.inquiry


def first_step(inquiry: Resource) -> str:
    """Return the name of the step after the start."""
    return step_name(STEPS[template_of(inquiry)][0])


def step_name(verification: str) -> str:
    """Return the name of the step of a verification kind."""
    return f"verification_{verification.replace('-', '_')}"


def take_step(inquiry: Resource, name: str) -> bool:
    """Make a step the next one, and return whether another was next before, which becomes the previous. The caller saves."""
    current = inquiry.attributes["next-step-name"]
    if name == current:
        return False
    if current not in _END_STEPS:
        inquiry.attributes["previous-step-name"] = current
    inquiry.attributes["next-step-name"] = name
    return True


def _enter(env: Environment, inquiry: Resource, transition: Transition) -> None:
    attributes = inquiry.attributes
    attributes |= {"status": transition.status, transition.stamp: env.timestamp}
    step = first_step(inquiry) if transition.status == "pending" else transition.next_step
    if step:
        take_step(inquiry, step)
    if transition.status not in RUNNING:
        attributes["expires-at"] = inquiry.due = None


def _keep_running(inquiry: Resource, seconds: int | None, now: int) -> None:
    """Set the expiry to so many seconds from now; None leaves it."""
    if seconds is not None:
        inquiry.due = now + seconds * SECOND
        inquiry.attributes["expires-at"] = iso(inquiry.due)


def _templates(env: Environment, attributes: dict[str, Any]) -> dict[str, Any]:
    """Return an inquiry's three template relationships. Raises a 400, 404 or 422."""
    sent_templates = [name for name in _TEMPLATE_ATTRIBUTES if attributes.get(name)]
    if len(sent_templates) != 1:
        names = ", ".join(f"data.attributes.{name.replace('-', '_')}" for name in _TEMPLATE_ATTRIBUTES)
        raise bad_request(f"exactly one of {names} must be given")
    (attribute,) = sent_templates
    template = env.get(attributes[attribute], _TEMPLATE_ATTRIBUTES[attribute])
    if template.kind == "template":
        return {"template": template.identifier, "inquiry-template": None, "inquiry-template-version": None}
    version = template if template.kind == "inquiry-template-version" else env.related(template, "latest-published-version")
    template = env.related(template, "inquiry-template") or template
    if template.attributes["status"] != "active":
        raise unprocessable("The inquiry template is not active", f"/data/attributes/{attribute}")
    return {
        "template": None,
        "inquiry-template": template.identifier,
        "inquiry-template-version": version.identifier if version else None,
    }


def _account(env: Environment, attributes: dict[str, Any], meta: dict[str, Any], fields: dict[str, Any]) -> Resource | None:
    if attributes.get("account-id"):
        accounts.check_auto_creation(meta)
        return env.get(attributes["account-id"], "account")
    return accounts.auto_create(env, attributes.get("reference-id"), meta, fields)
