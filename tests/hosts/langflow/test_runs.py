"""The example flows with `lfx run`, as a schedule or a pipeline runs them: each in a process of its own, on the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lfx", reason="lfx is not installed here: make langflow runs these")

from tests.hosts.langflow.documents import EXAMPLES, NAMES, agent_flow
from tests.hosts.langflow.slack_api import slack_api

pytestmark = pytest.mark.process

ROOT = EXAMPLES.parents[1]
SAID = {
    "bulk-import": "ready, 2 imported, 0 duplicates, 0 failed",
    "decision-router": ": needs review.",
    "morning-digest": " cases: case_",
    "onboarding": "Verification link for inq_",
    "screening-agent": "Nine of them do.",
}
"""What each flow says in the end."""


def lfx_run(flow: Path, folder: Path, *, slack_url: str = "", text: str = "") -> dict[str, Any]:
    """Run a flow, and return what it gives."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PERSONA_API_KEY"},
        "LANGFLOW_CONFIG_DIR": str(folder),
        "DO_NOT_TRACK": "true",
        "LF_CONNECTION__SLACK__ONBOARDING": json.dumps({"access_token": "xoxb-a-token", "scopes": ["chat:write"]}),
        "TEST_SLACK_URL": slack_url,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).with_name("redirected"))]),
    }
    command = [
        str(Path(sys.executable).with_name("lfx")),
        "run",
        str(flow),
        "--format",
        "json",
        "--no-check-dependencies",
        text,
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False, timeout=120)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


@pytest.mark.parametrize("name", [name for name in NAMES if name != "screening-agent"])
def test_an_example_runs_without_a_server(name: str, tmp_path: Path) -> None:
    with slack_api() as slack:
        answer = lfx_run(EXAMPLES / f"{name}.json", tmp_path, slack_url=slack.url)
    assert answer["success"], answer
    assert SAID[name] in answer["result"]
    assert answer["result"].endswith("nobody was verified.")
    posted = [post["text"] for post in slack.posts]
    assert posted == ([answer["result"].splitlines()[0]] if name == "onboarding" else [])
    kept = [path.read_bytes()[:5] for path in tmp_path.rglob("inq_*.pdf")]
    assert kept == ([b"%PDF-"] if name == "onboarding" else [])


def test_the_agent_runs_without_a_server(tmp_path: Path) -> None:
    calls = [{"name": "persona_list_inquiries", "args": {"status": "needs_review", "maxItems": 50}}]
    flow = agent_flow([{"text": "", "calls": calls}, {"text": SAID["screening-agent"]}], approvals={})
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(flow), "utf-8")
    answer = lfx_run(path, tmp_path, text="Which need a review?")
    assert answer["success"], answer
    assert answer["result"] == SAID["screening-agent"]


def test_a_decision_of_the_agent_does_not_happen_where_nobody_can_be_asked(tmp_path: Path) -> None:
    calls = [{"name": "persona_approve_inquiry", "args": {"inquiryId": "inq_1"}}]
    flow = agent_flow(
        [{"text": "", "calls": calls}, {"text": "Done."}], approvals={"persona_approve_inquiry": ["approve", "reject"]}
    )
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(flow), "utf-8")
    answer = lfx_run(path, tmp_path, text="Approve it.")
    assert answer.get("result") != "Done."
