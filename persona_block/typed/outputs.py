"""What each operation gives; `make generate` writes this from the specs."""

from typing import TypedDict

from .resources import Account, Case, Document, Importer, Inquiry, InquiryTemplate, Report, StoredFile, Verification


class ApproveInquiryOutput(TypedDict):
    """Output of approve_inquiry."""

    inquiry: Inquiry
    """The approved inquiry."""


class CreateAccountOutput(TypedDict):
    """Output of create_account."""

    account: Account
    """The new account."""


class CreateInquiryOutput(TypedDict):
    """Output of create_inquiry."""

    inquiry: Inquiry
    """The new inquiry."""


class CreateReportOutput(TypedDict):
    """Output of create_report."""

    report: Report
    """The report that was started."""


class DeclineInquiryOutput(TypedDict):
    """Output of decline_inquiry."""

    inquiry: Inquiry
    """The declined inquiry."""


class ExpireInquiryOutput(TypedDict):
    """Output of expire_inquiry."""

    inquiry: Inquiry
    """The expired inquiry."""


class GenerateInquiryLinkOutput(TypedDict):
    """Output of generate_inquiry_link."""

    inquiry: Inquiry
    """The inquiry the link opens."""
    oneTimeLink: str
    """The link; whoever opens it acts as the applicant."""
    oneTimeLinkShort: str | None
    """The same link in a short form, for SMS."""


class GetAccountOutput(TypedDict):
    """Output of get_account."""

    account: Account
    """The account."""


class GetCaseOutput(TypedDict):
    """Output of get_case."""

    case: Case
    """The case."""


class GetDocumentOutput(TypedDict):
    """Output of get_document."""

    document: Document
    """The document."""


class GetImporterOutput(TypedDict):
    """Output of get_importer."""

    importer: Importer
    """The import."""


class GetInquiryOutput(TypedDict):
    """Output of get_inquiry."""

    inquiry: Inquiry
    """The inquiry."""


class GetReportOutput(TypedDict):
    """Output of get_report."""

    report: Report
    """The report."""


class GetVerificationOutput(TypedDict):
    """Output of get_verification."""

    verification: Verification
    """The verification."""


class ImportAccountsOutput(TypedDict):
    """Output of import_accounts."""

    importer: Importer
    """The import that was started."""


class ListAccountsOutput(TypedDict):
    """Output of list_accounts."""

    accounts: list[Account]
    """The accounts of this page, newest first."""
    nextCursor: str | None
    """Give this as pageAfter for the next page; null on the last page."""


class ListCasesOutput(TypedDict):
    """Output of list_cases."""

    cases: list[Case]
    """The cases of this page, newest first."""
    nextCursor: str | None
    """Give this as pageAfter for the next page; null on the last page."""


class ListInquiriesOutput(TypedDict):
    """Output of list_inquiries."""

    inquiries: list[Inquiry]
    """The inquiries of this page, newest first."""
    nextCursor: str | None
    """Give this as pageAfter for the next page; null on the last page."""


class ListInquiryTemplatesOutput(TypedDict):
    """Output of list_inquiry_templates."""

    inquiryTemplates: list[InquiryTemplate]
    """The inquiry templates of this page, newest first."""
    nextCursor: str | None
    """Give this as pageAfter for the next page; null on the last page."""


class ListReportsOutput(TypedDict):
    """Output of list_reports."""

    reports: list[Report]
    """The reports of this page, newest first."""
    nextCursor: str | None
    """Give this as pageAfter for the next page; null on the last page."""


class MarkInquiryForReviewOutput(TypedDict):
    """Output of mark_inquiry_for_review."""

    inquiry: Inquiry
    """The inquiry under review."""


class PrintInquiryPdfOutput(TypedDict):
    """Output of print_inquiry_pdf."""

    file: StoredFile
    """The PDF, as it was stored."""


class RedactAccountOutput(TypedDict):
    """Output of redact_account."""

    account: Account
    """The account without its personal data."""


class RedactInquiryOutput(TypedDict):
    """Output of redact_inquiry."""

    inquiry: Inquiry
    """The inquiry without its personal data."""


class ResumeInquiryOutput(TypedDict):
    """Output of resume_inquiry."""

    inquiry: Inquiry
    """The resumed inquiry."""
    sessionToken: str
    """Token with which Persona's SDK continues the flow; whoever holds it can act as the applicant."""


class UpdateAccountOutput(TypedDict):
    """Output of update_account."""

    account: Account
    """The account as it is now."""


class UpdateInquiryOutput(TypedDict):
    """Output of update_inquiry."""

    inquiry: Inquiry
    """The inquiry as it is now."""
