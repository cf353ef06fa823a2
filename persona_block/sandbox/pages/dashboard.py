"""The dashboard: what the organisation holds and what happened to it, for a person who watches a workflow.

It shows one environment at a time, which `?environment=` chooses. It can move the time and create the one-time links of an
inquiry, as the API does, and changes nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..api.serialization import resource_object
from ..messages.errors import bad_request, not_found
from ..objects import accounts, inquiries
from ..objects.fields import plain
from ..simulation.settle import settled
from ..state.clock import HOUR, SECOND
from ..state.environment import ENVIRONMENT_IDS, ORGANIZATION, PRODUCTION, Environment, Organization
from ..state.records import Identifier, Resource
from .control import advance
from .web import form, guarded, page, see_other

PAGE_SIZE = 25
_LATEST = 8

STEPS = {"1 hour": HOUR // SECOND, "1 day": 24 * HOUR // SECOND, "7 days": 7 * 24 * HOUR // SECOND}
"""How far each button moves the time, in seconds."""

Cells = dict[str, Any]
"""A row of a list, by the headings of its columns."""


@dataclass(frozen=True)
class Collection:
    """A list: its kind of object, its own cells besides id, status and creation, and the statuses to choose from."""

    kind: str
    title: str
    cells: Callable[[Resource], Cells]
    statuses: tuple[str, ...] = ()


def _inquiry_cells(inquiry: Resource) -> Cells:
    fields = plain(inquiry.attributes["fields"])
    name = " ".join(filter(None, (fields["name-first"], fields["name-middle"], fields["name-last"])))
    return {"Name": name, "Reference id": inquiry.attributes["reference-id"]}


def _account_cells(account: Resource) -> Cells:
    name = " ".join(filter(None, accounts.names(account)))
    return {"Name": name, "Reference id": account.attributes["reference-id"]}


def _case_cells(case: Resource) -> Cells:
    return {"Name": case.attributes["name"], "Resolution": case.attributes["resolution"]}


def _report_cells(report: Resource) -> Cells:
    matches = {True: "yes", False: "no"}.get(report.attributes["has-match"])
    return {"Kind": report.subtype, "Match": matches}


def _importer_cells(importer: Resource) -> Cells:
    counts = {"New": "successful-count", "Known": "duplicate-count", "Unreadable": "error-count"}
    return {title: importer.attributes[name] for title, name in counts.items()}


COLLECTIONS = {
    "inquiries": Collection(
        "inquiry",
        "Inquiries",
        _inquiry_cells,
        ("created", "pending", "completed", "failed", "expired", "needs_review", "approved", "declined"),
    ),
    "accounts": Collection("account", "Accounts", _account_cells),
    "cases": Collection("case", "Cases", _case_cells, ("Open", "Approved", "Declined")),
    "reports": Collection("report", "Reports", _report_cells, ("pending", "ready", "errored")),
    "imports": Collection("importer", "Imports", _importer_cells, ("pending", "ready", "errored")),
}
"""The lists by their paths, in the order of the navigation."""

# The lists whose objects refer to a kind without being among its relationships, and the column they refer by
_REFERRERS = {
    "account": ("account_id", ("inquiries", "reports", "cases")),
    "inquiry": ("inquiry_id", ("reports", "cases")),
}


def routes(organization: Organization) -> list[Route]:
    """Return the routes of the dashboard."""
    dashboard = Dashboard(organization)
    return [
        Route("/", guarded(dashboard.overview)),
        Route("/dashboard/clock", guarded(dashboard.clock), methods=["POST"]),
        Route("/dashboard/requests", guarded(dashboard.requests)),
        Route("/dashboard/requests/{id}", guarded(dashboard.request)),
        Route("/dashboard/webhooks", guarded(dashboard.webhooks)),
        Route("/dashboard/objects/{id}", guarded(dashboard.detail)),
        Route("/dashboard/objects/{id}/link", guarded(dashboard.link), methods=["POST"]),
        Route("/dashboard/{collection}", guarded(dashboard.listing)),
    ]


class Dashboard:
    """The pages of an organisation."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        self._store = organization.store

    async def overview(self, request: Request) -> Response:
        """Show the number of objects, the latest requests and changes, and the time."""
        environment = _environment(request.query_params)
        with settled(self._organization) as now:
            counts = {path: self._store.count(environment, each.kind) for path, each in COLLECTIONS.items()}
            requests = self._store.latest_requests(environment, _LATEST)
            effects = self._store.latest_effects(environment, _LATEST)
            speed = self._organization.clock.speed
            return self._page(
                "overview.html", environment, now, counts=counts, requests=requests, effects=effects, speed=speed, steps=STEPS
            )

    async def clock(self, request: Request) -> Response:
        """Move the simulated time forward by one of the steps."""
        seconds = STEPS.get((await form(request)).get("advance", ""))
        if seconds is None:
            raise bad_request(f"advance must be one of {', '.join(STEPS)}")
        advance(self._organization, seconds)
        return see_other(f"/?environment={_environment(request.query_params)}")

    async def listing(self, request: Request) -> Response:
        """Show one page of a list, newest first."""
        query, path = request.query_params, request.path_params["collection"]
        environment, collection, status = _environment(query), COLLECTIONS.get(path), query.get("status")
        if collection is None or not (status is None or status in collection.statuses):
            raise not_found()
        filters = [("status", [status])] if status else []
        after, before = _number(query, "after"), _number(query, "before")
        with settled(self._organization) as now:

            def read(limit: int, after: int | None = None, before: int | None = None) -> Any:
                return self._store.page(environment, collection.kind, filters, limit, after=after, before=before)

            resources = read(PAGE_SIZE, after, before)
            newer = resources and read(1, before=resources[0].seq)
            older = resources and read(1, after=resources[-1].seq)
            return self._page(
                "list.html",
                environment,
                now,
                path=path,
                collection=collection,
                status=status,
                rows=_rows(collection, resources),
                newer=f"before={resources[0].seq}" if newer else None,
                older=f"after={resources[-1].seq}" if older else None,
            )

    async def detail(self, request: Request) -> Response:
        """Show one object: its attributes, what it is related to, and its history."""
        with settled(self._organization) as now:
            resource = self._store.get(request.path_params["id"])
            if resource is None:
                raise not_found()
            is_shared = resource.environment == ORGANIZATION
            environment = _environment(request.query_params) if is_shared else resource.environment
            env = Environment(self._organization, environment, now)
            answer = resource_object(env, resource)
            column, paths = _REFERRERS.get(resource.kind, ("", ()))
            referrers = {
                path: _rows(
                    COLLECTIONS[path],
                    self._store.page(environment, COLLECTIONS[path].kind, [(column, [resource.id])], PAGE_SIZE),
                )
                for path in paths
            }
            return self._page(
                "object.html",
                environment,
                now,
                resource=resource,
                attributes=plain(answer.get("attributes", {})),
                relationships={name: self._targets(target) for name, target in resource.relationships.items()},
                referrers={path: rows for path, rows in referrers.items() if rows},
                effects=self._store.effects(resource_id=resource.id),
                opens=resource.kind == "inquiry" and resource.attributes["status"] in inquiries.RUNNING,
                files=f"{self._organization.files_url}/",
                text=json.dumps(answer, indent=2, ensure_ascii=False),
            )

    async def link(self, request: Request) -> Response:
        """Create a one-time link of an inquiry, as the API does, and open it."""
        with settled(self._organization) as now:
            stored = self._store.get(request.path_params["id"])
            if stored is None or stored.kind != "inquiry":
                raise not_found()
            env = Environment(self._organization, stored.environment, now, actor="organization")
            link = inquiries.one_time_link(env, env.get(stored.id), None)["one-time-link"]
        # The browser may call this machine by another name than the link does.
        return see_other(link.removeprefix(self._organization.origin))

    async def requests(self, request: Request) -> Response:
        """Show a page of the requests that the API answered, newest first."""
        environment, number = _environment(request.query_params), _number(request.query_params, "page") or 1
        with settled(self._organization) as now:
            records = self._store.latest_requests(environment, PAGE_SIZE + 1, (max(number, 1) - 1) * PAGE_SIZE)
            newer = f"page={number - 1}" if number > 1 else None
            older = f"page={number + 1}" if len(records) > PAGE_SIZE else None
            return self._page("requests.html", environment, now, requests=records[:PAGE_SIZE], newer=newer, older=older)

    async def request(self, request: Request) -> Response:
        """Show one request and its changes."""
        with settled(self._organization) as now:
            record = self._store.request(request.path_params["id"])
            if record is None:
                raise not_found()
            environment = record.environment or _environment(request.query_params)
            effects = self._store.effects(request_id=record.id)
            return self._page("request.html", environment, now, record=record, effects=effects)

    async def webhooks(self, request: Request) -> Response:
        """Show the latest attempts to deliver an event."""
        with settled(self._organization) as now:
            return self._page(
                "webhooks.html", _environment(request.query_params), now, deliveries=self._store.deliveries(limit=100)
            )

    def _page(self, template: str, environment: str, now: int, **values: Any) -> Response:
        return page(
            template, environment=environment, environments=tuple(ENVIRONMENT_IDS), now=now, collections=COLLECTIONS, **values
        )

    def _targets(self, target: Any) -> list[tuple[Identifier, bool]]:
        """Return the identifiers in a relationship, each with whether it has a page."""
        targets = target if isinstance(target, list) else [target] if target else []
        return [(each, self._store.get(each["id"]) is not None) for each in targets]


def _rows(collection: Collection, resources: list[Resource]) -> list[tuple[Resource, Cells]]:
    return [(resource, collection.cells(resource)) for resource in resources]


def _environment(query: QueryParams) -> str:
    """Return the environment that a query chooses. Raises a 404 for an unknown one."""
    name = query.get("environment", PRODUCTION)
    if name not in ENVIRONMENT_IDS:
        raise not_found()
    return name


def _number(query: QueryParams, name: str) -> int | None:
    """Return a number in a query, or None. Raises a 404 for another text."""
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise not_found()
    return int(text)
