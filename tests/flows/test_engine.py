"""The engine of flows: what it stores and how, what it deletes, and what it refuses to begin with."""

from __future__ import annotations

import asyncio
import io
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from dbos import DBOS

from persona_block import InputError, Sandbox, flows
from persona_block import operation as checked_name
from persona_block.credentials import Secret
from persona_block.errors import PersonaError
from persona_block.flows import Engine, Settings
from persona_block.flows import database as database_module
from persona_block.flows.calls import KEY_LIFETIME
from persona_block.flows.database import claim, open_database
from persona_block.sandbox import TEMPLATES
from persona_block.sandbox import Settings as SandboxSettings
from persona_block.sandbox.serving.faults import Faults
from tests.support.flow_ports import People, choosing
from tests.support.flow_world import engine, question, result, started, until, writes
from tests.support.postgres import Cluster, programs

PERSON = {"name-first": "Planted", "name-last": "Applicant"}
REMARK = "Planted remark of the reviewer"


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.chdir(tmp_path)
    with Sandbox(settings=SandboxSettings(report_delay=0, import_delay=0)) as made:
        yield made


def stored_text(database: str) -> str:
    """Return everything that the tables of a database hold, as one text."""
    connections = open_database(database)
    try:
        inspector = sa.inspect(connections)
        schemas = [None] if connections.dialect.name == "sqlite" else ["public", "dbos"]
        texts = []
        with connections.connect() as connection:
            for schema in schemas:
                for table in inspector.get_table_names(schema=schema):
                    name = f'"{schema}"."{table}"' if schema else f'"{table}"'
                    texts += [str(row) for row in connection.execute(sa.text(f"SELECT * FROM {name}"))]
        return "\n".join(texts)
    finally:
        connections.dispose()


@DBOS.workflow(max_recovery_attempts=None)
async def invite(reference_id: str, fields: dict[str, Any]) -> str:
    made = await flows.call(
        "create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry, "referenceId": reference_id, "fields": fields}
    )
    reply = await flows.ask("#reviews", f"Is {fields['name-last']} known?", ["yes", "no"])
    return f"{made['inquiry']['id']} {reply.answer} {reply.comment}"


# --- what is stored --------------------------------------------------------------------------------------------------------


async def test_what_is_stored_is_encrypted_and_holds_no_key(database: str, sandbox: Sandbox) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    people = People()
    async with engine(database, sandbox, people, encryption_keys=[Secret(old)]) as running:
        await started(invite, "one", "customer-1", PERSON)
        asked = await question(running)
        await asyncio.sleep(0.1)
        assert asked.text == "Is Applicant known?"
    client = flows.connect(database, encryption_keys=[new, old])
    try:
        await client.answer("one", asked.question_id, "yes", REMARK)
    finally:
        client.close()
    async with engine(database, sandbox, people, encryption_keys=[new, old]):
        assert REMARK in await result("one")
    text = stored_text(database)
    for planted in ("Planted", "Applicant", REMARK, sandbox.api_key, old, new):
        assert planted not in text
    with pytest.raises(InputError, match="none of them made what the database holds"):
        flows.connect(database, encryption_keys=[Fernet.generate_key().decode()])
    with pytest.raises(InputError, match="what the database holds is encrypted"):
        await engine(database, sandbox).__aenter__()
    # The old key is not needed any more, now that nothing under it is left.
    flows.connect(database, encryption_keys=[new]).close()


async def test_a_database_in_clear_can_be_encrypted_from_now_on(database: str, sandbox: Sandbox) -> None:
    """A flow that was begun in clear ends; what is begun later is encrypted."""
    people = People()
    async with engine(database, sandbox, people) as running:
        await started(invite, "one", "customer-1", {"name-last": "Before"})
        asked = await question(running)
    encryption_key = Fernet.generate_key().decode()
    async with engine(database, sandbox, people, encryption_keys=[encryption_key]) as running:
        await running.client.answer("one", asked.question_id, "yes", "Seen")
        assert "yes Seen" in await result("one")
        people.answers = choosing("yes", REMARK)
        assert REMARK in await (await started(invite, "two", "customer-2", PERSON)).get_result()
    text = stored_text(database)
    assert "Before" in text
    for planted in ("Planted", "Applicant", REMARK, encryption_key):
        assert planted not in text


async def test_without_encryption_a_warning_says_what_is_in_clear(
    database: str, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "persona_block.flows"):
        async with engine(database, sandbox, People(choosing("yes"))):
            handle = await started(invite, "one", "customer-1", PERSON)
            await handle.get_result()
    assert "personal data included, is in clear" in caplog.text
    text = stored_text(database)
    assert "Applicant" in text
    assert sandbox.api_key not in text


# --- what is deleted -------------------------------------------------------------------------------------------------------


def _refusing(*_: Any) -> None:
    raise PermissionError("planted")


async def test_a_finished_flow_is_deleted_after_its_time(
    database: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {
        "inputs": {"inquiryId": {"type": "string"}},
        "steps": [{"id": "record", "operation": "print_inquiry_pdf", "params": {"inquiryId": "{input.inquiryId}"}}],
    }
    async with sandbox.runner() as runner:
        made = await runner.call("create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry})
    files = tmp_path / "work"
    people = People()
    async with engine(database, sandbox, people, retention=0.0, files=str(files)) as running:
        await started(invite, "open", "customer-2", PERSON)
        await question(running)
        await flows.template(document, {"inquiryId": made["inquiry"]["id"]}, workflow_id="done")
        assert len(list(files.rglob("*.pdf"))) == 1

        async def swept() -> list[str]:
            return await running.sweep()

        with monkeypatch.context() as failing:
            failing.setattr(shutil, "rmtree", _refusing)
            for _ in range(20):
                assert await running.sweep() == []
                await asyncio.sleep(0.01)
        assert await until(swept) == ["done"]
        assert list(files.rglob("*.pdf")) == []
        assert await running.client.sweep(None) == []
        assert len(await running.client.questions("open")) == 1
    assert "done" not in stored_text(database)


@DBOS.workflow(max_recovery_attempts=None)
async def read_and_hand_on(inquiry_id: str) -> Any:
    """Hold what a flow that this one starts has read, and wait."""
    results = await flows.template(READ, {"inquiryId": inquiry_id}, workflow_id="read")
    await flows.ask("#reviews", "Seen?", ["yes"])
    return results


READ: dict[str, Any] = {
    "inputs": {"inquiryId": {"type": "string"}},
    "steps": [{"id": "read", "operation": "get_inquiry", "params": {"inquiryId": "{input.inquiryId}"}, "wait": True}],
}


async def test_erasing_reaches_who_waited_for_them_and_who_holds_what_another_flow_read(
    sqlite_database: str, sandbox: Sandbox
) -> None:
    async with sandbox.runner() as runner:
        made = await runner.call("create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry, "referenceId": "Plantedname"})
        sandbox.complete(made["inquiry"]["id"])
        account_id = (await runner.call("get_inquiry", {"inquiryId": made["inquiry"]["id"]}))["inquiry"]["accountId"]
    people = People()
    async with engine(sqlite_database, sandbox, people, retention=None) as running:
        await started(read_and_hand_on, "holds", made["inquiry"]["id"])
        asked = await question(running)
        assert "Plantedname" in stored_text(sqlite_database)
        # As somebody may have copied it.
        handle = await started(one_write, "erase", "redact_account", {"accountId": f" {account_id} "})
        await handle.get_result()

        async def swept() -> list[str]:
            return await running.client.sweep(None, erasure_grace=0.0)

        assert set(await until(swept)) | set(await swept()) == {"erase", "read"}
        await running.client.answer("holds", asked.question_id, "yes")
        await result("holds")
        assert await until(swept) == ["holds"]
        assert "Plantedname" not in stored_text(sqlite_database)
        file = Path(sqlite_database.removeprefix("sqlite:///"))
        for each in file.parent.glob(f"{file.name}*"):
            assert b"Plantedname" not in each.read_bytes(), each.name


async def test_a_flow_that_ended_and_was_deleted_is_not_run_again(database: str, sandbox: Sandbox) -> None:
    document = {"inputs": {}, "steps": [{"id": "tell", "host": "notify", "to": "#team", "text": "Hello"}]}
    people = People()
    async with engine(database, sandbox, people) as running:
        await flows.template(document, {}, workflow_id="row-1")
        assert await until(partial(running.client.sweep, 0.0)) == ["row-1"]
        for start in (running.client.start, flows.template):
            with pytest.raises(InputError, match="has ended and was deleted since"):
                await start(document, {}, workflow_id="row-1")
        assert await running.client.over(["row-1", "row-2"]) == {"row-1"}
        assert await running.client.start_many(document, [("row-1", {}), ("row-2", {})]) == ["row-1", "row-2"]
        await result("row-2")
    assert people.texts == ["Hello", "Hello"]


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    file = tmp_path / "flows.sqlite"
    flows.connect(str(file)).close()
    assert {each.stat().st_mode & 0o077 for each in tmp_path.iterdir()} == {0}
    with pytest.raises(InputError, match="cannot be made: No such file or directory"):
        flows.connect(str(tmp_path / "missing" / "flows.sqlite"))


async def test_a_database_that_is_away_at_the_start_is_told(sandbox: Sandbox) -> None:
    with pytest.raises(sa.exc.OperationalError) as error:
        await engine("postgresql://flows:planted@127.0.0.1:1/flows", sandbox).__aenter__()
    assert "planted" not in str(error.value)


async def test_erasing_a_person_deletes_the_engines_copies(database: str, sandbox: Sandbox) -> None:
    erase = {
        "inputs": {"accountId": {"type": "string"}},
        "steps": [{"id": "erase", "operation": "redact_account", "params": {"accountId": "{input.accountId}"}}],
    }
    people = People(choosing("yes"))
    async with engine(database, sandbox, people, retention=None) as running:
        for reference_id in ("customer-1", "customer-2"):
            handle = await started(invite, f"invite-{reference_id}", reference_id, {"name-last": f"Of {reference_id}"})
            await handle.get_result()
        people.answers = lambda _message: None
        await started(invite, "still-open", "customer-1", {"name-last": "Of customer-1"})
        asked = await question(running)
        accounts = (await running.runner.call("list_accounts", {"referenceId": "customer-1"}))["accounts"]
        await flows.template(erase, {"accountId": accounts[0]["id"]}, workflow_id="erasure")
        assert await running.client.sweep(None) == []

        async def swept() -> list[str]:
            return await running.client.sweep(None, erasure_grace=0.0)

        assert await until(swept) == ["erasure", "invite-customer-1"]
        await running.client.answer("still-open", asked.question_id, "no")
        await result("still-open")
        assert await until(swept) == ["still-open"]
    text = stored_text(database)
    assert "Of customer-1" not in text
    assert "Of customer-2" in text


# --- an outage between intent and answer -----------------------------------------------------------------------------------


PATHS = {
    "create_inquiry": "/inquiries",
    "create_account": "/accounts",
    "create_report": "/reports",
    "approve_inquiry": "/approve",
    "import_accounts": "/importer/accounts",
}
"""How the path of a write ends."""


class Halting(httpx.AsyncBaseTransport):
    """A network on which one write takes effect and its answer never comes, as where its process is killed."""

    def __init__(self, sandbox: Sandbox, path: str) -> None:
        self.halted = asyncio.Event()
        self._transport = sandbox.transport
        self._path = path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        if request.method == "POST" and request.url.path.endswith(self._path):
            self.halted.set()
            await asyncio.Event().wait()
        return response


class Clearing(httpx.AsyncBaseTransport):
    """A network on which the first answer with 500 is the last fault."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._transport = sandbox.transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        if response.status_code == 500:
            self._sandbox.faults = None
        return response


@DBOS.workflow(max_recovery_attempts=None)
async def one_write(name: str, params: dict[str, Any]) -> Any:
    try:
        return await flows.call(checked_name(name), params)
    except PersonaError as error:
        return f"{error.kind}: {error.took_effect}"


OF_JANE = {"referenceId": "customer-1"}
WRITES = [
    ("create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry, **OF_JANE}, "inquiry.created"),
    ("create_account", OF_JANE, "account.created"),
    (
        "create_report",
        {"reportType": "watchlist", "reportTemplateId": TEMPLATES.watchlist, "term": "Jane Doe", **OF_JANE},
        "report/watchlist.created",
    ),
    ("approve_inquiry", {"comment": "Looks right"}, "inquiry.approved"),
]


@pytest.mark.parametrize(("operation", "params", "event"), WRITES, ids=[operation for operation, _, _ in WRITES])
@pytest.mark.parametrize("days", [0, 1])
async def test_a_write_whose_answer_was_lost_is_not_made_twice(
    sqlite_database: str, sandbox: Sandbox, operation: str, params: dict[str, Any], event: str, days: int
) -> None:
    if operation == "approve_inquiry":
        async with sandbox.runner() as runner:
            made = (await runner.call("create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry}))["inquiry"]
        sandbox.complete(made["id"])
        params = {**params, "inquiryId": made["id"]}
    network = Halting(sandbox, PATHS[operation])
    make = partial(sandbox.runner, transport=network)
    async with engine(sqlite_database, sandbox, clock=lambda: sandbox.clock.now().timestamp(), runner=make):
        await started(one_write, "one", operation, params)
        await asyncio.wait_for(network.halted.wait(), 10)
    sandbox.clock.advance(days * (KEY_LIFETIME + 7200))
    before = writes(sandbox)
    posts = [each.method for each in sandbox.requests].count("POST")
    async with engine(sqlite_database, sandbox, clock=lambda: sandbox.clock.now().timestamp()):
        output = await result("one")
    assert not isinstance(output, str)
    assert writes(sandbox).count(event) == before.count(event) == 1
    assert [each.method for each in sandbox.requests].count("POST") == posts + (0 if days else 1)


async def test_a_stale_write_that_did_not_take_effect_is_made(sqlite_database: str, sandbox: Sandbox) -> None:
    now = sandbox.clock.now
    sandbox.faults = Faults(1.0, ["reset-before"])
    async with engine(sqlite_database, sandbox, clock=lambda: now().timestamp()) as running:
        await started(one_write, "one", "create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry, **OF_JANE})

        async def meant() -> bool:
            return bool(sandbox.faults and sandbox.faults.injected)

        await until(meant)
        del running
    sandbox.faults = None
    sandbox.clock.advance(KEY_LIFETIME + 7200)
    async with engine(sqlite_database, sandbox, clock=lambda: now().timestamp()):
        output = await result("one")
    assert output["inquiry"]["referenceId"] == "customer-1"
    assert writes(sandbox).count("inquiry.created") == 1


@pytest.mark.parametrize("took_effect", [True, False])
async def test_a_500_that_persona_keeps_is_cleared_up_by_looking(
    sqlite_database: str, sandbox: Sandbox, took_effect: bool
) -> None:
    async with sandbox.runner() as runner:
        await runner.call("create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry, "referenceId": "somebody-else"})
    sandbox.faults = Faults(1.0, ["stored-500-after" if took_effect else "stored-500"])
    made = len([name for name in writes(sandbox) if name == "inquiry.created"])

    async with engine(sqlite_database, sandbox, runner=partial(sandbox.runner, transport=Clearing(sandbox))):
        await started(one_write, "one", "create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry, **OF_JANE})
        output = await result("one")
    if took_effect:
        assert output["inquiry"]["referenceId"] == "customer-1"
    else:
        assert output == "unavailable: unknown"
    assert writes(sandbox).count("inquiry.created") == made + took_effect


async def test_what_cannot_be_told_apart_is_left_to_a_person(sqlite_database: str, sandbox: Sandbox, tmp_path: Path) -> None:
    csv = tmp_path / "customers.csv"
    csv.write_text("reference_id,name_first\ncustomer-1,Ada\n")
    params: dict[str, dict[str, Any]] = {
        "create_inquiry": {"inquiryTemplateId": TEMPLATES.inquiry},
        "import_accounts": {"file": str(csv)},
    }
    for operation, given in params.items():
        network = Halting(sandbox, PATHS[operation])
        make = partial(sandbox.runner, transport=network)
        async with engine(sqlite_database, sandbox, clock=lambda: sandbox.clock.now().timestamp(), runner=make):
            await started(one_write, operation, operation, given)
            await asyncio.wait_for(network.halted.wait(), 10)
        sandbox.clock.advance(KEY_LIFETIME + 7200)
        posts = [each.method for each in sandbox.requests].count("POST")
        async with engine(sqlite_database, sandbox, clock=lambda: sandbox.clock.now().timestamp()):
            assert await result(operation) == "in_doubt: unknown"
        assert [each.method for each in sandbox.requests].count("POST") == posts


class Meeting(httpx.AsyncBaseTransport):
    """A network on which two flows that look for the same object get their answers at the same time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._transport = sandbox.transport
        self._both = asyncio.Barrier(2)
        self._met = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        if request.method == "GET" and not self._met:
            await asyncio.wait_for(self._both.wait(), 10)
            self._met = True
        return response


class Losing(httpx.AsyncBaseTransport):
    """A network on which the first inquiry is made and every answer is lost, as where its process is killed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.lost = 0
        self._transport = sandbox.transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.lost += 1
        if self.lost == 1:
            await self._transport.handle_async_request(request)
        await asyncio.Event().wait()
        raise AssertionError


async def test_two_flows_that_look_at_once_do_not_take_the_same_object(database: str, sandbox: Sandbox) -> None:
    """The reference id is a number with a blank, as a host may send it, and is looked for as it was sent."""
    network = Losing(sandbox)
    params = {"inquiryTemplateId": f" {TEMPLATES.inquiry}", "referenceId": 1042}

    def clock() -> float:
        return sandbox.clock.now().timestamp()

    async with engine(database, sandbox, clock=clock, runner=partial(sandbox.runner, transport=network)):
        for workflow_id in ("one", "two"):
            await started(one_write, workflow_id, "create_inquiry", params)

        async def both_lost() -> bool:
            return network.lost == 2

        await until(both_lost)
    sandbox.clock.advance(KEY_LIFETIME + 7200)
    async with engine(database, sandbox, clock=clock, runner=partial(sandbox.runner, transport=Meeting(sandbox))):
        ids = {(await result(workflow_id))["inquiry"]["id"] for workflow_id in ("one", "two")}
    assert len(ids) == 2
    assert writes(sandbox).count("inquiry.created") == 2


# --- beginnings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["mysql://a/b", "sqlite:///:memory:", "sqlite://", "http://x", "postgresql+asyncpg://x/y"])
def test_a_database_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="database"):
        Engine(address)


@pytest.mark.parametrize(
    ("param", "settings"),
    [
        ("retention", {"retention": -1}),
        ("concurrency", {"concurrency": 0}),
        ("files", {"shared": True}),
        ("first_poll", {"first_poll": "soon"}),
    ],
)
def test_settings_that_cannot_be_used_are_refused(param: str, settings: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        Settings(**settings)
    assert [problem.param for problem in error.value.problems] == [param]


def test_a_key_that_is_none_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="encryption_keys") as error:
        Engine(str(tmp_path / "flows.sqlite"), settings=Settings(encryption_keys=["planted-no-key"]))
    assert "planted" not in str(error.value)
    assert "planted" not in repr(Settings(encryption_keys=["planted-no-key"]))


async def test_one_process_at_a_time_runs_the_flows_of_a_file(sqlite_database: str, sandbox: Sandbox) -> None:
    file = Path(sqlite_database.removeprefix("sqlite:///"))
    link = file.with_name("link.sqlite")
    link.symlink_to(file)
    connections = open_database(sqlite_database)
    held = claim(connections, None)
    try:
        for address in (sqlite_database, str(link)):
            with pytest.raises(InputError, match="another process runs the flows of this file"):
                await engine(address, sandbox).__aenter__()
    finally:
        held.release()
        connections.dispose()
    async with engine(sqlite_database, sandbox):
        pass


@pytest.mark.process
async def test_processes_on_postgres_take_names_of_their_own(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "CLAIM_PATIENCE", 0.1)
    connections = open_database(cluster.database())
    first, second = claim(connections, None), claim(connections, None)
    assert (first.executor_id, second.executor_id) == ("executor-1", "executor-2")
    with pytest.raises(InputError, match="executor_id"):
        claim(connections, "executor-2")
    with connections.connect() as connection:
        # As a restart of Postgres would, this ends the oldest other session, which is the first process's.
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(sa.text(f"SELECT pg_terminate_backend((SELECT pid {others} ORDER BY backend_start LIMIT 1))"))
    assert first.hold()
    with pytest.raises(InputError, match="executor_id"):
        claim(connections, "executor-1")
    first.release()
    third = claim(connections, None)
    assert third.executor_id == "executor-1"
    for each in (second, third):
        each.release()
    connections.dispose()


async def test_another_process_starts_flows_and_the_engine_runs_them(database: str, sandbox: Sandbox) -> None:
    document = {
        "inputs": {"team": {"type": "string"}},
        "steps": [{"id": "tell", "host": "notify", "to": "{input.team}", "text": "Hello"}],
    }
    people = People()
    client = flows.connect(database)
    try:
        with pytest.raises(InputError, match="is required"):
            await client.start(document, {})
        runs = [(f"run-{number}", {"team": f"#team-{number}"}) for number in range(3)]
        assert await client.start_many(document, [*runs, runs[0]]) == ["run-0", "run-1", "run-2", "run-0"]
    finally:
        client.close()
    async with engine(database, sandbox, people):
        for workflow_id, _ in runs:
            assert await result(workflow_id) == {"tell": {}}
    assert sorted(target for target, _, _ in people.sent) == ["#team-0", "#team-1", "#team-2"]


@pytest.mark.process
def test_an_engine_alone_goes_on_with_templates(sqlite_database: str) -> None:
    """Nothing but the engine is imported by the program that runs it."""
    client = flows.connect(sqlite_database)
    document = {"inputs": {}, "steps": [{"id": "tell", "host": "notify", "to": "console:", "text": "Hello from a flow"}]}
    asyncio.run(client.start(document, {}, "one"))
    client.close()
    program = """
import asyncio, sys
from dbos import DBOS
from persona_block.flows import Engine

async def main():
    async with Engine(sys.argv[1]):
        handle = await DBOS.retrieve_workflow_async("one")
        print(await handle.get_result(polling_interval_sec=0.05))

asyncio.run(main())
"""
    command = [sys.executable, "-c", program, sqlite_database]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert "{'tell': {}}" in done.stdout, done.stderr
    assert "Hello from a flow" in done.stdout


def test_a_postgres_that_is_away_is_one_to_wait_for(tmp_path: Path) -> None:
    connections = open_database(f"postgresql://flows@/flows?host={tmp_path}")
    with pytest.raises(sa.exc.OperationalError) as caught:
        connections.connect()
    assert caught.value.connection_invalidated


@pytest.mark.process
@pytest.mark.slow
async def test_flows_outlive_a_restart_of_postgres(sandbox: Sandbox) -> None:
    if programs() is None:
        pytest.skip("Postgres is not installed: apt-get install postgresql")
    people = People()
    with Cluster(durable=True) as cluster:
        async with engine(cluster.database(), sandbox, people) as running:
            for number in range(5):
                await started(invite, f"wf-{number}", f"customer-{number}", PERSON)

            async def all_ask() -> bool:
                return len(await running.client.questions()) == 5

            await until(all_ask)
            cluster.stop()
            cluster.start()
            asked = await running.client.questions()

            async def all_have_ended() -> bool:
                # A message of the moment in which the engine listens to Postgres anew is noticed within a minute: it is sent
                # again, as whoever answers may do.
                for each in asked:
                    await running.client.answer(each.workflow_id, each.question_id, "yes")
                await asyncio.sleep(0.5)
                finished = await asyncio.to_thread(running.client.dbos.list_workflows, status="SUCCESS")
                return len(finished) == 5

            await until(all_have_ended)
            ends = [await result(f"wf-{number}") for number in range(5)]
    assert all("yes" in end for end in ends)
    assert writes(sandbox).count("inquiry.created") == len(people.sent) == 5


async def test_an_engine_starts_where_the_standard_error_of_before_is_closed(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = f"sqlite:///{tmp_path}/flows.sqlite"
    async with Engine(database, runner=sandbox.runner):
        pass
    closed = io.StringIO()
    closed.close()
    streaming = [each for each in logging.getLogger("dbos").handlers if type(each) is logging.StreamHandler]
    assert streaming
    for handler in streaming:
        monkeypatch.setattr(handler, "stream", closed)
    async with Engine(database, runner=sandbox.runner):
        assert not any(handler.stream.closed for handler in streaming)
