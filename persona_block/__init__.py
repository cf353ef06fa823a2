"""Persona's identity verification as declarative operations in one block.

The public names are imported when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib

from .version import __version__

# Importing `typing` takes twice as long as all the rest here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import webhooks
    from .block.prebuilt import manifest
    from .blocking import BlockingRunner, run_sync
    from .call.bulk import Mapped
    from .call.progress import ProgressUpdate
    from .call.result import ToolResult
    from .errors import (
        ApiError,
        Conflict,
        DeliveryError,
        Forbidden,
        InDoubt,
        InputError,
        NotFound,
        PersonaError,
        Problem,
        RateLimited,
        Rejected,
        ResponseError,
        SignatureError,
        SpecError,
        TransportError,
        Unauthorized,
        Unavailable,
        WaitError,
        WaitFailed,
        WaitTimedOut,
        WebhookError,
    )
    from .files.reference import FileRef
    from .files.rules import FileRules
    from .files.store import FileStore
    from .runner import Runner
    from .sandbox import Sandbox as Sandbox
    from .spec.catalog import load, names, operation
    from .spec.grammar import OperationName, ToolSpec

_HOMES = {
    "block": ("manifest",),
    "errors": (
        "ApiError",
        "Conflict",
        "DeliveryError",
        "Forbidden",
        "InDoubt",
        "InputError",
        "NotFound",
        "PersonaError",
        "Problem",
        "RateLimited",
        "Rejected",
        "ResponseError",
        "SignatureError",
        "SpecError",
        "TransportError",
        "Unauthorized",
        "Unavailable",
        "WaitError",
        "WaitFailed",
        "WaitTimedOut",
        "WebhookError",
    ),
    "files": ("FileRef", "FileRules", "FileStore"),
    "blocking": ("BlockingRunner", "run_sync"),
    "call.bulk": ("Mapped",),
    "call.progress": ("ProgressUpdate",),
    "call.result": ("ToolResult",),
    "runner": ("Runner",),
    "sandbox": ("Sandbox",),
    "spec": ("OperationName", "ToolSpec", "load", "names", "operation"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "webhooks":
        return importlib.import_module(".webhooks", __name__)
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF, "webhooks"})


# Sandbox is imported by its name alone: it needs an extra, and `from persona_block import *` works without any.
__all__ = [
    "ApiError",
    "BlockingRunner",
    "Conflict",
    "DeliveryError",
    "FileRef",
    "FileRules",
    "FileStore",
    "Forbidden",
    "InDoubt",
    "InputError",
    "Mapped",
    "NotFound",
    "OperationName",
    "PersonaError",
    "Problem",
    "ProgressUpdate",
    "RateLimited",
    "Rejected",
    "ResponseError",
    "Runner",
    "SignatureError",
    "SpecError",
    "ToolResult",
    "ToolSpec",
    "TransportError",
    "Unauthorized",
    "Unavailable",
    "WaitError",
    "WaitFailed",
    "WaitTimedOut",
    "WebhookError",
    "__version__",
    "load",
    "manifest",
    "names",
    "operation",
    "run_sync",
    "webhooks",
]
