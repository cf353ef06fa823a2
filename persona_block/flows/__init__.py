"""Durable workflows: operations, people and storage as steps that survive a crash, a deploy and a week of waiting.

    @DBOS.workflow(max_recovery_attempts=None)
    async def onboard(reference_id: str, contact: str) -> str:
        started = await flows.call("create_inquiry", {"inquiryTemplateId": "itmpl_…", "referenceId": reference_id})
        link = await flows.call("generate_inquiry_link", {"inquiryId": started["inquiry"]["id"]})
        await flows.notify(contact, f"Please confirm who you are: {link['oneTimeLink']}")
        ...

It needs the extra `flows`, which brings DBOS. The names are imported when they are first used; `check` needs no extra.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calls import call, map, pages
    from .checker import check
    from .client import FlowClient, connect
    from .engine import Engine, Settings
    from .people import ask, notify, store
    from .ports import Content, Message, Notifier, Ports, Reply, Store, StoredRef
    from .templates import start_template, template
    from .waits import wait

_HOMES = {
    "calls": ("call", "map", "pages"),
    "checker": ("check",),
    "client": ("FlowClient", "connect"),
    "engine": ("Engine", "Settings"),
    "people": ("ask", "notify", "store"),
    "ports": ("Content", "Message", "Notifier", "Ports", "Reply", "Store", "StoredRef"),
    "templates": ("start_template", "template"),
    "waits": ("wait",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)


__all__ = [
    "Content",
    "Engine",
    "FlowClient",
    "Message",
    "Notifier",
    "Ports",
    "Reply",
    "Settings",
    "Store",
    "StoredRef",
    "ask",
    "call",
    "check",
    "connect",
    "map",
    "notify",
    "pages",
    "start_template",
    "store",
    "template",
    "wait",
]
