"""Screening reports of three kinds, each with attributes of its own: pending first, then ready or errored.

Sources: OpenAPI paths /reports*, schemas report-watchlist, report-adverse-media, report-politically-exposed-person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..messages.errors import bad_request, unprocessable
from ..messages.shapes import Shape, check_shape
from ..state.clock import SECOND
from ..state.environment import Environment
from ..state.records import Resource
from . import accounts, cases, inquiries, outcomes
from .fields import COUNTRY, is_date
from .templates import TEMPLATES

ReportQuery = dict[str, str | None]
"""What a report searches for, by kebab-case names."""

_NAMES = ("name-first", "name-middle", "name-last")


@dataclass(frozen=True)
class ReportKind:
    """A kind of report: the name of the country in its query, and its attributes while pending, with and without a match."""

    country_name: str
    pending: Callable[[ReportQuery], dict[str, Any]]
    findings: Callable[[ReportQuery], dict[str, Any]]
    no_findings: dict[str, Any]

    @property
    def query(self) -> Shape:
        """The shape of a query; nothing in it is required."""
        return dict.fromkeys((*_NAMES, "term", "birthdate", self.country_name), "string?")


def create(env: Environment, type_: str | None, attributes: dict[str, Any], meta: dict[str, Any]) -> Resource:
    """Create a report, which is due after the settings' delay. Raises a 400, 404 or 422."""
    template = env.get(attributes["report-template-id"], "report-template") if "report-template-id" in attributes else None
    kind_name = _kind_name(type_, template)
    kind = KINDS[kind_name]
    check_shape(kind.query, attributes["query"], "data.attributes.query")
    query = _checked_query(attributes["query"], kind)
    if attributes.get("account-id"):
        accounts.check_auto_creation(meta)
        account: Resource | None = env.get(attributes["account-id"], "account")
    else:
        names = {name: query[name] for name in _NAMES if query[name]}
        account = accounts.auto_create(env, attributes.get("reference-id"), meta, names)
    inquiry = _inquiry_of(env, account) if account else None
    template_id = template.id if template else TEMPLATES.report(kind_name)
    report = env.create(
        f"report/{kind_name}",
        {
            "status": "pending",
            "created-at": env.timestamp,
            "completed-at": None,
            "redacted-at": None,
            "report-template-version-name": "v1",
            "has-match": False,
            "is-continuous": False,
            "is-recurring": False,
            "tags": [],
            **kind.pending(query),
        },
        {
            "inquiry": inquiry.identifier if inquiry else None,
            "account": account.identifier if account else None,
            "transaction": None,
            "report-template": {"type": f"report-template/{kind_name}", "id": template_id},
        },
        private={"query": query, "reference-id": account.attributes["reference-id"] if account else None},
        due=env.now + round(env.settings.report_delay * SECOND),
        event=f"report/{kind_name}.created",
    )
    if inquiry:
        inquiry.relationships["reports"].append(report.identifier)
        env.save(inquiry)
        cases.add_report(env, inquiry, report)
    return report


def run(env: Environment, report: Resource) -> None:
    """End a report that is due, as the names in its query steer it."""
    kind, query = KINDS[report.subtype], report.private["query"]
    names = [query[name] for name in (*_NAMES, "term")]
    errored = outcomes.ends_in_error("report", names)
    matched = not errored and outcomes.report_matches(report.subtype, names)
    report.due = None
    report.attributes |= {
        "status": "errored" if errored else "ready",
        "completed-at": env.timestamp,
        "has-match": matched,
        **(kind.findings(query) if matched else kind.no_findings),
    }
    env.save(report, f"{report.type}.{report.attributes['status']}")
    if matched:
        env.log(f"{report.type}.matched", report)


def _inquiry_of(env: Environment, account: Resource) -> Resource | None:
    """Return the latest inquiry of an account that awaits a decision, or None."""
    for inquiry in reversed(env.find("inquiry", "account_id", account.id)):
        if inquiry.attributes["status"] in inquiries.UNDECIDED and not inquiry.attributes["redacted-at"]:
            return inquiry
    return None


def _kind_name(type_: str | None, template: Resource | None) -> str:
    """Return the kind in a report's type, or else its template's. Raises a 400 or 422."""
    if type_ is None and template is None:
        raise bad_request("data.type must be filled")
    template_kind = template.subtype if template else None
    name = template_kind if type_ is None else type_.removeprefix("report/")
    if name not in KINDS or (type_ is not None and type_ != f"report/{name}"):
        raise unprocessable(f"The simulation has no report of this type; it has {', '.join(sorted(KINDS))}", "/data/type")
    if template_kind not in (None, name):
        raise unprocessable("The report template is of another type", "/data/attributes/report-template-id")
    return name


def _checked_query(sent: ReportQuery, kind: ReportKind) -> ReportQuery:
    """Return a query as the report keeps it, with a term made of its names if it has none. Raises a 422."""
    query: ReportQuery = {name: sent.get(name) or None for name in (*_NAMES, "term", "birthdate")}
    query["country-code"] = sent.get(kind.country_name) or None
    pointer = "/data/attributes/query"
    if not any(query[name] for name in (*_NAMES, "term")):
        raise unprocessable("A name or a term is needed to search for", pointer)
    if query["birthdate"] and not is_date(query["birthdate"]):
        raise unprocessable("birthdate must be a date, YYYY-MM-DD", f"{pointer}/birthdate")
    if query["country-code"] and not COUNTRY.fullmatch(query["country-code"]):
        raise unprocessable("A country is two capital letters", f"{pointer}/{kind.country_name}")
    query["term"] = query["term"] or " ".join(query[name] or "" for name in _NAMES if query[name])
    return query


def _flat(query: ReportQuery) -> dict[str, Any]:
    return {name: query[name] for name in (*_NAMES, "term", "birthdate", "country-code")}


def _watchlist_findings(query: ReportQuery) -> dict[str, Any]:
    entity: dict[str, Any] = {"name": query["term"], "alias-type": "primary", "birthdates": []}
    if query["birthdate"]:
        year, month, day = query["birthdate"].split("-")
        entity["birthdates"] = [{"day": day, "month": month, "year": year, "granularity": "day"}]
    return {
        "matched-lists": [
            {
                "name": "Simulated Sanctions List",
                "url": "https://sanctions.sandbox.invalid/",
                "list-type": "sanction",
                "list-types": ["sanction"],
                "slug": "simulated-sanctions",
                "flag-code": "XX",
                "entities": [entity],
            }
        ]
    }


def _adverse_media_pending(query: ReportQuery) -> dict[str, Any]:
    birthdate = query["birthdate"]
    return {
        **_flat(query),
        "birthdate-year": int(birthdate[:4]) if birthdate else None,
        "related-sources": [],
        "ignore-list-media": {},
        "ignore-list-entity": [],
    }


def _adverse_media_findings(query: ReportQuery) -> dict[str, Any]:
    return {
        "related-sources": [
            {
                "name": query["term"],
                "akas": [],
                "birthdates": [query["birthdate"]] if query["birthdate"] else [],
                "match-types": ["name_exact"],
                "media": [
                    {
                        "title": f"Simulated article about {query['term']}",
                        "snippet": "This article does not exist: it is part of a simulation.",
                        "url": "https://press.sandbox.invalid/article",
                        "date": "2024-01-02",
                    }
                ],
                "sources": [{"name": "Simulated Press", "types": ["adverse-media"], "country-codes": ["US"]}],
                "entity-id": "simulated-entity",
            }
        ]
    }


def _politically_exposed_findings(query: ReportQuery) -> dict[str, Any]:
    return {
        "result": [
            {
                "entity-id": "simulated-entity",
                "name": query["term"],
                "birthdates": [query["birthdate"]] if query["birthdate"] else [],
                "death-dates": [],
                "locations": [],
                "country": query["country-code"] or "US",
                "sex": None,
                "topics": ["role.pep"],
                "positions": [
                    {
                        "pep-class": "PEP_CLASS_1",
                        "source-key": "simulated",
                        "name": "Member of a simulated parliament",
                        "topics": ["gov.national"],
                        "start-date": "2020-01-01",
                        "end-date": None,
                    }
                ],
                "associates": [],
                "affiliations": [],
                "related-urls": [],
                "images": [],
                "sources": {
                    "simulated": {
                        "url": "https://parliament.sandbox.invalid/",
                        "name": "Simulated Parliament",
                        "flag-code": "XX",
                    }
                },
                "match-types": ["name_exact"],
                "pep-type": "national",
            }
        ]
    }


KINDS: dict[str, ReportKind] = {
    "watchlist": ReportKind(
        "address-country-code",
        lambda query: {**_flat(query), "matched-lists": [], "ignore-list": []},
        _watchlist_findings,
        {"matched-lists": []},
    ),
    "adverse-media": ReportKind("country-code", _adverse_media_pending, _adverse_media_findings, {"related-sources": []}),
    "politically-exposed-person": ReportKind(
        "country-code",
        # The schema admits no null here, so what is not known is left out.
        lambda query: {"query": {name: value for name, value in query.items() if value}, "result": None, "ignore-list": []},
        _politically_exposed_findings,
        {"result": []},
    ),
}
