"""`persona-block check`: what it finds out about key, connection, permissions and clock, by reading alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from persona_block.sandbox import Sandbox
from tests.cli.conftest import Answer, RunHere
from tests.support.planted import COMMAND_LINE_KEY as KEY
from tests.support.planted import PERSON

EMPTY = {"data": [], "links": {"next": None}}


class Persona:
    """A Persona that notes the requests, and refuses what it is told to."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.refused: dict[str, int] = {}
        self.seconds_ahead = 0.0
        self.pages = 1
        self.headers = {"Persona-Environment-Id": "env_1", "Persona-Organization-Id": "org_1"}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        kind = request.url.path.removeprefix("/api/v1/").partition("/")[0]
        headers = {**self.headers, "Date": formatdate(int(time.time() + self.seconds_ahead), usegmt=True)}
        if status := self.refused.get(kind, self.refused.get("*", 0)):
            return httpx.Response(status, json={"errors": [{"title": "No"}]}, headers=headers)
        return httpx.Response(200, json=self.document(kind), headers=headers)

    def document(self, kind: str) -> Any:
        if kind == "verifications":
            return {"data": {"type": "verification/selfie", "id": "ver_1", "attributes": {"name-first": PERSON}}}
        if kind == "inquiries":
            related = {"verifications": {"data": [{"type": "verification/selfie", "id": "ver_1"}]}}
            thing = {"type": "inquiry", "id": "inq_1", "attributes": {"note": PERSON}, "relationships": related}
            return {**EMPTY, "data": [thing]}
        if kind == "inquiry-templates":
            self.pages -= 1
            templates = [{"type": "inquiry-template", "id": f"itmpl_{self.pages}{each}"} for each in range(3)]
            following = f"/x?page%5Bafter%5D=itmpl_{self.pages}0" if self.pages else None
            return {"data": templates, "links": {"next": following}}
        return EMPTY


@pytest.fixture
def persona(answer: Answer) -> Persona:
    """Have the command line talk to a Persona."""
    persona = Persona()
    answer(persona)
    return persona


def checked(run_here: RunHere, *options: str, code: int, **environment: str) -> dict[str, dict[str, str]]:
    """Return what was found, by what it is about."""
    done = run_here("check", "--json", *options, **{"PERSONA_API_KEY": KEY, **environment})
    assert done.returncode == code
    assert KEY not in done.stdout + done.stderr
    assert PERSON not in done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert document["ok"] == (code == 0)
    assert document["ok"] == all(finding["verdict"] != "problem" for finding in document["checks"])
    return {finding["about"]: finding for finding in document["checks"]}


def test_a_good_key(persona: Persona, run_here: RunHere) -> None:
    persona.pages = 2
    found = checked(run_here, code=0)
    assert {request.method for request in persona.requests} == {"GET"}
    assert found["API key"] == {"about": "API key", "verdict": "ok", "text": "is good"}
    assert found["base URL"]["text"] == "https://api.withpersona.com is Persona itself"
    assert found["HTTP library"]["text"] == f"httpx {httpx.__version__}"
    assert found["environment"]["text"] == "production, with real people (env_1, org_1)"
    assert found["templates"]["text"] == "6 inquiry templates"
    assert found["clock"]["text"] == "agrees with Persona's to the second"
    for kind in ("inquiries", "accounts", "reports", "cases", "verifications"):
        assert kind in found["may read"]["text"].split(", ")
    assert "documents" in found["not tried"]["text"] and "importers" in found["not tried"]["text"]


def test_templates_without_an_end_are_not_all_counted(persona: Persona, run_here: RunHere) -> None:
    persona.pages = 10**9
    assert checked(run_here, code=0)["templates"]["text"] == "30 or more inquiry templates"


def test_it_prints_a_table(persona: Persona, run_here: RunHere) -> None:
    done = run_here("check", PERSONA_API_KEY=KEY)
    assert done.returncode == 0
    assert "API key" in done.stdout and "is good" in done.stdout
    assert KEY not in done.stdout
    assert persona.requests


@pytest.mark.parametrize(("key", "environment"), [("persona_sandbox_1", "sandbox"), ("anything", "cannot be told")])
def test_a_key_that_may_not_list_templates(key: str, environment: str, persona: Persona, run_here: RunHere) -> None:
    persona.refused = {"inquiry-templates": 403}
    found = checked(run_here, code=0, PERSONA_API_KEY=key)
    assert found["templates"]["verdict"] == "note"
    assert "keys of the production environment" in found["templates"]["text"]
    assert environment in found["environment"]["text"]


def test_a_key_of_another_form_that_lists_templates_is_of_production(persona: Persona, run_here: RunHere) -> None:
    assert "production" in checked(run_here, code=0, PERSONA_API_KEY="anything")["environment"]["text"]
    assert persona.requests


def test_missing_permissions(persona: Persona, run_here: RunHere) -> None:
    persona.refused = {"cases": 403, "verifications": 403}
    found = checked(run_here, code=1)
    assert found["API key"]["verdict"] == "ok"
    assert found["may not read"]["text"].startswith("cases, verifications (403): the permission seems to be missing")
    assert "cases" not in found["may read"]["text"]


def test_a_refused_key_ends_it(persona: Persona, run_here: RunHere) -> None:
    persona.refused = {"*": 401}
    found = checked(run_here, code=1)
    assert "refused (401)" in found["API key"]["text"]
    assert set(found) == {"base URL", "API key", "clock", "HTTP library"}
    assert len(persona.requests) == 1


@pytest.mark.parametrize(("refused", "key_is"), [({"*": 500}, "problem"), ({"reports": 500}, "ok"), ({"reports": 429}, "ok")])
def test_what_fails_otherwise_is_told(refused: dict[str, int], key_is: str, persona: Persona, run_here: RunHere) -> None:
    persona.refused = refused
    found = checked(run_here, code=1)
    assert found["API key"]["verdict"] == key_is
    status = next(iter(refused.values()))
    assert str(status) in (found["API key"] if key_is == "problem" else found["reading reports"])["text"]


def _unreachable(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no")


def _silent(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no")


@pytest.mark.parametrize("handler", [_unreachable, _silent])
def test_no_connection(handler: Callable[[httpx.Request], httpx.Response], answer: Answer, run_here: RunHere) -> None:
    answer(handler)
    found = checked(run_here, code=1)
    assert "cannot be tried" in found["API key"]["text"]
    assert set(found) == {"base URL", "API key", "clock", "HTTP library"}
    assert found["clock"]["text"] == "cannot be compared: the answers told no time"


@pytest.mark.parametrize(
    ("seconds", "verdict", "text"),
    [
        (-3600, "problem", r"3600 s ahead of Persona's"),
        (90, "problem", "90 s behind Persona's"),
        (-20, "ok", "20 s ahead of Persona's"),
        (0.2, "ok", "agrees"),
    ],
)
def test_a_clock_that_is_off(seconds: float, verdict: str, text: str, persona: Persona, run_here: RunHere) -> None:
    persona.seconds_ahead = seconds
    found = checked(run_here, code=1 if verdict == "problem" else 0)["clock"]
    assert found["verdict"] == verdict
    number = text.partition(" s ")[0]
    near = {text, text.replace(number, str(abs(int(seconds)) - 1)), text.replace(number, str(abs(int(seconds)) + 1))}
    assert any(each in found["text"] for each in near)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026", "Mon, 05 Jan 2026 00:00:00 +99999999999999"])
def test_a_time_that_is_none_is_told_so(date: str, answer: Answer, run_here: RunHere) -> None:
    answer(lambda _: httpx.Response(200, json=EMPTY, headers={"Date": date}))
    assert checked(run_here, code=0)["clock"]["verdict"] == "note"


def test_without_a_key_nothing_is_sent(persona: Persona, run_here: RunHere) -> None:
    done = run_here("check")
    assert done.returncode == 2
    assert "set PERSONA_API_KEY" in done.stderr
    assert persona.requests == []
    bad = checked(run_here, code=1, PERSONA_API_KEY="two words")
    assert "holds spaces" in bad["API key"]["text"]
    assert persona.requests == []
    assert run_here("check", PERSONA_API_KEY=KEY, PERSONA_BASE_URL="http://example.com").returncode == 2


def test_a_base_url_that_is_not_personas(persona: Persona, run_here: RunHere) -> None:
    for url, host in (
        ("https://persona.example.com/api/v1", "persona.example.com"),
        ("https://xwithpersona.com", "xwithpersona"),
    ):
        found = checked(run_here, code=0, PERSONA_BASE_URL=url)
        assert found["base URL"]["verdict"] == "note"
        assert "is not Persona's own host" in found["base URL"]["text"] and host in found["base URL"]["text"]
    assert persona.requests


@pytest.mark.slow
def test_the_sandbox(run_here: RunHere) -> None:
    found = checked(run_here, "--sandbox", code=0)
    assert "a simulation" in found["base URL"]["text"]
    assert found["templates"]["text"] == "4 inquiry templates"
    with Sandbox() as sandbox, sandbox.serve_in_thread() as base_url:
        for key, environment in ((sandbox.api_key, "production"), (sandbox.sandbox_key, "sandbox")):
            found = checked(run_here, code=0, PERSONA_BASE_URL=base_url, PERSONA_API_KEY=key)
            assert found["environment"]["text"] == f"{environment} of an offline Persona, where nobody is real"
            assert found["clock"]["verdict"] == "ok"
        done = run_here("check", "--debug", "--api-key-stdin", stdin=f"{sandbox.api_key}\n", PERSONA_BASE_URL=base_url)
        assert done.returncode == 0
        assert "> GET " in done.stderr
        assert sandbox.api_key not in done.stdout + done.stderr
        assert checked(run_here, code=1, PERSONA_BASE_URL=base_url)["API key"]["verdict"] == "problem"
