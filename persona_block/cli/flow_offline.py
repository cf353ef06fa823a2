"""Flows on the offline Persona: it is served, so that a link opens in a browser, and its applicants may be played."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .remembered import cache_folder, remembered_sandbox
from .sandbox import sandbox_class
from .terminal import print_error

if TYPE_CHECKING:
    from ..flows import Message, Notifier, Reply
    from ..runner import Runner
    from ..sandbox import Sandbox

_PAUSE = 0.2
"""Seconds between two looks for applicants to play."""
_CONSOLE = "console:"


@contextmanager
def offline(arguments: argparse.Namespace) -> Iterator[Offline | None]:
    """Give the offline Persona of `--sandbox`, served on this machine; None without the option."""
    if not arguments.sandbox:
        yield None
        return
    with remembered_sandbox(sandbox_class()) as sandbox, sandbox.serve_in_thread() as base_url:
        applicant, answer = getattr(arguments, "applicant", None), getattr(arguments, "answer", None)
        yield Offline(sandbox, base_url, is_played=applicant != "browser", answer=answer)


class Offline:
    """A served sandbox, and who is played in it.

    answer: the option that answers each question which has it; None asks at the terminal.
    """

    def __init__(self, sandbox: Sandbox, base_url: str, *, is_played: bool, answer: str | None) -> None:
        self._sandbox = sandbox
        self._base_url = base_url
        self._is_played = is_played
        self._answer = answer
        self._ended = threading.Event()
        self.files = cache_folder() / "flow-files"

    def runner(self) -> Runner:
        """Return a runner of the sandbox."""
        from ..files.rules import FileRules
        from ..runner import Runner

        return Runner(api_key=self._sandbox.api_key, base_url=self._base_url, file_rules=FileRules(hosts=("127.0.0.1",)))

    def notifiers(self) -> dict[str, Notifier]:
        """Return who is told at the terminal."""
        return {"console": _Answering(self._answer)} if self._answer is not None else {}

    def with_defaults(self, document: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return inputs with what is missing: templates of the sandbox, the terminal as everybody's target, and examples."""
        taken = {name: self._default(name, document) for name in document.get("inputs", {}) if name not in inputs}
        taken = {name: value for name, value in taken.items() if value is not None}
        if taken:
            print_error("Not given, and so taken for the sandbox:")
            print_error(*(f"  {name}={value}" for name, value in taken.items()))
        return {**inputs, **taken}

    def _default(self, name: str, document: Mapping[str, Any]) -> Any:
        whole = f"{{input.{name}}}"
        for step in document.get("steps", ()):
            if step.get("to") == whole:
                return str(Path("persona-files").resolve()) if step.get("host") == "store" else _CONSOLE
        ids = self._sandbox.templates
        if name.endswith("TemplateId"):
            by_word = {"inquiry": ids.inquiry, "media": ids.adverse_media, "office": ids.politically_exposed_person}
            return next((value for word, value in by_word.items() if name.startswith(word)), ids.watchlist)
        return next(iter(document["inputs"][name].get("examples") or ()), None)

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Play each applicant who is sent a link while the context lasts."""
        if not self._is_played:
            yield
            return
        player = threading.Thread(target=self._play, args=(len(self._sandbox.requests),), daemon=True)
        player.start()
        try:
            yield
        finally:
            self._ended.set()
            player.join(5)

    def _play(self, seen: int) -> None:
        from ..sandbox import SandboxError

        while not self._ended.wait(_PAUSE):
            requests = self._sandbox.requests
            for request in requests[seen:]:
                inquiry_id = request.path.rpartition("/generate-one-time-link")[0].rpartition("/")[2]
                if not inquiry_id or request.status >= 300:
                    continue
                print_error(
                    f"  SIMULATED: the applicant of {inquiry_id} opens the link, shows a government id, takes a selfie"
                )
                try:
                    self._sandbox.complete(inquiry_id)
                except SandboxError as error:
                    print_error(f"  SIMULATED: it cannot go on: {error}")
            seen = len(requests)


class _Answering:
    """The terminal, at which questions are answered without being asked."""

    def __init__(self, answer: str) -> None:
        from ..flows.targets.console import ConsoleNotifier

        self._answer = answer
        self._console = ConsoleNotifier()

    async def send(self, target: str, message: Message, dedupe_id: str) -> Reply | None:
        """Show the message, and return the answer where it is one of the options."""
        from ..flows import Message, Reply

        if self._answer not in message.options:
            return await self._console.send(target, message, dedupe_id)
        text = f"{message.text} [{' | '.join(message.options)}]"
        await self._console.send(target, Message(text, message.attachments), dedupe_id)
        print_error(f"  SIMULATED: answered with {self._answer}")
        return Reply(self._answer)
