"""The command `persona-block check`: whether key, connection and clock are good, found out by reading alone."""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from ..credentials import ApiKey
from ..errors import Forbidden, InputError, PersonaError, Problem, TransportError, Unauthorized
from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, Pagination, ToolSpec
from .exits import FAILURE, SUCCESS
from .output import print_json
from .runners import debugging, runners, seconds
from .tables import print_table
from .terminal import paragraph, print_lines

if TYPE_CHECKING:
    import httpx

    from ..runner import Runner

Verdict = Literal["ok", "note", "problem"]

_TEMPLATES = "list_inquiry_templates"
"""The operation that only keys of the production environment may call."""
_PERSONA = "withpersona.com"
_PREFIXES = {"persona_sandbox_": "sandbox", "persona_production_": "production"}
"""What keys commonly begin with, by environment; others are no worse."""
_PAGE = 10
"""Objects of each kind that are read, to find something that belongs to them."""
_MOST_PAGES = 10
"""Pages of templates that are counted; whoever answers can have no end of them."""
_CLOCK_SECONDS = 60.0
"""Seconds that the clock may be off; a webhook's signature is refused beyond five minutes."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found out."""

    about: str
    verdict: Verdict
    text: str


def add_command(commands: Any, help_text: str) -> None:
    """Add the command to a parser's subcommands."""
    check = commands.add_parser(
        "check",
        help=help_text,
        description="Try the API key, the connection and the clock by reading alone, and print no key and nothing personal.",
    )
    check.add_argument("--json", action="store_true", help="print JSON for programs")
    check.add_argument("--api-key-stdin", action="store_true", help="read the API key from standard input")
    check.add_argument("--timeout", type=seconds, metavar="SECONDS", help="for one call with all its attempts (default: 60)")
    check.add_argument("--debug", action="store_true", help="show requests and answers on stderr, with personal values masked")
    check.add_argument("--sandbox", action="store_true", help="try the offline Persona of `run --sandbox`")
    check.set_defaults(handler=run_check, fresh=False, output_dir=None, storage=None, no_check=False)


def run_check(arguments: argparse.Namespace) -> int:
    """Print what was found out; the exit code is 1 where something is wrong."""
    with debugging(arguments), runners(arguments) as make_runner:
        findings = asyncio.run(_findings(make_runner))
    is_good = not any(finding.verdict == "problem" for finding in findings)
    if arguments.json:
        print_json({"ok": is_good, "checks": [vars(finding) for finding in findings]})
    else:
        print_table(("check", "", "what was found"), [(each.about, each.verdict, each.text) for each in findings])
        print_lines("", *paragraph("Nothing was changed. What the key may write cannot be tried by reading."))
    return SUCCESS if is_good else FAILURE


async def _findings(make_runner: Any) -> list[Finding]:
    from ..call.observe import event_hooks

    heard = Heard()
    hooks = event_hooks.get() or {}
    event_hooks.set(
        {
            "request": [*hooks.get("request", []), heard.request_hook],
            "response": [heard.response_hook, *hooks.get("response", [])],
        }
    )
    async with make_runner() as runner:
        api_key = runner.api_key
        if api_key.is_absent:
            raise InputError("check", [Problem(API_KEY_PARAM, "set PERSONA_API_KEY, or use --api-key-stdin")])
        reading = Reading(runner)
        await reading.read_everything()
    return [
        _base_url(heard),
        reading.key_finding(),
        *([] if reading.ended_by else [_environment(api_key, heard, reading), *reading.permissions(), reading.templates()]),
        *([heard.clock_finding(), Finding("HTTP library", "ok", heard.library)] if heard.base_url else []),
    ]


class Heard:
    """What requests and answers tell beside their bodies: where they went, the environment, and Persona's time."""

    def __init__(self) -> None:
        self.base_url: httpx.URL | None = None
        self.library = ""
        """The HTTP library with its version."""
        self.environment_id: str | None = None
        self.organization_id: str | None = None
        self.is_simulation = False
        self.ahead: tuple[float, float] | None = None
        """The least and the most seconds that Persona's clock can be ahead of this one."""
        self._sent = 0.0

    async def request_hook(self, request: httpx.Request) -> None:
        """Take note of where a request goes, and when."""
        self.base_url = request.url
        self.library = request.headers.get("User-Agent", "").removeprefix("python-").replace("/", " ")
        self._sent = time.time()

    async def response_hook(self, response: httpx.Response) -> None:
        """Take note of an answer's headers."""
        headers = response.headers
        self.environment_id = headers.get("Persona-Environment-Id", self.environment_id)
        self.organization_id = headers.get("Persona-Organization-Id", self.organization_id)
        self.is_simulation = "Persona-Sandbox" in headers
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            moment = parsedate_to_datetime(headers["Date"]).timestamp()  # a whole second, which had begun
            least, most = self.ahead or (-float("inf"), float("inf"))
            self.ahead = max(least, moment - time.time()), min(most, moment + 1 - self._sent)

    def clock_finding(self) -> Finding:
        """Return how far this machine's clock is off."""
        if self.ahead is None:
            return Finding("clock", "note", "cannot be compared: the answers told no time")
        least, most = self.ahead
        off = least if least > 0 else min(most, 0)
        if abs(off) < 1:
            return Finding("clock", "ok", "agrees with Persona's to the second")
        text = f"is {abs(off):.0f} s {'behind' if off > 0 else 'ahead of'} Persona's"
        return Finding("clock", "problem" if abs(off) > _CLOCK_SECONDS else "ok", text)


class Reading:
    """What the key may read, tried one kind of object after the other until the connection or the key proves bad."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._outcomes: dict[str, PersonaError | None] = {}
        """How each tried operation ended; None is well."""
        self._ids: dict[str, str] = {}
        """An id for params of operations, where one was found."""
        self._templates = 0
        self._has_more_templates = False
        self.ended_by: PersonaError | None = None
        """What makes all further calls needless."""

    async def read_everything(self) -> None:
        """Call each operation that lists something, and then those that read what belongs to it."""
        specs = [spec for spec in catalog.in_order_of_use() if spec.effect == "read" and not spec.file_source]
        for spec in specs:
            if spec.paginate:
                await self._try_list(spec, spec.paginate)
        for spec in specs:
            known = {name: self._ids[name] for name in spec.required if name in self._ids}
            if not spec.paginate and len(known) == len(spec.required) and not self.ended_by:
                await self._try(spec.name, self._runner.call(spec.name, known))

    async def _try_list(self, spec: ToolSpec, paging: Pagination) -> None:
        if self.ended_by:
            return
        if spec.name == _TEMPLATES:
            await self._try(spec.name, self._count_templates(paging))
            return
        page = await self._try(spec.name, self._runner.call(spec.name, {paging.size: _PAGE}))
        for thing in (page or {}).get(paging.items, ()):
            for name, value in thing.items():
                if name.endswith("Ids") and value:
                    self._ids.setdefault(name.removesuffix("s"), value[0])

    async def _count_templates(self, paging: Pagination) -> None:
        spec = catalog.load(_TEMPLATES)
        number = 0
        async for page in self._runner.paginate(spec.name, page_size=spec.params[paging.size].maximum):
            self._templates += len(page[paging.items])
            number += 1
            if number == _MOST_PAGES and page[paging.next]:
                self._has_more_templates = True
                break

    async def _try(self, operation: str, calling: Any) -> Any:
        self._outcomes[operation] = None
        try:
            return await calling
        except PersonaError as error:
            self._outcomes[operation] = error
            if isinstance(error, Unauthorized | TransportError | InputError):
                self.ended_by = error
        return None

    def key_finding(self) -> Finding:
        """Return whether Persona takes the key."""
        if isinstance(self.ended_by, InputError):
            return Finding("API key", "problem", self.ended_by.problems[0].message)
        if isinstance(self.ended_by, Unauthorized):
            return Finding("API key", "problem", "is refused (401): it is wrong, was revoked, or belongs elsewhere")
        if self.ended_by:
            return Finding("API key", "problem", f"cannot be tried. {self.ended_by.message}")
        if not any(error is None or isinstance(error, Forbidden) for error in self._outcomes.values()):
            errors = [error.message for error in self._outcomes.values() if error]
            return Finding("API key", "problem", f"cannot be tried. {errors[0]}")
        return Finding("API key", "ok", "is good")

    def permissions(self) -> list[Finding]:
        """Return what the key may read, what it seems not to be allowed to, and what could not be found out."""
        tried = {name: error for name, error in self._outcomes.items() if name != _TEMPLATES}
        may = list(dict.fromkeys(_subject(name) for name, error in tried.items() if error is None))
        may_not = list(dict.fromkeys(_subject(name) for name, error in tried.items() if isinstance(error, Forbidden)))
        failed = {_subject(name): error for name, error in tried.items() if error and not isinstance(error, Forbidden)}
        findings = [Finding("may read", "ok", ", ".join(may))] if may else []
        if may_not:
            text = f"{', '.join(may_not)} (403): the permission seems to be missing, or this address is not allowed"
            findings.append(Finding("may not read", "problem", text))
        findings += [Finding(f"reading {name}", "problem", error.message) for name, error in failed.items()]
        untried = [_subject(spec.name) for spec in catalog.in_order_of_use() if _is_reading(spec) and spec.name not in tried]
        untried = [name for name in untried if name not in may + may_not + list(failed)]
        if untried:
            findings.append(Finding("not tried", "note", f"{', '.join(untried)}: there was none to read"))
        return findings

    @property
    def may_list_templates(self) -> bool:
        """Whether the key may list the templates, as those of the production environment may."""
        return self._outcomes.get(_TEMPLATES, PersonaError("")) is None

    def templates(self) -> Finding:
        """Return how many templates there are, where the key may know."""
        error = self._outcomes.get(_TEMPLATES)
        if isinstance(error, Forbidden):
            text = "are listed for keys of the production environment alone; the dashboard shows their ids"
            return Finding("templates", "note", text)
        if error:
            return Finding("templates", "problem", error.message)
        count = f"{self._templates}{' or more' if self._has_more_templates else ''}"
        return Finding("templates", "ok" if self._templates else "note", f"{count} inquiry templates")


def _is_reading(spec: ToolSpec) -> bool:
    return spec.effect == "read" and not spec.file_source and spec.name != _TEMPLATES


def _subject(operation: str) -> str:
    """Return what an operation reads, as several things: `get_case` and `list_cases` both read cases."""
    spec = catalog.load(operation)
    path = spec.request.path if spec.paginate else spec.request.path.rpartition("/")[0]
    lists = (each.paginate.items for each in catalog.load_all() if each.paginate and each.request.path == path)
    return next(lists, f"{next(iter(spec.output))}s")


def _base_url(heard: Heard) -> Finding:
    """Return whether requests go to Persona itself."""
    if heard.base_url is None:
        return Finding("base URL", "note", "was not called")
    host = heard.base_url.host
    where = f"{heard.base_url.scheme}://{heard.base_url.netloc.decode()}"
    if heard.is_simulation:
        return Finding("base URL", "note", f"{where} is an offline Persona, a simulation")
    if host == _PERSONA or host.endswith(f".{_PERSONA}"):
        return Finding("base URL", "ok", f"{where} is Persona itself")
    return Finding("base URL", "note", f"{where} is not Persona's own host, and gets the key; see PERSONA_BASE_URL")


def _environment(api_key: ApiKey, heard: Heard, reading: Reading) -> Finding:
    """Return which environment the key is of, as far as anything tells."""
    name = next((name for prefix, name in _PREFIXES.items() if api_key.reveal().startswith(prefix)), None)
    if name is None and reading.may_list_templates:
        name = "production"
    ids = ", ".join(each for each in (heard.environment_id, heard.organization_id) if each)
    if heard.is_simulation:
        return Finding("environment", "ok", f"{name or 'one'} of an offline Persona, where nobody is real")
    told = {"sandbox": "sandbox, where nobody is verified", "production": "production, with real people"}
    shown = told.get(name or "", "cannot be told from the key")
    return Finding("environment", "ok" if name else "note", f"{shown} ({ids})" if ids else shown)
