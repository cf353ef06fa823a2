"""People and storage as durable steps of a flow: to tell somebody, to keep a file, to ask and wait for the answer."""

from __future__ import annotations

import asyncio
import json
import math
import mimetypes
import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from dbos import DBOS

from ..errors import InputError, Problem, WaitTimedOut
from ..files.names import safe_name
from ..files.store import FileStore
from .engine import Engine, current
from .order import in_order, several
from .ports import Content, Message, Notifier, Reply
from .step import Step, durable, next_step
from .tables import Question
from .workfiles import is_own

RECHECK = 3600.0
"""Seconds after which a flow looks by itself whether its question was answered, as the message that wakes it may be lost."""

ANSWERS_AT_ONCE = "answers_at_once"
"""The attribute of a notifier whose `send` waits for the answer, and may be cancelled once that came another way."""

GLANCE = 0.5
"""Seconds after which a flow whose question stands at a terminal looks whether it was answered elsewhere."""


async def notify(to: str, text: str, *, attachments: Sequence[Any] = (), step: str = "notify") -> None:
    """Tell a target something, as a durable step; raises PersonaError.

    to: `#channel`, `@user`, `name@host`, `https://…`, `console:`, or the name of a contact.
    attachments: what goes along, each as the `content` of `store`.

    A step that is killed between sending and noting that it has is done again, so a message may come twice; it carries the
    same dedupe id then.
    """
    place = next_step(step)
    with in_order():
        await notify_at(to, text, place, attachments=attachments)


async def notify_at(to: str, text: str, step: Step, *, computed: bool = False, attachments: Sequence[Any] = ()) -> None:
    """Tell a target something at a step that is known; computed is that of `Ports.notifier`."""

    async def made() -> None:
        engine = current()
        notifier = engine.ports.notifier(to, computed=computed)
        async with AsyncExitStack() as opened:
            files = [
                await opened.enter_async_context(_content(engine, each, f"{step.name}-{number}"))
                for number, each in enumerate(attachments, 1)
            ]
            await notifier.send(to, Message(_text(text), tuple(files)), step.key)

    await durable(step.label, made)


async def store(content: Any, to: str, *, step: str = "store") -> str:
    """Keep a file or data at a place, as a durable step, and return its URL; raises PersonaError.

    content: a file of an output, such as that of print_inquiry_pdf; one of Persona's file URLs or the object that holds it,
        which is fetched; or JSON data, which becomes a `.json` file.
    to: a folder, or a storage URL such as `s3://bucket/folder`.
    """
    place = next_step(step)
    with in_order():
        return await store_at(content, to, None, place)


async def store_at(content: Any, to: str, name: str | None, step: Step, *, computed: bool = False) -> str:
    """Keep something at a step that is known, data under a name."""

    async def made() -> str:
        engine = current()
        if computed:
            raise InputError("store", [Problem("to", "comes from an answer of Persona, which names no place for files")])
        if not isinstance(to, str) or not to.strip():
            raise InputError("store", [Problem("to", "must be a folder or a storage URL")])
        async with _content(engine, content, name or step.name) as kept:
            return (await engine.ports.storage(shared=engine.settings.shared).put(kept, to, step.key)).url

    url: str = await durable(step.label, made)
    return url


def ask(
    to: str, text: str, options: Sequence[str], *, timeout: float | None = None, step: str = "ask"
) -> Coroutine[Any, Any, Reply]:
    """Ask a target and wait for one of the options, as durable steps; raises WaitTimedOut where nobody answers in time.

    timeout: seconds in all; None, the default, waits for as long as it takes.

    `Engine.client.answer`, or that of `connect`, takes the answer. Raises InputError for options that cannot be chosen from.
    """
    place = next_step(step)
    return several(lambda: ask_at(to, text, options, timeout, place))


async def ask_at(to: str, text: str, options: Any, patience: float | None, step: Step, *, computed: bool = False) -> Reply:
    """Ask at a step that is known; patience is the `timeout` of `ask`, whose arguments and errors these are."""
    choices = tuple(options) if isinstance(options, list | tuple) else ()
    are_texts = all(isinstance(each, str) and each.strip() for each in choices)
    if not choices or not are_texts or len(set(choices)) < len(choices):
        raise InputError("ask", [Problem("options", "must be a list of different texts, one at least")])
    question_id = f"ask-{step.key}"

    async def asked() -> dict[str, Any]:
        engine = current()
        notifier = engine.ports.notifier(to, computed=computed)
        question = Question(step.workflow_id, question_id, step.label, to, _text(text), choices, engine.now())
        since = await asyncio.to_thread(engine.tables.ask, question)
        message = Message(question.text, options=choices, workflow_id=step.workflow_id, question_id=question_id)
        until = math.inf if patience is None else since + patience
        reply = await _sent(engine, notifier, question, message, step.key, until)
        if reply is not None:
            await _answered(engine, question, reply)
        return {"at": since}

    async def answered() -> dict[str, Any]:
        engine = current()
        now = engine.now()
        if now >= ends:
            # An answer that comes after this is refused, and one that came before counts.
            await asyncio.to_thread(engine.tables.close, question_id, now)
        question = await asyncio.to_thread(engine.tables.question, question_id)
        is_answered = question is not None and question.answer is not None
        reply = {"answer": question.answer, "comment": question.comment} if question and is_answered else None
        return {"at": now, "reply": reply}

    at = (await durable(step.label, asked, bounded=not _waits_for_answer(to, computed)))["at"]
    ends = math.inf if patience is None else at + patience
    while True:
        looked = await durable(f"{step.label}: look", answered)
        if looked["reply"] is not None:
            return Reply(**looked["reply"])
        if looked["at"] >= ends:
            raise WaitTimedOut(f"{step.label}: nobody has answered; the time to wait is over.")
        await DBOS.recv_async(question_id, timeout_seconds=max(0.0, min(RECHECK, ends - looked["at"])))


def _waits_for_answer(to: str, computed: bool) -> bool:
    """Return whether sending to a target waits for the answer, as it does at a terminal."""
    try:
        return bool(getattr(current().ports.notifier(to, computed=computed), ANSWERS_AT_ONCE, False))
    except InputError:  # which the step raises too, and stores
        return False


async def _answered(engine: Engine, question: Question, reply: Reply) -> None:
    """Note the answer that a target gave at once; one that came another way meanwhile counts instead."""
    try:
        await engine.client.answer(question.workflow_id, question.question_id, reply.answer, reply.comment)
    except InputError:
        known = await asyncio.to_thread(engine.tables.question, question.question_id)
        if known is None or known.answer is None:
            raise


async def _sent(
    engine: Engine, notifier: Notifier, question: Question, message: Message, dedupe_id: str, ends: float
) -> Reply | None:
    """Send a question, and return the answer where the target gives it at once.

    A target that waits for it, as a terminal does, is given up once another answer has come, or at the time `ends`.
    """
    sending = asyncio.create_task(notifier.send(question.to, message, dedupe_id))
    waits = getattr(notifier, ANSWERS_AT_ONCE, False)
    try:
        while not (await asyncio.wait({sending}, timeout=GLANCE if waits else None))[0]:
            known = await asyncio.to_thread(engine.tables.question, question.question_id)
            if engine.now() >= ends or known is None or known.answered_at is not None:
                return None
        return sending.result()
    finally:
        sending.cancel()


@asynccontextmanager
async def _content(engine: Engine, content: Any, name: str) -> AsyncIterator[Content]:
    """Give what is to be kept as a file while the context lasts."""
    if isinstance(content, Mapping) and {"name", "mimeType", "url"} <= content.keys():
        if not is_own(engine.settings.files, content):
            message = "is no file of a flow; give a file of an output, such as that of print_inquiry_pdf"
            raise InputError("store", [Problem("content", message)])
        path = Path(content["path"]) if content.get("path") else None
        if path is not None and not path.is_file():
            message = "is a file of this flow that is not on this machine; several processes need `files` at a storage URL"
            raise InputError("store", [Problem("content", message)])
        if path is not None:
            yield Content(content["name"], content["mimeType"], path)
            return
        yield Content(content["name"], content["mimeType"], await asyncio.to_thread(_read, content))
    elif _is_at_persona(content):
        with tempfile.TemporaryDirectory() as folder:
            file = await engine.runner.download(content, FileStore(folder))
            kind = mimetypes.guess_type(file.name)[0] or file.mime_type
            yield Content(file.name, kind, Path(folder) / file.name)
    else:
        data = json.dumps(content, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace")
        yield Content(safe_name(f"{name}.json"), "application/json", data)


def _is_at_persona(content: Any) -> bool:
    """Return whether something is one of Persona's file URLs, or the object of one."""
    url = content.get("url") if isinstance(content, Mapping) and "filename" in content else content
    return isinstance(url, str) and url.startswith(("https://", "http://"))


def _read(file: Mapping[str, Any]) -> bytes:
    with FileStore().reader({"url": file["url"]}) as (_, stream):
        return stream.read()


def _text(text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise InputError("flows", [Problem("text", "must be text")])
    return text
