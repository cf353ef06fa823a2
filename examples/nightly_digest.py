"""Tell every night what happened and what waits for a person, as a text for mail or chat. It reads, and changes nothing.

    python examples/nightly_digest.py --sandbox

The text names ids, your reference ids and times, and nobody. Without --sandbox it needs PERSONA_API_KEY.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from persona_block import BlockingRunner, PersonaError
from persona_block.typed import Inquiry

SHOWN = 10
"""How many of what waits are listed one by one."""


def digest(runner: BlockingRunner, now: datetime, days: float = 1) -> Iterator[str]:
    """Yield the lines of the digest of the time before `now`, by default a day."""
    since = now - timedelta(days=days)
    counts = Counter(inquiry["status"] for inquiry in created_since(runner, since))
    yield f"Inquiries since {since:%Y-%m-%d %H:%M} UTC: {sum(counts.values())}"
    yield from (f"  {count} {status}" for status, count in counts.most_common())

    waiting = sorted(in_review(runner), key=lambda inquiry: inquiry["markedForReviewAt"] or "")
    yield f"Waiting for review: {len(waiting)}"
    yield from (f"  {named(inquiry)}, for {age(inquiry['markedForReviewAt'], now)}" for inquiry in waiting[:SHOWN])
    if len(waiting) > SHOWN:
        yield f"  and {len(waiting) - SHOWN} more"

    matched, errored = reports_since(runner, since)
    yield f"Reports with matches: {len(matched)}"
    yield from (f"  {report_id}" for report_id in matched[:SHOWN])
    if errored:
        yield f"Reports that went wrong: {len(errored)}"


def created_since(runner: BlockingRunner, since: datetime) -> Iterator[Inquiry]:
    """Yield the inquiries that were created since then, newest first."""
    for page in runner.paginate("list_inquiries", {"createdAtStart": since.isoformat()}, page_size=100):
        yield from page["inquiries"]


def in_review(runner: BlockingRunner) -> Iterator[Inquiry]:
    """Yield the inquiries that wait for a person, however old they are."""
    for page in runner.paginate("list_inquiries", {"status": "needs_review"}, page_size=100):
        yield from page["inquiries"]


def reports_since(runner: BlockingRunner, since: datetime) -> tuple[list[str], list[str]]:
    """Return the ids of reports that were created since then: those with matches, and those that went wrong."""
    matched: list[str] = []
    errored: list[str] = []
    for page in runner.paginate("list_reports", page_size=100):
        for report in page["reports"]:
            # They come newest first, and have no filter by time.
            if report["createdAt"] and datetime.fromisoformat(report["createdAt"]) < since:
                return matched, errored
            if report["status"] == "errored":
                errored.append(report["id"])
            elif report["hasMatch"]:
                matched.append(report["id"])
    return matched, errored


def named(inquiry: Inquiry) -> str:
    """Return an inquiry's id, with your own for the person."""
    return f"{inquiry['id']} ({inquiry['referenceId'] or 'no reference id'})"


def age(moment: str | None, now: datetime) -> str:
    """Return how long ago a moment was, in days or hours."""
    if moment is None:
        return "an unknown time"
    hours = (now - datetime.fromisoformat(moment)) / timedelta(hours=1)
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script, and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=1, help="to look back (default: 1)")
    parser.add_argument("--sandbox", action="store_true", help="on an offline Persona with invented people")
    options = parser.parse_args(arguments)
    if options.sandbox:
        from persona_block import Sandbox

        runner = Sandbox(populate=True).blocking_runner()
    else:
        runner = BlockingRunner()
    try:
        with runner:
            print("\n".join(digest(runner, datetime.now(UTC), options.days)))
    except PersonaError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
