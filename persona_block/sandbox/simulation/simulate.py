"""The simulated applicant: it takes every step of a flow, to a given outcome or the one that its name steers to.

Nobody is verified: the sandbox draws the documents and makes up the findings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...spec.inflection import snake
from ..messages.errors import bad_request, not_found
from ..messages.shapes import ACTION, check_shape
from ..objects import accounts, evidence, inquiries, outcomes, sessions
from ..objects.outcomes import Outcome
from ..objects.templates import STEPS, VERIFICATION_TEMPLATES
from ..state.environment import Environment
from ..state.records import Resource

OUTCOMES = ("pass", "fail", "review", "abandon")
"""The ways in which an applicant's flow can go."""


def steering_outcome(env: Environment, inquiry: Resource) -> Outcome | None:
    """Return the outcome that the name of an inquiry's applicant steers to, or None for one who passes."""
    return outcomes.applicant_outcome(accounts.applicant_names(env, inquiry).values())


def play(env: Environment, inquiry: Resource, outcome: str | None = None) -> None:
    """Take the remaining steps of a flow, to an outcome of `OUTCOMES`, or for None to the one that the name steers to.

    Raises ValueError for another outcome, a 409 or 422 for an inquiry that no applicant can go on with.
    """
    if outcome is None:
        steering = steering_outcome(env, inquiry)
        outcome = steering.applicant if steering else "pass"
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome must be one of {', '.join(OUTCOMES)}")
    enter(env, inquiry)
    if outcome == "abandon":
        for kind in remaining(env, inquiry)[:1]:
            _begun_verification(env, inquiry, kind)
        env.save(inquiry)
        return
    for kind in remaining(env, inquiry):
        if not take(env, inquiry, kind, passed=outcome != "fail"):
            break
    finish(env, inquiry, outcome)


def enter(env: Environment, inquiry: Resource) -> None:
    """Open an inquiry in a session, and start it if it has not started. Raises a 409 or 422."""
    inquiries.require_intact(inquiry)
    if inquiry.attributes["status"] != "pending":
        inquiries.move(env, inquiry, "start")
    sessions.activate(env, sessions.open_or_new(env, inquiry))
    env.save(inquiry)


def remaining(env: Environment, inquiry: Resource) -> list[str]:
    """Return the kinds of verification that the applicant has not passed yet, in the order of the flow."""
    verifications = env.children(inquiry, "verifications")
    passed = {each.subtype for each in verifications if each.attributes["status"] == "passed"}
    return [kind for kind in STEPS[inquiries.template_of(inquiry)] if kind not in passed]


def take(env: Environment, inquiry: Resource, kind: str, *, passed: bool) -> bool:
    """Take one verification of the flow, and return whether it passed."""
    if inquiries.take_step(inquiry, inquiries.step_name(kind)):
        env.save(inquiry, "inquiry.transitioned")
    verification = _begun_verification(env, inquiry, kind)
    evidence.submit(env, inquiry, verification)
    evidence.finish(env, inquiry, verification, passed=passed)
    env.save(inquiry)
    return passed


def _begun_verification(env: Environment, inquiry: Resource, kind: str) -> Resource:
    """Return the verification of a kind that the applicant began and left, or else begin one. The caller saves the inquiry."""
    for verification in env.children(inquiry, "verifications"):
        if verification.subtype == kind and verification.attributes["status"] == "initiated":
            return verification
    return evidence.start(env, inquiry, kind)


def finish(env: Environment, inquiry: Resource, outcome: str) -> None:
    """End the flow with an outcome: pass, fail or review. Unless it failed, copy the inquiry's fields to its account."""
    inquiries.move(env, inquiry, "fail" if outcome == "fail" else "complete")
    if outcome != "fail":
        _update_account(env, inquiry)
    if outcome == "review":
        inquiries.move(env, inquiry, "mark-for-review")


# The actions of perform-simulate-actions, which do the same as the applicant or the operation of that name
_ACTIONS: dict[str, Callable[[Environment, Resource], None]] = {
    "start_inquiry": lambda env, inquiry: _start(env, inquiry),
    "complete_inquiry": lambda env, inquiry: _end(env, inquiry, "pass"),
    "fail_inquiry": lambda env, inquiry: _end(env, inquiry, "fail"),
    "expire_inquiry": lambda env, inquiry: inquiries.move(env, inquiry, "expire"),
    "mark_for_review_inquiry": lambda env, inquiry: inquiries.move(env, inquiry, "mark-for-review"),
    "approve_inquiry": lambda env, inquiry: inquiries.decide(env, inquiry, "approve"),
    "decline_inquiry": lambda env, inquiry: inquiries.decide(env, inquiry, "decline"),
}
_VERIFICATIONS = {"create_passed_verification": True, "create_failed_verification": False}


def perform(env: Environment, inquiry: Resource, actions: list[Any]) -> None:
    """Perform simulate actions in their order (OpenAPI: perform-simulate-actions). Raises a 400, 404, 409 or 422."""
    for index, action in enumerate(actions):
        path = f"meta.simulate_actions.{index}"
        check_shape(ACTION, action, path)
        name = action["type"]
        if name in _VERIFICATIONS:
            if "data" not in action:
                raise bad_request(f"{path}.data is missing")
            _create_verification(env, inquiry, action["data"]["verification-template-id"], passed=_VERIFICATIONS[name])
        elif name in _ACTIONS:
            _ACTIONS[name](env, inquiry)
        else:
            names = ", ".join(snake(each) for each in (*_ACTIONS, *_VERIFICATIONS))
            raise bad_request(f"{path}.type must be one of {names}")


def _create_verification(env: Environment, inquiry: Resource, template_id: str, *, passed: bool) -> None:
    kind = next((kind for kind, id in VERIFICATION_TEMPLATES.items() if id == template_id), None)
    if kind is None:
        raise not_found()
    inquiries.require_intact(inquiry)
    if inquiry.attributes["status"] == "created":
        _start(env, inquiry)
    take(env, inquiry, kind, passed=passed)


def _start(env: Environment, inquiry: Resource) -> None:
    inquiries.move(env, inquiry, "start")
    enter(env, inquiry)


def _end(env: Environment, inquiry: Resource, outcome: str) -> None:
    if inquiry.attributes["status"] == "created":
        _start(env, inquiry)
    finish(env, inquiry, outcome)


def _update_account(env: Environment, inquiry: Resource) -> None:
    account = env.related(inquiry, "account")
    if account:
        values = accounts.account_values(inquiry.attributes["fields"])
        accounts.update(env, account, {"fields": values})
