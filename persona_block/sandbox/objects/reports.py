"""Screening reports of three kinds, each with attributes of its own shape; pending first, then ready or errored.

Sources: OpenAPI paths /reports*, schemas report-watchlist, report-adverse-media, report-politically-exposed-person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..messages.errors import bad_request, unprocessable
from ..messages.shapes import Shape, check
from ..state.clock import SECOND
from ..state.environment import Environment
from ..state.records import Resource
from . import accounts, cases, inquiries, outcomes
from .fields import COUNTRY, is_date
from .templates import TEMPLATES

Query = dict[str, str | None]

_NAMES = ("name-first", "name-middle", "name-last")


@dataclass(frozen=True)
class Kind:
    """A kind of report: its country's key in a query, its attributes while pending, and what a run adds to them."""

    country_key: str
    pending: Callable[[Query], dict[str, Any]]
    findings: Callable[[Query], dict[str, Any]]
    nothing: dict[str, Any]

    @property
    def query(self) -> Shape:
        """What a query may hold; no key is required by itself."""
        return dict.fromkeys((*_NAMES, "term", "birthdate", self.country_key), "string?")


def create(env: Environment, type_: str | None, attributes: dict[str, Any], meta: dict[str, Any]) -> Resource:
    """Order a report, which becomes ready after the settings' delay. Raises a 400, 404 or 422."""
    template = env.get(attributes["report-template-id"], "report-template") if "report-template-id" in attributes else None
    kind_name = _kind_name(type_, template)
    kind = KINDS[kind_name]
    check(kind.query, attributes["query"], "data.attributes.query")
    query = _checked_query(attributes["query"], kind)
    if attributes.get("account-id"):
        accounts.check_auto_create(meta)
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
    """Finish a report whose time has come, as the names in its query ask for."""
    kind_name = report.type.partition("/")[2]
    kind, query = KINDS[kind_name], report.private["query"]
    words = [query[name] for name in (*_NAMES, "term")]
    errored = outcomes.ends_in_error("report", words)
    matched = not errored and outcomes.report_matches(kind_name, words)
    report.due = None
    report.attributes |= {
        "status": "errored" if errored else "ready",
        "completed-at": env.timestamp,
        "has-match": matched,
        **(kind.findings(query) if matched else kind.nothing),
    }
    env.save(report, f"{report.type}.{report.attributes['status']}")
    if matched:
        env.log(f"{report.type}.matched", report)


def _inquiry_of(env: Environment, account: Resource) -> Resource | None:
    """Give the latest inquiry of an account that is still to be decided, which a report that is ordered now serves."""
    found = env.find("inquiry", "account_id", account.id)
    open_ones = (each for each in reversed(found) if each.attributes["status"] in inquiries.UNDECIDED)
    return next((each for each in open_ones if not each.attributes["redacted-at"]), None)


def _kind_name(type_: str | None, template: Resource | None) -> str:
    """Give the kind that a report's type, or else its template, names. Raises a 400 or 422."""
    if type_ is None and template is None:
        raise bad_request("data.type must be filled")
    of_template = template.type.partition("/")[2] if template else None
    name = of_template if type_ is None else type_.removeprefix("report/")
    if name not in KINDS or (type_ is not None and type_ != f"report/{name}"):
        raise unprocessable(f"The simulation has no report of this type; it has {', '.join(sorted(KINDS))}", "/data/type")
    if of_template not in (None, name):
        raise unprocessable("The report template is of another type", "/data/attributes/report-template-id")
    return name


def _checked_query(given: Query, kind: Kind) -> Query:
    """Complete a query, with a term where there is none. Raises a 422 for what cannot be searched."""
    query: Query = {key: given.get(key) or None for key in (*_NAMES, "term", "birthdate")}
    query["country-code"] = given.get(kind.country_key) or None
    pointer = "/data/attributes/query"
    if not any(query[key] for key in (*_NAMES, "term")):
        raise unprocessable("A name or a term is needed to search for", pointer)
    if query["birthdate"] and not is_date(query["birthdate"]):
        raise unprocessable("birthdate must be a date, YYYY-MM-DD", f"{pointer}/birthdate")
    if query["country-code"] and not COUNTRY.fullmatch(query["country-code"]):
        raise unprocessable("A country is two capital letters", f"{pointer}/{kind.country_key}")
    query["term"] = query["term"] or " ".join(query[name] or "" for name in _NAMES if query[name])
    return query


def _flat(query: Query) -> dict[str, Any]:
    return {key: query[key] for key in (*_NAMES, "term", "birthdate", "country-code")}


def _watchlist_findings(query: Query) -> dict[str, Any]:
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


def _adverse_media_pending(query: Query) -> dict[str, Any]:
    birthdate = query["birthdate"]
    return {
        **_flat(query),
        "birthdate-year": int(birthdate[:4]) if birthdate else None,
        "related-sources": [],
        "ignore-list-media": {},
        "ignore-list-entity": [],
    }


def _adverse_media_findings(query: Query) -> dict[str, Any]:
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


def _politically_exposed_findings(query: Query) -> dict[str, Any]:
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


KINDS: dict[str, Kind] = {
    "watchlist": Kind(
        "address-country-code",
        lambda query: {**_flat(query), "matched-lists": [], "ignore-list": []},
        _watchlist_findings,
        {"matched-lists": []},
    ),
    "adverse-media": Kind("country-code", _adverse_media_pending, _adverse_media_findings, {"related-sources": []}),
    "politically-exposed-person": Kind(
        "country-code",
        # Where the schema admits no null, as for a birthdate here, what is not known is left out.
        lambda query: {"query": {key: value for key, value in query.items() if value}, "result": None, "ignore-list": []},
        _politically_exposed_findings,
        {"result": []},
    ),
}
