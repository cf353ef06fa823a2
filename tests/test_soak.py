"""Many operations among faults: nothing happens twice, nothing is lost, and no caller is told what is not so."""

from __future__ import annotations

import pytest

from persona_block import Runner, Sandbox
from persona_block.sandbox.serving.faults import FAULTS, Fault, Faults
from tests.support.budget import budget
from tests.support.soak import soak

pytestmark = pytest.mark.soak


@pytest.mark.usefixtures("wire")
async def test_soak() -> None:
    operations = budget(small=300, full=5_000)
    report = await soak(operations, seed=2)
    assert report.untrue == []
    assert report.operations == operations
    assert report.succeeded > 0.8 * operations
    assert set(report.injected) == {fault.name for fault in FAULTS}


@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_alone(fault: Fault) -> None:
    """A call whose every request is hit never succeeds by mistake, and says truly what it may have done."""
    sandbox = Sandbox(faults=Faults(1.0, [fault.name]))
    async with sandbox.serve() as base_url:
        async with Runner(api_key=sandbox.api_key, base_url=base_url, timeout=0.3, deadline=0.5) as runner:
            result = await runner.run("create_account", {"referenceId": "one"})
    created = [effect for effect in sandbox.effects if effect.name == "account.created"]
    sandbox.close()
    assert len(created) == int(fault.processed)
    assert result.success is (fault.name == "trickle")
    if not result.success:
        assert result.error_details is not None
        allowed = {"unknown"} if fault.processed else {"no", "unknown"}
        assert result.error_details["tookEffect"] in allowed


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault called moon"):
        Faults(kinds=["moon"])
