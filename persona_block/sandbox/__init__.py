"""An offline Persona to build and test against: a simulation of its HTTP API that verifies nobody."""

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
    from .state.settings import Settings
    from .webhook.events import EVENTS, Webhook

_MODULES = {
    "CHOICES": "state.choices",
    "EVENTS": "webhook.events",
    "FAULTS": "serving.faults",
    "Faults": "serving.faults",
    "OUTCOMES": "objects.outcomes",
    "Sandbox": "simulator",
    "SandboxError": "simulator",
    "Settings": "state.settings",
    "TEMPLATES": "objects.templates",
    "Webhook": "webhook.events",
    "create_app": "serving.app",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})


__all__ = [
    "CHOICES",
    "EVENTS",
    "FAULTS",
    "OUTCOMES",
    "TEMPLATES",
    "Faults",
    "Sandbox",
    "SandboxError",
    "Settings",
    "Webhook",
    "create_app",
]
