"""What a request's query asks for: filters, a page, related objects, fewer attributes.

Sources: OpenAPI components/parameters; docs.withpersona.com/pagination and /serialization.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode

from ...spec.inflection import kebab
from ..messages.errors import bad_request
from ..state.clock import parse
from ..state.environment import Environment
from ..state.records import Resource
from ..state.store import Filter

MAX_IDS = 100  # of filter[inquiry-id]; docs.withpersona.com changelog, 2025-06-09
MAX_SIZE = 100
DEFAULT_SIZE = 10

_BRACKETED = re.compile(r"(filter|page|fields)\[([^\[\]]+)\]")


@dataclass(frozen=True)
class FilterRule:
    """The column that a filter looks at; `many` filters take a comma-separated list."""

    column: str
    many: bool = False


# created-at and report-id are no columns of their own; the page below knows them.
Filters = dict[str, FilterRule]

CREATED_AT_START = "created-at-start"
CREATED_AT_END = "created-at-end"
REPORT_ID = "report-id"
NOTE = "note"

INQUIRY_FILTERS: Filters = {
    "inquiry-id": FilterRule("id", many=True),
    "account-id": FilterRule("account_id", many=True),
    NOTE: FilterRule("note"),
    "reference-id": FilterRule("reference_id"),
    "inquiry-template-id": FilterRule("template_id", many=True),
    "template-id": FilterRule("template_id", many=True),
    "status": FilterRule("status", many=True),
    CREATED_AT_START: FilterRule("created"),
    CREATED_AT_END: FilterRule("created"),
}
ACCOUNT_FILTERS: Filters = {"reference-id": FilterRule("reference_id", many=True)}
CASE_FILTERS: Filters = {
    "status": FilterRule("status"),
    "case-template-id": FilterRule("template_id"),
    "account-id": FilterRule("account_id"),
    "reference-id": FilterRule("reference_id"),
    "inquiry-id": FilterRule("inquiry_id"),
    REPORT_ID: FilterRule("document"),
}
REPORT_FILTERS: Filters = {"reference-id": FilterRule("reference_id"), "account-id": FilterRule("account_id")}
NO_FILTERS: Filters = {}


@dataclass
class Query:
    """A read query; `text` is what a link to another page repeats."""

    include: list[str] | None = None
    fields: dict[str, set[str]] = field(default_factory=dict)
    filters: dict[str, str] = field(default_factory=dict)
    page: dict[str, str] = field(default_factory=dict)
    text: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """One page of a list, with the links to the ones around it."""

    resources: list[Resource]
    prev: str | None
    next: str | None


def read(text: str, filters: Filters | None, *, serialized: bool = True) -> Query:
    """Read a query string. `filters` is None for an operation that lists nothing; `serialized` False for a binary one.

    Raises a 400 that names everything the operation does not take.
    """
    query, problems = Query(), []
    for name, value in parse_qsl(text, keep_blank_values=True):
        group, key = _split(name)
        if group == "include" and filters is None and serialized:
            query.include = [path.strip() for path in value.split(",") if path.strip()]
        elif group == "fields" and key and serialized:
            query.fields[kebab(key)] = {kebab(attribute.strip()) for attribute in value.split(",")}
        elif group == "page" and kebab(key) in ("after", "before", "size") and filters is not None:
            query.page[kebab(key)] = value
        elif group == "filter" and filters is not None and kebab(key) in filters:
            query.filters[kebab(key)] = value
        else:
            problems.append(f"{name} is not allowed")
            continue
        if group != "page" or kebab(key) == "size":
            query.text.append((name, value))
    if problems:
        raise bad_request(*problems)
    return query


def list_page(env: Environment, environment: str, kind: str, query: Query, rules: Filters, path: str) -> Page:
    """List the resources of a kind that a query asks for, newest first. Raises a 400 for a query that contradicts itself."""
    size = _size(query.page.get("size"))
    filters, created, report_id = _filters(query.filters, rules)

    def read_page(limit: int, *, after: int | None = None, before: int | None = None) -> list[Resource]:
        return env.store.page(
            environment, kind, filters, limit, after=after, before=before, created=created, report_id=report_id
        )

    if "after" in query.page and "before" in query.page:
        raise bad_request("page[after] and page[before] cannot be used together")
    after = _cursor(env, environment, kind, query.page.get("after"))
    before = _cursor(env, environment, kind, query.page.get("before"))
    found = read_page(size + 1, after=after, before=before)
    more = len(found) > size
    resources = (found[1:] if before is not None else found[:-1]) if more else found
    if not resources:
        return Page([], None, None)
    newer = more if before is not None else bool(read_page(1, before=resources[0].seq))
    older = more if before is None else bool(read_page(1, after=resources[-1].seq))
    return Page(
        resources,
        _link(path, query, "before", resources[0].id) if newer else None,
        _link(path, query, "after", resources[-1].id) if older else None,
    )


def _split(name: str) -> tuple[str, str]:
    match = _BRACKETED.fullmatch(name)
    return (match[1], match[2]) if match else (name, "")


def _link(path: str, query: Query, direction: str, id: str) -> str:
    return f"{path}?{urlencode([*query.text, (f'page[{direction}]', id)], quote_via=quote, safe='')}"


def _size(text: str | None) -> int:
    if text is None:
        return DEFAULT_SIZE
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= MAX_SIZE):
        raise bad_request(f"page[size] must be a whole number from 1 to {MAX_SIZE}")
    return int(text)


def _cursor(env: Environment, environment: str, kind: str, id: str | None) -> int | None:
    if id is None:
        return None
    resource = env.store.get(id)
    if resource is None or (resource.kind, resource.environment) != (kind, environment):
        raise bad_request("page[after] and page[before] must be the id of an object of this list")
    return resource.seq


def _filters(given: dict[str, str], rules: Filters) -> tuple[list[Filter], tuple[int | None, int | None], str | None]:
    """Sort filters into those on columns, the range of creation, and the report of a case."""
    if NOTE in given and len(given) > 1:
        raise bad_request("filter[note] must be the only filter")
    created = (_moment(given.get(CREATED_AT_START)), _moment(given.get(CREATED_AT_END)))
    columns = []
    for name, value in given.items():
        if name in (CREATED_AT_START, CREATED_AT_END, REPORT_ID):
            continue
        rule = rules[name]
        values = [part.strip() for part in value.split(",") if part.strip()] if rule.many else [value]
        if rule.column == "id" and len(values) > MAX_IDS:
            raise bad_request(f"filter[{name}] takes at most {MAX_IDS} ids")
        columns.append((rule.column, values))
    return columns, created, given.get(REPORT_ID)


def _moment(text: str | None) -> int | None:
    try:
        return None if text is None else parse(text)
    except (ValueError, OverflowError):
        raise bad_request("filter[created-at-start] and filter[created-at-end] must be ISO 8601 timestamps") from None
