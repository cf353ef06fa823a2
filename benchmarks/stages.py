"""The stages of a call that the package does itself, each alone: by the general way and by the compiled ones.

Printed for one inquiry and for a page of 100: CPU microseconds, the least of several runs. After that, what the garbage
collector adds to a page, with settings that a process may choose.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from benchmarks.loopback import PAGE_SIZE, inquiry
from persona_block.call import json_body
from persona_block.call.compiled.outputs import output_of
from persona_block.call.compiled.structs import output_reader
from persona_block.call.inputs import prepare, prepare_in_general
from persona_block.call.json_body import read_json
from persona_block.call.observe import observed, silent_libraries
from persona_block.call.parse import Answer, parse
from persona_block.call.result import Stopwatch, ToolResult
from persona_block.call.serialize import serialize
from persona_block.call.trace import Trace
from persona_block.spec import catalog

Stage = Callable[[], Any]

TASKS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "one": ("get_inquiry", {"inquiryId": "inq_0001"}, {"data": inquiry(1), "included": []}),
    "page": (
        "list_inquiries",
        {"pageSize": PAGE_SIZE, "status": "created"},
        {"data": [inquiry(number) for number in range(PAGE_SIZE)], "links": {"prev": None, "next": None}},
    ),
}
"""An operation, its params and its answer, by the name of the task."""


def microseconds(stage: Stage, budget: float = 0.15, runs: int = 5) -> float:
    """Return the CPU time that a stage takes, the least of several runs."""
    stage()
    began = time.process_time()
    stage()
    count = max(1, int(budget / max(time.process_time() - began, 1e-6)))
    best = float("inf")
    for _ in range(runs):
        began = time.process_time()
        for _ in range(count):
            stage()
        best = min(best, (time.process_time() - began) / count)
    return best * 1e6


def stages(what: str) -> dict[str, Stage]:
    """Return the stages of a task by what they do."""
    operation, params, document = TASKS[what]
    spec = catalog.load(operation)
    values = prepare(spec, params)
    answer = Answer(200, "application/json", json.dumps(document, separators=(",", ":")).encode(), "req_Canned")
    watch, trace = Stopwatch(), Trace()
    timing = watch.timing()

    def without_msgspec() -> Any:
        with mock.patch("persona_block.call.compiled.outputs.output_reader", no_reader):
            return output_of(spec, answer)

    def in_general() -> Any:
        with mock.patch.object(json_body, "_fast_reader", no_fast_reader):
            return parse(spec, answer)

    def seen() -> None:
        with observed(operation, trace):
            pass

    def silenced() -> None:
        with silent_libraries():
            pass

    found: dict[str, Stage] = {
        "params, in general": lambda: prepare_in_general(spec, params),
        "params, compiled": lambda: prepare(spec, params),
        "request": lambda: serialize(spec, values),
        "span and log, nobody listening": seen,
        "silence of the libraries": silenced,
        "json.loads alone": lambda: json.loads(answer.body),
        "pydantic's from_json alone": lambda: read_json(answer.body),
        "answer, in general": in_general,
        "answer, compiled": without_msgspec,
        "envelope": lambda: ToolResult(success=True, output={}, timing=timing),
        "envelope, not validated": lambda: ToolResult.model_construct(success=True, output={}, timing=timing),
        "times of the envelope": lambda: Stopwatch().timing(),
    }
    if output_reader(spec) is not None:
        found["answer, compiled with msgspec"] = lambda: output_of(spec, answer)
    return found


def no_reader(_spec: object) -> None:
    """Stand in for msgspec where it is missing."""


def no_fast_reader() -> None:
    """Stand in for pydantic's reader of JSON where it is not used."""


def print_stages() -> None:
    """Print every stage of both tasks."""
    one, page = ({name: microseconds(stage) for name, stage in stages(what).items()} for what in TASKS)
    print(f"{'µs of CPU':40} {'one':>9} {'page':>9}")
    for name in one:
        print(f"{name:40} {one[name]:9.1f} {page[name]:9.1f}", flush=True)


def print_collection() -> None:
    """Print what pages cost while 200 of them are kept, with settings of the garbage collector."""
    stage = stages("page")[
        "answer, compiled with msgspec" if output_reader(catalog.load("get_inquiry")) else "answer, compiled"
    ]
    settings: dict[str, Callable[[], None]] = {
        "as Python sets it": lambda: None,
        "gc.freeze() once loaded": gc.freeze,
        "gc.set_threshold(50_000, 20, 20)": lambda: gc.set_threshold(50_000, 20, 20),
        "no collection": gc.disable,
    }
    print(f"\n{'a page of 100, with 200 pages kept':40} {'µs':>9}")
    for name, choose in settings.items():
        kept = [stage() for _ in range(200)]
        thresholds = gc.get_threshold()
        choose()
        began = time.process_time()
        for number in range(400):
            kept[number % 200] = stage()
        print(f"{name:40} {(time.process_time() - began) / 400 * 1e6:9.1f}", flush=True)
        gc.enable()
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        kept.clear()
        gc.collect()


if __name__ == "__main__":
    print_stages()
    print_collection()
