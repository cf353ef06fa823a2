"""One call of one operation: params to request to answer to output, files and doubts included."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from ..credentials import ApiKey
from ..errors import InputError, PersonaError, Problem, TransportError
from ..files.reference import FileRef
from ..files.regular import UnreadableFile
from ..files.rules import FileRules
from ..files.sources import UNNAMED, OpenedFile, open_source
from ..files.store import FileStore, FileWriter
from ..files.tabular import check_csv
from ..files.threads import run_in_thread
from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, Confirm, FileSource, ToolSpec
from . import inputs
from .client import Call, Client, check_idempotency_key, new_idempotency_key
from .compiled.outputs import output_of
from .hints import value_hints
from .observe import observed
from .parse import SIGNATURES, broken, first, parse_error
from .serialize import fill_text, serialize
from .trace import Trace
from .wire import Upload

Params = Mapping[str, Any]
Output = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the file of a call goes.

    store: None takes the caller's own.
    overwrite: whether a file of the same name is replaced, or the new one gets a numbered name.
    """

    store: FileStore | None = None
    overwrite: bool = False


OWN_STORE = Target()


class Caller:
    """Makes calls through one client, with files to one store and from where the rules allow."""

    def __init__(self, client: Client, files: FileStore, *, api_key: ApiKey, rules: FileRules) -> None:
        self._client = client
        self._files = files
        self._api_key = api_key
        self._rules = rules

    @property
    def api_key(self) -> ApiKey:
        """The key that calls without one of their own use, an absent one where there is none."""
        return ApiKey.of_environment() if self._api_key.is_absent else self._api_key

    async def call(
        self,
        operation: str,
        params: Params,
        trace: Trace,
        idempotency_key: str | None = None,
        target: Target = OWN_STORE,
    ) -> Output:
        """Return the output of one call; raises PersonaError."""
        spec = catalog.load(operation)
        values, api_key = inputs.prepare_call(spec, params, self.api_key)
        for hint in value_hints(spec, values):
            trace.hint(hint)
        parts = serialize(spec, values)
        if idempotency_key is not None:
            check_idempotency_key(spec.name, idempotency_key)
        # Persona knows the key of a POST alone (docs.withpersona.com/idempotence).
        key_in_use = (idempotency_key or new_idempotency_key()) if parts.method == "POST" else None
        call = Call(spec, parts, api_key, key_in_use, trace=trace)
        try:
            with observed(spec.name, trace):
                return await self._made(call, values, target)
        except PersonaError as error:
            if error.took_effect == "unknown" and key_in_use is not None:
                raise error.revised(idempotency_key=key_in_use) from None
            raise

    async def _made(self, call: Call, values: Params, target: Target) -> Output:
        """Make a call whose params are checked, and return its output."""
        spec = call.spec
        if call.parts.multipart:
            with contextlib.ExitStack() as opened:
                call.upload = await self._upload(spec, call.parts.multipart, opened)
                return await self._answered(call, values, target)
        return await self._answered(call, values, target)

    async def _answered(self, call: Call, values: Params, target: Target) -> Output:
        """Send a call whose file is open, where it has one, and return the output of its answer."""
        spec = call.spec
        if spec.file_source:
            return await self._download(call, values, spec.file_source, target)
        answer = await self._client.send(call)
        if answer.status < 300:
            return output_of(spec, answer)
        if call.in_doubt and answer.status in (409, 422) and spec.confirm:
            confirmed = await self._confirmed(spec.confirm, values, call.api_key)
            if confirmed is not None:
                return confirmed
        raise parse_error(spec, answer, in_doubt=call.in_doubt)

    async def _confirmed(self, confirm: Confirm, values: Params, api_key: ApiKey) -> Output | None:
        """Return the object as it is now, where it shows that an attempt without an answer took effect after all."""
        reading = catalog.load(confirm.operation)
        try:
            params = {name: values[name] for name in reading.params}
            output = await self.call(reading.name, params | {API_KEY_PARAM: api_key}, Trace())
        except PersonaError:
            return None
        value = first(output, confirm.at)
        holds = value in confirm.values if confirm.values else value is not None
        return output if holds else None

    async def _upload(self, spec: ToolSpec, multipart: Params, opened: contextlib.ExitStack) -> Upload:
        """Open the file of a multipart request; one that cannot be read or breaks the rules is a problem of its param."""
        ((part, source),) = multipart.items()
        name, param = next((name, param) for name, param in spec.params.items() if param.format == "file")

        def open_checked() -> OpenedFile:
            file = open_source(source, param.csv.name if param.csv else UNNAMED, self._rules)
            try:
                if param.csv and self._rules.check:
                    file.stream = check_csv(file.stream, param.csv)
            except BaseException:
                file.close()
                raise
            return file

        try:
            file = await run_in_thread(open_checked, OpenedFile.close)
        except Exception as error:  # an open file of the caller's may raise anything
            message = str(error) if isinstance(error, UnreadableFile) else f"cannot be read: {type(error).__name__}"
            raise InputError(spec.name, [Problem(name, message, "not_file")]) from None
        opened.callback(file.close)
        return Upload(part, file.name, cast(IO[bytes], _Sent(file.stream)))

    async def _download(self, call: Call, values: Params, file_source: tuple[str, FileSource], target: Target) -> Output:
        """Store a binary answer, written to the store as it comes and kept only when it is whole and what it claims to be."""
        spec = call.spec
        output, source = file_source
        store, name = target.store or self._files, fill_text(source.filename, values)
        with storing(spec.name), store.writer(name, source.file, overwrite=target.overwrite) as writer:
            answer = await self._client.send(call, writer, source.file)
            if answer.status >= 300:
                raise parse_error(spec, answer)
            if answer.media_type != source.file:
                raise broken(spec, answer, f"with {answer.media_type or 'something else'} instead of {source.file}")
            if not writer.begins_with(SIGNATURES[source.file]):
                raise broken(spec, answer, f"the body is not {source.file}")
            return {output: (await commit_in_thread(writer)).to_dict()}


class _Sent:
    """The stream of a file while it is sent; that it cannot be read any more ends the call as a PersonaError."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does."""
        with _sending():
            return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek as the stream does."""
        with _sending():
            return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position of the stream."""
        with _sending():
            return self._stream.tell()


@contextlib.contextmanager
def _sending() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # an open file of the caller's may be closed meanwhile
        message = f"The file could not be read while it was sent: {type(error).__name__}."
        raise TransportError(message, took_effect="unknown", retryable=False) from None


async def commit_in_thread(writer: FileWriter) -> FileRef:
    """Return a reference to the file of a writer once it is stored under its name, which may take storage a while.

    A file that is whole only after its caller went away is removed from a local folder, unless it took another's place.
    """
    return await run_in_thread(writer.commit, _keep if writer.overwrite else _remove)


def _keep(_file: FileRef) -> None:
    """Leave a file where it is."""


def _remove(file: FileRef) -> None:
    if file.path:
        Path(file.path).unlink(missing_ok=True)


@contextlib.contextmanager
def storing(operation: str) -> Iterator[None]:
    """Raise a PersonaError where a folder cannot be written to."""
    try:
        yield
    except (OSError, ValueError) as error:  # a ValueError is that of a folder that no system has
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        # A full disk may be cleared, and whatever gives a file only reads at Persona.
        is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        message = f"{operation}: the file could not be stored: {reason}."
        raise PersonaError(message, took_effect=None, retryable=is_full) from None
