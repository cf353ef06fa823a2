"""The hosted flow: the pages of the applicant, from a link to the redirect URI.

A one-time link opens a session. From then on the browser sends the session's token, as it does at Persona, so that a page can
be reloaded and the applicant can take time. A form is followed only if its page shows the step that the applicant is at, so
that a second click, a second tab or the back button does nothing twice.

Source: docs.withpersona.com/hosted-flow-parameters and /resuming-inquiries.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..messages.errors import Refusal, bad_request, not_found, refusal
from ..objects import inquiries, sessions
from ..objects.fields import plain
from ..objects.templates import STEPS
from ..simulation import simulate
from ..simulation.settle import settled
from ..state.environment import Environment, Organization
from ..state.records import Resource
from . import template_link
from .redirect_uri import destination, web_destination
from .web import form, guarded, page, see_other

START, DATABASE, FINISH = "start", "database", "finish"

AS_NAMED = "as-named"
"""The choice, at the step that asks for the name, of what the name steers to."""

# The choices at a step
_CHOICES = {START: ("start",), DATABASE: (AS_NAMED, "pass", "fail"), FINISH: ("pass", "review")}
_STEP_CHOICES = ("pass", "fail")

FIELD_LABELS = {
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
"""The fields that the database step asks for, with their labels."""


def routes(organization: Organization) -> list[Route]:
    """Return the routes of the hosted flow."""
    flow = HostedFlow(organization)
    return [
        Route("/verify", guarded(flow.verify), methods=["GET", "POST"]),
        Route("/v/{code}", guarded(flow.open_short_link)),
    ]


@dataclass(frozen=True)
class Visit:
    """An applicant in a session of an inquiry, at a moment."""

    env: Environment
    session: Resource
    inquiry: Resource

    @property
    def step(self) -> str:
        """The step that the applicant is at: `start`, the kind of the next verification, or `finish`."""
        if self.inquiry.attributes["status"] == "created":
            return START
        return next(iter(simulate.remaining(self.env, self.inquiry)), FINISH)

    @property
    def is_running(self) -> bool:
        """Whether the applicant can go on with the inquiry."""
        return self.inquiry.attributes["status"] in inquiries.RUNNING

    @property
    def url(self) -> str:
        """The address of the session's page."""
        query = {"inquiry-id": self.inquiry.id, "session-token": sessions.token(self.env, self.session)}
        return f"/verify?{urlencode(query)}"


class HostedFlow:
    """The pages of the applicants of an organisation."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization

    async def open_short_link(self, request: Request) -> Response:
        """Open a one-time link in its short form."""
        return self._open_link(request.path_params["code"])

    async def verify(self, request: Request) -> Response:
        """Open a one-time link, begin a flow of a template, or show or take a step of the session that a token names."""
        query = request.query_params
        if request.method == "POST":
            return self._submit(query, await form(request))
        if "code" in query:
            return self._open_link(query["code"])
        if template_link.begins_flow(query):
            # Another site's page can load this address into itself, but only a person follows it as a link.
            if request.headers.get("sec-fetch-dest", "document") != "document":
                raise refusal(403, "A flow begins where its link is followed, not inside another page")
            return self._begin_flow(query)
        if "session-token" in query:
            with settled(self._organization) as now:
                return _show(self._visit(query, now), left="left" in query)
        return self._open_inquiry(query.get("inquiry-id", ""))

    def _open_link(self, code: str) -> Response:
        with settled(self._organization) as now:
            session = sessions.open_link(self._organization, code, now)
            return see_other(self._visit_of(session, now).url)

    def _open_inquiry(self, inquiry_id: str) -> Response:
        """Open an inquiry by its id alone, which works until it is started. Raises a 403, 404 or 409."""
        with settled(self._organization) as now:
            stored = self._organization.store.get(inquiry_id)
            if stored is None or stored.kind != "inquiry":
                raise not_found()
            inquiries.require_intact(stored)
            if stored.attributes["status"] != "created":
                raise refusal(403, "This inquiry has been started: it opens with a one-time link or a session token alone")
            env = Environment(self._organization, stored.environment, now, actor="applicant")
            inquiry = env.get(inquiry_id)
            session = sessions.open_or_new(env, inquiry)
            env.save(inquiry)
            return see_other(Visit(env, session, inquiry).url)

    def _begin_flow(self, query: QueryParams) -> Response:
        with settled(self._organization) as now:
            env, inquiry = template_link.begin(self._organization, query, now)
            session = sessions.open_or_new(env, inquiry)
            env.save(inquiry)
            return see_other(Visit(env, session, inquiry).url)

    def _submit(self, query: QueryParams, values: dict[str, str]) -> Response:
        """Follow a form, and send the browser on."""
        with settled(self._organization) as now:
            visit = self._visit(query, now)
            if not visit.is_running:
                return see_other(visit.url)
            try:
                left = _follow_form(visit, values)
            except Refusal as error:
                if error.status != 422 or "pointer" not in error.errors[0].get("source", {}):
                    raise
                return _show_form_again(visit, values, error)
            if visit.is_running:
                return see_other(f"{visit.url}&left=yes" if left else visit.url)
            return see_other(web_destination(visit.inquiry) or visit.url)

    def _visit(self, query: QueryParams, now: int) -> Visit:
        """Return the visit of a request's session token. Raises a 404, 409, 410 or 422 where nothing can be shown."""
        visit = self._visit_of(sessions.by_token(self._organization, query.get("session-token", ""), now), now)
        if query.get("inquiry-id", visit.inquiry.id) != visit.inquiry.id:
            raise not_found()
        inquiries.require_intact(visit.inquiry)
        attributes = visit.inquiry.attributes
        if visit.is_running:
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


def _follow_form(visit: Visit, values: dict[str, str]) -> bool:
    """Do what a form asks for, unless the applicant is at another step, and return whether the applicant leaves.

    Raises a 400 or 422.
    """
    env, inquiry, step = visit.env, visit.inquiry, visit.step
    if "outcome" in values:
        return _play(visit, _one_of(values["outcome"], simulate.OUTCOMES, "outcome"))
    if values.get("step") != step:
        return False
    choice = _one_of(values.get("choice", ""), _CHOICES.get(step, _STEP_CHOICES), "choice")
    if step == START:
        simulate.enter(env, inquiry)
    elif step == FINISH:
        simulate.finish(env, inquiry, choice)
    else:
        if step == DATABASE:
            fields = {name: values[name].strip() or None for name in FIELD_LABELS if name in values}
            inquiries.update(env, inquiry, {"fields": fields})
            if choice == AS_NAMED:
                steering = simulate.steering_outcome(env, inquiry)
                choice = (steering and steering.applicant) or "pass"
                if choice == "abandon":
                    return _play(visit, choice)
        if not simulate.take(env, inquiry, step, passed=choice != "fail"):
            simulate.finish(env, inquiry, "fail")
    return False


def _play(visit: Visit, outcome: str) -> bool:
    """Take all remaining steps to an outcome, and return whether the applicant leaves."""
    simulate.play(visit.env, visit.inquiry, outcome)
    return outcome == "abandon"


def _one_of(value: str, known: tuple[str, ...], name: str) -> str:
    if value not in known:
        raise bad_request(f"{name} must be one of {', '.join(known)}")
    return value


def _show(visit: Visit, *, left: bool) -> Response:
    if not visit.is_running:
        return page("done.html", inquiry=visit.inquiry, url=destination(visit.inquiry))
    if left:
        return page("left.html", inquiry=visit.inquiry, url=visit.url)
    values = {name: plain(visit.inquiry.attributes["fields"].get(name)) or "" for name in FIELD_LABELS}
    return _step_page(visit, 200, values, {})


def _show_form_again(visit: Visit, values: dict[str, str], error: Refusal) -> Response:
    """Show a form with its values, and what is wrong with them."""
    problems = {each["source"]["pointer"].rpartition("/")[2]: each["details"].partition(" ")[2] for each in error.errors}
    return _step_page(visit, 422, {name: values.get(name, "") for name in FIELD_LABELS}, problems)


def _step_page(visit: Visit, status: int, values: dict[str, str], problems: dict[str, str]) -> Response:
    template_id, step = inquiries.template_of(visit.inquiry), visit.step
    steering = simulate.steering_outcome(visit.env, visit.inquiry)
    if step == FINISH and steering and steering.applicant == "fail":
        steering = None  # every verification has passed, so none is left that could fail
    return page(
        "step.html",
        status,
        leads_to=web_destination(visit.inquiry),
        current=step,
        steps=(START, *STEPS[template_id], FINISH),
        template=visit.env.get(template_id).attributes["name"],
        environment=visit.env.name,
        inquiry=visit.inquiry,
        labels=FIELD_LABELS,
        values=values,
        problems=problems,
        steering=steering,
    )
