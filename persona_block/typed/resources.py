"""The resources that outputs hold; `make generate` writes this from the specs."""

from typing import Any, TypedDict


class Account(TypedDict):
    """An account: one person as your organisation knows them."""

    id: str
    """Id of the account."""
    referenceId: str | None
    """Your own id for the person."""
    status: str | None
    """Status of the account."""
    accountTypeName: str | None
    """Name of the account's type."""
    accountTypeId: str | None
    """Id of the account's type."""
    fields: dict[str, Any]
    """Field values by name, as plain values that can be written back."""
    tags: list[str | None]
    """Tag names."""
    createdAt: str | None
    """When it was created."""
    updatedAt: str | None
    """When it last changed."""
    redactedAt: str | None
    """When its personal data was erased."""


class CaseAttachment(TypedDict):
    """A file of a case."""

    filename: str | None
    """Name of the file."""
    url: str | None
    """Address of the file; it holds an access token, valid about six hours, so keep it out of logs."""
    byteSize: int | None
    """Size in bytes."""


class Case(TypedDict):
    """A case: a matter that waits for a person's judgement."""

    id: str
    """Id of the case."""
    name: str | None
    """Name of the case, e.g. MRR-3."""
    status: str | None
    """Status, as the case template spells it."""
    resolution: str | None
    """How it was resolved; null while open."""
    creatorId: str | None
    """Who opened it."""
    creatorType: str | None
    """What the creator is: a user, a workflow."""
    assigneeId: str | None
    """Who is to work on it."""
    assignerId: str | None
    """Who assigned it."""
    assignerType: str | None
    """What the assigner is."""
    resolverId: str | None
    """Who resolved it."""
    resolverType: str | None
    """What the resolver is."""
    updaterId: str | None
    """Who changed it last."""
    updaterType: str | None
    """What the updater is."""
    createdAt: str | None
    """When it was opened."""
    updatedAt: str | None
    """When it last changed."""
    assignedAt: str | None
    """When it was assigned."""
    resolvedAt: str | None
    """When it was resolved."""
    redactedAt: str | None
    """When its personal data was erased."""
    slaExpiresAt: str | None
    """By when it should be resolved."""
    tags: list[str | None]
    """Tag names."""
    fields: dict[str, Any]
    """Field values by name, as plain values that can be written back."""
    attachments: list[CaseAttachment]
    """Files attached to the case."""
    accountIds: list[str]
    """Accounts it concerns."""
    inquiryIds: list[str]
    """Inquiries it concerns."""
    reportIds: list[str]
    """Reports it concerns."""
    verificationIds: list[str]
    """Verifications it concerns."""
    transactionIds: list[str]
    """Transactions it concerns."""
    commentIds: list[str]
    """Comments written on it."""
    caseTemplateId: str | None
    """Template it was opened from."""
    caseQueueId: str | None
    """Queue it waits in."""


class DocumentFile(TypedDict):
    """A file of a document."""

    filename: str | None
    """Name of the file."""
    url: str | None
    """Address of the file; it holds an access token, valid about six hours, so keep it out of logs."""
    byteSize: int | None
    """Size in bytes."""


class Document(TypedDict):
    """A document: files a person gave, and what was read from them."""

    id: str
    """Id of the document."""
    type: str | None
    """Persona's type name, which tells the kind."""
    status: str | None
    """initiated, submitted, processed or errored; Persona may add more."""
    kind: str | None
    """Kind of a generic document, as your template names it."""
    documentType: str | None
    """What a generic document was recognised as."""
    files: list[DocumentFile]
    """Every file of the document, whatever its kind."""
    frontPhoto: DocumentFile | None
    """Front of a government id."""
    backPhoto: DocumentFile | None
    """Back of a government id."""
    selfiePhoto: DocumentFile | None
    """Selfie given with a government id."""
    createdAt: str | None
    """When it was created."""
    processedAt: str | None
    """When it was processed."""
    attributes: dict[str, Any]
    """Every attribute just as Persona sent it."""
    inquiryId: str | None
    """Inquiry it was collected in."""
    templateId: str | None
    """Inquiry template it came from, legacy or not."""
    inquiryTemplateVersionId: str | None
    """Version of that template."""
    documentFileIds: list[str]
    """Files as objects of their own."""
    transactionId: str | None
    """Transaction it belongs to."""


class StoredFile(TypedDict):
    """A stored file."""

    name: str
    """Name under which it was stored."""
    mimeType: str
    """Media type, e.g. application/pdf."""
    size: int
    """Size in bytes."""
    url: str
    """Where it is: a file:// or storage URL."""
    path: str | None
    """Path on this machine; null when it is stored elsewhere."""


class Importer(TypedDict):
    """An importer: a CSV of accounts on its way in."""

    id: str
    """Id of the importer."""
    type: str | None
    """Persona's type name, which tells the kind."""
    status: str | None
    """pending, ready or errored; Persona may add more."""
    successfulCount: int | None
    """Rows that became accounts."""
    duplicateCount: int | None
    """Rows whose account was there already."""
    errorCount: int | None
    """Rows that could not be read."""
    createdAt: str | None
    """When it was created."""
    completedAt: str | None
    """When it ended."""


class InquiryTemplate(TypedDict):
    """An inquiry template: the flow that inquiries run."""

    id: str
    """Id of the inquiry template."""
    name: str | None
    """Name of the template."""
    status: str | None
    """active or inactive."""
    fieldSchemas: list[dict[str, Any]]
    """The fields that inquiries of this template take: key, type, label."""
    embeddedFlowDomainAllowlist: list[str]
    """Domains that may embed the flow."""
    hostedFlowSubdomains: list[str]
    """Subdomains that host the flow."""
    hostedFlowRedirectUriSchemes: list[str]
    """Schemes that a redirect URI may have."""
    latestPublishedVersionId: str | None
    """Version published last."""


class Inquiry(TypedDict):
    """An inquiry: one person's run through an identity flow."""

    id: str
    """Id of the inquiry."""
    status: str | None
    """created, pending, completed, failed, expired, needs_review, approved or declined; Persona may add more."""
    referenceId: str | None
    """Your own id for the person."""
    note: str | None
    """Note kept on the inquiry."""
    tags: list[str | None]
    """Tag names."""
    fields: dict[str, Any]
    """Field values by name, as plain values that can be written back."""
    creator: str | None
    """Who created the inquiry."""
    reviewerComment: str | None
    """Comment left with the decision."""
    behaviors: dict[str, Any] | None
    """Signals of how the applicant behaved in the flow."""
    previousStepName: str | None
    """Step the applicant left last."""
    nextStepName: str | None
    """Step the applicant comes to next."""
    createdAt: str | None
    """When it was created."""
    updatedAt: str | None
    """When it last changed."""
    startedAt: str | None
    """When the applicant started."""
    expiresAt: str | None
    """When it will expire."""
    completedAt: str | None
    """When the applicant finished."""
    failedAt: str | None
    """When it failed."""
    markedForReviewAt: str | None
    """When it was marked for review."""
    decisionedAt: str | None
    """When it was approved or declined."""
    expiredAt: str | None
    """When it expired."""
    redactedAt: str | None
    """When its personal data was erased."""
    accountId: str | None
    """Account of the person."""
    inquiryTemplateId: str | None
    """Template it runs, legacy or not."""
    inquiryTemplateVersionId: str | None
    """Version of that template."""
    reportIds: list[str]
    """Reports run within it."""
    verificationIds: list[str]
    """Verifications done within it."""
    documentIds: list[str]
    """Documents collected within it."""
    selfieIds: list[str]
    """Selfies collected within it."""
    sessionIds: list[str]
    """Sessions in which it was opened."""
    transactionId: str | None
    """Transaction it belongs to."""
    reviewerId: str | None
    """User or workflow that decided it."""


class Report(TypedDict):
    """A report: the result of screening a person."""

    id: str
    """Id of the report."""
    type: str | None
    """Persona's type name, which tells the kind."""
    status: str | None
    """pending, ready or errored; Persona may add more."""
    hasMatch: bool | None
    """Whether anything matched; it counts only once the report is ready."""
    isContinuous: bool | None
    """Whether it has run more than once."""
    isRecurring: bool | None
    """Whether it will run again."""
    reportTemplateVersionName: str | None
    """Version of the report template."""
    tags: list[str | None]
    """Tag names."""
    createdAt: str | None
    """When it was created."""
    completedAt: str | None
    """When it finished."""
    redactedAt: str | None
    """When its personal data was erased."""
    attributes: dict[str, Any]
    """Every attribute just as Persona sent it."""
    inquiryId: str | None
    """Inquiry it ran within."""
    accountId: str | None
    """Account it was run on."""
    accountIds: list[str]
    """Every account it is linked to."""
    transactionId: str | None
    """Transaction it belongs to."""
    reportTemplateId: str | None
    """Template it ran."""


class VerificationFile(TypedDict):
    """A file of a verification."""

    filename: str | None
    """Name of the file."""
    url: str | None
    """Address of the file; it holds an access token, valid about six hours, so keep it out of logs."""
    byteSize: int | None
    """Size in bytes."""
    page: str | None
    """Which side or page the file shows."""


class Verification(TypedDict):
    """A verification: one proof a person gave, and the checks made on it."""

    id: str
    """Id of the verification."""
    type: str | None
    """Persona's type name, which tells the kind."""
    status: str | None
    """initiated, submitted, passed, failed, requires_retry, canceled, skipped or confirmed; Persona may add more."""
    countryCode: str | None
    """Country of the proof."""
    checks: list[dict[str, Any]]
    """Checks that ran: name, status, reasons, requirement and metadata of each."""
    files: list[VerificationFile]
    """Photos and files the person gave."""
    tags: list[str | None]
    """Tag names."""
    createdAt: str | None
    """When it was created."""
    submittedAt: str | None
    """When the person submitted it."""
    completedAt: str | None
    """When the checks ended."""
    redactedAt: str | None
    """When its personal data was erased."""
    attributes: dict[str, Any]
    """Every attribute just as Persona sent it."""
    inquiryId: str | None
    """Inquiry it was done in."""
    accountIds: list[str]
    """Accounts it belongs to."""
    documentId: str | None
    """Document it was made from."""
    templateId: str | None
    """Inquiry template it came from, legacy or not."""
    inquiryTemplateVersionId: str | None
    """Version of that template."""
    verificationTemplateId: str | None
    """Verification template it ran."""
    transactionId: str | None
    """Transaction it belongs to."""
