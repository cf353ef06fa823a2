"""A populated organisation to explore: 200 accounts and what happened to them in the last 30 days.

It is lived through, not written down: the same code that answers requests creates the accounts, plays the applicants and
decides, at moments in the past. So everything in it agrees with everything else, and the seed repeats all of it.
"""

from __future__ import annotations

from random import Random

from ..objects import accounts, importers, inquiries, reports
from ..objects.templates import TEMPLATES
from ..state.clock import DAY, HOUR, MINUTE, SECOND
from ..state.environment import PRODUCTION, Environment, Organization
from ..state.records import Resource
from . import simulate
from .settle import settle

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

# One story after another, each for an inquiry: the status that it ends in
_STORIES = ("approved", "completed", "needs_review", "created", "declined", "failed", "expired", "pending")
_FLOWS = (TEMPLATES.inquiry, TEMPLATES.inquiry, TEMPLATES.database, TEMPLATES.document)
# Report kind, and the last name that steers it
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
    """Live through the history of an organisation up to now; used inside a transaction."""
    random = Random(organization.secret)  # noqa: S311
    step = HISTORY // ACCOUNTS
    for number in range(ACCOUNTS):
        moment = now - HISTORY + number * step
        account = _account(_at(organization, moment), random, number)
        if number % 3 == 0:
            told, story = divmod(number // 3, len(_STORIES))
            _live(organization, moment + 5 * MINUTE, account, _FLOWS[(told + story) % len(_FLOWS)], _STORIES[story])
        if number % 7 == 1:
            _screen(organization, moment + 2 * HOUR, account, *_SCREENINGS[number // 7 % len(_SCREENINGS)])
    moment = now - 10 * MINUTE
    importers.create(_at(organization, moment), b"reference_id,name_first,name_last\nimported-1,Ida,Import\ncustomer-0001,,\n")
    settle(organization, now)
    # One of each that is still under way
    importers.create(_at(organization, now), b"reference_id,name_first\nimported-2,Pia\n")
    _screen(organization, now, account, "watchlist", None)


def _at(organization: Organization, moment: int) -> Environment:
    """Give the production environment at a moment, after everything that was due by then."""
    settle(organization, moment)
    return Environment(organization, PRODUCTION, moment, actor="organization")


def _account(env: Environment, random: Random, number: int) -> Resource:
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


def _live(organization: Organization, moment: int, account: Resource, flow: str, story: str) -> None:
    """Create an inquiry and let it come to the status that its story ends in."""
    env = _at(organization, moment)
    names = dict(zip(("name-first", "name-middle", "name-last"), accounts.names(account), strict=True))
    running = story in ("created", "pending")
    meta = {"expiration-after-create-interval-seconds": 2 * HISTORY // SECOND} if running else {}
    attributes = {"inquiry-template-id": flow, "account-id": account.id, "fields": names, "tags": ["onboarding"]}
    inquiry, _ = inquiries.create(env, attributes, meta)
    if story in ("created", "expired"):
        return
    later = _at(organization, moment + 5 * MINUTE)
    inquiry = later.get(inquiry.id)
    if story == "pending":
        simulate.play(later, inquiry, "abandon")
        return
    simulate.play(later, inquiry, {"failed": "fail", "needs_review": "review", "declined": "review"}.get(story, "pass"))
    if story in ("approved", "declined"):
        decided = _at(organization, moment + HOUR)
        action = "approve" if story == "approved" else "decline"
        inquiries.decide(decided, decided.get(inquiry.id), action, f"{story.capitalize()} by hand")


def _screen(organization: Organization, moment: int, account: Resource, kind: str, last: str | None) -> None:
    env = _at(organization, moment)
    first, _, own = accounts.names(account)
    query = {"name-first": first, "name-last": last or own}
    reports.create(env, f"report/{kind}", {"query": query, "account-id": account.id}, {})
