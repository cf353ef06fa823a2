"""Import customers from a CSV file, then screen every account anew; what was interrupted goes on where it ended.

    python examples/bulk_import.py --import examples/customers.csv --sandbox

A run of screening has a name, by default the day. It notes each account in a file of that name, and passes over those noted
before, so a run that was interrupted is simply started again. Under another name, every account is screened anew. Without
--sandbox it needs PERSONA_API_KEY and the id of your report template.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from persona_block import BlockingRunner, PersonaError, ProgressUpdate
from persona_block.typed import Account, CreateReportParams, Importer

Progress = Callable[[ProgressUpdate], object]


def import_customers(runner: BlockingRunner, path: Path, progress: Progress) -> Importer:
    """Import a CSV file, which is checked before it is sent, and return the import once it has ended."""
    return runner.wait("import_accounts", {"file": path}, deadline=3600, progress=progress)["importer"]


def screen_all(runner: BlockingRunner, template: str, run_name: str, done: Path, progress: Progress) -> dict[str, bool]:
    """Screen every account that the file does not name yet, and return by its id whether anything matched.

    One whose screening failed is told on stderr and not noted, so that it is tried when the run is started again.
    """
    screened = set(done.read_text("utf-8").split()) if done.exists() else set()
    reports = dict(start_reports(runner, template, run_name, screened, progress))
    matched: dict[str, bool] = {}
    with done.open("a", encoding="utf-8") as file:
        for account_id, report_id in reports.items():
            try:
                report = runner.wait("get_report", {"reportId": report_id})["report"]
            except PersonaError as error:
                print(f"{account_id}: {error.message}", file=sys.stderr)
                continue
            matched[account_id] = bool(report["hasMatch"])
            file.write(f"{account_id}\n")
    return matched


def start_reports(
    runner: BlockingRunner, template: str, run_name: str, screened: set[str], progress: Progress
) -> Iterator[tuple[str, str]]:
    """Start a report on each account, and yield the ids of account and report."""
    rows = [row for row in report_rows(runner, template) if row["accountId"] not in screened]
    # Within a day, Persona makes the report of a key once, however often its row is run.
    results = runner.map("create_report", rows, key=lambda row: f"{row['accountId']} in {run_name}", progress=progress)
    for one in results:
        account_id = str(one.params["accountId"])
        if one.result.success:
            yield account_id, one.result.output["report"]["id"]
        else:
            print(f"{account_id}: {one.result.error}", file=sys.stderr)


def report_rows(runner: BlockingRunner, template: str) -> Iterator[CreateReportParams]:
    """Yield the params of a report on each account that has a name."""
    for page in runner.paginate("list_accounts", page_size=100):
        for account in page["accounts"]:
            first, last, birthdate = personal_data(account)
            if not last or account["redactedAt"]:
                continue
            row: CreateReportParams = {
                "reportType": "watchlist",
                "reportTemplateId": template,
                "accountId": account["id"],
                "nameFirst": first,
                "nameLast": last,
                "birthdate": birthdate,
            }
            yield row


def personal_data(account: Account) -> tuple[str, str, str]:
    """Return an account's first name, last name and birthdate, blank where Persona has none."""
    name = account["fields"].get("name") or {}
    return name.get("first") or "", name.get("last") or "", account["fields"].get("birthdate") or ""


def show(update: ProgressUpdate) -> None:
    """Show how far it is, on one line of a terminal."""
    if sys.stderr.isatty():
        left = "" if update.time_left is None else f", {update.time_left:.0f} s left"
        print(f"\r{update.done} done, {update.failed} failed{left}\033[K\r", end="", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script, and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--import", type=Path, metavar="FILE.csv", dest="file", help="import these customers first")
    parser.add_argument("--run", default=f"{datetime.now(UTC):%Y-%m-%d}", help="name of the run (default: the day)")
    parser.add_argument("--report-template", default="rptp_Watchlist")
    parser.add_argument("--sandbox", action="store_true", help="on an offline Persona with invented people")
    options = parser.parse_args(arguments)
    if options.sandbox:
        from persona_block.sandbox import Sandbox, Settings

        runner = Sandbox(populate=True, settings=Settings(report_delay=0, import_delay=0)).blocking_runner()
    else:
        runner = BlockingRunner()
    try:
        with runner:
            if options.file:
                importer = import_customers(runner, options.file, show)
                print(f"{importer['successfulCount']} imported, {importer['duplicateCount']} were there already,", end=" ")
                print(f"{importer['errorCount']} could not be read")
            done = Path(f"screened-{options.run}.txt")
            matched = screen_all(runner, options.report_template, options.run, done, show)
            print(f"{len(matched)} screened, {sum(matched.values())} with a match:")
            print("\n".join(sorted(account_id for account_id, is_matched in matched.items() if is_matched)))
    except PersonaError as error:
        print(f"{error.message} (took effect: {error.took_effect})", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
