"""What a run gives back: the envelope that every host passes on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ..errors import PersonaError
from .result_table import result_table

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    OutputT = TypeVar("OutputT", bound=Mapping[str, Any], covariant=True, default=Any)
else:
    from typing import TypeVar

    OutputT = TypeVar("OutputT", covariant=True)


class Timing(BaseModel):
    """When a run began and ended, ISO 8601 in UTC, and how long it took in milliseconds."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    start_time: str
    end_time: str
    duration: int


class Stopwatch:
    """Times one run; the duration comes from a clock that nobody sets."""

    def __init__(self) -> None:
        self._start = time.time()
        self._ticks = time.monotonic()

    def timing(self) -> Timing:
        """Return the time from the stopwatch's making to now."""
        elapsed = time.monotonic() - self._ticks
        return Timing(start_time=_stamp(self._start), end_time=_stamp(self._start + elapsed), duration=round(elapsed * 1000))


class ToolResult(BaseModel, Generic[OutputT]):
    """The outcome of one run, generic in its output for type checkers: that of a run that failed lacks what was not read.

    Its `repr` says whether and why it failed, and shows neither output nor error text, which may hold personal data. A
    notebook shows both, as tables.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    success: bool
    if TYPE_CHECKING:
        output: OutputT = Field(default=..., repr=False)
    else:
        output: dict[str, Any] = Field(default_factory=dict, repr=False)
    error: str | None = Field(default=None, repr=False)
    error_details: dict[str, Any] | None = Field(default=None, repr=False)
    timing: Timing
    request_id: str | None = None
    attempts: int = 0
    retries: list[dict[str, Any]] = Field(default_factory=list)
    """The reason of every further attempt, and the seconds waited before it."""
    hint: str | None = Field(default=None, exclude=True)
    """What the caller may have meant otherwise, such as a status that is nearly right; the JSON of the envelope has it not."""

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        yield "success", self.success
        details = self.error_details or {}
        for name in ("kind", "status", "retryable", "tookEffect"):
            if details.get(name) is not None:
                yield name, details[name]
        if details.get("problems"):
            yield "problems", {problem["param"]: problem["message"] for problem in details["problems"]}
        if self.hint:
            yield "hint", self.hint
        yield "outputs", list(self.output)
        yield "request_id", self.request_id
        yield "attempts", self.attempts
        yield "duration", self.timing.duration

    def _repr_html_(self) -> str:
        facts = [(name, value) for name, value in self.__repr_args__() if name != "outputs"]
        return result_table([*facts[:1], ("error", self.error), *facts[1:]], self.output)

    def to_dict(self) -> dict[str, Any]:
        """Return the envelope as plain JSON data."""
        return self.model_dump(mode="json", by_alias=True)


def failed_result(
    error: PersonaError,
    watch: Stopwatch | None = None,
    *,
    request_id: str | None = None,
    attempts: int = 0,
    retries: Sequence[dict[str, Any]] = (),
) -> ToolResult:
    """Return the envelope of an error, with whatever had been read before it."""
    return ToolResult(
        success=False,
        output=error.output,
        error=error.message,
        error_details=error.details(),
        timing=(watch or Stopwatch()).timing(),
        request_id=request_id,
        attempts=attempts,
        retries=list(retries),
    )


def _stamp(moment: float) -> str:
    """Return seconds since 1970 in ISO 8601."""
    second, milliseconds = divmod(int(moment * 1000), 1000)
    return f"{_stamped_second(second)}.{milliseconds:03}Z"


@lru_cache(4)
def _stamped_second(second: int) -> str:
    """Return the part that all moments of a second share."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
