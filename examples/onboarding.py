"""Onboard one customer: invite them, wait until they are through, screen their name, and keep the evidence.

    python examples/onboarding.py customer-1042 "Jane Doe" --sandbox

Nothing is approved here: the script ends with what a person, or a rule of yours, has to decide about. Without --sandbox it
needs PERSONA_API_KEY and the ids of your templates.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from persona_block import BlockingRunner, FileRef, FileStore, PersonaError, WaitTimedOut

NOT_VERIFIED = {
    "failed": "the verification failed",
    "expired": "the customer did not finish in time",
    "declined": "it was declined",
}
ENDINGS = ["completed", "approved", "needs_review", *NOT_VERIFIED]
TWO_WEEKS = 14 * 86_400.0


@dataclass(frozen=True)
class Outcome:
    """How an onboarding ended.

    status: that of the inquiry.
    advice: what it comes to, as a phrase.
    pdf: where the evidence is; None for a customer who was not verified.
    """

    inquiry_id: str
    status: str | None
    advice: str
    pdf: FileRef | None = None


def onboard(
    runner: BlockingRunner,
    reference_id: str,
    name: str,
    inquiry_template: str,
    report_template: str,
    send_link: Callable[[str, str], object],
    patience: float = TWO_WEEKS,
) -> Outcome:
    """Take one customer through, and return how it ended.

    send_link: told the inquiry's id and the one-time link, which admits whoever has it: send it to that customer alone.
    patience: seconds to wait for the customer.
    """
    first, _, last = name.partition(" ")
    created = runner.call(
        "create_inquiry",
        {
            "inquiryTemplateId": inquiry_template,
            "referenceId": reference_id,
            "fields": {"name-first": first, "name-last": last},
        },
        # Started again within a day, the script goes on with the same inquiry.
        idempotency_key=f"onboarding of {reference_id}",
    )
    inquiry_id = created["inquiry"]["id"]
    link = runner.call("generate_inquiry_link", {"inquiryId": inquiry_id})["oneTimeLink"]
    send_link(inquiry_id, link)
    try:
        inquiry = runner.wait("get_inquiry", {"inquiryId": inquiry_id}, until=ENDINGS, deadline=patience)["inquiry"]
    except WaitTimedOut as error:
        return Outcome(
            inquiry_id, error.output.get("inquiry", {}).get("status"), "has not finished; send a new link, or let it expire"
        )
    status = inquiry["status"]
    if status in NOT_VERIFIED:
        return Outcome(inquiry_id, status, NOT_VERIFIED[status])
    is_listed = has_match(runner, reference_id, name, report_template)
    pdf = runner.call("print_inquiry_pdf", {"inquiryId": inquiry_id}, store=FileStore("evidence"), overwrite=True)["file"]
    if is_listed:
        advice = "the name matched a list, so a person has to look"
    else:
        advice = "Persona asks for a review" if status == "needs_review" else "nothing speaks against it"
    return Outcome(inquiry_id, status, advice, FileRef.model_validate(pdf))


def has_match(runner: BlockingRunner, reference_id: str, name: str, report_template: str) -> bool:
    """Screen the customer against watchlists, and return whether anything matched."""
    screened = runner.wait(
        "create_report",
        {"reportType": "watchlist", "reportTemplateId": report_template, "term": name, "referenceId": reference_id},
    )
    return bool(screened["report"]["hasMatch"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script, and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference_id", help="your own id for the customer; no name, no address")
    parser.add_argument("name", help="given and last name, as the customer writes them")
    parser.add_argument("--inquiry-template", default="itmpl_GovernmentIdAndSelfie")
    parser.add_argument("--report-template", default="rptp_Watchlist")
    parser.add_argument("--patience", type=float, default=TWO_WEEKS, metavar="SECONDS", help="to wait for the customer")
    parser.add_argument("--sandbox", action="store_true", help="on an offline Persona, which plays the customer")
    options = parser.parse_args(arguments)

    send_link: Callable[[str, str], object]
    if options.sandbox:
        from persona_block import Sandbox

        sandbox = Sandbox()
        runner = sandbox.blocking_runner()

        def send_link(inquiry_id: str, link: str) -> None:
            print(f"To send to the customer: {link}")
            sandbox.complete(inquiry_id)
    else:
        runner = BlockingRunner()

        def send_link(_inquiry_id: str, link: str) -> None:
            print(f"To send to the customer: {link}")

    try:
        with runner:
            outcome = onboard(
                runner,
                options.reference_id,
                options.name,
                options.inquiry_template,
                options.report_template,
                send_link,
                options.patience,
            )
    except PersonaError as error:
        print(f"{error.message} (took effect: {error.took_effect})", file=sys.stderr)
        return 1
    print(f"{options.reference_id} is {outcome.status}: {outcome.advice}. {outcome.inquiry_id}")
    if outcome.pdf:
        print(f"Evidence: {outcome.pdf.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
