"""Errors: one tree, each told whole in `details`, and each the same after a trip through another process."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from persona_block import errors
from persona_block.errors import ApiError, InputError, PersonaError, Problem, ResponseError, TransportError, WaitTimedOut


def _classes(root: type[PersonaError] = PersonaError) -> Iterator[type[PersonaError]]:
    yield root
    for below in root.__subclasses__():
        yield from _classes(below)


def _made(kind: type[PersonaError]) -> PersonaError:
    """One error of a class, with everything it can tell set to something other than its default."""
    if issubclass(kind, InputError):
        return kind("get_inquiry", [Problem("inquiryId", "is required")], output={"a": [1]}, retryable=True)
    if issubclass(kind, ApiError):
        return kind(
            "refused",
            status=409,
            title="Conflict",
            details="Stale object",
            request_id="req_1",
            output={"a": [1]},
            took_effect="unknown",
            retryable=True,
            idempotency_key="key-1",
            retry_after=2.5,
        )
    if issubclass(kind, ResponseError):
        return kind("broken", status=200, request_id="req_1", output={"a": [1]}, took_effect="yes", retryable=True)
    return kind("said", output={"a": [1]}, took_effect="yes", retryable=not kind.may_help)


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.__name__) for kind in _classes()])
def test_an_error_survives_pickle_and_copy(kind: type[PersonaError]) -> None:
    error = _made(kind)
    for restored in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(restored) is kind
        assert str(restored) == str(error)
        assert vars(restored) == vars(error)
        assert restored.details() == error.details()


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.__name__) for kind in _classes()])
def test_a_revised_error_keeps_what_is_not_said_anew(kind: type[PersonaError]) -> None:
    error = _made(kind)
    before = error.details()
    revised = error.revised("Said otherwise.", output={"b": 2}, took_effect="unknown", retryable=False)
    assert type(revised) is kind
    assert (revised.message, str(revised), revised.output) == ("Said otherwise.", "Said otherwise.", {"b": 2})
    assert revised.details() == before | {"tookEffect": "unknown", "retryable": False}
    assert error.revised().details() == error.details() == before
    assert error.output == {"a": [1]}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = [line.split("── ")[1].split()[0] for line in (errors.__doc__ or "").splitlines() if "── " in line]
    assert sorted(drawn) == sorted(kind.__name__ for kind in _classes() if kind is not PersonaError)


def _fail(took_effect: errors.TookEffect) -> None:
    raise TransportError("no answer", took_effect=took_effect)


def test_an_error_leaves_a_process_pool() -> None:
    with ProcessPoolExecutor(1) as pool, pytest.raises(TransportError) as caught:
        pool.submit(_fail, "no").result()
    assert caught.value.took_effect == "no"


def test_defaults_say_what_the_class_means() -> None:
    assert PersonaError("x").took_effect == "no"
    unanswered = TransportError("x")
    assert unanswered.took_effect == "unknown"
    assert WaitTimedOut("x").took_effect is None
    assert TransportError("x", took_effect=None).took_effect is None


@pytest.mark.parametrize(
    ("operation", "message", "text"),
    [
        ("get_inquiry", "is required", "get_inquiry: nothing was sent. operation: is required."),
        ("get_inquiry", "did you mean that?", "get_inquiry: nothing was sent. operation: did you mean that?"),
        ("operation", "must be a name", "Nothing was sent. operation: must be a name."),
    ],
)
def test_the_text_of_wrong_input_ends_once_and_names_nothing_twice(operation: str, message: str, text: str) -> None:
    assert str(InputError(operation, [Problem("operation", message)])) == text
