"""Lets Langflow's Slack block, which has one fixed address, post to the receiver of a test; Python runs this as it starts."""

import importlib.abc
import importlib.util
import os
import sys
from types import ModuleType
from typing import Any


class _Redirect(importlib.abc.MetaPathFinder):
    """Imports the client of the block, and then sets its address."""

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> None:  # noqa: ARG002
        if name == "lfx_slack._client":
            sys.meta_path.remove(self)
            client: Any = importlib.import_module(name)
            client.SLACK_API_BASE_URL = os.environ["TEST_SLACK_URL"]


if os.environ.get("TEST_SLACK_URL"):
    sys.meta_path.insert(0, _Redirect())
