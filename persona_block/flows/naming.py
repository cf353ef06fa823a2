"""The names under which flows stand in the engine's database; they outlive a deploy and never change their meaning."""

from __future__ import annotations

APPLICATION = "persona-flows"
APPLICATION_VERSION = "1"
"""The same for good: the engine goes on with no work of another version. Code that changes gets a new workflow name."""
QUEUE = "persona-flows"
"""The queue of flows that another process starts. It has no limit: a flow that waits for days would hold its place."""
INTERPRETER = 1
"""The version of the interpreter that new flows run on. A version that takes other durable steps gets the next number, and the
one before stays for the flows that are under way on it."""


def template_workflow(interpreter: int = INTERPRETER) -> str:
    """Return the name of the workflow that runs documents on one version of the interpreter."""
    return f"persona-template-v{interpreter}"
