"""The names that steer outcomes."""

from __future__ import annotations

from persona_block.sandbox import OUTCOMES
from persona_block.sandbox.objects.outcomes import applicant_outcome, ends_in_error, report_matches


def test_outcomes_are_words_of_a_name() -> None:
    steered = applicant_outcome(["Jane", None, "van FAIL"])
    assert steered
    assert steered.applicant == "fail"
    assert applicant_outcome(["Failsworth", "Pressly"]) is None
    assert report_matches("adverse-media", ["Jane Doe-Press"])
    assert not report_matches("watchlist", ["Jane Doe-Press"])
    assert ends_in_error("import", ["importerror"])
    assert not ends_in_error("report", ["ImportError"])
    assert len({outcome.name.casefold() for outcome in OUTCOMES}) == len(OUTCOMES)
