"""Leaves out the frameworks that are not installed here: `make frameworks` gives them environments of their own."""

from __future__ import annotations

from importlib.util import find_spec

MODULES = {
    "test_agent_framework.py": "agent_framework",
    "test_autogen.py": "autogen_agentchat",
    "test_claude_agent_sdk.py": "claude_agent_sdk",
    "test_crewai.py": "crewai",
    "test_dspy.py": "dspy",
    "test_google_adk.py": "google.adk",
    "test_haystack.py": "haystack",
    "test_llama_index.py": "llama_index.core",
    "test_smolagents.py": "smolagents",
}
"""What each file needs."""


def is_installed(module: str) -> bool:
    """Return whether a module is here, without importing it; of a package, its parents are imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


collect_ignore = [name for name, module in MODULES.items() if not is_installed(module)]
