"""The sandbox as an object: in process, served, with its state in a file, and what it imports."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from persona_block import FileStore, Runner
from persona_block.sandbox import Sandbox, SandboxError

ROOT = Path(__file__).resolve().parents[2]


def test_serving_in_a_program() -> None:
    async def main() -> None:
        sandbox = Sandbox(speed=0)
        offline = sandbox.base_url
        async with sandbox.serve() as base_url, httpx.AsyncClient(base_url=base_url) as http:
            assert base_url.startswith("http://127.0.0.1:")
            assert sandbox.base_url == base_url
            headers = {"Authorization": f"Bearer {sandbox.api_key}"}
            attributes = {"inquiry-template-id": sandbox.templates.inquiry}
            body = {"data": {"attributes": attributes}, "meta": {"auto-create-one-time-link": True}}
            created = (await http.post("/inquiries", json=body, headers=headers)).json()
            assert "simulation" in (await http.get(created["meta"]["one-time-link"])).text.lower()
            finished = sandbox.complete(created["data"]["id"])["inquiry"]
            document = await http.get(f"/documents/{finished['documentIds'][0]}", headers=headers)
            photo = document.json()["data"]["attributes"]["front-photo"]
            assert photo["url"].startswith(base_url.removesuffix("/api/v1") + "/files/")
            assert len((await http.get(photo["url"])).content) == photo["byte-size"]
        assert sandbox.base_url == offline
        sandbox.close()

    asyncio.run(main())


def test_a_file_keeps_its_time_its_seed_and_its_ids(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with Sandbox(state=state, seed=7, speed=0) as sandbox:
        sandbox.clock.advance(100_000)
        sandbox.settle()
        first = _account(sandbox)
        latest = sandbox.clock.now()
    with Sandbox(state=state, seed=8, speed=0, populate=True) as sandbox:
        assert sandbox.clock.now() >= latest
        second = _account(sandbox)
        assert second != first
        assert len([effect for effect in sandbox.effects if effect.name == "account.created"]) == 2
        with pytest.raises(SandboxError):
            sandbox.complete(first)


async def test_a_reopened_file_goes_on_after_its_last_change(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with Sandbox(state=state, speed=0) as sandbox:
        sandbox.clock.advance(100_000)
        async with sandbox.runner() as runner:
            account = (await runner.call("create_account", {"referenceId": "r"}))["account"]["id"]
    with Sandbox(state=state, speed=0) as sandbox:
        async with sandbox.runner() as runner:
            await runner.call("update_account", {"accountId": account, "countryCode": "US"})
        moments = [effect.at for effect in sandbox.effects]
    assert moments == [moments[0], moments[0] + 1]


def _account(sandbox: Sandbox) -> str:
    """Create an account, and return its id."""

    async def create() -> str:
        async with httpx.AsyncClient(transport=sandbox.transport, base_url=sandbox.base_url) as http:
            reply = await http.post("/accounts", json={}, headers={"Authorization": f"Bearer {sandbox.api_key}"})
            return str(reply.json()["data"]["id"])

    return asyncio.run(create())


def test_an_applicant_of_no_inquiry() -> None:
    with Sandbox() as sandbox, pytest.raises(SandboxError, match="There is no inquiry with this id"):
        sandbox.complete("inq_x")


@pytest.mark.process
def test_the_package_loads_little_until_it_is_used() -> None:
    # It shares next to nothing with the rest of the block, so that a fault of one cannot hide a fault of the other.
    script = (
        "import sys, persona_block.sandbox as s; assert 'starlette' not in sys.modules; s.Sandbox();"
        "assert not {'uvicorn', 'fpdf', 'PIL'} & set(sys.modules), sorted(sys.modules);"
        "names = {name for name in sys.modules if name.startswith('persona_block.') and '.sandbox' not in name};"
        "shared = ('version', 'errors', 'spec', 'spec.inflection', 'call', 'call.addresses');"
        "assert names == {'persona_block.' + name for name in shared}, names"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


async def test_a_runner_downloads_files(persona_sandbox: Sandbox, tmp_path: Path) -> None:
    async with persona_sandbox.runner(files=FileStore(tmp_path)) as runner:
        assert isinstance(runner, Runner)
        created = await runner.call("create_inquiry", {"inquiryTemplateId": persona_sandbox.templates.inquiry})
        persona_sandbox.complete(created["inquiry"]["id"])
        read = await runner.call("get_inquiry", {"inquiryId": created["inquiry"]["id"]})
        document = await runner.call("get_document", {"documentId": read["inquiry"]["documentIds"][0]})
        stored = await runner.download(document["document"]["files"][0])
    assert Path(str(stored.path)).read_bytes().startswith(b"\x89PNG")


async def test_what_is_played_is_given_in_the_shape_of_outputs() -> None:
    with Sandbox(speed=0) as sandbox:
        async with sandbox.runner() as runner:
            inquiry = (await runner.call("create_inquiry", {"inquiryTemplateId": sandbox.templates.inquiry}))["inquiry"]
            link = await runner.call("generate_inquiry_link", {"inquiryId": inquiry["id"]})
            opened = sandbox.open_link(link["oneTimeLink"])["session"]
            assert (opened["status"], opened["inquiryId"]) == ("active", inquiry["id"])
            assert opened["startedAt"]
            played = sandbox.complete(inquiry["id"], "review")
            assert played == await runner.call("get_inquiry", {"inquiryId": inquiry["id"]})
            assert played["inquiry"]["sessionIds"] == [opened["id"]]


def test_its_runners_read_its_files(tmp_path: Path) -> None:
    with Sandbox(speed=0) as sandbox, sandbox.blocking_runner(files=FileStore(tmp_path)) as runner:
        made = runner.call("create_inquiry", {"inquiryTemplateId": sandbox.templates.inquiry})["inquiry"]
        document_id = sandbox.complete(made["id"])["inquiry"]["documentIds"][0]
        photo = runner.call("get_document", {"documentId": document_id})["document"]["files"][0]
        assert runner.download(photo).size == photo["byteSize"]
