"""The pytest plugin, in a pytest of its own, as the tests of another program use it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from persona_block.sandbox import Faults, Sandbox

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a test file with pytest and the sandbox's plugin alone."""
    (folder / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--strict-markers", "-p", "no:cacheprovider", *options]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "persona_block.sandbox.pytest_plugin"}
    done = subprocess.run([*command, "test_it.py"], cwd=folder, env=alone, capture_output=True, text=True, timeout=60)
    print(done.stdout, done.stderr)
    return done


@pytest.mark.process
def test_the_example_runs() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "examples/test_onboarding.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert re.search(r"\b5 passed", done.stdout)


def test_pytest_finds_the_plugin(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.hasplugin("persona_sandbox"), "the installation is older than pyproject.toml"


@pytest.mark.process
def test_the_plugin_loads_nothing_until_it_is_used(tmp_path: Path) -> None:
    test = """
import sys

def test_nothing():
    loaded = {"starlette", "httpx", "pydantic", "sqlite3", "persona_block.sandbox.simulator"} & set(sys.modules)
    assert not loaded, loaded
"""
    assert run(tmp_path, test).returncode == 0


@pytest.mark.process
def test_without_the_extra_the_fixture_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("import sys\nsys.modules['starlette'] = None\n")
    test = """
def test_other():
    pass

def test_it(persona_sandbox):
    pass
"""
    done = run(tmp_path, test)
    assert done.returncode == 1
    assert "1 passed, 1 error" in done.stdout
    assert "pip install 'persona-block[sandbox]'" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.process
def test_each_test_has_an_organisation_of_its_own(tmp_path: Path) -> None:
    test = """
import pytest, time
from persona_block import run_sync
from persona_block.sandbox import Settings

pytestmark = pytest.mark.persona_sandbox(seed=3, settings=Settings(rate_limit=50))

@pytest.mark.parametrize("number", range(2))
def test_fresh(persona_sandbox_url, persona_sandbox, number):
    result = run_sync("create_account", {"referenceId": "same"})
    assert result.success, result.error
    assert [effect.name for effect in persona_sandbox.effects] == ["account.created"]
    assert [request.method for request in persona_sandbox.requests] == ["POST"]
    assert persona_sandbox.organization.settings.rate_limit == 50

@pytest.mark.persona_sandbox(populate=True, settings=Settings(rate_limit=2))
def test_the_nearest_marker_wins(persona_sandbox):
    assert persona_sandbox.organization.settings.rate_limit == 2
    assert persona_sandbox.organization.secret == b"3"
    assert len(persona_sandbox.effects) > 500

def test_the_clock_stands_still(persona_sandbox):
    before = persona_sandbox.clock.milliseconds()
    time.sleep(0.01)
    assert persona_sandbox.clock.milliseconds() == before
    persona_sandbox.clock.advance(60)
    assert persona_sandbox.clock.milliseconds() == before + 60_000
"""
    done = run(tmp_path, test)
    assert "4 passed" in done.stdout


@pytest.mark.process
@pytest.mark.parametrize(
    ("marker", "message"),
    [("True", "options are given by name"), ("rate_limit=1", "unexpected keyword argument 'rate_limit'")],
)
def test_a_wrong_marker(tmp_path: Path, marker: str, message: str) -> None:
    test = f"""
import pytest

@pytest.mark.persona_sandbox({marker})
def test_it(persona_sandbox):
    pass
"""
    done = run(tmp_path, test)
    assert done.returncode == 1
    assert message in done.stdout


def test_the_environment_leads_to_the_server(persona_sandbox_url: str, persona_sandbox: Sandbox) -> None:
    assert os.environ["PERSONA_BASE_URL"] == persona_sandbox_url == persona_sandbox.base_url
    assert os.environ["PERSONA_API_KEY"] == persona_sandbox.api_key
    assert persona_sandbox_url.startswith("http://127.0.0.1:")


def test_a_server_plays_the_present_faults(persona_sandbox_url: str, persona_sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {persona_sandbox.api_key}"}
    with httpx.Client(base_url=persona_sandbox_url, headers=headers) as http:
        assert http.get("/accounts").status_code == 200
        persona_sandbox.faults = Faults(rate=1, kinds=["reset-before"])
        with pytest.raises(httpx.ReadError):
            http.get("/accounts")
        persona_sandbox.faults = None
        assert http.get("/accounts").status_code == 200
    assert len(persona_sandbox.requests) == 2
