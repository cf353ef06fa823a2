"""The names that steer what happens to a person, so that a test can ask for any outcome.

A word counts wherever it stands in a name: in an inquiry's name fields, an account's name, the names or the term of a
report's query, or the name columns of an imported row. Case does not matter. Everybody else passes and matches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What one name does to an applicant, a report or an import, which `means` says in words."""

    name: str
    means: str
    applicant: str | None = None  # fail, review or abandon
    report: str | None = None  # the kind of report that matches
    errors: str | None = None  # report or import: what ends in an error


OUTCOMES: tuple[Outcome, ...] = (
    Outcome("Fail", "The applicant's first verification fails, and the inquiry with it.", applicant="fail"),
    Outcome("Review", "The applicant finishes, the inquiry needs review and a case opens.", applicant="review"),
    Outcome("Abandon", "The applicant starts and never comes back, until the inquiry expires.", applicant="abandon"),
    Outcome("Watchlist", "A watchlist report matches.", report="watchlist"),
    Outcome("Sanctioned", "A watchlist report matches.", report="watchlist"),
    Outcome("Politician", "A report on politically exposed persons matches.", report="politically-exposed-person"),
    Outcome("Pep", "A report on politically exposed persons matches.", report="politically-exposed-person"),
    Outcome("Press", "An adverse media report matches.", report="adverse-media"),
    Outcome("ReportError", "A report of any kind ends `errored`.", errors="report"),
    Outcome("ImportError", "An imported row of this name counts as an error.", errors="import"),
)
"""Every name that steers an outcome."""

_BY_NAME = {outcome.name.casefold(): outcome for outcome in OUTCOMES}


def outcomes_of(names: Iterable[str | None]) -> list[Outcome]:
    """Return the outcomes that names ask for, in the order of their words."""
    words = " ".join(name for name in names if name).replace("-", " ").casefold().split()
    return [_BY_NAME[word] for word in words if word in _BY_NAME]


def applicant_outcome(names: Iterable[str | None]) -> Outcome | None:
    """Return the outcome that an applicant of these names is steered to, or None for one who passes."""
    return next((outcome for outcome in outcomes_of(names) if outcome.applicant), None)


def report_matches(kind: str, names: Iterable[str | None]) -> bool:
    """Return whether a report of a kind on these names matches."""
    return any(outcome.report == kind for outcome in outcomes_of(names))


def ends_in_error(process: str, names: Iterable[str | None]) -> bool:
    """Return whether a process, report or import, ends in an error for these names."""
    return any(outcome.errors == process for outcome in outcomes_of(names))
