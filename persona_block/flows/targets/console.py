"""The terminal as a target, `console:`: it shows a message, and reads the answer to a question."""

from __future__ import annotations

import select
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from ...files.threads import run_in_thread
from ..ports import Message, Reply
from .delivery import not_sent, refused

TARGET = "console:"

_LOOK = 0.1
"""Seconds between two looks at whether the question still waits, while nothing is typed."""
_terminal = threading.Lock()
"""Held while something is shown, so that two flows do not write into each other."""
_questions = threading.Lock()
"""Held while one question waits for its answer."""


class ConsoleNotifier:
    """Shows messages on standard output; asks where standard input is a terminal, and else says that nobody can be asked here.

    stdin, stdout: the streams; the defaults are the process's own at the moment of sending.
    """

    answers_at_once = True
    """Whether `send` waits for the answer, and so may be cancelled once that came another way."""

    def __init__(self, stdin: TextIO | None = None, stdout: TextIO | None = None) -> None:
        self._stdin = stdin
        self._stdout = stdout

    async def send(self, target: str, message: Message, dedupe_id: str) -> Reply | None:
        """Show the message, and return the option that is typed; None where nothing is asked or nobody is there to ask.

        dedupe_id: not shown. A step that is done again shows its message again. Raises InputError and DeliveryError.
        """
        del dedupe_id
        if target != TARGET:
            raise refused("to", f"must be {TARGET} and nothing behind it")
        stdin, stdout = self._stdin or sys.stdin, self._stdout or sys.stdout
        is_asked = bool(message.options) and stdin is not None and stdin.isatty()
        over = threading.Event()
        try:
            await run_in_thread(lambda: _show(_shown(message, is_asked), stdout))
            if not is_asked:
                return None
            answer = await run_in_thread(lambda: _asked(message.options, stdin, stdout, over.is_set))
        except (OSError, ValueError):  # a pipe whose reader has gone, a stream that was closed
            raise not_sent("The terminal cannot be written to.") from None
        finally:
            over.set()
        return None if answer is None else Reply(answer)


def _shown(message: Message, is_asked: bool) -> list[str]:
    lines = [f"> {line}" for line in message.text.splitlines() or [""]]
    for attachment in message.attachments:
        lines.append(f"> with {attachment.name} ({attachment.media_type})")
    if message.options:
        lines += [f"  {number}  {option}" for number, option in enumerate(message.options, 1)]
        if not is_asked and message.workflow_id:
            lines.append(f"  Nobody can be asked here; answer with: persona-block flow answer {message.workflow_id} OPTION")
    return lines


def _show(lines: list[str], stdout: TextIO) -> None:
    encoding = stdout.encoding or "utf-8"
    with _terminal:
        for line in lines:
            print(_escaped(line).encode(encoding, "backslashreplace").decode(encoding), file=stdout)
        stdout.flush()


def _asked(options: tuple[str, ...], stdin: TextIO, stdout: TextIO, is_over: Callable[[], bool]) -> str | None:
    """Return the option that is typed, by its number or its words; None at the end of the input, or once it is over."""
    while not _questions.acquire(timeout=_LOOK):
        if is_over():
            return None
    try:
        while True:
            with _terminal:
                stdout.write(f"Your answer (1 to {len(options)}): ")
                stdout.flush()
            line = _line(stdin, is_over)
            if not line:
                return None
            option = _chosen(line.strip(), options)
            if option is not None:
                return option
            _show(["That is none of them."], stdout)
    finally:
        _questions.release()


def _line(stdin: TextIO, is_over: Callable[[], bool]) -> str:
    """Return the next line, empty at the end of the input or once the question is over."""
    while not is_over():
        try:
            ready, _, _ = select.select([stdin], [], [], _LOOK)
        except (OSError, ValueError, TypeError):  # Windows waits for sockets alone
            return stdin.readline()
        if ready:
            return stdin.readline()
    return ""


def _chosen(typed: str, options: tuple[str, ...]) -> str | None:
    matches = [option for option in options if option.strip().casefold() == typed.casefold()]
    if typed in options or len(set(matches)) > 1:
        return typed if typed in options else None
    if matches:
        return matches[0]
    return options[int(typed) - 1] if typed.isdecimal() and len(typed) < 6 and 0 < int(typed) <= len(options) else None


def _escaped(text: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
