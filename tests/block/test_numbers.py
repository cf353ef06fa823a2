"""The manifest's numbers and names are those that the engine goes by."""

from __future__ import annotations

from typing import get_args

import pytest

from persona_block import webhooks
from persona_block.block import manifest
from persona_block.call import client, pacing, retry
from persona_block.call.formats import BY_FORMAT
from persona_block.call.refusal import CODES
from persona_block.credentials import KEY_VARIABLE
from persona_block.runner import BASE_URL_VARIABLE
from persona_block.spec import catalog
from persona_block.spec.grammar import API_KEY_PARAM, Format
from tests.support import openapi

MANIFEST = manifest()


def test_the_retries() -> None:
    told = MANIFEST["retry"]
    assert told["deadlineSeconds"] == retry.DEADLINE
    assert (told["firstDelaySeconds"], told["longestDelaySeconds"]) == (retry.BASE, retry.CAP)
    assert told["longestWindowSeconds"] == pacing.LONGEST_WINDOW
    assert (told["connectSeconds"], told["readSeconds"]) == (client.TIMEOUT.connect, client.TIMEOUT.read)
    for operation in ("get_inquiry", "create_inquiry"):
        spec = catalog.load(operation)
        repeated = {
            status
            for status in range(300, 600)
            if status != 429 and isinstance(retry.decide(spec, 1, retry.Attempt(status=status), 0.0), retry.Retry)
        }
        assert repeated == {*told["again"], *(told["againUnlessPost"] if spec.request.method != "POST" else ())}


def test_the_wire() -> None:
    wire = MANIFEST["wire"]
    assert wire["answerLimitBytes"] == client.JSON_LIMIT
    assert (wire["baseUrlVariable"], wire["auth"]["environment"]) == (BASE_URL_VARIABLE, KEY_VARIABLE)
    assert wire["auth"]["param"] == API_KEY_PARAM
    assert wire["headers"]["Persona-Version"] in wire["versions"]


def test_the_webhooks() -> None:
    told = MANIFEST["webhooks"]
    assert (told["header"], told["toleranceSeconds"]) == (webhooks.SIGNATURE_HEADER, webhooks.TOLERANCE)
    assert told["largestNumberOfSets"] == webhooks.SIGNATURES_LIMIT
    types = {event.partition(".")[0].partition("/")[0] for event in told["events"]}
    assert types <= set(told["objects"])


def test_the_words_of_params() -> None:
    assert list(MANIFEST["grammar"]["refusals"]) == list(CODES)
    assert set(MANIFEST["grammar"]["formats"]) == set(get_args(Format))
    assert set(BY_FORMAT) <= set(get_args(Format))


@pytest.mark.skipif(not openapi.available(), reason="Persona's official OpenAPI does not lie beside the project")
def test_the_events_are_persona_s_own() -> None:
    known = set(MANIFEST["webhooks"]["objects"])
    official = {event for event in openapi.load()["webhooks"] if event.partition(".")[0].partition("/")[0] in known}
    assert set(MANIFEST["webhooks"]["events"]) == {event for event in official if "reusable-persona" not in event}
