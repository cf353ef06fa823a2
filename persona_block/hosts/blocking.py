"""Coroutines for callers that block: a thread of their own where the caller's runs an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_blocking(make_coroutine: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Return what a coroutine gives, from a thread with or without an event loop, which waits for it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(make_coroutine())
    context = copy_context()
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(context.run, lambda: asyncio.run(make_coroutine())).result()
