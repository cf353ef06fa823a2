"""The query of a request: filters, a page, related objects, fewer attributes.

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

MAX_IDS = 100
"""The ids in filter[inquiry-id], at most (docs.withpersona.com changelog, 2025-06-09)."""

MAX_SIZE = 100
DEFAULT_SIZE = 10
"""The objects on a page, at most and by default (OpenAPI: components/parameters)."""

# The last brackets are those of an array: filter[status][]=a&filter[status][]=b (docs.withpersona.com changelog, 2024-10-29).
_BRACKETED = re.compile(r"(filter|page|fields)\[([^\[\]]+)\](\[\])?")


@dataclass(frozen=True)
class FilterRule:
    """The column that a filter compares; a filter with `many` takes several values: an array, or a comma-separated list."""

    column: str
    many: bool = False


Filters = dict[str, FilterRule]
"""The filters of a list, by name."""

# `_filters` treats these by themselves.
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
    """The parts of a request's query; `filters` holds the values that each filter accepts.

    `pairs` are the parameters that a link to another page repeats.
    """

    include: list[str] | None = None
    fields: dict[str, set[str]] = field(default_factory=dict)
    filters: dict[str, list[str]] = field(default_factory=dict)
    page: dict[str, str] = field(default_factory=dict)
    pairs: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """One page of a list, with the links to its neighbours."""

    resources: list[Resource]
    prev: str | None
    next: str | None


def read_query(text: str, filters: Filters | None, *, serialized: bool = True) -> Query:
    """Read a query string. Raises a 400 that names everything the operation does not take.

    `filters` is None for an operation that is no list; `serialized` is False for one with a binary answer.
    """
    query, problems = Query(), []
    if not text:
        return query
    array_filters: dict[str, bool] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        group, member, is_array = _split(name)
        rule = (filters or {}).get(member) if group == "filter" else None
        if rule is not None and (rule.many or not is_array):
            if array_filters.setdefault(member, is_array) != is_array:
                problems.append(f"filter[{member}] must be an array or a comma-separated list, not both")
            accepted = _filter_values(rule, value, is_array=is_array)
            query.filters[member] = [*query.filters.get(member, []), *accepted] if is_array else accepted
        elif is_array:
            problems.append(f"{name} is not allowed")
        elif group == "include" and filters is None and serialized:
            query.include = [path.strip() for path in value.split(",") if path.strip()]
        elif group == "fields" and member and serialized:
            query.fields[member] = {kebab(attribute.strip()) for attribute in value.split(",")}
        elif group == "page" and member in ("after", "before", "size") and filters is not None:
            query.page[member] = value
        else:
            problems.append(f"{name} is not allowed")
        if group != "page" or member == "size":
            query.pairs.append((name, value))
    if problems:
        raise bad_request(*problems)
    return query


def list_page(env: Environment, environment: str, kind: str, query: Query, rules: Filters, path: str) -> Page:
    """Return the page of resources of a kind that a query asks for, newest first. Raises a 400."""
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
    resources = read_page(size + 1, after=after, before=before)
    more = len(resources) > size
    if more:
        resources = resources[1:] if before is not None else resources[:-1]
    if not resources:
        return Page([], None, None)
    newer = more if before is not None else bool(read_page(1, before=resources[0].seq))
    older = more if before is None else bool(read_page(1, after=resources[-1].seq))
    return Page(
        resources,
        _link(path, query, "before", resources[0].id) if newer else None,
        _link(path, query, "after", resources[-1].id) if older else None,
    )


def _split(name: str) -> tuple[str, str, bool]:
    """Return a parameter's name, the member that its brackets name in kebab-case, or "", and whether it is an array's."""
    match = _BRACKETED.fullmatch(name)
    return (match[1], kebab(match[2]), bool(match[3])) if match else (name, "", False)


def _filter_values(rule: FilterRule, value: str, *, is_array: bool) -> list[str]:
    """Return the values that one parameter of a filter accepts, without blank ones where there can be several."""
    if not rule.many:
        return [value]
    return [each.strip() for each in ([value] if is_array else value.split(",")) if each.strip()]


def _link(path: str, query: Query, direction: str, id: str) -> str:
    return f"{path}?{urlencode([*query.pairs, (f'page[{direction}]', id)], quote_via=quote, safe='')}"


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


def _filters(filters: dict[str, list[str]], rules: Filters) -> tuple[list[Filter], tuple[int | None, int | None], str | None]:
    """Return the filters on columns, the first and last moment of creation, and the report of a case. Raises a 400."""
    if NOTE in filters and len(filters) > 1:
        raise bad_request("filter[note] must be the only filter")
    created = (_moment(filters.get(CREATED_AT_START)), _moment(filters.get(CREATED_AT_END)))
    columns = []
    for name, accepted in filters.items():
        if name in (CREATED_AT_START, CREATED_AT_END, REPORT_ID):
            continue
        if rules[name].column == "id" and len(accepted) > MAX_IDS:
            raise bad_request(f"filter[{name}] takes at most {MAX_IDS} ids")
        columns.append((rules[name].column, accepted))
    return columns, created, filters.get(REPORT_ID, [None])[0]


def _moment(values: list[str] | None) -> int | None:
    try:
        return None if values is None else parse(values[0])
    except (ValueError, OverflowError):
        raise bad_request("filter[created-at-start] and filter[created-at-end] must be ISO 8601 timestamps") from None
