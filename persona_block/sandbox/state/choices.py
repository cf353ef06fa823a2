"""The choices made where Persona's OpenAPI and documentation leave a question open. The live service may differ.

Each is this sandbox's own and follows no documentation, so read the list before you rely on an edge case. `Settings` holds
the ones that can be switched.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SandboxChoice:
    """One question that the documentation leaves open, and how the sandbox answers it."""

    question: str
    answer: str


CHOICES: tuple[SandboxChoice, ...] = (
    # Protocol
    SandboxChoice(
        "A Persona-Version that is no date, an unknown Key-Inflection",
        "400, before anything but authentication and the rate limit; not kept under an idempotency key.",
    ),
    SandboxChoice(
        "Which version the answers follow",
        "The latest of 2025-12-08, 2025-10-27 and 2023-01-05 that is not after the one asked for, else 2023-01-05; the header"
        " Persona-Sandbox-Answered-Version names it. Webhooks are always 2025-12-08.",
    ),
    SandboxChoice("An attribute that an inquiry has not", "400; ignored before 2025-10-27, which allow any."),
    SandboxChoice("In older versions, the abbreviated subdivision and the runs of a report", "Always null, and always none."),
    SandboxChoice(
        "A body that is not sent as application/json", "400, unless it is empty; a charset or other parameter is ignored."
    ),
    SandboxChoice("A query parameter, filter or attribute that is not documented", "400, naming it."),
    SandboxChoice("An include path that leads nowhere, or that the operation cannot return", "400."),
    SandboxChoice("`included` in an answer", "Absent unless `include` names a path or an older version has a default."),
    SandboxChoice("Unknown attribute names in fields[TYPE]", "Ignored; relationships always come back."),
    SandboxChoice("page[size] outside 1 to 100, both cursors at once, a cursor that is no object of the list", "400."),
    SandboxChoice("An unknown id in a filter", "An empty list."),
    SandboxChoice(
        "A comma in a filter value",
        "Separates two values, except in an array: filter[reference-id][]=a,b is one reference id.",
    ),
    SandboxChoice("A filter given as an array and as a comma-separated list at once, or with numbers in its brackets", "400."),
    SandboxChoice("An array for a filter that takes one value", "400."),
    SandboxChoice(
        "Rate limits",
        "One fixed window per environment. Unless rate_limit is set, nothing is refused: the headers count down from 300, and"
        " a window with 30 left begins anew.",
    ),
    SandboxChoice(
        "Scope of an Idempotency-Key", "The API key. Kept 24 hours; every answer but 401 and 429 is replayed, 500 too."
    ),
    SandboxChoice("An Idempotency-Key with another request", "409, or mismatch_status; bodies are compared as parsed JSON."),
    SandboxChoice("Request-Id of a replayed answer", "A new one, so that the log tells the attempts apart."),
    SandboxChoice("Idempotency-Key on GET, PATCH and DELETE", "Ignored."),
    SandboxChoice("An endpoint that Persona has and the simulation has not", "501, which no idempotency key keeps."),
    SandboxChoice("A path of the API with a method that it has not", "405 with Allow, after the check of the key."),
    SandboxChoice("A path that Persona has not", "404, whatever the key."),
    SandboxChoice("A sandbox key where production is needed, or the reverse", "403."),
    SandboxChoice("An expired or wrong file URL", "403 in plain text."),
    # Inquiries
    SandboxChoice("Not exactly one template attribute on create", "400."),
    SandboxChoice("Unknown template or account on create", "404. An inactive template: 422."),
    SandboxChoice("auto-create-account-reference-id or -type-id with auto-create-account false", "400."),
    SandboxChoice("The deprecated reference-id attribute", "Means the same as auto-create-account-reference-id."),
    SandboxChoice("account-id together with a reference id", "The account id wins."),
    SandboxChoice("An inquiry's reference-id", "Its account's, as it was when the inquiry was created."),
    SandboxChoice("Fields that the template does not define", "Kept with the type of their value; 422 under strict."),
    SandboxChoice(
        "A field's value that is not of the field's type", '422: nothing is converted, "1" is no number and 1.5 no integer.'
    ),
    SandboxChoice("An auto-created account's fields", "Those the inquiry was created with; completion adds the rest."),
    SandboxChoice("An action that the inquiry's status forbids", "422."),
    SandboxChoice("Any action on a redacted inquiry, print included", "409 `Inquiry already redacted`."),
    SandboxChoice(
        "Approve and decline",
        "From every status; under strict only from pending, completed, failed, needs_review or the other decision.",
    ),
    SandboxChoice("Who the reviewer is after a decision by API", "One fixed user of the organisation."),
    SandboxChoice("Expire", "From created and pending; otherwise 422."),
    SandboxChoice("Resume", "From created (status stays), pending and expired (becomes pending); otherwise 422."),
    SandboxChoice(
        "expired-at and started-at after resuming an expired inquiry", "expired-at null; started-at set if it never was."
    ),
    SandboxChoice("A one-time link", "From created and pending; each makes a session. Otherwise 422: resume first."),
    SandboxChoice("The 26th session of an inquiry", "422."),
    SandboxChoice("Using a one-time link twice", "Allowed for 5 minutes after its first use, then refused (410)."),
    SandboxChoice("A hosted flow opened with an inquiry id alone", "Only while the inquiry is created; else 403."),
    SandboxChoice(
        "A link with a template that names no environment", "Production. An unknown environment or template: a page with 404."
    ),
    SandboxChoice(
        "A field in a link", "Read as a number or as true or false where the template's field is one; else it is text."
    ),
    SandboxChoice("A link with a template that another site's page loads into itself", "403, and no inquiry."),
    SandboxChoice(
        "Opening a flow that the inquiry's decision, review or redaction has ended",
        "422, or 410 by a link; 409 for a redaction.",
    ),
    SandboxChoice("The name of an applicant whose inquiry has none", "The account's, which steers too; else an invented one."),
    SandboxChoice("A verification that fails in the hosted flow", "Fails the inquiry: no second attempt is offered."),
    SandboxChoice(
        "The parameters on a redirect URI",
        "fields as `fields[NAME][type]` and `fields[NAME][value]`, empty for null; no reference-id where there is none.",
    ),
    SandboxChoice("A redirect URI whose host no name server can know", "Offered as it is, as a link on a last page."),
    SandboxChoice(
        "A redirect URI that runs a script or opens a file", "Not followed; the applicant sees a last page instead."
    ),
    SandboxChoice(
        "A redirect URI of an app's own scheme", "Offered as a link on a last page; only http and https are followed at once."
    ),
    SandboxChoice("Sessions of an inquiry that ends, is decided or is marked for review", "Expire with it."),
    SandboxChoice("How redaction cascades", "At once, downward; note and reviewer-comment go, tags and reference id stay."),
    SandboxChoice(
        "What else a redaction reaches",
        "Answers kept under idempotency keys, written events and logged requests: what it erases of an object, and what an"
        " update had replaced there, is erased there too, and in the bytes of the state file. Of the idempotency keys of its"
        " changes, digests stay. Tags, reference ids and other people's objects stay.",
    ),
    SandboxChoice(
        "A replay after a redaction",
        "The first answer again, with the object as redacted; an event that is sent again likewise.",
    ),
    SandboxChoice("The mode of a state file", "0600, of one that had a wider mode too."),
    SandboxChoice(
        "Letters in a printed inquiry that the PDF's font lacks", "Plain letters (Ł as L), else code points as [U+738B]."
    ),
    # Accounts, imports
    SandboxChoice("A second account of one reference id", "409 `Record not unique`."),
    SandboxChoice("meta.upsert-by", "Only reference-id; 200 when it existed, 422 for any other field."),
    SandboxChoice("Account fields by their flat names (name-first, address-city)", "Put in their place in name and address."),
    SandboxChoice("A country that is not two capital letters, a birthdate that is no date", "422."),
    SandboxChoice("A social security number", "Accepted and forgotten."),
    SandboxChoice(
        "The name of an uploaded photo",
        "Its last path segment without control characters, at most 200 characters; percent-encoded in its URL.",
    ),
    SandboxChoice("Redacting an account twice", "409, even if it was updated in between."),
    SandboxChoice(
        "An import's file without a known column, or not UTF-8 text", "The import ends `errored`, with counts of 0."
    ),
    SandboxChoice("An import row whose reference id exists already", "A duplicate: counted, not updated."),
    SandboxChoice(
        "An import row with a bad birthdate or number, too many cells, or nothing",
        "An error, except that blank lines are skipped.",
    ),
    SandboxChoice(
        "An import under way",
        "Pending with counts of 0 until its last row; its accounts appear meanwhile, 250 rows at a time.",
    ),
    SandboxChoice(
        "The moments of an import's changes", "For its first part when it was due, for the others when their turn came."
    ),
    SandboxChoice("Tags in an import", "Separated by comma, semicolon or bar."),
    # Reports, cases, evidence
    SandboxChoice("Which reports can be created", "watchlist, adverse-media, politically-exposed-person; other kinds: 422."),
    SandboxChoice("A report without data.type", "Takes its report template's kind; with neither, 400."),
    SandboxChoice("processing-mode", "Accepted; the report is pending all the same."),
    SandboxChoice("The account of a report on a term alone", "Created, without a name."),
    SandboxChoice(
        "The inquiry of a report",
        "Its account's latest that is created, pending, completed or needs_review; an open case of that inquiry shows it too.",
    ),
    SandboxChoice("The reports of a case that opens", "All of its account."),
    SandboxChoice("A report that is redacted while pending", "Ends `errored`."),
    SandboxChoice("A term next to separate names", "Both are kept; without a term it is made of the names."),
    SandboxChoice(
        "When a case opens",
        "When an inquiry needs review. It resolves when the inquiry is decided, and follows a changed decision.",
    ),
    SandboxChoice("Case statuses", "Open, then Approved or Declined."),
    SandboxChoice("Verifications that an expiring inquiry leaves open", "Canceled."),
    SandboxChoice(
        "perform-simulate-actions",
        "Same rules and effects as when an applicant or a caller does it; complete and fail also start a created inquiry.",
    ),
    SandboxChoice("Inquiry templates with a sandbox key", "403."),
    SandboxChoice(
        "How long a verification and its document are processed",
        "processing_delay, 0.4 simulated seconds by default, and half of it. The clock moves on by it as an applicant is"
        " played, and what is due meanwhile happens right after.",
    ),
    # Webhooks
    SandboxChoice(
        "Which changes are sent to a webhook", "Those that the OpenAPI gives a body for (`EVENTS`), of both environments."
    ),
    SandboxChoice("`included` in an event", "Absent."),
    SandboxChoice(
        "created-at of an event",
        "The moment of its change, at least a millisecond after that of the object's last; Persona's own is a little later.",
    ),
    SandboxChoice("When inquiry.transitioned comes", "When the flow goes on to its next verification."),
    SandboxChoice(
        "What comes with case.resolved and report/*.matched", "case.status-updated and report/*.ready, right before."
    ),
    SandboxChoice(
        "When a delivery is tried again", "3, 18, 83 and 258 simulated seconds after the first attempt, then no more."
    ),
    SandboxChoice("How long a receiver has", "10 real seconds; redirects are not followed."),
    SandboxChoice("Persona-Webhook-Attempts-Made", "Counts the attempt that it comes with."),
    SandboxChoice("The time in Persona-Signature", "Real, as the receiver's own clock is; every other time is simulated."),
    SandboxChoice(
        "How long a replaced secret signs",
        "expires-in-seconds, by default a day; at most two secrets sign, the new one first. A restart has its own again.",
    ),
    SandboxChoice("The certificate of a receiver", "Not checked: it can only be on this machine."),
    SandboxChoice("Events that a stopped server left behind", "Go to the webhook of the next one."),
)
"""Every choice, in the order of the API: protocol, inquiries, accounts, reports, webhooks."""
