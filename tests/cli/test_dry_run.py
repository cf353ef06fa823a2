"""`--dry-run`: it shows the very request that would be sent, hides the key, and sends nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from persona_block.cli import dry_run
from tests.cli.conftest import Answer, RunHere
from tests.support.planted import COMMAND_LINE_KEY as KEY

CALLS = [
    ("create_inquiry", ["inquiryTemplateId=itmpl_1", "fields.name-first=Ann", "referenceId=c 1", "tags=a,b"]),
    ("list_inquiries", ["status=needs_review", "pageSize=2", "createdAtStart=2026-01-05T00:00:00Z"]),
    ("approve_inquiry", ["inquiryId=inq_1", "comment=fine"]),
    ("redact_account", ["accountId=act_1"]),
    ("print_inquiry_pdf", ["inquiryId=inq_1"]),
]


@pytest.mark.parametrize(("operation", "pairs"), CALLS)
def test_it_shows_what_is_sent(operation: str, pairs: list[str], answer: Answer, run_here: RunHere) -> None:
    sent: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(403, json={"errors": []})

    answer(take)
    options = ["--idempotency-key", "step-7"] if operation in ("create_inquiry", "approve_inquiry") else []
    dry = run_here("run", operation, *pairs, *options, "--dry-run", "--output-dir", "/nowhere", PERSONA_API_KEY=KEY)
    assert (dry.returncode, sent) == (0, [])
    assert dry.stderr == "Nothing was sent.\n"
    assert KEY not in dry.stdout
    document = json.loads(dry.stdout)
    assert document["dryRun"] is True
    shown = document["request"]
    run_here("run", operation, *pairs, *options, "--yes", PERSONA_API_KEY=KEY)
    (request,) = sent
    assert (shown["method"], shown["url"]) == (request.method, str(request.url))
    assert shown.get("body") == (json.loads(request.content) if request.content else None)
    assert shown["headers"].pop("Authorization") == "Bearer …"
    assert shown["headers"].items() <= {name.title(): value for name, value in request.headers.items()}.items()


def test_it_makes_no_folder(run_here: RunHere, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    done = run_here("run", "print_inquiry_pdf", "inquiryId=inq_1", "--dry-run", "--output-dir", str(folder))
    assert (done.returncode, folder.exists()) == (0, False)


def test_it_needs_no_account_and_no_terminal(run_here: RunHere) -> None:
    done = run_here("run", "approve_inquiry", "inquiryId=inq_1", "--dry-run", "--output", "table")
    assert done.returncode == 0
    assert done.stdout.startswith("POST https://api.withpersona.com/api/v1/inquiries/inq_1/approve\n")
    assert "Authorization: Bearer …\n" in done.stdout
    elsewhere = run_here("run", "list_accounts", "--dry-run", PERSONA_BASE_URL="http://127.0.0.1:9/api/v1")
    assert json.loads(elsewhere.stdout)["request"]["url"].startswith("http://127.0.0.1:9/api/v1/accounts")
    sandbox = run_here("run", "list_accounts", "--dry-run", "--sandbox")
    assert ".sandbox.invalid/" in json.loads(sandbox.stdout)["request"]["url"]
    assert "remembered" not in sandbox.stderr


def test_the_first_of_many_pages_is_shown_as_it_is_asked_for(run_here: RunHere) -> None:
    url = json.loads(run_here("run", "list_accounts", "--all", "--dry-run").stdout)["request"]["url"]
    assert url.endswith("page%5Bsize%5D=100")
    done = run_here("run", "get_account", "accountId=act_1", "--all", "--dry-run")
    assert done.returncode == 2
    assert "gives no pages" in json.loads(done.stdout)["error"]


def test_wrong_params_are_refused(run_here: RunHere) -> None:
    done = run_here("run", "get_inquiry", "--dry-run")
    assert done.returncode == 2
    assert "inquiryId: is required" in json.loads(done.stdout)["error"]


def test_a_file_is_checked_and_its_beginning_shown(tmp_path: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "_BODY_LIMIT", 300)
    crew = tmp_path / "crew.csv"
    crew.write_text("reference_id,name_first\n" + "".join(f"c{number},Ann\n" for number in range(200)))
    done = run_here("run", "import_accounts", f"file={crew}", "--dry-run")
    body: Any = json.loads(done.stdout)["request"]["body"]
    assert 'filename="crew.csv"' in body and "c0,Ann" in body
    assert body.endswith("…") and len(body) == 301
    crew.write_text("moon\n1\n")
    done = run_here("run", "import_accounts", f"file={crew}", "--dry-run")
    assert done.returncode == 2
    assert "Nothing was sent." not in done.stderr


def test_nothing_in_it_steers_a_terminal(run_here: RunHere) -> None:
    done = run_here("run", "create_inquiry", "inquiryTemplateId=itmpl_1", "note=\x1b[2Jx", "--dry-run", "--output", "table")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "[2Jx" in done.stdout
