"""Every choice made where Persona's OpenAPI and documentation leave one. They are OURS: the live service may differ.

`CHOICES` is the table for people; `Settings` holds the ones that can be switched. Code that follows a choice names it
nowhere else, so this is the list to read before trusting an edge case.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..messages.shapes import MAX_SECONDS


@dataclass(frozen=True)
class Settings:
    """The switchable choices; durations are in simulated seconds.

    strict: refuse decisions on inquiries that are still created or expired, a repeated decision, and inquiry fields
        that the template does not define.
    mismatch_status: the answer to an idempotency key that comes back with another request (409, 400 or 422).
    report_delay, import_delay: how long a report or an import stays pending.
    rate_limit: requests per window and environment before a 429; None never refuses and shows a full allowance.
    rate_window: length of that window. Persona's own default is 300 per 60 s (docs.withpersona.com/rate-limiting).
    """

    strict: bool = False
    mismatch_status: int = 409
    report_delay: float = 1.5
    import_delay: float = 1.5
    rate_limit: int | None = None
    rate_window: float = 60.0

    def __post_init__(self) -> None:
        if self.mismatch_status not in (400, 409, 422):
            raise ValueError("mismatch_status must be 400, 409 or 422")
        if self.rate_limit is not None and self.rate_limit < 1:
            raise ValueError("rate_limit must be at least 1, or None")
        if not all(0 <= seconds < MAX_SECONDS for seconds in (self.report_delay, self.import_delay, self.rate_window)):
            raise ValueError(f"delays and windows must be numbers of seconds from 0 to {MAX_SECONDS}")


@dataclass(frozen=True)
class Choice:
    """One open question and the answer given here."""

    question: str
    answer: str


CHOICES: tuple[Choice, ...] = (
    # Protocol
    Choice(
        "An unknown Persona-Version or Key-Inflection",
        "400, before anything but authentication and the rate limit; not kept under an idempotency key.",
    ),
    Choice("Which version the answers follow", "Always 2025-12-08, whichever known version is asked for."),
    Choice("A query parameter, filter or attribute that is not documented", "400, naming it."),
    Choice("An include path that leads nowhere, or that the operation cannot return", "400."),
    Choice("`included` in an answer", "Absent unless `include` names a path; then always there, perhaps empty."),
    Choice("Unknown attribute names in fields[TYPE]", "Ignored; relationships always come back."),
    Choice("page[size] outside 1 to 100, both cursors at once, a cursor that is no object of the list", "400."),
    Choice("An unknown id in a filter", "An empty list."),
    Choice("A comma in a filter value", "Always separates two values, so a reference id with a comma cannot be listed."),
    Choice(
        "Rate limits",
        "One fixed window per environment. Unless rate_limit is set, nothing is refused and the headers show 300 of 300 left.",
    ),
    Choice("Scope of an Idempotency-Key", "The API key. Kept 24 hours; every answer but 401 and 429 is replayed."),
    Choice("An Idempotency-Key with another request", "409, or mismatch_status; bodies are compared as parsed JSON."),
    Choice("Request-Id of a replayed answer", "A new one: each attempt can be told apart in the log."),
    Choice("Idempotency-Key on GET, PATCH and DELETE", "Ignored."),
    Choice("A sandbox key where production is needed, or the reverse", "403."),
    Choice("An expired or wrong file URL", "403 in plain text."),
    # Inquiries
    Choice("Not exactly one template attribute on create", "400."),
    Choice("Unknown template or account on create", "404. An inactive template: 422."),
    Choice("auto-create-account-reference-id or -type-id with auto-create-account false", "400."),
    Choice("The deprecated reference-id attribute", "Means the same as auto-create-account-reference-id."),
    Choice("account-id together with a reference id", "The account id wins."),
    Choice("An inquiry's reference-id", "Its account's, as it was when the inquiry was created."),
    Choice("Fields that the template does not define", "Kept with the type of their value; 422 under strict."),
    Choice(
        "A field's value that is not of the field's type", '422: nothing is converted, "1" is no number and 1.5 no integer.'
    ),
    Choice("An auto-created account's fields", "Those the inquiry was created with; completion adds the rest."),
    Choice("An action that the inquiry's status forbids", "422."),
    Choice("Any action on a redacted inquiry, print included", "409 `Inquiry already redacted`."),
    Choice(
        "Approve and decline",
        "From every status; under strict only from pending, completed, failed, needs_review or the other decision.",
    ),
    Choice("Who the reviewer is after a decision by API", "One fixed user of the organisation."),
    Choice("Expire", "From created and pending; otherwise 422."),
    Choice("Resume", "From created (status stays), pending and expired (becomes pending); otherwise 422."),
    Choice("expired-at and started-at after resuming an expired inquiry", "expired-at null; started-at set if it never was."),
    Choice("A one-time link", "From created and pending; each makes a session. Otherwise 422: resume first."),
    Choice("The 26th session of an inquiry", "422."),
    Choice("Using a one-time link twice", "Allowed for 5 minutes after its first use, then refused (410)."),
    Choice("A hosted flow opened with an inquiry id alone", "Only while the inquiry is created; else 403."),
    Choice(
        "Opening a flow that the inquiry's decision, review or redaction has ended",
        "422, or 410 by a link; 409 for a redaction.",
    ),
    Choice("The name of an applicant whose inquiry has none", "The account's, which steers too; else a made-up one."),
    Choice("A verification that fails in the hosted flow", "Fails the inquiry: no second attempt is offered."),
    Choice(
        "The parameters on a redirect URI",
        "fields as `fields[NAME][type]` and `fields[NAME][value]`, empty for null; no reference-id where there is none.",
    ),
    Choice("A redirect URI whose host no name server can know", "Offered as it is, as a link on a last page."),
    Choice("A redirect URI that runs a script or opens a file", "Not followed; the applicant sees a last page instead."),
    Choice(
        "A redirect URI of an app's own scheme", "Offered as a link on a last page; only http and https are followed at once."
    ),
    Choice("Sessions of an inquiry that ends, is decided or is marked for review", "Expire with it."),
    Choice("How redaction cascades", "At once, downward; note and reviewer-comment go, tags and reference id stay."),
    Choice(
        "What a redaction does not reach",
        "Answers kept under an idempotency key, which are still replayed, the queries of logged requests, and written events.",
    ),
    Choice("Letters in a printed inquiry that the PDF's font lacks", "Plain letters (Ł as L), else code points as [U+738B]."),
    # Accounts, imports
    Choice("A second account of one reference id", "409 `Record not unique`."),
    Choice("meta.upsert-by", "Only reference-id; 200 when it existed, 422 for any other field."),
    Choice("Account fields by their flat names (name-first, address-city)", "Put in their place in name and address."),
    Choice("A country that is not two capital letters, a birthdate that is no date", "422."),
    Choice("A social security number", "Accepted and forgotten."),
    Choice(
        "The name of an uploaded photo",
        "Its last path segment without control characters, at most 200 characters; percent-encoded in its URL.",
    ),
    Choice("Redacting an account twice", "409, even if it was updated in between."),
    Choice("An import's file without a known column, or not UTF-8 text", "The import ends `errored`, with counts of 0."),
    Choice("An import row whose reference id exists already", "A duplicate: counted, not updated."),
    Choice(
        "An import row with a bad birthdate or number, too many cells, or nothing",
        "An error, except that blank lines are skipped.",
    ),
    Choice("An import under way", "Pending with counts of 0 until its last row; its accounts appear meanwhile, part by part."),
    Choice(
        "The moment of what an import does", "When it was due; while serving, when its part's turn came in the background."
    ),
    Choice("Tags in an import", "Separated by comma, semicolon or bar."),
    # Reports, cases, evidence
    Choice("Which reports can be created", "watchlist, adverse-media, politically-exposed-person; other kinds: 422."),
    Choice("A report without data.type", "Takes its report template's kind; with neither, 400."),
    Choice("processing-mode", "Accepted; the report is pending all the same."),
    Choice("The account of a report on a term alone", "Created, without a name."),
    Choice(
        "The inquiry of a report",
        "Its account's latest that is created, pending, completed or needs_review; an open case of that inquiry shows it too.",
    ),
    Choice("The reports of a case that opens", "All of its account."),
    Choice("A report that is redacted while pending", "Ends `errored`."),
    Choice("A term next to separate names", "Both are kept; without a term it is made of the names."),
    Choice(
        "When a case opens",
        "When an inquiry needs review. It resolves when the inquiry is decided, and follows a changed decision.",
    ),
    Choice("Case statuses", "Open, then Approved or Declined."),
    Choice("Verifications that an expiring inquiry leaves open", "Canceled."),
    Choice(
        "perform-simulate-actions",
        "Same rules and effects as when an applicant or a caller does it; complete and fail also start a created inquiry.",
    ),
    Choice("Inquiry templates with a sandbox key", "403."),
    Choice("How long a document is processed", "No time passes from its upload to its end."),
    # Webhooks
    Choice("Which changes a webhook is told", "Those that the OpenAPI gives a body for (`EVENTS`), of both environments."),
    Choice("`included` in an event", "Absent."),
    Choice("created-at of an event", "The moment of its change, without the little that Persona takes."),
    Choice("When inquiry.transitioned comes", "When the flow goes on to its next verification."),
    Choice("What comes with case.resolved and report/*.matched", "case.status-updated and report/*.ready, right before."),
    Choice("When a delivery is tried again", "3, 18, 83 and 258 simulated seconds after the first attempt, then no more."),
    Choice("How long a receiver has", "10 real seconds; redirects are not followed."),
    Choice("Persona-Webhook-Attempts-Made", "Counts the attempt that it comes with."),
    Choice("The time in Persona-Signature", "Real, as the receiver's own clock is; every other time is simulated."),
    Choice("The certificate of a receiver", "Not checked: it can only be on this machine."),
    Choice("Events that a stopped server left behind", "Go to the webhook that the next one is given."),
)
