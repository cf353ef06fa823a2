"""The calls of `persona_block.runner`, typed for each operation; `make generate` writes this from the specs."""

# mypy: disable-error-code="overload-overlap"

from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Iterable, Mapping
from typing import Any, Literal, Protocol, overload

from ..call.bulk import Mapped
from ..call.progress import Progress
from ..call.result import ToolResult
from ..files.store import FileStore
from ..spec.grammar import OperationName
from .outputs import (
    ApproveInquiryOutput,
    CreateAccountOutput,
    CreateInquiryOutput,
    CreateReportOutput,
    DeclineInquiryOutput,
    ExpireInquiryOutput,
    GenerateInquiryLinkOutput,
    GetAccountOutput,
    GetCaseOutput,
    GetDocumentOutput,
    GetImporterOutput,
    GetInquiryOutput,
    GetReportOutput,
    GetVerificationOutput,
    ImportAccountsOutput,
    ListAccountsOutput,
    ListCasesOutput,
    ListInquiriesOutput,
    ListInquiryTemplatesOutput,
    ListReportsOutput,
    MarkInquiryForReviewOutput,
    PrintInquiryPdfOutput,
    RedactAccountOutput,
    RedactInquiryOutput,
    ResumeInquiryOutput,
    UpdateAccountOutput,
    UpdateInquiryOutput,
)
from .params import (
    ApproveInquiryParam,
    ApproveInquiryParams,
    CreateAccountParam,
    CreateAccountParams,
    CreateInquiryParam,
    CreateInquiryParams,
    CreateReportParam,
    CreateReportParams,
    DeclineInquiryParam,
    DeclineInquiryParams,
    ExpireInquiryParam,
    ExpireInquiryParams,
    GenerateInquiryLinkParam,
    GenerateInquiryLinkParams,
    GetAccountParam,
    GetAccountParams,
    GetCaseParam,
    GetCaseParams,
    GetDocumentParam,
    GetDocumentParams,
    GetImporterParam,
    GetImporterParams,
    GetInquiryParam,
    GetInquiryParams,
    GetReportParam,
    GetReportParams,
    GetVerificationParam,
    GetVerificationParams,
    ImportAccountsParam,
    ImportAccountsParams,
    ListAccountsParam,
    ListAccountsParams,
    ListCasesParam,
    ListCasesParams,
    ListInquiriesParam,
    ListInquiriesParams,
    ListInquiryTemplatesParam,
    ListInquiryTemplatesParams,
    ListReportsParam,
    ListReportsParams,
    MarkInquiryForReviewParam,
    MarkInquiryForReviewParams,
    PrintInquiryPdfParam,
    PrintInquiryPdfParams,
    RedactAccountParam,
    RedactAccountParams,
    RedactInquiryParam,
    RedactInquiryParams,
    ResumeInquiryParam,
    ResumeInquiryParams,
    UpdateAccountParam,
    UpdateAccountParams,
    UpdateInquiryParam,
    UpdateInquiryParams,
)

class Run(Protocol):
    """`Runner.run`, for each operation."""

    @overload
    async def __call__(
        self,
        operation: Literal["create_inquiry"],
        params: CreateInquiryParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[CreateInquiryOutput]:
        """Start an identity verification for one person from an inquiry template. Choose one with list_inquiry_templates.
        Nobody is contacted: send them the link from generate_inquiry_link. To continue an inquiry that exists use
        resume_inquiry. Returns the inquiry with its id and accountId.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["generate_inquiry_link"],
        params: GenerateInquiryLinkParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[GenerateInquiryLinkOutput]:
        """Make a one-time web link with which the person completes their inquiry; send it to them yourself. Each call makes a
        new link. An expired inquiry needs resume_inquiry first. Returns the link and a short form of it.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_inquiry"],
        params: GetInquiryParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[GetInquiryOutput]:
        """Read one inquiry: status, collected fields, decision times, and the ids of its verifications, documents and reports.
        For finding inquiries without an id use list_inquiries.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_inquiries"],
        params: ListInquiriesParams | None = None,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[ListInquiriesOutput]:
        """Find inquiries by status, person, template or time of creation, newest first, a page at a time. With an id at hand
        use get_inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["update_inquiry"],
        params: UpdateInquiryParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[UpdateInquiryOutput]:
        """Change the note, fields, tags or redirect URI of an inquiry; what is left out stays. It decides nothing: for that
        use approve_inquiry or decline_inquiry. Returns the inquiry as it is now.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["resume_inquiry"],
        params: ResumeInquiryParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[ResumeInquiryOutput]:
        """Let a person continue an inquiry that is pending or has expired, inside your own app: opens a session and returns
        its sessionToken for Persona's SDK. To send them a web link instead use generate_inquiry_link.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["mark_inquiry_for_review"],
        params: MarkInquiryForReviewParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[MarkInquiryForReviewOutput]:
        """Leave an inquiry to a person's judgement: sets it to needs_review and stops the applicant's progress. Not possible
        once approve_inquiry or decline_inquiry has decided it. Returns the inquiry in review.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["approve_inquiry"],
        params: ApproveInquiryParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[ApproveInquiryOutput]:
        """Decide that a person passes: sets the inquiry to approved, ends its flow and sets off the workflows and webhooks
        tied to approval. Read it with get_inquiry first; when unsure use mark_inquiry_for_review. Returns the decided
        inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["decline_inquiry"],
        params: DeclineInquiryParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[DeclineInquiryOutput]:
        """Decide that a person does not pass: sets the inquiry to declined, ends its flow and sets off the workflows and
        webhooks tied to declining. Read it with get_inquiry first; when unsure use mark_inquiry_for_review. Returns the
        decided inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["expire_inquiry"],
        params: ExpireInquiryParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[ExpireInquiryOutput]:
        """Stop an inquiry that is under way: its sessions and one-time links no longer work. It says nothing about the person
        (decline_inquiry does); resume_inquiry can reopen it. Returns the expired inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["redact_inquiry"],
        params: RedactInquiryParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[RedactInquiryOutput]:
        """Erase for good the personal data of one inquiry and of its verifications, documents and reports, as for a deletion
        request. It cannot be undone, and leaves the account: for everything about a person use redact_account. Returns the
        emptied inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["create_account"],
        params: CreateAccountParams | None = None,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[CreateAccountOutput]:
        """Create the account of one person, under which their inquiries and reports gather. create_inquiry with a referenceId
        makes one by itself; for many at once use import_accounts. Fails if the referenceId is taken. Returns the account.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_account"],
        params: GetAccountParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[GetAccountOutput]:
        """Read one account: your reference id, fields, tags and status. To find it by your own id use list_accounts with
        referenceId; for its inquiries list_inquiries with accountId.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_accounts"],
        params: ListAccountsParams | None = None,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[ListAccountsOutput]:
        """Find accounts by your reference id, or page through all of them, newest first. No search by name. With an account id
        at hand use get_account.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["update_account"],
        params: UpdateAccountParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[UpdateAccountOutput]:
        """Change the reference id, country, fields or tags of an account; what is left out stays. For a new one use
        create_account, to erase it redact_account. Returns the account as it is now.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["import_accounts"],
        params: ImportAccountsParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[ImportAccountsOutput]:
        """Create many accounts from a CSV file, one a row. It runs in the background: poll get_importer until it is ready. For
        one person use create_account. Returns the import.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_importer"],
        params: GetImporterParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[GetImporterOutput]:
        """Read how an import of accounts is doing: pending, ready or errored, and how many rows succeeded, were duplicates or
        failed. The import comes from import_accounts.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["redact_account"],
        params: RedactAccountParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[RedactAccountOutput]:
        """Erase for good the personal data of an account and of all its inquiries, verifications and reports, as for a
        deletion request. It cannot be undone. For a single inquiry use redact_inquiry. Returns the emptied account.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["create_report"],
        params: CreateReportParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[CreateReportOutput]:
        """Screen a person by name against sanctions lists, the press or lists of public officials. Give term or at least one
        name part. It runs in the background: poll get_report until it is ready, then read hasMatch. A match is a hint to a
        person, not a decision. list_reports shows template ids in use. Returns the pending report.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_report"],
        params: GetReportParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[GetReportOutput]:
        """Read one screening report: whether it is ready, whether anything matched, and the matches themselves in attributes.
        Start one with create_report; find earlier ones with list_reports.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_reports"],
        params: ListReportsParams | None = None,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[ListReportsOutput]:
        """Find screening reports of a person, by account or by your reference id, newest first, a page at a time. With a
        report id at hand use get_report; to screen anew create_report.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_cases"],
        params: ListCasesParams | None = None,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[ListCasesOutput]:
        """Find review cases by status, person, inquiry or report, newest first, a page at a time. With a case id at hand use
        get_case; for inquiries that wait for a decision list_inquiries with status needs_review.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_case"],
        params: GetCaseParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[GetCaseOutput]:
        """Read one review case: status, resolution, assignee, deadline, and the ids of the inquiries, accounts and reports it
        concerns. Find one with list_cases; to decide the inquiry itself use approve_inquiry or decline_inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_verification"],
        params: GetVerificationParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[GetVerificationOutput]:
        """Read one verification (government id, selfie, database and more): its status, each check with its reasons, and the
        photos. get_document reads the files a person gave; this tells whether they passed.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_document"],
        params: GetDocumentParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[GetDocumentOutput]:
        """Read one document a person gave (government id, utility bill and more): processing status, files, and what was read
        from them. For whether it passed use get_verification.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["print_inquiry_pdf"],
        params: PrintInquiryPdfParams,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[PrintInquiryPdfOutput]:
        """Download a PDF of an inquiry for the record: what was collected and how the verifications ended. For the data itself
        use get_inquiry. Returns the stored file.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_inquiry_templates"],
        params: ListInquiryTemplatesParams | None = None,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[ListInquiryTemplatesOutput]:
        """List the inquiry templates of the organisation, with the fields each takes, to choose the one for create_inquiry.
        Persona answers this only to a production key.
        """

    @overload
    async def __call__(
        self,
        operation: OperationName,
        params: Mapping[str, Any] | None = None,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult[dict[str, Any]]:
        """The name of an operation that came as a variable, checked by `persona_block.operation`."""

class Call(Protocol):
    """`Runner.call`, for each operation."""

    @overload
    async def __call__(
        self,
        operation: Literal["create_inquiry"],
        params: CreateInquiryParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> CreateInquiryOutput:
        """Start an identity verification for one person from an inquiry template. Choose one with list_inquiry_templates.
        Nobody is contacted: send them the link from generate_inquiry_link. To continue an inquiry that exists use
        resume_inquiry. Returns the inquiry with its id and accountId.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["generate_inquiry_link"],
        params: GenerateInquiryLinkParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> GenerateInquiryLinkOutput:
        """Make a one-time web link with which the person completes their inquiry; send it to them yourself. Each call makes a
        new link. An expired inquiry needs resume_inquiry first. Returns the link and a short form of it.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_inquiry"],
        params: GetInquiryParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> GetInquiryOutput:
        """Read one inquiry: status, collected fields, decision times, and the ids of its verifications, documents and reports.
        For finding inquiries without an id use list_inquiries.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_inquiries"],
        params: ListInquiriesParams | None = None,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ListInquiriesOutput:
        """Find inquiries by status, person, template or time of creation, newest first, a page at a time. With an id at hand
        use get_inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["update_inquiry"],
        params: UpdateInquiryParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> UpdateInquiryOutput:
        """Change the note, fields, tags or redirect URI of an inquiry; what is left out stays. It decides nothing: for that
        use approve_inquiry or decline_inquiry. Returns the inquiry as it is now.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["resume_inquiry"],
        params: ResumeInquiryParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ResumeInquiryOutput:
        """Let a person continue an inquiry that is pending or has expired, inside your own app: opens a session and returns
        its sessionToken for Persona's SDK. To send them a web link instead use generate_inquiry_link.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["mark_inquiry_for_review"],
        params: MarkInquiryForReviewParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> MarkInquiryForReviewOutput:
        """Leave an inquiry to a person's judgement: sets it to needs_review and stops the applicant's progress. Not possible
        once approve_inquiry or decline_inquiry has decided it. Returns the inquiry in review.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["approve_inquiry"],
        params: ApproveInquiryParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ApproveInquiryOutput:
        """Decide that a person passes: sets the inquiry to approved, ends its flow and sets off the workflows and webhooks
        tied to approval. Read it with get_inquiry first; when unsure use mark_inquiry_for_review. Returns the decided
        inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["decline_inquiry"],
        params: DeclineInquiryParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> DeclineInquiryOutput:
        """Decide that a person does not pass: sets the inquiry to declined, ends its flow and sets off the workflows and
        webhooks tied to declining. Read it with get_inquiry first; when unsure use mark_inquiry_for_review. Returns the
        decided inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["expire_inquiry"],
        params: ExpireInquiryParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ExpireInquiryOutput:
        """Stop an inquiry that is under way: its sessions and one-time links no longer work. It says nothing about the person
        (decline_inquiry does); resume_inquiry can reopen it. Returns the expired inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["redact_inquiry"],
        params: RedactInquiryParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> RedactInquiryOutput:
        """Erase for good the personal data of one inquiry and of its verifications, documents and reports, as for a deletion
        request. It cannot be undone, and leaves the account: for everything about a person use redact_account. Returns the
        emptied inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["create_account"],
        params: CreateAccountParams | None = None,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> CreateAccountOutput:
        """Create the account of one person, under which their inquiries and reports gather. create_inquiry with a referenceId
        makes one by itself; for many at once use import_accounts. Fails if the referenceId is taken. Returns the account.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_account"],
        params: GetAccountParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> GetAccountOutput:
        """Read one account: your reference id, fields, tags and status. To find it by your own id use list_accounts with
        referenceId; for its inquiries list_inquiries with accountId.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_accounts"],
        params: ListAccountsParams | None = None,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ListAccountsOutput:
        """Find accounts by your reference id, or page through all of them, newest first. No search by name. With an account id
        at hand use get_account.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["update_account"],
        params: UpdateAccountParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> UpdateAccountOutput:
        """Change the reference id, country, fields or tags of an account; what is left out stays. For a new one use
        create_account, to erase it redact_account. Returns the account as it is now.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["import_accounts"],
        params: ImportAccountsParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ImportAccountsOutput:
        """Create many accounts from a CSV file, one a row. It runs in the background: poll get_importer until it is ready. For
        one person use create_account. Returns the import.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_importer"],
        params: GetImporterParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> GetImporterOutput:
        """Read how an import of accounts is doing: pending, ready or errored, and how many rows succeeded, were duplicates or
        failed. The import comes from import_accounts.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["redact_account"],
        params: RedactAccountParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> RedactAccountOutput:
        """Erase for good the personal data of an account and of all its inquiries, verifications and reports, as for a
        deletion request. It cannot be undone. For a single inquiry use redact_inquiry. Returns the emptied account.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["create_report"],
        params: CreateReportParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> CreateReportOutput:
        """Screen a person by name against sanctions lists, the press or lists of public officials. Give term or at least one
        name part. It runs in the background: poll get_report until it is ready, then read hasMatch. A match is a hint to a
        person, not a decision. list_reports shows template ids in use. Returns the pending report.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_report"],
        params: GetReportParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> GetReportOutput:
        """Read one screening report: whether it is ready, whether anything matched, and the matches themselves in attributes.
        Start one with create_report; find earlier ones with list_reports.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_reports"],
        params: ListReportsParams | None = None,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ListReportsOutput:
        """Find screening reports of a person, by account or by your reference id, newest first, a page at a time. With a
        report id at hand use get_report; to screen anew create_report.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_cases"],
        params: ListCasesParams | None = None,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ListCasesOutput:
        """Find review cases by status, person, inquiry or report, newest first, a page at a time. With a case id at hand use
        get_case; for inquiries that wait for a decision list_inquiries with status needs_review.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_case"],
        params: GetCaseParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> GetCaseOutput:
        """Read one review case: status, resolution, assignee, deadline, and the ids of the inquiries, accounts and reports it
        concerns. Find one with list_cases; to decide the inquiry itself use approve_inquiry or decline_inquiry.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_verification"],
        params: GetVerificationParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> GetVerificationOutput:
        """Read one verification (government id, selfie, database and more): its status, each check with its reasons, and the
        photos. get_document reads the files a person gave; this tells whether they passed.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_document"],
        params: GetDocumentParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> GetDocumentOutput:
        """Read one document a person gave (government id, utility bill and more): processing status, files, and what was read
        from them. For whether it passed use get_verification.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["print_inquiry_pdf"],
        params: PrintInquiryPdfParams,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> PrintInquiryPdfOutput:
        """Download a PDF of an inquiry for the record: what was collected and how the verifications ended. For the data itself
        use get_inquiry. Returns the stored file.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_inquiry_templates"],
        params: ListInquiryTemplatesParams | None = None,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ListInquiryTemplatesOutput:
        """List the inquiry templates of the organisation, with the fields each takes, to choose the one for create_inquiry.
        Persona answers this only to a production key.
        """

    @overload
    async def __call__(
        self,
        operation: OperationName,
        params: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> dict[str, Any]:
        """The name of an operation that came as a variable, checked by `persona_block.operation`."""

class Paginate(Protocol):
    """`Runner.paginate`, for each operation."""

    @overload
    def __call__(
        self,
        operation: Literal["list_inquiries"],
        params: ListInquiriesParams | None = None,
        *,
        max_items: int | None = None,
        page_size: int | None = None,
        progress: Progress | None = None,
    ) -> AsyncIterator[ListInquiriesOutput]:
        """Find inquiries by status, person, template or time of creation, newest first, a page at a time. With an id at hand
        use get_inquiry.
        """

    @overload
    def __call__(
        self,
        operation: Literal["list_accounts"],
        params: ListAccountsParams | None = None,
        *,
        max_items: int | None = None,
        page_size: int | None = None,
        progress: Progress | None = None,
    ) -> AsyncIterator[ListAccountsOutput]:
        """Find accounts by your reference id, or page through all of them, newest first. No search by name. With an account id
        at hand use get_account.
        """

    @overload
    def __call__(
        self,
        operation: Literal["list_reports"],
        params: ListReportsParams | None = None,
        *,
        max_items: int | None = None,
        page_size: int | None = None,
        progress: Progress | None = None,
    ) -> AsyncIterator[ListReportsOutput]:
        """Find screening reports of a person, by account or by your reference id, newest first, a page at a time. With a
        report id at hand use get_report; to screen anew create_report.
        """

    @overload
    def __call__(
        self,
        operation: Literal["list_cases"],
        params: ListCasesParams | None = None,
        *,
        max_items: int | None = None,
        page_size: int | None = None,
        progress: Progress | None = None,
    ) -> AsyncIterator[ListCasesOutput]:
        """Find review cases by status, person, inquiry or report, newest first, a page at a time. With a case id at hand use
        get_case; for inquiries that wait for a decision list_inquiries with status needs_review.
        """

    @overload
    def __call__(
        self,
        operation: Literal["list_inquiry_templates"],
        params: ListInquiryTemplatesParams | None = None,
        *,
        max_items: int | None = None,
        page_size: int | None = None,
        progress: Progress | None = None,
    ) -> AsyncIterator[ListInquiryTemplatesOutput]:
        """List the inquiry templates of the organisation, with the fields each takes, to choose the one for create_inquiry.
        Persona answers this only to a production key.
        """

    @overload
    def __call__(
        self,
        operation: OperationName,
        params: Mapping[str, Any] | None = None,
        *,
        max_items: int | None = None,
        page_size: int | None = None,
        progress: Progress | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """The name of an operation that came as a variable, checked by `persona_block.operation`."""

class Wait(Protocol):
    """`Runner.wait`, for each operation."""

    @overload
    async def __call__(
        self,
        operation: Literal["get_inquiry"],
        params: GetInquiryParams,
        *,
        until: Collection[str] | Callable[[GetInquiryOutput], bool] | None = None,
        delay: float | None = None,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> GetInquiryOutput:
        """Read one inquiry: status, collected fields, decision times, and the ids of its verifications, documents and reports.
        For finding inquiries without an id use list_inquiries.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["import_accounts"],
        params: ImportAccountsParams,
        *,
        until: Collection[str] | Callable[[GetImporterOutput], bool] | None = None,
        delay: float | None = None,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> GetImporterOutput:
        """Create many accounts from a CSV file, one a row. It runs in the background: poll get_importer until it is ready. For
        one person use create_account. Returns the import.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_importer"],
        params: GetImporterParams,
        *,
        until: Collection[str] | Callable[[GetImporterOutput], bool] | None = None,
        delay: float | None = None,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> GetImporterOutput:
        """Read how an import of accounts is doing: pending, ready or errored, and how many rows succeeded, were duplicates or
        failed. The import comes from import_accounts.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["create_report"],
        params: CreateReportParams,
        *,
        until: Collection[str] | Callable[[GetReportOutput], bool] | None = None,
        delay: float | None = None,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> GetReportOutput:
        """Screen a person by name against sanctions lists, the press or lists of public officials. Give term or at least one
        name part. It runs in the background: poll get_report until it is ready, then read hasMatch. A match is a hint to a
        person, not a decision. list_reports shows template ids in use. Returns the pending report.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["get_report"],
        params: GetReportParams,
        *,
        until: Collection[str] | Callable[[GetReportOutput], bool] | None = None,
        delay: float | None = None,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> GetReportOutput:
        """Read one screening report: whether it is ready, whether anything matched, and the matches themselves in attributes.
        Start one with create_report; find earlier ones with list_reports.
        """

    @overload
    async def __call__(
        self,
        operation: OperationName,
        params: Mapping[str, Any] | None = None,
        *,
        until: Collection[str] | Callable[[dict[str, Any]], bool] | None = None,
        delay: float | None = None,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """The name of an operation that came as a variable, checked by `persona_block.operation`."""

class Map(Protocol):
    """`Runner.map`, for each operation."""

    @overload
    def __call__(
        self,
        operation: Literal["create_inquiry"],
        rows: Iterable[CreateInquiryParams] | AsyncIterable[CreateInquiryParams],
        *,
        concurrency: int = 16,
        key: Callable[[CreateInquiryParams], object] | CreateInquiryParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[CreateInquiryOutput]]:
        """Start an identity verification for one person from an inquiry template. Choose one with list_inquiry_templates.
        Nobody is contacted: send them the link from generate_inquiry_link. To continue an inquiry that exists use
        resume_inquiry. Returns the inquiry with its id and accountId.
        """

    @overload
    def __call__(
        self,
        operation: Literal["generate_inquiry_link"],
        rows: Iterable[GenerateInquiryLinkParams] | AsyncIterable[GenerateInquiryLinkParams],
        *,
        concurrency: int = 16,
        key: Callable[[GenerateInquiryLinkParams], object] | GenerateInquiryLinkParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[GenerateInquiryLinkOutput]]:
        """Make a one-time web link with which the person completes their inquiry; send it to them yourself. Each call makes a
        new link. An expired inquiry needs resume_inquiry first. Returns the link and a short form of it.
        """

    @overload
    def __call__(
        self,
        operation: Literal["get_inquiry"],
        rows: Iterable[GetInquiryParams] | AsyncIterable[GetInquiryParams],
        *,
        concurrency: int = 16,
        key: Callable[[GetInquiryParams], object] | GetInquiryParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[GetInquiryOutput]]:
        """Read one inquiry: status, collected fields, decision times, and the ids of its verifications, documents and reports.
        For finding inquiries without an id use list_inquiries.
        """

    @overload
    def __call__(
        self,
        operation: Literal["list_inquiries"],
        rows: Iterable[ListInquiriesParams] | AsyncIterable[ListInquiriesParams],
        *,
        concurrency: int = 16,
        key: Callable[[ListInquiriesParams], object] | ListInquiriesParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[ListInquiriesOutput]]:
        """Find inquiries by status, person, template or time of creation, newest first, a page at a time. With an id at hand
        use get_inquiry.
        """

    @overload
    def __call__(
        self,
        operation: Literal["update_inquiry"],
        rows: Iterable[UpdateInquiryParams] | AsyncIterable[UpdateInquiryParams],
        *,
        concurrency: int = 16,
        key: Callable[[UpdateInquiryParams], object] | UpdateInquiryParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[UpdateInquiryOutput]]:
        """Change the note, fields, tags or redirect URI of an inquiry; what is left out stays. It decides nothing: for that
        use approve_inquiry or decline_inquiry. Returns the inquiry as it is now.
        """

    @overload
    def __call__(
        self,
        operation: Literal["resume_inquiry"],
        rows: Iterable[ResumeInquiryParams] | AsyncIterable[ResumeInquiryParams],
        *,
        concurrency: int = 16,
        key: Callable[[ResumeInquiryParams], object] | ResumeInquiryParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[ResumeInquiryOutput]]:
        """Let a person continue an inquiry that is pending or has expired, inside your own app: opens a session and returns
        its sessionToken for Persona's SDK. To send them a web link instead use generate_inquiry_link.
        """

    @overload
    def __call__(
        self,
        operation: Literal["mark_inquiry_for_review"],
        rows: Iterable[MarkInquiryForReviewParams] | AsyncIterable[MarkInquiryForReviewParams],
        *,
        concurrency: int = 16,
        key: Callable[[MarkInquiryForReviewParams], object] | MarkInquiryForReviewParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[MarkInquiryForReviewOutput]]:
        """Leave an inquiry to a person's judgement: sets it to needs_review and stops the applicant's progress. Not possible
        once approve_inquiry or decline_inquiry has decided it. Returns the inquiry in review.
        """

    @overload
    def __call__(
        self,
        operation: Literal["approve_inquiry"],
        rows: Iterable[ApproveInquiryParams] | AsyncIterable[ApproveInquiryParams],
        *,
        concurrency: int = 16,
        key: Callable[[ApproveInquiryParams], object] | ApproveInquiryParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[ApproveInquiryOutput]]:
        """Decide that a person passes: sets the inquiry to approved, ends its flow and sets off the workflows and webhooks
        tied to approval. Read it with get_inquiry first; when unsure use mark_inquiry_for_review. Returns the decided
        inquiry.
        """

    @overload
    def __call__(
        self,
        operation: Literal["decline_inquiry"],
        rows: Iterable[DeclineInquiryParams] | AsyncIterable[DeclineInquiryParams],
        *,
        concurrency: int = 16,
        key: Callable[[DeclineInquiryParams], object] | DeclineInquiryParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[DeclineInquiryOutput]]:
        """Decide that a person does not pass: sets the inquiry to declined, ends its flow and sets off the workflows and
        webhooks tied to declining. Read it with get_inquiry first; when unsure use mark_inquiry_for_review. Returns the
        decided inquiry.
        """

    @overload
    def __call__(
        self,
        operation: Literal["expire_inquiry"],
        rows: Iterable[ExpireInquiryParams] | AsyncIterable[ExpireInquiryParams],
        *,
        concurrency: int = 16,
        key: Callable[[ExpireInquiryParams], object] | ExpireInquiryParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[ExpireInquiryOutput]]:
        """Stop an inquiry that is under way: its sessions and one-time links no longer work. It says nothing about the person
        (decline_inquiry does); resume_inquiry can reopen it. Returns the expired inquiry.
        """

    @overload
    def __call__(
        self,
        operation: Literal["redact_inquiry"],
        rows: Iterable[RedactInquiryParams] | AsyncIterable[RedactInquiryParams],
        *,
        concurrency: int = 16,
        key: Callable[[RedactInquiryParams], object] | RedactInquiryParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[RedactInquiryOutput]]:
        """Erase for good the personal data of one inquiry and of its verifications, documents and reports, as for a deletion
        request. It cannot be undone, and leaves the account: for everything about a person use redact_account. Returns the
        emptied inquiry.
        """

    @overload
    def __call__(
        self,
        operation: Literal["create_account"],
        rows: Iterable[CreateAccountParams] | AsyncIterable[CreateAccountParams],
        *,
        concurrency: int = 16,
        key: Callable[[CreateAccountParams], object] | CreateAccountParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[CreateAccountOutput]]:
        """Create the account of one person, under which their inquiries and reports gather. create_inquiry with a referenceId
        makes one by itself; for many at once use import_accounts. Fails if the referenceId is taken. Returns the account.
        """

    @overload
    def __call__(
        self,
        operation: Literal["get_account"],
        rows: Iterable[GetAccountParams] | AsyncIterable[GetAccountParams],
        *,
        concurrency: int = 16,
        key: Callable[[GetAccountParams], object] | GetAccountParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[GetAccountOutput]]:
        """Read one account: your reference id, fields, tags and status. To find it by your own id use list_accounts with
        referenceId; for its inquiries list_inquiries with accountId.
        """

    @overload
    def __call__(
        self,
        operation: Literal["list_accounts"],
        rows: Iterable[ListAccountsParams] | AsyncIterable[ListAccountsParams],
        *,
        concurrency: int = 16,
        key: Callable[[ListAccountsParams], object] | ListAccountsParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[ListAccountsOutput]]:
        """Find accounts by your reference id, or page through all of them, newest first. No search by name. With an account id
        at hand use get_account.
        """

    @overload
    def __call__(
        self,
        operation: Literal["update_account"],
        rows: Iterable[UpdateAccountParams] | AsyncIterable[UpdateAccountParams],
        *,
        concurrency: int = 16,
        key: Callable[[UpdateAccountParams], object] | UpdateAccountParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[UpdateAccountOutput]]:
        """Change the reference id, country, fields or tags of an account; what is left out stays. For a new one use
        create_account, to erase it redact_account. Returns the account as it is now.
        """

    @overload
    def __call__(
        self,
        operation: Literal["import_accounts"],
        rows: Iterable[ImportAccountsParams] | AsyncIterable[ImportAccountsParams],
        *,
        concurrency: int = 16,
        key: Callable[[ImportAccountsParams], object] | ImportAccountsParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[ImportAccountsOutput]]:
        """Create many accounts from a CSV file, one a row. It runs in the background: poll get_importer until it is ready. For
        one person use create_account. Returns the import.
        """

    @overload
    def __call__(
        self,
        operation: Literal["get_importer"],
        rows: Iterable[GetImporterParams] | AsyncIterable[GetImporterParams],
        *,
        concurrency: int = 16,
        key: Callable[[GetImporterParams], object] | GetImporterParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[GetImporterOutput]]:
        """Read how an import of accounts is doing: pending, ready or errored, and how many rows succeeded, were duplicates or
        failed. The import comes from import_accounts.
        """

    @overload
    def __call__(
        self,
        operation: Literal["redact_account"],
        rows: Iterable[RedactAccountParams] | AsyncIterable[RedactAccountParams],
        *,
        concurrency: int = 16,
        key: Callable[[RedactAccountParams], object] | RedactAccountParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[RedactAccountOutput]]:
        """Erase for good the personal data of an account and of all its inquiries, verifications and reports, as for a
        deletion request. It cannot be undone. For a single inquiry use redact_inquiry. Returns the emptied account.
        """

    @overload
    def __call__(
        self,
        operation: Literal["create_report"],
        rows: Iterable[CreateReportParams] | AsyncIterable[CreateReportParams],
        *,
        concurrency: int = 16,
        key: Callable[[CreateReportParams], object] | CreateReportParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[CreateReportOutput]]:
        """Screen a person by name against sanctions lists, the press or lists of public officials. Give term or at least one
        name part. It runs in the background: poll get_report until it is ready, then read hasMatch. A match is a hint to a
        person, not a decision. list_reports shows template ids in use. Returns the pending report.
        """

    @overload
    def __call__(
        self,
        operation: Literal["get_report"],
        rows: Iterable[GetReportParams] | AsyncIterable[GetReportParams],
        *,
        concurrency: int = 16,
        key: Callable[[GetReportParams], object] | GetReportParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[GetReportOutput]]:
        """Read one screening report: whether it is ready, whether anything matched, and the matches themselves in attributes.
        Start one with create_report; find earlier ones with list_reports.
        """

    @overload
    def __call__(
        self,
        operation: Literal["list_reports"],
        rows: Iterable[ListReportsParams] | AsyncIterable[ListReportsParams],
        *,
        concurrency: int = 16,
        key: Callable[[ListReportsParams], object] | ListReportsParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[ListReportsOutput]]:
        """Find screening reports of a person, by account or by your reference id, newest first, a page at a time. With a
        report id at hand use get_report; to screen anew create_report.
        """

    @overload
    def __call__(
        self,
        operation: Literal["list_cases"],
        rows: Iterable[ListCasesParams] | AsyncIterable[ListCasesParams],
        *,
        concurrency: int = 16,
        key: Callable[[ListCasesParams], object] | ListCasesParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[ListCasesOutput]]:
        """Find review cases by status, person, inquiry or report, newest first, a page at a time. With a case id at hand use
        get_case; for inquiries that wait for a decision list_inquiries with status needs_review.
        """

    @overload
    def __call__(
        self,
        operation: Literal["get_case"],
        rows: Iterable[GetCaseParams] | AsyncIterable[GetCaseParams],
        *,
        concurrency: int = 16,
        key: Callable[[GetCaseParams], object] | GetCaseParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[GetCaseOutput]]:
        """Read one review case: status, resolution, assignee, deadline, and the ids of the inquiries, accounts and reports it
        concerns. Find one with list_cases; to decide the inquiry itself use approve_inquiry or decline_inquiry.
        """

    @overload
    def __call__(
        self,
        operation: Literal["get_verification"],
        rows: Iterable[GetVerificationParams] | AsyncIterable[GetVerificationParams],
        *,
        concurrency: int = 16,
        key: Callable[[GetVerificationParams], object] | GetVerificationParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[GetVerificationOutput]]:
        """Read one verification (government id, selfie, database and more): its status, each check with its reasons, and the
        photos. get_document reads the files a person gave; this tells whether they passed.
        """

    @overload
    def __call__(
        self,
        operation: Literal["get_document"],
        rows: Iterable[GetDocumentParams] | AsyncIterable[GetDocumentParams],
        *,
        concurrency: int = 16,
        key: Callable[[GetDocumentParams], object] | GetDocumentParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[GetDocumentOutput]]:
        """Read one document a person gave (government id, utility bill and more): processing status, files, and what was read
        from them. For whether it passed use get_verification.
        """

    @overload
    def __call__(
        self,
        operation: Literal["print_inquiry_pdf"],
        rows: Iterable[PrintInquiryPdfParams] | AsyncIterable[PrintInquiryPdfParams],
        *,
        concurrency: int = 16,
        key: Callable[[PrintInquiryPdfParams], object] | PrintInquiryPdfParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[PrintInquiryPdfOutput]]:
        """Download a PDF of an inquiry for the record: what was collected and how the verifications ended. For the data itself
        use get_inquiry. Returns the stored file.
        """

    @overload
    def __call__(
        self,
        operation: Literal["list_inquiry_templates"],
        rows: Iterable[ListInquiryTemplatesParams] | AsyncIterable[ListInquiryTemplatesParams],
        *,
        concurrency: int = 16,
        key: Callable[[ListInquiryTemplatesParams], object] | ListInquiryTemplatesParam | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[ListInquiryTemplatesOutput]]:
        """List the inquiry templates of the organisation, with the fields each takes, to choose the one for create_inquiry.
        Persona answers this only to a production key.
        """

    @overload
    def __call__(
        self,
        operation: OperationName,
        rows: Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]],
        *,
        concurrency: int = 16,
        key: Callable[[Mapping[str, Any]], object] | str | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Mapped[dict[str, Any]]]:
        """The name of an operation that came as a variable, checked by `persona_block.operation`."""

def as_run(function: Callable[..., Any]) -> Run: ...
def as_call(function: Callable[..., Any]) -> Call: ...
def as_paginate(function: Callable[..., Any]) -> Paginate: ...
def as_wait(function: Callable[..., Any]) -> Wait: ...
def as_map(function: Callable[..., Any]) -> Map: ...
