"""The package's public names: all of them come without any extra, but for the one that is an extra."""

from __future__ import annotations

import subprocess
import sys

import pytest

import persona_block

EXTRAS = (
    *("starlette", "uvicorn", "python_multipart", "multipart", "fpdf", "jinja2", "fsspec", "s3fs", "mcp", "opentelemetry"),
    *("langchain_core", "agents", "pydantic_ai", "anthropic", "dbos", "slack_sdk"),
)
"""The modules of libraries that extras bring."""

_BARE = f"""
import sys
for name in {EXTRAS!r}:
    sys.modules[name] = None
from persona_block import *
import persona_block
missing = [name for name in persona_block.__all__ if name not in globals()]
assert not missing, missing
assert Runner(api_key="k") and webhooks.TOLERANCE and manifest() and load(names()[0]) and FileStore()
try:
    persona_block.Sandbox
except ModuleNotFoundError as error:
    print("Sandbox needs", error.name)
"""


@pytest.mark.process
def test_a_star_import_works_without_any_extra() -> None:
    done = subprocess.run([sys.executable, "-c", _BARE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Sandbox needs ")


@pytest.mark.process
@pytest.mark.parametrize("arguments", ["tools", "describe get_inquiry", "manifest", "demo", "sandbox", "mcp"])
def test_the_command_line_says_which_extra_is_missing(arguments: str) -> None:
    code = f"import sys\nfor name in {EXTRAS!r}: sys.modules[name] = None\nfrom persona_block.cli import main\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}sys.exit(main({arguments.split()!r}))"], capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    needs_extra = arguments in ("demo", "sandbox", "mcp")
    assert done.returncode == (2 if needs_extra else 0)
    assert ("pip install 'persona-block[" in done.stderr) == needs_extra


def test_the_sandbox_is_imported_by_its_name() -> None:
    from persona_block import Sandbox
    from persona_block.sandbox import Sandbox as its_own

    assert Sandbox is its_own
    assert "Sandbox" in dir(persona_block)
    assert set(persona_block.__all__) < set(dir(persona_block))
