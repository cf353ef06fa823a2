"""A deploy as a running flow meets it: the next process has other templates, and another version of the interpreter."""

from __future__ import annotations

from typing import Any

from dbos import DBOS

from persona_block import flows
from persona_block.block.build import manifest
from persona_block.flows import naming, templates


def deploy() -> None:
    """Change the document of each template, and let new flows run on a version of the interpreter with one step more."""
    for template in manifest()["templates"]:
        template["steps"].insert(0, {"id": "inserted", "host": "notify", "to": "#deploys", "text": "A new first step"})
        template["steps"][-1]["text"] = "Another text"

    @DBOS.workflow(name=naming.template_workflow(2), max_recovery_attempts=None)
    async def run_version_2(pinned: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
        await flows.notify("#deploys", "A new interpreter begins")
        return await templates.run_version_1.__wrapped__(pinned, inputs)  # type: ignore[attr-defined, no-any-return]

    naming.INTERPRETER = 2


def deploy_carelessly() -> None:
    """Insert a step under the name of the version that flows are under way on, as a deploy must not."""
    original = vars(templates)["run_document"]

    async def with_one_step_more(pinned: Any, inputs: Any, actions: Any) -> dict[str, Any]:
        await flows.notify("#deploys", "A step that was not there")
        results: dict[str, Any] = await original(pinned, inputs, actions)
        return results

    vars(templates)["run_document"] = with_one_step_more
