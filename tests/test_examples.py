"""The examples run as they stand, against the offline Persona, and do what their index says."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from persona_block import PersonaError, Sandbox, webhooks
from persona_block.sandbox import Faults, Settings, Webhook
from scripts.notebooks import executed, notebooks

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
SECRET = "wbhsec_example"


def example(name: str) -> ModuleType:
    """Return an example as a module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def quick_sandbox() -> Sandbox:
    """A sandbox whose reports and imports take no time."""
    return Sandbox(settings=Settings(report_delay=0, import_delay=0))


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- the index -------------------------------------------------------------------------------------------------------------


def test_the_index_lists_every_example_and_no_other() -> None:
    linked = set(re.findall(r"\]\(([^)]+)\)", (EXAMPLES / "README.md").read_text("utf-8")))
    shown = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*") if path.is_file()}
    shown = {path for path in shown if "__pycache__" not in path and Path(path).name not in ("README.md", "__init__.py")}
    assert shown == {path for path in linked if not path.startswith("../")}


# --- onboarding ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status", "advice"),
    [
        ("Jane Doe", "completed", "nothing speaks against it"),
        ("Jane Sanctioned", "completed", "the name matched a list"),
        ("Jane Review", "needs_review", "Persona asks for a review"),
        ("Jane Fail", "failed", "the verification failed"),
    ],
)
def test_onboarding(quick_sandbox: Sandbox, name: str, status: str, advice: str) -> None:
    module = example("onboarding")
    templates = quick_sandbox.templates
    links = []

    def send_link(inquiry_id: str, link: str) -> None:
        links.append(link)
        quick_sandbox.complete(inquiry_id)

    with quick_sandbox.blocking_runner() as runner:
        outcome = module.onboard(runner, "customer-1042", name, templates.inquiry, templates.watchlist, send_link)
    assert outcome.status == status
    assert outcome.advice.startswith(advice)
    assert len(links) == 1
    assert (outcome.pdf is None) == (status == "failed")
    assert "inquiry.approved" not in [effect.name for effect in quick_sandbox.effects]


def test_onboarding_starts_one_inquiry_a_day_and_does_not_wait_for_ever(quick_sandbox: Sandbox) -> None:
    module = example("onboarding")
    templates = quick_sandbox.templates
    args = ("customer-1042", "Jane Doe", templates.inquiry, templates.watchlist, lambda *_: None, 0.0)
    with quick_sandbox.blocking_runner() as runner:
        outcomes = {module.onboard(runner, *args) for _ in range(2)}
    (outcome,) = outcomes
    assert outcome.status == "created"
    assert "has not finished" in outcome.advice
    assert [effect.name for effect in quick_sandbox.effects].count("inquiry.created") == 1


def test_onboarding_as_a_script(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("onboarding")
    assert module.main(["customer-1042", "Jane Fail", "--sandbox"]) == 0
    assert re.search(r"^customer-1042 is failed: the verification failed\. inq_\w+$", capsys.readouterr().out, re.MULTILINE)
    monkeypatch.setenv("PERSONA_API_KEY", "two words")
    assert module.main(["customer-1042", "Jane Fail"]) == 1
    assert "nothing was sent" in capsys.readouterr().err


# --- the digest ------------------------------------------------------------------------------------------------------------


def test_the_digest_counts_what_there_is_and_names_nobody() -> None:
    module = example("nightly_digest")
    sandbox = Sandbox(populate=True)
    with sandbox.blocking_runner() as runner:
        inquiries = [each for page in runner.paginate("list_inquiries", page_size=100) for each in page["inquiries"]]
        lines = list(module.digest(runner, datetime.now(UTC), days=365))
    text = "\n".join(lines)
    waiting = [inquiry for inquiry in inquiries if inquiry["status"] == "needs_review"]
    assert lines[0].endswith(f": {len(inquiries)}")
    assert f"Waiting for review: {len(waiting)}" in lines
    assert all(inquiry["id"] in text for inquiry in waiting)
    assert re.search(r"^Reports with matches: [1-9]", text, re.MULTILINE)
    names = {inquiry["fields"]["name-last"] for inquiry in inquiries} - {None}
    assert names
    assert not any(name in text for name in names)
    assert [request for request in sandbox.requests if request.method != "GET"] == []


def test_the_digest_looks_back_a_day_and_tells_ages() -> None:
    module = example("nightly_digest")
    now = datetime(2026, 1, 5, tzinfo=UTC)
    ages = [module.age((now - timedelta(hours=hours)).isoformat(), now) for hours in (3, 47, 72)]
    assert [*ages, module.age(None, now)] == ["3 hours", "47 hours", "3 days", "an unknown time"]
    sandbox = Sandbox(speed=0)
    with sandbox.blocking_runner() as runner:
        for _ in range(2):
            runner.call("create_inquiry", {"inquiryTemplateId": sandbox.templates.inquiry})
            sandbox.clock.advance(30 * 3600)
        now = datetime.now(UTC) + timedelta(hours=60)
        assert next(module.digest(runner, now - timedelta(hours=7))).endswith(": 1")
        assert next(module.digest(runner, now, days=3)).endswith(": 2")


def test_the_digest_as_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert example("nightly_digest").main(["--sandbox", "--days", "3"]) == 0
    assert capsys.readouterr().out.startswith("Inquiries since 20")


# --- import and screening --------------------------------------------------------------------------------------------------


def test_a_screening_that_was_interrupted_goes_on(quick_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    module = example("bulk_import")
    done = Path("screened.txt")
    screen = (quick_sandbox.templates.watchlist, "march", done, module.show)
    with quick_sandbox.blocking_runner(deadline=0.2) as runner:
        importer = module.import_customers(runner, EXAMPLES / "customers.csv", module.show)
        assert (importer["successfulCount"], importer["errorCount"]) == (4, 0)
        quick_sandbox.faults = Faults(rate=1, kinds=["stored-500"])
        with pytest.raises(PersonaError):
            module.screen_all(runner, *screen)
        quick_sandbox.faults = None
        first = module.screen_all(runner, *screen)
        assert sum(first.values()) == 2
        assert set(done.read_text("utf-8").split()) == set(first)
        # Two of them were noted before it was interrupted.
        done.write_text("\n".join([*sorted(first)[:2], ""]), "utf-8")
        second = module.screen_all(runner, *screen)
        assert set(second) == set(sorted(first)[2:])
        assert set(done.read_text("utf-8").split()) == set(first)
    created = [effect.name for effect in quick_sandbox.effects].count("report/watchlist.created")
    assert created == 4, "a row that is run again under its key makes no second report"
    assert capsys.readouterr().out == ""


def test_a_row_that_fails_is_told_by_its_id_and_not_noted(quick_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    module = example("bulk_import")
    done = Path("screened.txt")
    with quick_sandbox.blocking_runner() as runner:
        module.import_customers(runner, EXAMPLES / "customers.csv", module.show)
        matched = module.screen_all(runner, "rptp_NoSuchTemplate", "march", done, module.show)
    assert matched == {}
    assert done.read_text("utf-8") == ""
    told = capsys.readouterr().err
    assert len(re.findall(r"^act_\w+: ", told, re.MULTILINE)) == 4
    assert "Sanctioned" not in told


@pytest.mark.slow
def test_import_and_screening_as_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    module = example("bulk_import")
    arguments = ["--import", str(EXAMPLES / "customers.csv"), "--run", "march", "--sandbox"]
    assert module.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "3 imported, 1 were there already, 0 could not be read" in printed
    assert re.search(r"^2\d\d screened, 2 with a match:$", printed, re.MULTILINE)
    assert module.main([*arguments[2:]]) == 0
    assert "\n0 screened" in f"\n{capsys.readouterr().out}"


# --- webhooks --------------------------------------------------------------------------------------------------------------


def event_body() -> bytes:
    """Return the body of an event that names a person."""
    payload = {"data": {"type": "inquiry", "id": "inq_1", "attributes": {"name-last": "Secret"}}}
    attributes = {"name": "inquiry.approved", "created-at": "2026-01-05T09:00:00Z", "payload": payload}
    return json.dumps({"data": {"type": "event", "id": "evt_1", "attributes": attributes}}).encode()


async def test_the_receiver_counts_an_event_once_and_tries_again_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    module = example("webhook_receiver")
    inbox = module.Inbox(Path("events.sqlite"))
    handled: list[str] = []

    async def handle(event: Any) -> None:
        if event.name == "inquiry.approved" and "failed" not in handled:
            handled.append("failed")
            raise PersonaError("not now")
        handled.append(event.name)

    transport = httpx.ASGITransport(module.create_app(inbox, handle, ["wbhsec_new", SECRET]))
    names = ("inquiry.created", "inquiry.approved")
    sandbox = Sandbox(webhook=Webhook("http://127.0.0.1/webhooks", SECRET, transport=transport, events=names))
    async with sandbox.runner() as runner:
        created = await runner.call("create_inquiry", {"inquiryTemplateId": sandbox.templates.inquiry})
        await runner.call("approve_inquiry", {"inquiryId": created["inquiry"]["id"]})
    deliveries = await sandbox.deliver()
    assert [delivery.status for delivery in deliveries] == [204, 204]
    assert [event.name for event in inbox.waiting()] == list(names)

    await module.work_through(inbox, handle)
    await module.work_through(module.Inbox(Path("events.sqlite")), handle)  # as after a restart
    assert handled == ["inquiry.created", "failed", "inquiry.approved"]
    assert inbox.waiting() == []
    assert re.fullmatch(r"\w+ inquiry\.approved: persona_error, later again\n", capsys.readouterr().out)


async def test_the_receiver_notes_what_comes_twice_once_and_refuses_what_is_not_signed() -> None:
    module = example("webhook_receiver")
    inbox = module.Inbox(Path("events.sqlite"))
    app = module.create_app(inbox, module.tell, [SECRET])
    body = event_body()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for secret, status in ((SECRET, 204), (SECRET, 204), ("another", 400)):
            headers = {webhooks.SIGNATURE_HEADER: webhooks.sign(body, secret)}
            assert (await client.post("/webhooks", content=body, headers=headers)).status_code == status
        assert (await client.post("/webhooks", content=body)).status_code == 400
        assert inbox.waiting() == [module.Noted("evt_1", "inquiry.approved", "inq_1")]
        inbox.mark_handled("evt_1")
        headers = {webhooks.SIGNATURE_HEADER: webhooks.sign(body, SECRET)}
        assert (await client.post("/webhooks", content=body, headers=headers)).status_code == 204
    assert inbox.waiting() == []
    assert b"Secret" not in Path("events.sqlite").read_bytes()


async def test_the_receiver_works_by_itself_once_an_event_has_come() -> None:
    module = example("webhook_receiver")
    inbox = module.Inbox(Path("events.sqlite"))
    handled: asyncio.Queue[str] = asyncio.Queue()

    async def handle(event: Any) -> None:
        handled.put_nowait(event.id)

    app = module.create_app(inbox, handle, [SECRET])
    body = event_body()
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            await client.post("/webhooks", content=body, headers={webhooks.SIGNATURE_HEADER: webhooks.sign(body, SECRET)})
        assert await asyncio.wait_for(handled.get(), 5) == "evt_1"


async def test_the_receiver_as_a_script_takes_both_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("webhook_receiver")
    served: list[Any] = []
    monkeypatch.setattr("uvicorn.run", lambda app, **address: served.append((app, address)))
    monkeypatch.setenv("PERSONA_WEBHOOK_SECRET", f"wbhsec_new,{SECRET}")
    module.main()
    ((app, address),) = served
    assert address == {"host": "127.0.0.1", "port": 8000}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for secret, status in (("wbhsec_new", 204), (SECRET, 204), ("another", 400)):
            headers = {webhooks.SIGNATURE_HEADER: webhooks.sign(event_body(), secret)}
            assert (await client.post("/webhooks", content=event_body(), headers=headers)).status_code == status


# --- notebooks -------------------------------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_a_notebook_gives_what_it_shows(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    shown = json.loads(path.read_text("utf-8"))
    run = executed(shown)
    assert _outputs(run) == _outputs(shown), "run `python -m scripts.notebooks`"
    assert sum(bool(cell.get("outputs")) for cell in shown["cells"]) > 3


def _outputs(document: dict[str, Any]) -> list[Any]:
    """Return what the cells gave, without what differs from run to run: times and durations."""
    outputs = [
        {"".join(output.get("text", ""))} | {(kind, "".join(text)) for kind, text in output.get("data", {}).items()}
        for cell in document["cells"]
        for output in cell.get("outputs", [])
    ]
    return [_timeless(repr(sorted(map(str, each)))) for each in outputs]


def _timeless(text: str) -> str:
    return re.sub(r"20\d\d-\d\d-\d\d[T0-9:.Z+-]*|(?<=duration)\D{0,20}\d+", "…", text)
