"""Faults in process: what the sandbox did, and what the caller saw."""

from __future__ import annotations

from contextlib import AsyncExitStack

import httpx
import pytest

from persona_block.sandbox import FAULTS, Faults, Sandbox
from persona_block.sandbox.serving.faults import FAILS, Fault


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


@pytest.mark.parametrize("served", [False, True], ids=["in process", "served"])
@pytest.mark.parametrize(("kind", "processed"), [("stored-500", False), ("stored-500-after", True)])
async def test_a_stored_fault_stays_under_its_key(persona_sandbox: Sandbox, kind: str, processed: bool, served: bool) -> None:
    """The first answer is a 500, which the same key gets again when nothing goes wrong any more, for a day."""
    persona_sandbox.faults = Faults(rate=1, kinds=[kind])
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(persona_sandbox.serve()) if served else persona_sandbox.base_url
        transport = None if served else persona_sandbox.transport
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=base_url))

        async def create(idempotency_key: str | None, reference_id: str = "one") -> httpx.Response:
            keyed = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
            headers = {"Authorization": f"Bearer {persona_sandbox.api_key}", **keyed}
            return await http.post("/accounts", json={"data": {"attributes": {"reference-id": reference_id}}}, headers=headers)

        first = await create("a")
        assert (first.status_code, first.json()) == (500, {"errors": [{"title": "Internal server error"}]})
        assert first.headers["Request-Id"] == persona_sandbox.requests[-1].id
        persona_sandbox.faults = Faults(rate=0)
        again = await create("a")
        assert (again.status_code, again.json()) == (500, first.json())
        assert persona_sandbox.requests[-1].replayed
        assert [effect.name for effect in persona_sandbox.effects] == ["account.created"] * processed
        assert (await create("a", "other")).status_code == 409
        assert (await create("b")).status_code == (409 if processed else 201)
        persona_sandbox.clock.advance(24 * 3600)
        assert (await create("a")).status_code == 409
        persona_sandbox.faults = Faults(rate=1, kinds=[kind])
        assert (await create(None, "two")).status_code == 500
        headers = {"Authorization": f"Bearer {persona_sandbox.api_key}"}
        assert (await http.get("/accounts?filter[reference-id]=two", headers=headers)).status_code == 500
        persona_sandbox.faults = Faults(rate=0)
        listed = (await http.get("/accounts?filter[reference-id]=two", headers=headers)).json()["data"]
        assert len(listed) == int(processed)


async def test_a_caller_cannot_ask_for_a_stored_fault(persona_sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {persona_sandbox.api_key}", FAILS: "before"}
    async with httpx.AsyncClient(transport=persona_sandbox.transport, base_url=persona_sandbox.base_url) as http:
        assert (await http.get("/accounts", headers=headers)).status_code == 200
