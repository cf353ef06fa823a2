"""Faults in process: what the sandbox did, and what the caller saw."""

from __future__ import annotations

import httpx
import pytest

from persona_block.sandbox import FAULTS, Faults, Sandbox
from persona_block.sandbox.serving.faults import Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.name))
async def test_each_fault_in_process(persona_sandbox: Sandbox, fault: Fault) -> None:
    """A call whose every request goes wrong does not succeed, and tells truly whether it may have taken effect."""
    name, processed = fault.name, fault.processed
    persona_sandbox.faults = Faults(rate=1, kinds=[name])
    async with persona_sandbox.runner(deadline=0.3) as runner:
        result = await runner.run("create_account", {"referenceId": "one"})
    assert len(persona_sandbox.effects) == int(processed)
    assert result.success is (name == "trickle")
    assert persona_sandbox.faults.injected[name] >= 1
    if not result.success:
        assert result.error_details is not None
        assert result.error_details["tookEffect"] in ({"unknown"} if processed else {"no", "unknown"})


async def test_faults_hit_the_api_alone(persona_sandbox: Sandbox) -> None:
    persona_sandbox.faults = Faults(rate=1, kinds=["garbage"])
    async with httpx.AsyncClient(transport=persona_sandbox.transport) as http:
        reply = await http.get("https://files.sandbox.invalid/a.png")
    assert reply.status_code == 403
