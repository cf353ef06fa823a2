"""The calls of `persona_block.flows`, typed for each operation; `make generate` writes this from the specs."""

# mypy: disable-error-code="overload-overlap"

from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any, Literal, Protocol, overload

from ..call.result import ToolResult
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
    ApproveInquiryParams,
    CreateAccountParams,
    CreateInquiryParams,
    CreateReportParams,
    DeclineInquiryParams,
    ExpireInquiryParams,
    GenerateInquiryLinkParams,
    GetAccountParams,
    GetCaseParams,
    GetDocumentParams,
    GetImporterParams,
    GetInquiryParams,
    GetReportParams,
    GetVerificationParams,
    ImportAccountsParams,
    ListAccountsParams,
    ListCasesParams,
    ListInquiriesParams,
    ListInquiryTemplatesParams,
    ListReportsParams,
    MarkInquiryForReviewParams,
    PrintInquiryPdfParams,
    RedactAccountParams,
    RedactInquiryParams,
    ResumeInquiryParams,
    UpdateAccountParams,
    UpdateInquiryParams,
)

class Call(Protocol):
    """`call`, for each operation."""

    @overload
    async def __call__(
        self, operation: Literal["create_inquiry"], params: CreateInquiryParams, *, step: str | None = None
    ) -> CreateInquiryOutput:
        """Start an identity verification for one person from an inquiry template. Choose one with list_inquiry_templates.
        Nobody is contacted: send them the link from generate_inquiry_link. To continue an inquiry that exists use
        resume_inquiry. Returns the inquiry with its id and accountId.
        """

    @overload
    async def __call__(
        self, operation: Literal["generate_inquiry_link"], params: GenerateInquiryLinkParams, *, step: str | None = None
    ) -> GenerateInquiryLinkOutput:
        """Make a one-time web link with which the person completes their inquiry; send it to them yourself. Each call makes a
        new link. An expired inquiry needs resume_inquiry first. Returns the link and a short form of it.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_inquiry"], params: GetInquiryParams, *, step: str | None = None
    ) -> GetInquiryOutput:
        """Read one inquiry: status, collected fields, decision times, and the ids of its verifications, documents and reports.
        For finding inquiries without an id use list_inquiries.
        """

    @overload
    async def __call__(
        self, operation: Literal["list_inquiries"], params: ListInquiriesParams | None = None, *, step: str | None = None
    ) -> ListInquiriesOutput:
        """Find inquiries by status, person, template or time of creation, newest first, a page at a time. With an id at hand
        use get_inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["update_inquiry"], params: UpdateInquiryParams, *, step: str | None = None
    ) -> UpdateInquiryOutput:
        """Change the note, fields, tags or redirect URI of an inquiry; what is left out stays. It decides nothing: for that
        use approve_inquiry or decline_inquiry. Returns the inquiry as it is now.
        """

    @overload
    async def __call__(
        self, operation: Literal["resume_inquiry"], params: ResumeInquiryParams, *, step: str | None = None
    ) -> ResumeInquiryOutput:
        """Let a person continue an inquiry that is pending or has expired, inside your own app: opens a session and returns
        its sessionToken for Persona's SDK. To send them a web link instead use generate_inquiry_link.
        """

    @overload
    async def __call__(
        self, operation: Literal["mark_inquiry_for_review"], params: MarkInquiryForReviewParams, *, step: str | None = None
    ) -> MarkInquiryForReviewOutput:
        """Leave an inquiry to a person's judgement: sets it to needs_review and stops the applicant's progress. Not possible
        once approve_inquiry or decline_inquiry has decided it. Returns the inquiry in review.
        """

    @overload
    async def __call__(
        self, operation: Literal["approve_inquiry"], params: ApproveInquiryParams, *, step: str | None = None
    ) -> ApproveInquiryOutput:
        """Decide that a person passes: sets the inquiry to approved, ends its flow and sets off the workflows and webhooks
        tied to approval. Read it with get_inquiry first; when unsure use mark_inquiry_for_review. Returns the decided
        inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["decline_inquiry"], params: DeclineInquiryParams, *, step: str | None = None
    ) -> DeclineInquiryOutput:
        """Decide that a person does not pass: sets the inquiry to declined, ends its flow and sets off the workflows and
        webhooks tied to declining. Read it with get_inquiry first; when unsure use mark_inquiry_for_review. Returns the
        decided inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["expire_inquiry"], params: ExpireInquiryParams, *, step: str | None = None
    ) -> ExpireInquiryOutput:
        """Stop an inquiry that is under way: its sessions and one-time links no longer work. It says nothing about the person
        (decline_inquiry does); resume_inquiry can reopen it. Returns the expired inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["redact_inquiry"], params: RedactInquiryParams, *, step: str | None = None
    ) -> RedactInquiryOutput:
        """Erase for good the personal data of one inquiry and of its verifications, documents and reports, as for a deletion
        request. It cannot be undone, and leaves the account: for everything about a person use redact_account. Returns the
        emptied inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["create_account"], params: CreateAccountParams | None = None, *, step: str | None = None
    ) -> CreateAccountOutput:
        """Create the account of one person, under which their inquiries and reports gather. create_inquiry with a referenceId
        makes one by itself; for many at once use import_accounts. Fails if the referenceId is taken. Returns the account.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_account"], params: GetAccountParams, *, step: str | None = None
    ) -> GetAccountOutput:
        """Read one account: your reference id, fields, tags and status. To find it by your own id use list_accounts with
        referenceId; for its inquiries list_inquiries with accountId.
        """

    @overload
    async def __call__(
        self, operation: Literal["list_accounts"], params: ListAccountsParams | None = None, *, step: str | None = None
    ) -> ListAccountsOutput:
        """Find accounts by your reference id, or page through all of them, newest first. No search by name. With an account id
        at hand use get_account.
        """

    @overload
    async def __call__(
        self, operation: Literal["update_account"], params: UpdateAccountParams, *, step: str | None = None
    ) -> UpdateAccountOutput:
        """Change the reference id, country, fields or tags of an account; what is left out stays. For a new one use
        create_account, to erase it redact_account. Returns the account as it is now.
        """

    @overload
    async def __call__(
        self, operation: Literal["import_accounts"], params: ImportAccountsParams, *, step: str | None = None
    ) -> ImportAccountsOutput:
        """Create many accounts from a CSV file, one a row. It runs in the background: poll get_importer until it is ready. For
        one person use create_account. Returns the import.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_importer"], params: GetImporterParams, *, step: str | None = None
    ) -> GetImporterOutput:
        """Read how an import of accounts is doing: pending, ready or errored, and how many rows succeeded, were duplicates or
        failed. The import comes from import_accounts.
        """

    @overload
    async def __call__(
        self, operation: Literal["redact_account"], params: RedactAccountParams, *, step: str | None = None
    ) -> RedactAccountOutput:
        """Erase for good the personal data of an account and of all its inquiries, verifications and reports, as for a
        deletion request. It cannot be undone. For a single inquiry use redact_inquiry. Returns the emptied account.
        """

    @overload
    async def __call__(
        self, operation: Literal["create_report"], params: CreateReportParams, *, step: str | None = None
    ) -> CreateReportOutput:
        """Screen a person by name against sanctions lists, the press or lists of public officials. Give term or at least one
        name part. It runs in the background: poll get_report until it is ready, then read hasMatch. A match is a hint to a
        person, not a decision. list_reports shows template ids in use. Returns the pending report.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_report"], params: GetReportParams, *, step: str | None = None
    ) -> GetReportOutput:
        """Read one screening report: whether it is ready, whether anything matched, and the matches themselves in attributes.
        Start one with create_report; find earlier ones with list_reports.
        """

    @overload
    async def __call__(
        self, operation: Literal["list_reports"], params: ListReportsParams | None = None, *, step: str | None = None
    ) -> ListReportsOutput:
        """Find screening reports of a person, by account or by your reference id, newest first, a page at a time. With a
        report id at hand use get_report; to screen anew create_report.
        """

    @overload
    async def __call__(
        self, operation: Literal["list_cases"], params: ListCasesParams | None = None, *, step: str | None = None
    ) -> ListCasesOutput:
        """Find review cases by status, person, inquiry or report, newest first, a page at a time. With a case id at hand use
        get_case; for inquiries that wait for a decision list_inquiries with status needs_review.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_case"], params: GetCaseParams, *, step: str | None = None
    ) -> GetCaseOutput:
        """Read one review case: status, resolution, assignee, deadline, and the ids of the inquiries, accounts and reports it
        concerns. Find one with list_cases; to decide the inquiry itself use approve_inquiry or decline_inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_verification"], params: GetVerificationParams, *, step: str | None = None
    ) -> GetVerificationOutput:
        """Read one verification (government id, selfie, database and more): its status, each check with its reasons, and the
        photos. get_document reads the files a person gave; this tells whether they passed.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_document"], params: GetDocumentParams, *, step: str | None = None
    ) -> GetDocumentOutput:
        """Read one document a person gave (government id, utility bill and more): processing status, files, and what was read
        from them. For whether it passed use get_verification.
        """

    @overload
    async def __call__(
        self, operation: Literal["print_inquiry_pdf"], params: PrintInquiryPdfParams, *, step: str | None = None
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
        step: str | None = None,
    ) -> ListInquiryTemplatesOutput:
        """List the inquiry templates of the organisation, with the fields each takes, to choose the one for create_inquiry.
        Persona answers this only to a production key.
        """

    @overload
    async def __call__(
        self, operation: OperationName, params: Mapping[str, Any] | None = None, *, step: str | None = None
    ) -> dict[str, Any]:
        """The name of an operation that came as a variable, checked by `persona_block.operation`."""

class Pages(Protocol):
    """`pages`, for each operation."""

    @overload
    def __call__(
        self, operation: Literal["list_inquiries"], params: ListInquiriesParams | None = None, *, step: str | None = None
    ) -> AsyncIterator[ListInquiriesOutput]:
        """Find inquiries by status, person, template or time of creation, newest first, a page at a time. With an id at hand
        use get_inquiry.
        """

    @overload
    def __call__(
        self, operation: Literal["list_accounts"], params: ListAccountsParams | None = None, *, step: str | None = None
    ) -> AsyncIterator[ListAccountsOutput]:
        """Find accounts by your reference id, or page through all of them, newest first. No search by name. With an account id
        at hand use get_account.
        """

    @overload
    def __call__(
        self, operation: Literal["list_reports"], params: ListReportsParams | None = None, *, step: str | None = None
    ) -> AsyncIterator[ListReportsOutput]:
        """Find screening reports of a person, by account or by your reference id, newest first, a page at a time. With a
        report id at hand use get_report; to screen anew create_report.
        """

    @overload
    def __call__(
        self, operation: Literal["list_cases"], params: ListCasesParams | None = None, *, step: str | None = None
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
        step: str | None = None,
    ) -> AsyncIterator[ListInquiryTemplatesOutput]:
        """List the inquiry templates of the organisation, with the fields each takes, to choose the one for create_inquiry.
        Persona answers this only to a production key.
        """

    @overload
    def __call__(
        self, operation: OperationName, params: Mapping[str, Any] | None = None, *, step: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """The name of an operation that came as a variable, checked by `persona_block.operation`."""

class Map(Protocol):
    """`map`, for each operation."""

    @overload
    async def __call__(
        self, operation: Literal["create_inquiry"], rows: Iterable[CreateInquiryParams], *, step: str | None = None
    ) -> list[ToolResult[CreateInquiryOutput]]:
        """Start an identity verification for one person from an inquiry template. Choose one with list_inquiry_templates.
        Nobody is contacted: send them the link from generate_inquiry_link. To continue an inquiry that exists use
        resume_inquiry. Returns the inquiry with its id and accountId.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["generate_inquiry_link"],
        rows: Iterable[GenerateInquiryLinkParams],
        *,
        step: str | None = None,
    ) -> list[ToolResult[GenerateInquiryLinkOutput]]:
        """Make a one-time web link with which the person completes their inquiry; send it to them yourself. Each call makes a
        new link. An expired inquiry needs resume_inquiry first. Returns the link and a short form of it.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_inquiry"], rows: Iterable[GetInquiryParams], *, step: str | None = None
    ) -> list[ToolResult[GetInquiryOutput]]:
        """Read one inquiry: status, collected fields, decision times, and the ids of its verifications, documents and reports.
        For finding inquiries without an id use list_inquiries.
        """

    @overload
    async def __call__(
        self, operation: Literal["list_inquiries"], rows: Iterable[ListInquiriesParams], *, step: str | None = None
    ) -> list[ToolResult[ListInquiriesOutput]]:
        """Find inquiries by status, person, template or time of creation, newest first, a page at a time. With an id at hand
        use get_inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["update_inquiry"], rows: Iterable[UpdateInquiryParams], *, step: str | None = None
    ) -> list[ToolResult[UpdateInquiryOutput]]:
        """Change the note, fields, tags or redirect URI of an inquiry; what is left out stays. It decides nothing: for that
        use approve_inquiry or decline_inquiry. Returns the inquiry as it is now.
        """

    @overload
    async def __call__(
        self, operation: Literal["resume_inquiry"], rows: Iterable[ResumeInquiryParams], *, step: str | None = None
    ) -> list[ToolResult[ResumeInquiryOutput]]:
        """Let a person continue an inquiry that is pending or has expired, inside your own app: opens a session and returns
        its sessionToken for Persona's SDK. To send them a web link instead use generate_inquiry_link.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["mark_inquiry_for_review"],
        rows: Iterable[MarkInquiryForReviewParams],
        *,
        step: str | None = None,
    ) -> list[ToolResult[MarkInquiryForReviewOutput]]:
        """Leave an inquiry to a person's judgement: sets it to needs_review and stops the applicant's progress. Not possible
        once approve_inquiry or decline_inquiry has decided it. Returns the inquiry in review.
        """

    @overload
    async def __call__(
        self, operation: Literal["approve_inquiry"], rows: Iterable[ApproveInquiryParams], *, step: str | None = None
    ) -> list[ToolResult[ApproveInquiryOutput]]:
        """Decide that a person passes: sets the inquiry to approved, ends its flow and sets off the workflows and webhooks
        tied to approval. Read it with get_inquiry first; when unsure use mark_inquiry_for_review. Returns the decided
        inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["decline_inquiry"], rows: Iterable[DeclineInquiryParams], *, step: str | None = None
    ) -> list[ToolResult[DeclineInquiryOutput]]:
        """Decide that a person does not pass: sets the inquiry to declined, ends its flow and sets off the workflows and
        webhooks tied to declining. Read it with get_inquiry first; when unsure use mark_inquiry_for_review. Returns the
        decided inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["expire_inquiry"], rows: Iterable[ExpireInquiryParams], *, step: str | None = None
    ) -> list[ToolResult[ExpireInquiryOutput]]:
        """Stop an inquiry that is under way: its sessions and one-time links no longer work. It says nothing about the person
        (decline_inquiry does); resume_inquiry can reopen it. Returns the expired inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["redact_inquiry"], rows: Iterable[RedactInquiryParams], *, step: str | None = None
    ) -> list[ToolResult[RedactInquiryOutput]]:
        """Erase for good the personal data of one inquiry and of its verifications, documents and reports, as for a deletion
        request. It cannot be undone, and leaves the account: for everything about a person use redact_account. Returns the
        emptied inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["create_account"], rows: Iterable[CreateAccountParams], *, step: str | None = None
    ) -> list[ToolResult[CreateAccountOutput]]:
        """Create the account of one person, under which their inquiries and reports gather. create_inquiry with a referenceId
        makes one by itself; for many at once use import_accounts. Fails if the referenceId is taken. Returns the account.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_account"], rows: Iterable[GetAccountParams], *, step: str | None = None
    ) -> list[ToolResult[GetAccountOutput]]:
        """Read one account: your reference id, fields, tags and status. To find it by your own id use list_accounts with
        referenceId; for its inquiries list_inquiries with accountId.
        """

    @overload
    async def __call__(
        self, operation: Literal["list_accounts"], rows: Iterable[ListAccountsParams], *, step: str | None = None
    ) -> list[ToolResult[ListAccountsOutput]]:
        """Find accounts by your reference id, or page through all of them, newest first. No search by name. With an account id
        at hand use get_account.
        """

    @overload
    async def __call__(
        self, operation: Literal["update_account"], rows: Iterable[UpdateAccountParams], *, step: str | None = None
    ) -> list[ToolResult[UpdateAccountOutput]]:
        """Change the reference id, country, fields or tags of an account; what is left out stays. For a new one use
        create_account, to erase it redact_account. Returns the account as it is now.
        """

    @overload
    async def __call__(
        self, operation: Literal["import_accounts"], rows: Iterable[ImportAccountsParams], *, step: str | None = None
    ) -> list[ToolResult[ImportAccountsOutput]]:
        """Create many accounts from a CSV file, one a row. It runs in the background: poll get_importer until it is ready. For
        one person use create_account. Returns the import.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_importer"], rows: Iterable[GetImporterParams], *, step: str | None = None
    ) -> list[ToolResult[GetImporterOutput]]:
        """Read how an import of accounts is doing: pending, ready or errored, and how many rows succeeded, were duplicates or
        failed. The import comes from import_accounts.
        """

    @overload
    async def __call__(
        self, operation: Literal["redact_account"], rows: Iterable[RedactAccountParams], *, step: str | None = None
    ) -> list[ToolResult[RedactAccountOutput]]:
        """Erase for good the personal data of an account and of all its inquiries, verifications and reports, as for a
        deletion request. It cannot be undone. For a single inquiry use redact_inquiry. Returns the emptied account.
        """

    @overload
    async def __call__(
        self, operation: Literal["create_report"], rows: Iterable[CreateReportParams], *, step: str | None = None
    ) -> list[ToolResult[CreateReportOutput]]:
        """Screen a person by name against sanctions lists, the press or lists of public officials. Give term or at least one
        name part. It runs in the background: poll get_report until it is ready, then read hasMatch. A match is a hint to a
        person, not a decision. list_reports shows template ids in use. Returns the pending report.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_report"], rows: Iterable[GetReportParams], *, step: str | None = None
    ) -> list[ToolResult[GetReportOutput]]:
        """Read one screening report: whether it is ready, whether anything matched, and the matches themselves in attributes.
        Start one with create_report; find earlier ones with list_reports.
        """

    @overload
    async def __call__(
        self, operation: Literal["list_reports"], rows: Iterable[ListReportsParams], *, step: str | None = None
    ) -> list[ToolResult[ListReportsOutput]]:
        """Find screening reports of a person, by account or by your reference id, newest first, a page at a time. With a
        report id at hand use get_report; to screen anew create_report.
        """

    @overload
    async def __call__(
        self, operation: Literal["list_cases"], rows: Iterable[ListCasesParams], *, step: str | None = None
    ) -> list[ToolResult[ListCasesOutput]]:
        """Find review cases by status, person, inquiry or report, newest first, a page at a time. With a case id at hand use
        get_case; for inquiries that wait for a decision list_inquiries with status needs_review.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_case"], rows: Iterable[GetCaseParams], *, step: str | None = None
    ) -> list[ToolResult[GetCaseOutput]]:
        """Read one review case: status, resolution, assignee, deadline, and the ids of the inquiries, accounts and reports it
        concerns. Find one with list_cases; to decide the inquiry itself use approve_inquiry or decline_inquiry.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_verification"], rows: Iterable[GetVerificationParams], *, step: str | None = None
    ) -> list[ToolResult[GetVerificationOutput]]:
        """Read one verification (government id, selfie, database and more): its status, each check with its reasons, and the
        photos. get_document reads the files a person gave; this tells whether they passed.
        """

    @overload
    async def __call__(
        self, operation: Literal["get_document"], rows: Iterable[GetDocumentParams], *, step: str | None = None
    ) -> list[ToolResult[GetDocumentOutput]]:
        """Read one document a person gave (government id, utility bill and more): processing status, files, and what was read
        from them. For whether it passed use get_verification.
        """

    @overload
    async def __call__(
        self, operation: Literal["print_inquiry_pdf"], rows: Iterable[PrintInquiryPdfParams], *, step: str | None = None
    ) -> list[ToolResult[PrintInquiryPdfOutput]]:
        """Download a PDF of an inquiry for the record: what was collected and how the verifications ended. For the data itself
        use get_inquiry. Returns the stored file.
        """

    @overload
    async def __call__(
        self,
        operation: Literal["list_inquiry_templates"],
        rows: Iterable[ListInquiryTemplatesParams],
        *,
        step: str | None = None,
    ) -> list[ToolResult[ListInquiryTemplatesOutput]]:
        """List the inquiry templates of the organisation, with the fields each takes, to choose the one for create_inquiry.
        Persona answers this only to a production key.
        """

    @overload
    async def __call__(
        self, operation: OperationName, rows: Iterable[Mapping[str, Any]], *, step: str | None = None
    ) -> list[ToolResult[dict[str, Any]]]:
        """The name of an operation that came as a variable, checked by `persona_block.operation`."""

class Wait(Protocol):
    """`wait`, for each operation."""

    @overload
    def __call__(
        self,
        operation: Literal["get_inquiry"],
        params: GetInquiryParams,
        *,
        until: Collection[str] | Callable[[GetInquiryOutput], bool] | None = None,
        timeout: float | None = None,
        step: str | None = None,
    ) -> Coroutine[Any, Any, GetInquiryOutput]:
        """Read one inquiry: status, collected fields, decision times, and the ids of its verifications, documents and reports.
        For finding inquiries without an id use list_inquiries.
        """

    @overload
    def __call__(
        self,
        operation: Literal["import_accounts"],
        params: ImportAccountsParams,
        *,
        until: Collection[str] | Callable[[GetImporterOutput], bool] | None = None,
        timeout: float | None = None,
        step: str | None = None,
    ) -> Coroutine[Any, Any, GetImporterOutput]:
        """Create many accounts from a CSV file, one a row. It runs in the background: poll get_importer until it is ready. For
        one person use create_account. Returns the import.
        """

    @overload
    def __call__(
        self,
        operation: Literal["get_importer"],
        params: GetImporterParams,
        *,
        until: Collection[str] | Callable[[GetImporterOutput], bool] | None = None,
        timeout: float | None = None,
        step: str | None = None,
    ) -> Coroutine[Any, Any, GetImporterOutput]:
        """Read how an import of accounts is doing: pending, ready or errored, and how many rows succeeded, were duplicates or
        failed. The import comes from import_accounts.
        """

    @overload
    def __call__(
        self,
        operation: Literal["create_report"],
        params: CreateReportParams,
        *,
        until: Collection[str] | Callable[[GetReportOutput], bool] | None = None,
        timeout: float | None = None,
        step: str | None = None,
    ) -> Coroutine[Any, Any, GetReportOutput]:
        """Screen a person by name against sanctions lists, the press or lists of public officials. Give term or at least one
        name part. It runs in the background: poll get_report until it is ready, then read hasMatch. A match is a hint to a
        person, not a decision. list_reports shows template ids in use. Returns the pending report.
        """

    @overload
    def __call__(
        self,
        operation: Literal["get_report"],
        params: GetReportParams,
        *,
        until: Collection[str] | Callable[[GetReportOutput], bool] | None = None,
        timeout: float | None = None,
        step: str | None = None,
    ) -> Coroutine[Any, Any, GetReportOutput]:
        """Read one screening report: whether it is ready, whether anything matched, and the matches themselves in attributes.
        Start one with create_report; find earlier ones with list_reports.
        """

    @overload
    def __call__(
        self,
        operation: OperationName,
        params: Mapping[str, Any] | None = None,
        *,
        until: Collection[str] | Callable[[dict[str, Any]], bool] | None = None,
        timeout: float | None = None,
        step: str | None = None,
    ) -> Coroutine[Any, Any, dict[str, Any]]:
        """The name of an operation that came as a variable, checked by `persona_block.operation`."""

def as_call(function: Callable[..., Any]) -> Call: ...
def as_pages(function: Callable[..., Any]) -> Pages: ...
def as_map(function: Callable[..., Any]) -> Map: ...
def as_wait(function: Callable[..., Any]) -> Wait: ...
