"""What every tool of the Dify plugin does: check a call, make it with persona-block, and give its outcome to Dify.

A plugin carries a copy of this module, and each of its tools names the operation that it stands for. What an operation takes
and gives is known to persona-block. Nothing of Dify is imported here, so that the module can be read and tested without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import re
import tempfile
import threading
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from persona_block import FileRules, FileStore, Forbidden, InputError, PersonaError, Problem, Runner, ToolSpec, load

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

API_KEY, BASE_URL, CONFIRMATION_WORD = "api_key", "base_url", "confirmation_word"
"""The names of the credentials."""
ALL_PAGES, WAIT, IDEMPOTENCY_KEY, CONFIRMATION = "allPages", "wait", "idempotencyKey", "confirmation"
"""What tools take beside the params of their operations."""
ITEMS_LIMIT = 1000
"""How many items `allPages` gives at most."""
WAIT_SECONDS = 240
"""Seconds that `wait` waits at most: Dify's SDK ends a request after 300 (`MAX_REQUEST_TIMEOUT` of its `DifyPluginEnv`)."""
WORD_LENGTH = 8
"""The fewest characters of a confirmation word, so that no model guesses it."""
FILE_LIMIT = 64 * 1024 * 1024
"""The largest file in bytes, since Dify hands a file over in memory."""

_FINDINGS = ("hasMatch", "successfulCount", "duplicateCount", "errorCount")
"""The fields of an object that say what came of it; they count once it is completed."""
_TOLD = ("tookEffect", "retryable", "retryAfter", "idempotencyKey")
"""What an error tells beside its message."""


class CallFailed(Exception):
    """A call that did not do what it should; its text holds no secret and no value of a param.

    details: the `errorDetails` of persona-block.
    """

    def __init__(self, error: PersonaError) -> None:
        self.details = error.details()
        told = [f"{name}: {str(self.details[name]).lower()}" for name in _TOLD if self.details[name] is not None]
        super().__init__(f"{error.message} ({', '.join(told)})")


class Tool(Protocol):
    """What is used here of Dify's class Tool."""

    runtime: Any

    def create_text_message(self, text: str) -> Any:
        """Return a message that people read."""

    def create_json_message(self, json: dict[str, Any]) -> Any:
        """Return a message of data."""

    def create_variable_message(self, variable_name: str, variable_value: Any) -> Any:
        """Return a message that a workflow knows by its name."""

    def create_blob_message(self, blob: bytes, meta: dict[str, Any]) -> Any:
        """Return a message of a file's content, with its `mime_type` and `filename` as `meta`."""


def call(tool: Tool, operation: str, tool_parameters: Mapping[str, Any]) -> Iterator[Any]:
    """Call an operation and yield its outcome as Dify's messages: a line of text, the output as JSON, and each output by name.

    A file comes as a blob instead of by name.

    tool_parameters: as Dify gives them. Blank text and null are absent, objects and lists may be JSON text.

    Raises CallFailed.
    """
    spec = load(operation)
    with _failing(spec):
        output = _output(spec, dict(tool_parameters), tool.runtime.credentials)
        content = _taken_file(spec, output)
    yield tool.create_text_message(_summary(spec, output))
    yield tool.create_json_message(output)
    if content is None:
        for name, value in output.items():
            yield tool.create_variable_message(name, value)
    else:
        (file,) = output.values()
        yield tool.create_blob_message(content, {"mime_type": file["mimeType"], "filename": file["name"]})


def check_credentials(credentials: Mapping[str, Any], operation: str, params: Mapping[str, Any]) -> None:
    """Check what a person typed as credentials by one call, which should read little; raises CallFailed.

    A key that is refused this very call is known to Persona and may be meant for other operations, so it passes.
    """
    spec = load(operation)
    with _failing(spec), contextlib.suppress(Forbidden):
        word = _text(credentials.get(CONFIRMATION_WORD))
        if word and len(word) < WORD_LENGTH:
            raise _refusal(
                spec, CONFIRMATION_WORD, f"must have {WORD_LENGTH} characters or more; left empty, nothing is confirmed"
            )
        _output(spec, dict(params), credentials)


@contextlib.contextmanager
def _failing(spec: ToolSpec) -> Iterator[None]:
    """Make whatever goes wrong a CallFailed."""
    try:
        yield
    except PersonaError as error:
        raise CallFailed(error) from None
    except Exception as error:
        # Its text may hold anything.
        text = f"{spec.name} failed by a fault of its own, {type(error).__name__}."
        raise CallFailed(PersonaError(text, took_effect=None if spec.effect == "read" else "unknown")) from None


def _output(spec: ToolSpec, params: dict[str, Any], credentials: Mapping[str, Any]) -> dict[str, Any]:
    """Return the output of a call; raises PersonaError."""
    if not _text(credentials.get(API_KEY)):
        raise _refusal(spec, API_KEY, "is missing in the credentials of the plugin")
    if params.get("apiKey"):
        raise _refusal(spec, "apiKey", "stands in the credentials of the plugin and is never given to a tool")
    if needs_confirmation(spec):
        _check_confirmation(spec, params.pop(CONFIRMATION, None), credentials)
    idempotency_key = _idempotency_key(spec, params.pop(IDEMPOTENCY_KEY, None)) if takes_idempotency_key(spec) else None
    waits = can_wait(spec) and _is_on(spec, WAIT, params.pop(WAIT, None))
    reads_all = spec.paginate is not None and _is_on(spec, ALL_PAGES, params.pop(ALL_PAGES, None))
    for name, param in spec.params.items():
        if param.format == "file" and params.get(name):
            params[name] = _file(spec, name, params[name])
    params["apiKey"] = credentials[API_KEY]

    async def made() -> dict[str, Any]:
        runner = engine.runner(_text(credentials.get(BASE_URL)))
        if reads_all:
            return await _all_pages(runner, spec, params)
        if waits:
            return await runner.wait(spec.name, params, deadline=WAIT_SECONDS, idempotency_key=idempotency_key)
        return await runner.call(spec.name, params, idempotency_key=idempotency_key)

    return engine.run(made())


def needs_confirmation(spec: ToolSpec) -> bool:
    """Return whether an operation decides about somebody or erases something, for which a person has to have given a word."""
    return spec.effect in ("decide", "erase")


def takes_idempotency_key(spec: ToolSpec) -> bool:
    """Return whether a call can be repeated under a key without happening twice."""
    return spec.request.method == "POST" and spec.effect != "read"


def can_wait(spec: ToolSpec) -> bool:
    """Return whether what an operation reads or starts comes to an end that can be waited for."""
    return spec.wait is not None or spec.then is not None


def _check_confirmation(spec: ToolSpec, confirmation: Any, credentials: Mapping[str, Any]) -> None:
    """Compare what stands in a tool's settings with the word of the credentials; a model knows neither."""
    word = _text(credentials.get(CONFIRMATION_WORD))
    if not word:
        message = "cannot be given yet: a person has to set a confirmation word in the credentials of the plugin first"
        raise _refusal(spec, CONFIRMATION, message)
    if not hmac.compare_digest(_text(confirmation).encode("utf-8", "surrogatepass"), word.encode("utf-8", "surrogatepass")):
        message = "is for a person to give, in the settings of this tool in Dify; do not try again"
        raise _refusal(spec, CONFIRMATION, message)


def _idempotency_key(spec: ToolSpec, value: Any) -> str | None:
    if not isinstance(value, str | None):
        raise _refusal(spec, IDEMPOTENCY_KEY, "must be text")
    return _text(value) or None


def _is_on(spec: ToolSpec, name: str, value: Any) -> bool:
    """Return a switch that Dify gives as true or false, as text, or not at all."""
    if isinstance(value, bool):
        return value
    if _text(value).lower() not in ("", "true", "false") or not isinstance(value, str | None):
        raise _refusal(spec, name, "must be true or false")
    return _text(value).lower() == "true"


def _file(spec: ToolSpec, name: str, value: Any) -> dict[str, Any]:
    """Return a file of Dify with its content; a path or an address, which a model may have written, is none."""
    # Asking the object itself whether it has a content would already fetch it.
    if not hasattr(type(value), "blob"):
        raise _refusal(spec, name, "must be a file of Dify, such as an upload or a file of an earlier node")
    if (value.size or 0) > FILE_LIMIT:
        raise _refusal(spec, name, f"is over {FILE_LIMIT} bytes, which is the largest file allowed here")
    try:
        return {"name": value.filename, "content": value.blob}
    except Exception as error:  # its text holds the file's address, which is signed
        raise _refusal(spec, name, f"could not be fetched from Dify: {type(error).__name__}") from None


def _refusal(spec: ToolSpec, name: str, message: str) -> InputError:
    return InputError(spec.name, [Problem(name, message)])


def _text(value: Any) -> str:
    """Return text without the blanks around it; anything else is none."""
    return value.strip() if isinstance(value, str) else ""


# --- calls -----------------------------------------------------------------------------------------------------------------


class Engine:
    """One event loop for all calls, and one runner for each address that credentials name.

    Dify's SDK replaces threads by greenlets of one system thread, where no second event loop can run beside a first. One
    runner for all calls also keeps connections open and heeds the rate limit of a key.
    """

    def __init__(self, transport: AsyncBaseTransport | None = None) -> None:
        """Take a transport that answers in the place of the network, or None for the network; nothing is started yet."""
        self._transport = transport
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name="persona-block", daemon=True)
        self._runners: dict[str, Runner] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="persona-")

    def run(self, work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        """Return what a coroutine gives, while other calls go on."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def runner(self, base_url: str) -> Runner:
        """Return the runner of an address, which may be blank for Persona itself; raises InputError for another address."""
        if base_url not in self._runners:
            files, rules = FileStore(self._folder.name), FileRules(limit=FILE_LIMIT)
            self._runners[base_url] = Runner(
                base_url=base_url or None, transport=self._transport, files=files, file_rules=rules
            )
        return self._runners[base_url]

    def close(self) -> None:
        """End for good: close the connections and the event loop, and remove the folder for files."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._folder.cleanup()

    def _serve(self) -> None:
        assert self._loop
        self._loop.run_forever()
        for runner in self._runners.values():
            self._loop.run_until_complete(runner.aclose())
        self._loop.close()


engine = Engine()
"""What all tools of the plugin share."""


async def _all_pages(runner: Runner, spec: ToolSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the items of every page as one, up to ITEMS_LIMIT; the cursor then says where to go on."""
    assert spec.paginate
    items, cursor = [], None
    async for page in runner.paginate(spec.name, params, max_items=ITEMS_LIMIT):
        items += page[spec.paginate.items]
        cursor = page[spec.paginate.next]
    return {spec.paginate.items: items, spec.paginate.next: cursor}


def _taken_file(spec: ToolSpec, output: dict[str, Any]) -> bytes | None:
    """Take the stored file of an output off this machine, with its address, and return its content; None without a file."""
    if spec.file_source is None:
        return None
    file = output[spec.file_source[0]]
    path = Path(file.pop("path"))
    del file["url"]
    try:
        return path.read_bytes()
    finally:
        path.unlink()


# --- what people read ------------------------------------------------------------------------------------------------------


def _summary(spec: ToolSpec, output: Mapping[str, Any]) -> str:
    """Return a line about an output, such as `Get Report: report rep_1 is ready, has match false.`, and the link it gives."""
    name, value = next(iter(output.items()))
    if isinstance(value, list):
        more = ", and there are more" if spec.paginate and output.get(spec.paginate.next) else ""
        said = f"{len(value)} found{more}"
    elif spec.file_source:
        said = f"{value['name']}, {value['size']} bytes"
    else:
        status = f" is {value['status']}" if value.get("status") else ""
        found = [field for field in _FINDINGS if value.get("completedAt") and value.get(field) is not None]
        said = f"{_words(name)} {value['id']}{status}"
        said += "".join(f", {_words(field)} {str(value[field]).lower()}" for field in found)
    links = [text for text in output.values() if isinstance(text, str) and re.match("https?://", text)]
    return " ".join([f"{spec.title}: {said}.", *links[:1]])


def _words(name: str) -> str:
    """Return a camelCase name as words."""
    return re.sub(r"(?=[A-Z])", " ", name).lower()
