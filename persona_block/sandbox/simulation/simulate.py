"""The applicant, played: every step of a flow, to the end that is asked for or that the applicant's name steers to.

Nobody is verified: the documents are drawn by the sandbox and the findings are made up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...spec.inflection import snake
from ..messages.errors import bad_request, not_found
from ..messages.shapes import ACTION, check
from ..objects import accounts, evidence, inquiries, outcomes, sessions
from ..objects.outcomes import Outcome
from ..objects.templates import STEPS, VERIFICATION_TEMPLATES
from ..state.environment import Environment
from ..state.records import Resource

OUTCOMES = ("pass", "fail", "review", "abandon")


def steered(env: Environment, inquiry: Resource) -> Outcome | None:
    """Give the outcome that the name of an inquiry's applicant steers to, or None for one who passes."""
    return outcomes.applicant_outcome(accounts.applicant_names(env, inquiry).values())


def play(env: Environment, inquiry: Resource, outcome: str | None = None) -> None:
    """Go through what is left of the flow. Raises a 409 or 422 for an inquiry that no applicant can go on with."""
    if outcome is None:
        found = steered(env, inquiry)
        outcome = found.applicant if found else "pass"
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome must be one of {', '.join(OUTCOMES)}")
    enter(env, inquiry)
    if outcome == "abandon":
        for kind in remaining(env, inquiry)[:1]:
            _begun(env, inquiry, kind)
        env.save(inquiry)
        return
    for kind in remaining(env, inquiry):
        if not take(env, inquiry, kind, passed=outcome != "fail"):
            break
    finish(env, inquiry, outcome)


def enter(env: Environment, inquiry: Resource) -> None:
    """Open the inquiry in a session and start it, if it has not started."""
    inquiries.require_intact(inquiry)
    if inquiry.attributes["status"] != "pending":
        inquiries.move(env, inquiry, "start")
    sessions.activate(env, sessions.open_or_new(env, inquiry))
    env.save(inquiry)


def remaining(env: Environment, inquiry: Resource) -> list[str]:
    """Give the verifications of the flow that the applicant has yet to pass, in their order."""
    found = env.children(inquiry, "verifications")
    passed = {verification.type for verification in found if verification.attributes["status"] == "passed"}
    return [kind for kind in STEPS[inquiries.template_of(inquiry)] if f"verification/{kind}" not in passed]


def take(env: Environment, inquiry: Resource, kind: str, *, passed: bool) -> bool:
    """Go through one verification of the flow; gives whether it passed."""
    if inquiries.take_step(inquiry, inquiries.step_name(kind)):
        env.save(inquiry, "inquiry.transitioned")
    verification = _begun(env, inquiry, kind)
    evidence.submit(env, inquiry, verification)
    evidence.finish(env, inquiry, verification, passed=passed)
    env.save(inquiry)
    return passed


def _begun(env: Environment, inquiry: Resource, kind: str) -> Resource:
    """Give the verification that an applicant who left has begun, else begin one. The caller saves the inquiry."""
    for verification in env.children(inquiry, "verifications"):
        if verification.type == f"verification/{kind}" and verification.attributes["status"] == "initiated":
            return verification
    return evidence.start(env, inquiry, kind)


def finish(env: Environment, inquiry: Resource, outcome: str) -> None:
    """End the flow, and tell the account what was learnt."""
    inquiries.move(env, inquiry, "fail" if outcome == "fail" else "complete")
    if outcome != "fail":
        _inform_account(env, inquiry)
    if outcome == "review":
        inquiries.move(env, inquiry, "mark-for-review")


# What each action of perform-simulate-actions does, the same as when the applicant or a caller does it
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
    """Perform simulate actions in their order, or none if one is impossible (OpenAPI: perform-simulate-actions)."""
    for index, action in enumerate(actions):
        path = f"meta.simulate_actions.{index}"
        check(ACTION, action, path)
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


def _inform_account(env: Environment, inquiry: Resource) -> None:
    account = env.related(inquiry, "account")
    if account:
        values = accounts.account_values(inquiry.attributes["fields"])
        accounts.update(env, account, {"fields": values})
