"""A notebook, whose kernel has a running loop: the blocking runner works in a cell, and an interrupt ends its call."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from nbclient import NotebookClient

CELLS = (
    """
import asyncio, os, signal, threading
from persona_block import BlockingRunner, Sandbox, run_sync
assert asyncio.get_running_loop()
sandbox = Sandbox()
runner = BlockingRunner(api_key=sandbox.api_key, base_url=sandbox.base_url, transport=sandbox.transport)
before = threading.active_count()
""",
    """
created = runner.run("create_inquiry", {"inquiryTemplateId": sandbox.templates.inquiry, "referenceId": "<b>customer</b>"})
created
""",
    'len(list(runner.map("get_inquiry", [{"inquiryId": created.output["inquiry"]["id"]}] * 3)))',
    """
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    runner.wait("get_inquiry", {"inquiryId": created.output["inquiry"]["id"]})
except KeyboardInterrupt:
    print("interrupted")
runner.close()
threading.active_count() - before
""",
    'run_sync("get_inquiry", {"inquiryId": " "}, api_key="k").error_details["problems"][0]["code"]',
)


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    notebook = importlib.import_module("nbformat.v4")  # it has no types
    document = notebook.new_notebook(cells=[notebook.new_code_cell(cell) for cell in CELLS])
    NotebookClient(document, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [[output.get("data", output.get("text")) for output in cell.outputs] for cell in document.cells]
    assert shown[0] == []
    assert shown[1][0]["text/plain"].startswith("ToolResult(success=True")
    assert "<td>&lt;b&gt;customer&lt;/b&gt;</td>" in shown[1][0]["text/html"]
    assert shown[2] == [{"text/plain": "3"}]
    assert shown[3] == ["interrupted\n", {"text/plain": "0"}]
    assert shown[4] == [{"text/plain": "'required'"}]
