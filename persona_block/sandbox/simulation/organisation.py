"""A populated organisation to explore: 200 accounts, and their history of the last 30 days.

The same code that answers requests creates the accounts, plays the applicants and decides, at moments in the past. So all of
its objects agree with each other. The same seed gives the same organisation.
"""

from __future__ import annotations

from random import Random

from ..objects import accounts, importers, inquiries, reports
from ..objects.templates import TEMPLATES
from ..state.clock import DAY, HOUR, MINUTE, SECOND
from ..state.environment import PRODUCTION, Environment, Organization
from ..state.records import Resource
from . import simulate
from .settle import settle_until

ACCOUNTS = 200
HISTORY = 30 * DAY

_FIRST = (
    "Ada", "Amir", "Bea", "Carlos", "Chen", "Dana", "Elif", "Emeka", "Freya", "Goran", "Hana", "Ines",
    "Jonas", "Kavya", "Lena", "Mateo", "Noor", "Olga", "Paulo", "Quinn", "Rosa", "Sven", "Tariq", "Yuki",
)  # fmt: skip
_LAST = (
    "Abbott", "Bergström", "Costa", "Dlamini", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jensen", "Kaya",
    "Lindqvist", "Moreau", "Nakamura", "Okafor", "Petrov", "Quiroga", "Rossi", "Silva", "Tanaka", "Ueda", "Varga",
)  # fmt: skip
_CITIES = (("San Francisco", "California", "94111"), ("Denver", "Colorado", "80202"), ("Boston", "Massachusetts", "02108"))
_TAGS = ("vip", "newsletter", "partner", "beta")

# The statuses that inquiries end in, in turn
_FINAL_STATUSES = ("approved", "completed", "needs_review", "created", "declined", "failed", "expired", "pending")
_FLOWS = (TEMPLATES.inquiry, TEMPLATES.inquiry, TEMPLATES.database, TEMPLATES.document)
# The kind of a report, and the last name that steers it
_SCREENINGS = (
    ("watchlist", None),
    ("adverse-media", "Press"),
    ("politically-exposed-person", None),
    ("watchlist", "Sanctioned"),
    ("adverse-media", None),
    ("politically-exposed-person", "Politician"),
    ("watchlist", "ReportError"),
)


def populate(organization: Organization, now: int) -> None:
    """Create the history of an organisation up to now, in milliseconds; used inside a transaction."""
    random = Random(organization.secret)  # noqa: S311
    step = HISTORY // ACCOUNTS
    for number in range(ACCOUNTS):
        moment = now - HISTORY + number * step
        account = _create_account(_at(organization, moment), random, number)
        if number % 3 == 0:
            round_number, turn = divmod(number // 3, len(_FINAL_STATUSES))
            flow = _FLOWS[(round_number + turn) % len(_FLOWS)]
            _create_inquiry(organization, moment + 5 * MINUTE, account, flow, _FINAL_STATUSES[turn])
        if number % 7 == 1:
            _create_report(organization, moment + 2 * HOUR, account, *_SCREENINGS[number // 7 % len(_SCREENINGS)])
    moment = now - 10 * MINUTE
    importers.create(_at(organization, moment), b"reference_id,name_first,name_last\nimported-1,Ida,Import\ncustomer-0001,,\n")
    settle_until(organization, now)
    # An import and a report that are still pending
    importers.create(_at(organization, now), b"reference_id,name_first\nimported-2,Pia\n")
    _create_report(organization, now, account, "watchlist", None)


def _at(organization: Organization, moment: int) -> Environment:
    """Return the production environment at a moment, with everything done that was due by then."""
    settle_until(organization, moment)
    return Environment(organization, PRODUCTION, moment, actor="organization")


def _create_account(env: Environment, random: Random, number: int) -> Resource:
    first, last = random.choice(_FIRST), random.choice(_LAST)
    city, subdivision, postal_code = random.choice(_CITIES)
    attributes = {
        "reference-id": f"customer-{number + 1:04}",
        "name-first": first,
        "name-last": last,
        "birthdate": f"{random.randint(1950, 2004)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}",
        "email-address": f"customer-{number + 1:04}@example.com",
        "address-street-1": f"{random.randint(1, 999)} Simulation Way",
        "address-city": city,
        "address-subdivision": subdivision,
        "address-postal-code": postal_code,
        "country-code": "US",
        "tags": sorted(random.sample(_TAGS, random.randint(0, 2))),
    }
    return accounts.create(env, attributes)[0]


def _create_inquiry(organization: Organization, moment: int, account: Resource, flow: str, final_status: str) -> None:
    """Create an inquiry, and bring it to the status that it ends in."""
    env = _at(organization, moment)
    names = dict(zip(("name-first", "name-middle", "name-last"), accounts.names(account), strict=True))
    running = final_status in ("created", "pending")
    meta = {"expiration-after-create-interval-seconds": 2 * HISTORY // SECOND} if running else {}
    attributes = {"inquiry-template-id": flow, "account-id": account.id, "fields": names, "tags": ["onboarding"]}
    inquiry, _ = inquiries.create(env, attributes, meta)
    if final_status in ("created", "expired"):
        return
    later = _at(organization, moment + 5 * MINUTE)
    inquiry = later.get(inquiry.id)
    if final_status == "pending":
        simulate.play(later, inquiry, "abandon")
        return
    outcome = {"failed": "fail", "needs_review": "review", "declined": "review"}.get(final_status, "pass")
    simulate.play(later, inquiry, outcome)
    if final_status in ("approved", "declined"):
        decided = _at(organization, moment + HOUR)
        action = "approve" if final_status == "approved" else "decline"
        inquiries.decide(decided, decided.get(inquiry.id), action, f"{final_status.capitalize()} by hand")


def _create_report(organization: Organization, moment: int, account: Resource, kind: str, last_name: str | None) -> None:
    env = _at(organization, moment)
    first, _, last = accounts.names(account)
    query = {"name-first": first, "name-last": last_name or last}
    reports.create(env, f"report/{kind}", {"query": query, "account-id": account.id}, {})
