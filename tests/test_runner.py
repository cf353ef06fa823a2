"""The runner: keys, addresses, files, paging and waiting, against a transport that answers as told."""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from persona_block import (
    ApiError,
    FileRef,
    FileStore,
    InputError,
    OperationName,
    ProgressUpdate,
    ResponseError,
    Runner,
    TransportError,
    WaitFailed,
    WaitTimedOut,
    operation,
    run_sync,
)
from persona_block.typed import CreateReportParams
from tests.support.budget import budget

KEY = "persona_sandbox_runner-test"
BASE = "https://api.withpersona.com/api/v1"
INQUIRY = {"data": {"type": "inquiry", "id": "inq_1"}}
Handler = Callable[[httpx.Request], httpx.Response]


def runner(handler: Handler, **options: Any) -> Runner:
    return Runner(api_key=KEY, transport=httpx.MockTransport(handler), **{"deadline": 0.1} | options)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERSONA_API_KEY", raising=False)
    monkeypatch.delenv("PERSONA_BASE_URL", raising=False)
    monkeypatch.setenv("PERSONA_WIRE", "httpx")  # respx sees no other


@respx.mock
async def test_the_key_comes_from_the_params_the_runner_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    route = respx.get(f"{BASE}/inquiries/inq_1").respond(json=INQUIRY)
    monkeypatch.setenv("PERSONA_API_KEY", "from-environment")
    async with Runner() as one, Runner(api_key="from-runner") as two:
        await one.call("get_inquiry", {"inquiryId": "inq_1"})
        await two.call("get_inquiry", {"inquiryId": "inq_1"})
        await two.call(operation("persona_get_inquiry"), {"inquiryId": "inq_1", "apiKey": "from-params"})
    sent = [call.request.headers["Authorization"] for call in route.calls]
    assert sent == ["Bearer from-environment", "Bearer from-runner", "Bearer from-params"]


async def test_nothing_is_sent_without_a_key() -> None:
    async with Runner(transport=httpx.MockTransport(_never)) as keyless:
        result = await keyless.run("get_inquiry", {"inquiryId": "inq_1"})
    assert not result.success
    assert result.attempts == 0
    assert result.error_details is not None
    assert [problem["param"] for problem in result.error_details["problems"]] == ["apiKey"]


def _never(_request: httpx.Request) -> httpx.Response:
    raise AssertionError("a request was sent")


async def test_an_unknown_operation_names_the_nearest() -> None:
    async with runner(_never) as run:
        result = await run.run(OperationName("get_inquiri"), {})
    assert result.error is not None
    assert "get_inquiry" in result.error


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "ftp://x",
        "https://",
        "https://u:p@example.com",
        "https://example.com/?a=b",
        "nonsense",
        "https://x:y",
    ],
)
def test_only_https_or_loopback(url: str) -> None:
    with pytest.raises(InputError, match="https"):
        Runner(base_url=url)


@pytest.mark.parametrize(
    "url", ["https://persona.example/api", "http://localhost:1/api", "http://127.0.0.9:8/", "http://[::1]:8"]
)
async def test_allowed_addresses(url: str) -> None:
    await Runner(base_url=url).aclose()


@respx.mock
async def test_the_base_url_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    respx.get("http://127.0.0.1:9/v/inquiries/inq_1").respond(json=INQUIRY)
    monkeypatch.setenv("PERSONA_BASE_URL", "http://127.0.0.1:9/v/")
    async with Runner(api_key=KEY) as run:
        assert (await run.call("get_inquiry", {"inquiryId": "inq_1"}))["inquiry"]["id"] == "inq_1"


async def test_idempotency_keys() -> None:
    seen: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Idempotency-Key"))
        return httpx.Response(200, json=INQUIRY)

    async with runner(handler) as run:
        await run.call("approve_inquiry", {"inquiryId": "inq_1"})
        await run.call("approve_inquiry", {"inquiryId": "inq_1"})
        await run.call("approve_inquiry", {"inquiryId": "inq_1"}, idempotency_key="step-7")
        await run.call("redact_inquiry", {"inquiryId": "inq_1"}, idempotency_key="step-8")
    assert seen[0] and seen[1] and seen[0] != seen[1]
    assert seen[2:] == ["step-7", None]


async def test_the_envelope() -> None:
    async with runner(lambda _: httpx.Response(404, json={"errors": [{"title": "Record not found"}]})) as run:
        envelope = (await run.run("get_inquiry", {"inquiryId": "inq_1"})).to_dict()
    assert set(envelope) == {"success", "output", "error", "errorDetails", "timing", "requestId", "attempts", "retries"}
    assert set(envelope["timing"]) == {"startTime", "endTime", "duration"}
    assert set(envelope["errorDetails"]) == {
        "kind",
        "status",
        "title",
        "details",
        "requestId",
        "retryable",
        "tookEffect",
        "idempotencyKey",
        "retryAfter",
        "problems",
    }
    assert envelope["errorDetails"]["kind"] == "not_found"
    json.dumps(envelope)


async def test_no_answer_is_a_transport_error_without_addresses_or_keys() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout(f"{request.url} {request.headers}", request=request)

    async with runner(handler) as run:
        with pytest.raises(TransportError) as caught:
            await run.call("approve_inquiry", {"inquiryId": "inq_1"})
    assert "unknown" in caught.value.message
    assert KEY not in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value))


async def test_redirects_are_not_followed() -> None:
    async with runner(lambda _: httpx.Response(302, headers={"Location": "https://elsewhere.example"})) as run:
        with pytest.raises(ApiError, match="never followed"):
            await run.call("get_inquiry", {"inquiryId": "inq_1"})


# --- files -----------------------------------------------------------------------------------------------------------------

PDF = b"%PDF-1.7 page"


def _print(content: bytes, media_type: str = "application/pdf", status: int = 200) -> Handler:
    return lambda _: httpx.Response(status, content=content, headers={"Content-Type": media_type})


async def test_a_print_is_stored_under_a_free_name(tmp_path: Path) -> None:
    async with runner(_print(PDF), files=FileStore(tmp_path)) as run:
        files = [(await run.call("print_inquiry_pdf", {"inquiryId": "inq_1"}))["file"] for _ in range(3)]
    assert [file["name"] for file in files] == ["inq_1.pdf", "inq_1-2.pdf", "inq_1-3.pdf"]
    assert {path.name for path in tmp_path.iterdir()} == {"inq_1.pdf", "inq_1-2.pdf", "inq_1-3.pdf"}
    assert FileRef.model_validate(files[0]).size == len(PDF)


async def test_the_folder_is_for_its_owner(tmp_path: Path) -> None:
    async with runner(_print(PDF), files=FileStore(tmp_path / "a" / "b")) as run:
        await run.call("print_inquiry_pdf", {"inquiryId": "inq_1"})
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b" / "inq_1.pdf").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "handler",
    [
        _print(b"<html>", "text/html"),
        _print(b"not a pdf"),
        _print(b""),
        _print(PDF, "application/octet-stream"),
        _print(b"{}", "application/json"),
    ],
)
async def test_what_is_not_a_pdf_is_no_print(handler: Handler, tmp_path: Path) -> None:
    async with runner(handler, files=FileStore(tmp_path)) as run:
        with pytest.raises(ResponseError):
            await run.call("print_inquiry_pdf", {"inquiryId": "inq_1"})
    assert list(tmp_path.iterdir()) == []


async def test_a_refused_print_leaves_nothing_behind(tmp_path: Path) -> None:
    error = json.dumps({"errors": [{"title": "Conflict"}]}).encode()
    async with runner(_print(error, "application/json", 409), files=FileStore(tmp_path)) as run:
        with pytest.raises(ApiError, match="Conflict"):
            await run.call("print_inquiry_pdf", {"inquiryId": "inq_1"})
    assert list(tmp_path.iterdir()) == []


async def test_odd_ids_make_safe_names(tmp_path: Path) -> None:
    async with runner(_print(PDF), files=FileStore(tmp_path)) as run:
        file = (await run.call("print_inquiry_pdf", {"inquiryId": "../../etc/passwd"}))["file"]
    assert file["name"] == "passwd.pdf"
    assert [path.name for path in tmp_path.iterdir()] == ["passwd.pdf"]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "crew.csv"
    path.write_bytes(b"reference_id\ncrew-7\n")
    return path


def _file_values(csv: Path) -> Iterator[Any]:
    yield str(csv)
    yield csv
    yield csv.as_uri()
    yield csv.read_bytes()
    yield {"name": "crew.csv", "content": csv.read_bytes()}
    yield {"name": "crew.csv", "path": str(csv)}
    yield FileRef(name="crew.csv", mime_type="text/csv", size=1, url=csv.as_uri(), path=str(csv))


async def test_a_file_param_takes_what_hosts_have(csv: Path) -> None:
    sent: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.read())
        return httpx.Response(201, json={"data": {"type": "importer/account", "id": "mprt_1"}})

    values = list(_file_values(csv))
    async with runner(handler) as run:
        for value in values:
            await run.call("import_accounts", {"file": value})
        with csv.open("rb") as stream:
            await run.call("import_accounts", {"file": stream})
    assert len(sent) == len(values) + 1
    assert all(b"reference_id\ncrew-7\n" in body for body in sent)


@pytest.mark.parametrize("value", ["/nowhere/crew.csv", "s3://bucket/crew.csv", {"name": "x"}])
async def test_a_file_that_cannot_be_read_is_a_problem_of_its_param(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # no looking for credentials on the network
    async with runner(_never) as run:
        with pytest.raises(InputError) as caught:
            await run.call("import_accounts", {"file": value})
    assert [problem.param for problem in caught.value.problems] == ["file"]


# --- paging and waiting ----------------------------------------------------------------------------------------------------


def _pages(request: httpx.Request) -> httpx.Response:
    """Three pages of accounts, as many as the size asks for."""
    size = int(request.url.params.get("page[size]", 10))
    start = int(request.url.params.get("page[after]", "act_0")[4:])
    items = [{"type": "account", "id": f"act_{number}"} for number in range(start + 1, min(start + size, 25) + 1)]
    last = start + size >= 25
    link = None if last else f"/api/v1/accounts?page%5Bafter%5D={items[-1]['id']}&page%5Bsize%5D={size}"
    return httpx.Response(200, json={"data": items, "links": {"prev": None, "next": link}})


async def test_paging_follows_the_cursor_to_the_end() -> None:
    async with runner(_pages) as run:
        pages = [page async for page in run.paginate("list_accounts", {"pageSize": 10})]
        result = await run.run("list_accounts", {"pageSize": 7}, all_pages=True)
    ids = [account["id"] for page in pages for account in page["accounts"]]
    assert ids == [f"act_{number}" for number in range(1, 26)]
    assert [account["id"] for account in result.output["accounts"]] == ids
    assert result.output["nextCursor"] is None
    assert result.attempts == 4


async def test_all_pages_and_wait_are_not_for_one_call() -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("a request was sent")

    async with runner(handler) as run:
        for name in ("list_accounts", "get_report"):
            result = await run.run(operation(name), {"reportId": "rep_1"}, all_pages=True, wait=True)
            assert [each["param"] for each in (result.error_details or {})["problems"]] == ["wait"]


async def test_all_pages_asks_for_large_pages() -> None:
    told: list[ProgressUpdate] = []
    async with runner(_pages) as run:
        result = await run.run("list_accounts", all_pages=True, progress=told.append)
    assert result.attempts == 1
    assert [(update.message, update.done) for update in told] == [("1 page, 25 accounts", 25)]


async def test_an_error_between_pages_keeps_what_was_read() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return _pages(request) if "page[after]" not in request.url.params else httpx.Response(403, json={})

    async with runner(handler) as run:
        result = await run.run("list_accounts", {"pageSize": 10}, all_pages=True)
    assert not result.success
    assert len(result.output["accounts"]) == 10
    assert result.output["nextCursor"] == "act_10"


async def test_a_cursor_that_repeats_ends_the_paging() -> None:
    page = {"data": [], "links": {"next": "/api/v1/accounts?page%5Bafter%5D=act_1"}}
    async with runner(lambda _: httpx.Response(200, json=page)) as run:
        with pytest.raises(ResponseError, match="same cursor twice"):
            [page async for page in run.paginate("list_accounts")]


@pytest.mark.parametrize(
    ("options", "params", "sizes", "count"),
    [
        ({"max_items": 12}, {}, [12], 12),
        ({"max_items": 12, "page_size": 5}, {}, [5, 5, 2], 12),
        ({"max_items": 12}, {"pageSize": " 5 "}, [5, 5, 2], 12),
        ({"max_items": 12}, {"pageSize": 5}, [5, 5, 2], 12),
        ({"max_items": 40}, {}, [40], 25),
        ({"max_items": 400}, {}, [100], 25),
        ({"page_size": 20}, {"pageSize": 5}, [20, 20], 25),
        ({"max_items": 1}, {}, [1], 1),
    ],
)
async def test_paging_ends_at_as_many_items_as_were_asked_for(
    options: dict[str, Any], params: dict[str, Any], sizes: list[int], count: int
) -> None:
    asked: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(int(request.url.params["page[size]"]))
        return _pages(request)

    async with runner(handler) as run:
        pages = [page async for page in run.paginate(operation("list_accounts"), params, **options)]
    assert asked == sizes
    assert sum(len(page["accounts"]) for page in pages) == count
    assert (pages[-1]["nextCursor"] is None) == (count == 25)


@pytest.mark.parametrize("options", [{"max_items": 0}, {"page_size": -1}, {"max_items": True}, {"page_size": "5"}])
async def test_a_number_of_items_that_is_none_is_refused_by_name(options: dict[str, Any]) -> None:
    async with runner(_never) as run:
        with pytest.raises(InputError, match=f"{next(iter(options))}: must be a whole number, at least 1"):
            run.paginate("list_accounts", **options)


async def test_only_lists_give_pages() -> None:
    async with runner(_never) as run:
        with pytest.raises(InputError, match="gives no pages"):
            [page async for page in run.paginate(operation("get_account"), {"accountId": "act_1"})]
        with pytest.raises(InputError, match="nothing to wait for"):
            await run.wait(operation("get_account"), {"accountId": "act_1"})


def _report(statuses: list[str]) -> Handler:
    left = list(statuses)

    def handler(_request: httpx.Request) -> httpx.Response:
        status = left.pop(0) if len(left) > 1 else left[0]
        return httpx.Response(
            200, json={"data": {"type": "report/watchlist", "id": "rep_1", "attributes": {"status": status}}}
        )

    return handler


async def test_waiting_polls_to_the_outcome() -> None:
    async with runner(_report(["pending", "brewing", "ready"])) as run:
        output = await run.wait("get_report", {"reportId": "rep_1"}, delay=0.001, deadline=20)
    assert output["report"]["status"] == "ready"


async def test_waiting_on_what_was_started() -> None:
    params: CreateReportParams = {"reportType": "watchlist", "reportTemplateId": "rptp_1", "term": "Jane", "apiKey": "own-key"}
    keys: list[str] = []
    inner = _report(["pending", "pending", "ready"])

    def handler(request: httpx.Request) -> httpx.Response:
        keys.append(f"{request.method} {request.headers['Authorization']}")
        return inner(request)

    async with runner(handler) as run:
        output = await run.wait("create_report", params, delay=0.001, deadline=20)
    assert output["report"]["status"] == "ready"
    assert keys == ["POST Bearer own-key", "GET Bearer own-key", "GET Bearer own-key"]


async def test_a_delay_of_nothing_is_no_delay() -> None:
    async with runner(_report(["pending"] * 5 + ["ready"])) as run:
        started = asyncio.get_running_loop().time()
        await run.wait("get_report", {"reportId": "rep_1"}, delay=0, deadline=5)
        assert asyncio.get_running_loop().time() - started < 1


async def test_waiting_ends_badly_or_not_in_time() -> None:
    async with runner(_report(["pending", "errored"])) as run:
        with pytest.raises(WaitFailed) as failed:
            await run.wait("get_report", {"reportId": "rep_1"}, delay=0.001, deadline=20)
    assert failed.value.output["report"]["status"] == "errored"
    async with runner(_report(["pending"])) as run:
        with pytest.raises(WaitTimedOut) as late:
            await run.wait("get_report", {"reportId": "rep_1"}, delay=0.01, deadline=0.03)
    assert late.value.output["report"]["status"] == "pending"


@respx.mock
def test_run_sync() -> None:
    respx.get(f"{BASE}/inquiries/inq_1").respond(json=INQUIRY)
    assert run_sync("get_inquiry", {"inquiryId": "inq_1"}, api_key=KEY).success


def test_results_do_not_show_their_output() -> None:
    @respx.mock
    def run() -> str:
        person = {"data": {"type": "inquiry", "id": "inq_1", "attributes": {"fields": {"name-first": "Zebulon"}}}}
        respx.get(f"{BASE}/inquiries/inq_1").respond(json=person)
        return repr(run_sync("get_inquiry", {"inquiryId": "inq_1"}, api_key=KEY))

    assert "Zebulon" not in run()


async def test_waiting_that_fails_does_not_hide_what_was_started() -> None:
    """A host that took it for a failure without effect would start a second report."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, json={"data": {"type": "report/watchlist", "id": "rep_9"}})
        return httpx.Response(403, json={"errors": [{"title": "Forbidden"}]})

    params: CreateReportParams = {"reportType": "watchlist", "reportTemplateId": "rptp_1", "term": "Jane"}
    async with runner(handler) as run:
        result = await run.run("create_report", params, wait=True)
    assert not result.success
    assert result.output["report"]["id"] == "rep_9"
    assert result.error_details is not None
    assert (result.error_details["tookEffect"], result.error_details["retryable"]) == ("yes", False)
    assert "get_report (reportId rep_9)" in (result.error or "")


@pytest.mark.parametrize(("operation", "params"), [(None, {}), (["x"], {}), ("get_inquiry", [1]), ("get_inquiry", "x")])
async def test_whatever_a_model_sends_is_an_envelope(operation: Any, params: Any) -> None:
    async with runner(_never) as run:
        result = await run.run(operation, params)
    assert result.error_details is not None
    assert result.error_details["kind"] == "input_error"


@pytest.mark.parametrize("key", ["\u00e9", "a\nb", "x" * 256])
async def test_an_idempotency_key_that_no_header_holds_is_refused(key: str) -> None:
    async with runner(_never) as run:
        result = await run.run("approve_inquiry", {"inquiryId": "inq_1"}, idempotency_key=key)
    assert "idempotency_key" in (result.error or "")


async def test_a_file_that_can_be_read_only_once(csv: Path) -> None:
    sent: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.read())
        return httpx.Response(201, json={"data": {"type": "importer/account", "id": "mprt_1"}})

    reading, writing = os.pipe()
    os.write(writing, csv.read_bytes())
    os.close(writing)
    async with runner(handler) as run:
        with os.fdopen(reading, "rb") as pipe:
            await run.call("import_accounts", {"file": pipe})
        await run.call("import_accounts", {"file": {"name": "crew.csv", "content": csv.read_text()}})
    assert all(b"reference_id\ncrew-7\n" in body for body in sent)
    assert len(sent) == 2


@pytest.mark.soak
async def test_many_runners_leak_no_socket() -> None:
    """Each connects for real, to a server of its own kind, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps(INQUIRY).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(budget(small=200, full=2_000)):
        async with Runner(api_key=KEY, base_url=url) as run:
            assert (await run.run("get_inquiry", {"inquiryId": "inq_1"})).success
    await asyncio.sleep(0.1)
    assert len(os.listdir("/proc/self/fd")) <= before + 2
    server.close()
