"""An offline Persona to build and test against: a labelled simulation that verifies nobody.

`Sandbox` is all of it. It speaks Persona's HTTP API, in process or on a loopback port, and needs no account, key or
network. What it cannot know about the live service it chooses, and lists in `CHOICES`; names that steer the outcome of a
flow are in `OUTCOMES`, what can go wrong with a call in `FAULTS`, what a webhook is told in `EVENTS`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .objects.outcomes import OUTCOMES
    from .objects.templates import TEMPLATES
    from .serving.app import create_app
    from .serving.faults import FAULTS, Faults
    from .simulator import Sandbox, SandboxError
    from .state.choices import CHOICES
    from .webhook.events import EVENTS

_HOME_OF = {
    "CHOICES": "state.choices",
    "EVENTS": "webhook.events",
    "FAULTS": "serving.faults",
    "Faults": "serving.faults",
    "OUTCOMES": "objects.outcomes",
    "Sandbox": "simulator",
    "SandboxError": "simulator",
    "TEMPLATES": "objects.templates",
    "create_app": "serving.app",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})


__all__ = ["CHOICES", "EVENTS", "FAULTS", "OUTCOMES", "TEMPLATES", "Faults", "Sandbox", "SandboxError", "create_app"]
