"""The hosted flow: what the applicant's browser sees, from the one-time link to the redirect URI.

A one-time link opens a session; from then on the browser carries the session's token, as it does at Persona. So a page can be
reloaded and a walk may take its time. What a form asks for is done only if the applicant stands where its page was, so no
second click, second tab or way back does anything twice.

Source: docs.withpersona.com/hosted-flow-parameters and /resuming-inquiries.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..messages.errors import Problem, bad_request, not_found, problem
from ..objects import inquiries, sessions
from ..objects.fields import plain
from ..objects.templates import STEPS
from ..simulation import simulate
from ..state.environment import Environment, Organization
from ..state.records import Resource
from .redirect_uri import destination, web_destination
from .web import at_present, form, guarded, page, see_other

START, DATABASE, FINISH = "start", "database", "finish"

# At the step that asks for the name, what that name steers to
AS_NAMED = "as-named"
# What can be chosen to happen at a step; at once it is one of `simulate.OUTCOMES`.
_CHOICES = {START: ("start",), DATABASE: (AS_NAMED, "pass", "fail"), FINISH: ("pass", "review")}
_STEP_CHOICES = ("pass", "fail")

# What the database step asks for, and what each is called
ASKED = {
    "name-first": "First name",
    "name-middle": "Middle name",
    "name-last": "Last name",
    "birthdate": "Date of birth",
    "address-street-1": "Street",
    "address-city": "City",
    "address-subdivision": "State or region",
    "address-postal-code": "Postal code",
    "address-country-code": "Country, as two capital letters",
}


def routes(organization: Organization) -> list[Route]:
    """Give the routes of the hosted flow."""
    flow = HostedFlow(organization)
    return [
        Route("/verify", guarded(flow.verify), methods=["GET", "POST"]),
        Route("/v/{code}", guarded(flow.short)),
    ]


@dataclass(frozen=True)
class Visit:
    """An applicant in a session of an inquiry, at a moment."""

    env: Environment
    session: Resource
    inquiry: Resource

    @property
    def place(self) -> str:
        """Where the applicant stands: `start`, the kind of the verification that is next, or `finish`."""
        if self.inquiry.attributes["status"] == "created":
            return START
        return next(iter(simulate.remaining(self.env, self.inquiry)), FINISH)

    @property
    def runs(self) -> bool:
        """Whether the inquiry can still be gone on with."""
        return self.inquiry.attributes["status"] in inquiries.RUNNING

    @property
    def url(self) -> str:
        """The session's page."""
        query = {"inquiry-id": self.inquiry.id, "session-token": sessions.token(self.env, self.session)}
        return f"/verify?{urlencode(query)}"


class HostedFlow:
    """Answers the applicants' browsers."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization

    async def short(self, request: Request) -> Response:
        """Open a one-time link in its short form."""
        return self._open(request.path_params["code"])

    async def verify(self, request: Request) -> Response:
        """Open a one-time link, or show or take a step of the session that a token names."""
        query = request.query_params
        if request.method == "POST":
            return self._take(query, await form(request))
        if "code" in query:
            return self._open(query["code"])
        if "session-token" in query:
            with at_present(self._organization) as now:
                return _show(self._visit(query, now), left="left" in query)
        return self._begin(query.get("inquiry-id", ""))

    def _open(self, code: str) -> Response:
        with at_present(self._organization) as now:
            session = sessions.open_link(self._organization, code, now)
            return see_other(self._visit_of(session, now).url)

    def _begin(self, inquiry_id: str) -> Response:
        """Open an inquiry that nobody has started, for which its id is enough."""
        with at_present(self._organization) as now:
            found = self._organization.store.get(inquiry_id)
            if found is None or found.kind != "inquiry":
                raise not_found()
            inquiries.require_intact(found)
            if found.attributes["status"] != "created":
                raise problem(403, "This inquiry has been started: it opens with a one-time link or a session token alone")
            env = Environment(self._organization, found.environment, now, actor="applicant")
            inquiry = env.get(inquiry_id)
            session = sessions.open_or_new(env, inquiry)
            env.save(inquiry)
            return see_other(Visit(env, session, inquiry).url)

    def _take(self, query: QueryParams, given: dict[str, str]) -> Response:
        with at_present(self._organization) as now:
            visit = self._visit(query, now)
            if not visit.runs:
                return see_other(visit.url)
            try:
                left = _advance(visit, given)
            except Problem as refusal:
                if refusal.status != 422 or "pointer" not in refusal.errors[0].get("source", {}):
                    raise
                return _asked_again(visit, given, refusal)
            if visit.runs:
                return see_other(f"{visit.url}&left=yes" if left else visit.url)
            return see_other(web_destination(visit.inquiry) or visit.url)

    def _visit(self, query: QueryParams, now: int) -> Visit:
        """Find the session of a request. Raises a 404, 409, 410 or 422 where there is nothing to go on with, or to look at."""
        visit = self._visit_of(sessions.by_token(self._organization, query.get("session-token", ""), now), now)
        if query.get("inquiry-id", visit.inquiry.id) != visit.inquiry.id:
            raise not_found()
        inquiries.require_intact(visit.inquiry)
        attributes = visit.inquiry.attributes
        if visit.runs:
            if visit.session.attributes["status"] == "expired":
                raise sessions.gone("This session has expired")
            sessions.activate(visit.env, visit.session)
        elif attributes["status"] == "expired":
            raise sessions.gone("This inquiry has expired")
        elif not (attributes["completed-at"] or attributes["failed-at"]):
            raise sessions.ended(422, visit.inquiry)
        return visit

    def _visit_of(self, session: Resource, now: int) -> Visit:
        env = Environment(self._organization, session.environment, now, actor="applicant")
        return Visit(env, env.get(session.id), env.get(session.relationships["inquiry"]["id"]))


def _advance(visit: Visit, given: dict[str, str]) -> bool:
    """Do what a form asks for, unless its page is one that the applicant has left behind; gives whether the applicant leaves.

    Raises a 400 or 422.
    """
    env, inquiry, place = visit.env, visit.inquiry, visit.place
    if "outcome" in given:
        return _end(visit, _one_of(given["outcome"], simulate.OUTCOMES, "outcome"))
    if given.get("step") != place:
        return False
    choice = _one_of(given.get("choice", ""), _CHOICES.get(place, _STEP_CHOICES), "choice")
    if place == START:
        simulate.enter(env, inquiry)
    elif place == FINISH:
        simulate.finish(env, inquiry, choice)
    else:
        if place == DATABASE:
            fields = {name: given[name].strip() or None for name in ASKED if name in given}
            inquiries.update(env, inquiry, {"fields": fields})
            if choice == AS_NAMED:
                found = simulate.steered(env, inquiry)
                choice = (found and found.applicant) or "pass"
                if choice == "abandon":
                    return _end(visit, choice)
        if not simulate.take(env, inquiry, place, passed=choice != "fail"):
            simulate.finish(env, inquiry, "fail")
    return False


def _end(visit: Visit, outcome: str) -> bool:
    simulate.play(visit.env, visit.inquiry, outcome)
    return outcome == "abandon"


def _one_of(value: str, known: tuple[str, ...], name: str) -> str:
    if value not in known:
        raise bad_request(f"{name} must be one of {', '.join(known)}")
    return value


def _show(visit: Visit, *, left: bool) -> Response:
    if not visit.runs:
        return page("done.html", inquiry=visit.inquiry, url=destination(visit.inquiry))
    if left:
        return page("left.html", inquiry=visit.inquiry, url=visit.url)
    values = {name: plain(visit.inquiry.attributes["fields"].get(name)) or "" for name in ASKED}
    return _step(visit, 200, values, {})


def _asked_again(visit: Visit, given: dict[str, str], refusal: Problem) -> Response:
    """Show the form once more, with what was given and what is wrong with it."""
    problems = {error["source"]["pointer"].rpartition("/")[2]: error["details"].partition(" ")[2] for error in refusal.errors}
    return _step(visit, 422, {name: given.get(name, "") for name in ASKED}, problems)


def _step(visit: Visit, status: int, values: dict[str, str], problems: dict[str, str]) -> Response:
    template_id, place = inquiries.template_of(visit.inquiry), visit.place
    steered = simulate.steered(visit.env, visit.inquiry)
    if place == FINISH and steered and steered.applicant == "fail":
        steered = None  # there is nothing left that could fail
    return page(
        "step.html",
        status,
        leads_to=web_destination(visit.inquiry),
        place=place,
        steps=(START, *STEPS[template_id], FINISH),
        template=visit.env.get(template_id).attributes["name"],
        environment=visit.env.name,
        inquiry=visit.inquiry,
        asked=ASKED,
        values=values,
        problems=problems,
        steered=steered,
    )
