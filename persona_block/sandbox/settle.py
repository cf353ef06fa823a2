"""What time alone changes: inquiries and sessions expire, reports and imports finish.

It is brought up to date before anything is read or changed, one thing at a time in the order of their moments, and each
is stamped with its own moment. Nobody can tell it from a clockwork that runs all along.
"""

from __future__ import annotations

from collections.abc import Callable

from . import importers, inquiries, reports, sessions
from .environment import Environment, Organization
from .records import Resource

WHEN_DUE: dict[str, Callable[[Environment, Resource], None]] = {
    "inquiry": lambda env, inquiry: inquiries.move(env, inquiry, "expire"),
    "inquiry-session": sessions.expire,
    "report": reports.run,
    "importer": importers.run,
}


def settle(organization: Organization, now: int) -> None:
    """Do everything that is due by now; used inside a transaction."""
    while (resource := organization.store.next_due(now)) is not None:
        assert resource.due is not None
        env = Environment(organization, resource.environment, resource.due, actor="clock")
        WHEN_DUE[resource.kind](env, env.get(resource.id))
