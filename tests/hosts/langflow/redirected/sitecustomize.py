"""Lets Langflow's Slack block, which has one fixed address, post to the receiver of a test; Python runs this as it starts."""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from types import ModuleType

CLIENT = "lfx_slack._client"
"""The module that holds the address."""


class Redirect(importlib.abc.MetaPathFinder):
    """Finds the client of the block, and sets its address once it is loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of the client with a loader that sets the address; None for any other module."""
        if name != CLIENT:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and spec.loader:
            spec.loader = RedirectLoader(name, spec.origin or "")
        return spec


class RedirectLoader(importlib.machinery.SourceFileLoader):
    """Loads the client and sets its address."""

    def exec_module(self, module: ModuleType) -> None:
        """Load the module, and then point it at the receiver."""
        super().exec_module(module)
        vars(module)["SLACK_API_BASE_URL"] = os.environ["TEST_SLACK_URL"]


if os.environ.get("TEST_SLACK_URL"):
    sys.meta_path.insert(0, Redirect())
