"""After a thousand operations among faults: nothing twice, nothing lost, nothing said that is not so."""

from __future__ import annotations

import pytest

from persona_block import Runner, Sandbox
from persona_block.sandbox.serving.faults import FAULTS, Faults
from tests.support.soak import soak


async def test_soak() -> None:
    report = await soak(1_000)
    assert report.untrue == []
    assert report.operations == 1_000
    assert report.succeeded > 800
    assert set(report.injected) == {fault.name for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_alone(fault: object) -> None:
    """A call whose every request is hit never succeeds by mistake, and says truly what it may have done."""
    name, processed = fault.name, fault.processed  # type: ignore[attr-defined]
    sandbox = Sandbox(faults=Faults(1.0, [name]))
    async with sandbox.serve() as base_url:
        async with Runner(api_key=sandbox.api_key, base_url=base_url, timeout=0.3, deadline=0.5) as runner:
            result = await runner.run("create_account", {"referenceId": "one"})
    created = [effect for effect in sandbox.effects if effect.name == "account.created"]
    sandbox.close()
    assert len(created) == int(processed)
    assert result.success is (name == "trickle")
    if not result.success:
        assert result.error_details is not None
        allowed = {"unknown"} if processed else {"no", "unknown"}
        assert result.error_details["tookEffect"] in allowed


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault called moon"):
        Faults(kinds=["moon"])
