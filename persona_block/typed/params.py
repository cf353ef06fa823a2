"""What each operation takes; `make generate` writes this from the specs."""

from collections.abc import Mapping
from os import PathLike
from typing import Any, Literal, NotRequired, Protocol, TypedDict

from ..credentials import ApiKey
from ..files.reference import FileRef


class Readable(Protocol):
    """A file-like object whose `read` gives bytes."""

    def read(self, size: int = ..., /) -> bytes:
        """Return as many bytes, or fewer at the end; none after it."""
        ...


FileParam = str | PathLike[str] | bytes | bytearray | memoryview | Readable | FileRef | Mapping[str, Any]
"""A file: a path, a storage URL, content, an open file, what a FileStore gave, or an object with a url."""


class ApiKeyParam(TypedDict):
    """The param that every operation takes."""

    apiKey: NotRequired[str | ApiKey]
    """Your Persona API key, from the environment (sandbox or production) that the work belongs to."""


class ApproveInquiryParams(ApiKeyParam):
    """Params of approve_inquiry."""

    inquiryId: str
    """Id of the inquiry (starts with inq_)."""
    comment: NotRequired[str]
    """Why this decision was made; kept with the inquiry for the audit."""


ApproveInquiryParam = Literal["inquiryId", "comment"]


class CreateAccountParams(ApiKeyParam):
    """Params of create_account."""

    accountTypeId: NotRequired[str]
    """Account type to create (starts with acttp_); left out, the organisation's default type."""
    referenceId: NotRequired[str]
    """Your own id for the person, such as your user id. Not treated as personal data, so put no name or email here."""
    countryCode: NotRequired[str]
    """Two-letter ISO 3166-1 country code, e.g. US."""
    fields: NotRequired[dict[str, Any]]
    """Field values by name, as the account type defines them, e.g. {"name": {"first": "Jane", "last": "Doe"}}."""
    tags: NotRequired[list[str]]
    """Tag names, e.g. ["vip"]."""


CreateAccountParam = Literal["accountTypeId", "referenceId", "countryCode", "fields", "tags"]


class CreateInquiryParams(ApiKeyParam):
    """Params of create_inquiry."""

    inquiryTemplateId: str
    """Template the inquiry runs: an inquiry template (itmpl_), one version of it (itmplv_) or a legacy template (tmpl_)."""
    accountId: NotRequired[str]
    """Account to attach the inquiry to (starts with act_)."""
    referenceId: NotRequired[str]
    """Your own id for the person; their account is found by it or created. Put no name or email here."""
    fields: NotRequired[dict[str, Any]]
    """Values to fill in beforehand, by field name as the template defines them, e.g. {"name-first": "Jane"}."""
    note: NotRequired[str]
    """Free text kept on the inquiry for your team."""
    tags: NotRequired[list[str]]
    """Tag names, e.g. ["vip"]."""
    redirectUri: NotRequired[str]
    """Where the applicant is sent after finishing the flow."""


CreateInquiryParam = Literal["inquiryTemplateId", "accountId", "referenceId", "fields", "note", "tags", "redirectUri"]


class CreateReportParams(ApiKeyParam):
    """Params of create_report. At least one of term, nameFirst, nameMiddle, nameLast has to be given."""

    reportType: Literal["watchlist", "adverse-media", "politically-exposed-person"]
    """What to screen against: sanctions and other lists, the press, or public office."""
    reportTemplateId: str
    """Report template to run (starts with rptp_); it must be of the chosen report type."""
    term: NotRequired[str]
    """The whole name to search for, e.g. "Jane Q Doe". Give this or the name parts."""
    nameFirst: NotRequired[str]
    """First name to search for."""
    nameMiddle: NotRequired[str]
    """Middle name to search for."""
    nameLast: NotRequired[str]
    """Last name to search for."""
    birthdate: NotRequired[str]
    """Date of birth as YYYY-MM-DD; narrows the search to fewer false matches."""
    countryCode: NotRequired[str]
    """Two-letter ISO 3166-1 country code, e.g. US."""
    accountId: NotRequired[str]
    """Account to attach the report to (starts with act_)."""
    referenceId: NotRequired[str]
    """Your own id for the person; their account is found by it or created. Put no name or email here."""


CreateReportParam = Literal[
    "reportType",
    "reportTemplateId",
    "term",
    "nameFirst",
    "nameMiddle",
    "nameLast",
    "birthdate",
    "countryCode",
    "accountId",
    "referenceId",
]


class DeclineInquiryParams(ApiKeyParam):
    """Params of decline_inquiry."""

    inquiryId: str
    """Id of the inquiry (starts with inq_)."""
    comment: NotRequired[str]
    """Why this decision was made; kept with the inquiry for the audit."""


DeclineInquiryParam = Literal["inquiryId", "comment"]


class ExpireInquiryParams(ApiKeyParam):
    """Params of expire_inquiry."""

    inquiryId: str
    """Id of the inquiry (starts with inq_)."""


ExpireInquiryParam = Literal["inquiryId"]


class GenerateInquiryLinkParams(ApiKeyParam):
    """Params of generate_inquiry_link."""

    inquiryId: str
    """Id of the inquiry (starts with inq_)."""
    expiresInSeconds: NotRequired[int]
    """Seconds until the link stops working; left out, the template's setting, usually 24 hours."""


GenerateInquiryLinkParam = Literal["inquiryId", "expiresInSeconds"]


class GetAccountParams(ApiKeyParam):
    """Params of get_account."""

    accountId: str
    """Id of the account (starts with act_)."""


GetAccountParam = Literal["accountId"]


class GetCaseParams(ApiKeyParam):
    """Params of get_case."""

    caseId: str
    """Id of the case (starts with case_)."""


GetCaseParam = Literal["caseId"]


class GetDocumentParams(ApiKeyParam):
    """Params of get_document."""

    documentId: str
    """Id of the document (starts with doc_); an inquiry lists its own in documentIds."""


GetDocumentParam = Literal["documentId"]


class GetImporterParams(ApiKeyParam):
    """Params of get_importer."""

    importerId: str
    """Id of the importer (starts with mprt_), as the import returned it."""


GetImporterParam = Literal["importerId"]


class GetInquiryParams(ApiKeyParam):
    """Params of get_inquiry."""

    inquiryId: str
    """Id of the inquiry (starts with inq_)."""


GetInquiryParam = Literal["inquiryId"]


class GetReportParams(ApiKeyParam):
    """Params of get_report."""

    reportId: str
    """Id of the report (starts with rep_)."""


GetReportParam = Literal["reportId"]


class GetVerificationParams(ApiKeyParam):
    """Params of get_verification."""

    verificationId: str
    """Id of the verification (starts with ver_); an inquiry lists its own in verificationIds."""


GetVerificationParam = Literal["verificationId"]


class ImportAccountsParams(ApiKeyParam):
    """Params of import_accounts."""

    file: FileParam
    """CSV file of accounts: a path, a storage URL or the file your host hands over. Its columns are reference_id, name_first,
    name_middle, name_last, birthdate, social_security_number, tags.
    """


ImportAccountsParam = Literal["file"]


class ListAccountsParams(ApiKeyParam):
    """Params of list_accounts."""

    referenceId: NotRequired[str]
    """Only the account with this id in your own system; several may be separated by commas."""
    pageSize: NotRequired[int]
    """How many to return, 1 to 100; left out, 10."""
    pageAfter: NotRequired[str]
    """Cursor: the nextCursor of the page before."""


ListAccountsParam = Literal["referenceId", "pageSize", "pageAfter"]


class ListCasesParams(ApiKeyParam):
    """Params of list_cases."""

    status: NotRequired[str]
    """Status as your case template spells it, e.g. Open."""
    accountId: NotRequired[str]
    """Only cases of this account (starts with act_)."""
    referenceId: NotRequired[str]
    """Your own id for the person."""
    caseTemplateId: NotRequired[str]
    """Id of the case template (ctmpl_)."""
    inquiryId: NotRequired[str]
    """Only cases about this inquiry (starts with inq_)."""
    reportId: NotRequired[str]
    """Only cases about this report (starts with rep_)."""
    pageSize: NotRequired[int]
    """How many to return, 1 to 100; left out, 10."""
    pageAfter: NotRequired[str]
    """Cursor: the nextCursor of the page before."""


ListCasesParam = Literal[
    "status", "accountId", "referenceId", "caseTemplateId", "inquiryId", "reportId", "pageSize", "pageAfter"
]


class ListInquiriesParams(ApiKeyParam):
    """Params of list_inquiries."""

    status: NotRequired[str]
    """One status, or several separated by commas: created, pending, completed, failed, expired, needs_review, approved,
    declined.
    """
    accountId: NotRequired[str]
    """One account id (act_), or several separated by commas."""
    referenceId: NotRequired[str]
    """Your own id for the person."""
    inquiryTemplateId: NotRequired[str]
    """Id of the template (itmpl_, or tmpl_ for a legacy one)."""
    createdAtStart: NotRequired[str]
    """Created at or after this ISO 8601 time, UTC unless it has an offset."""
    createdAtEnd: NotRequired[str]
    """Created at or before this ISO 8601 time, UTC unless it has an offset."""
    pageSize: NotRequired[int]
    """How many to return, 1 to 100; left out, 10."""
    pageAfter: NotRequired[str]
    """Cursor: the nextCursor of the page before."""


ListInquiriesParam = Literal[
    "status", "accountId", "referenceId", "inquiryTemplateId", "createdAtStart", "createdAtEnd", "pageSize", "pageAfter"
]


class ListInquiryTemplatesParams(ApiKeyParam):
    """Params of list_inquiry_templates."""

    pageSize: NotRequired[int]
    """How many to return, 1 to 100; left out, 10."""
    pageAfter: NotRequired[str]
    """Cursor: the nextCursor of the page before."""


ListInquiryTemplatesParam = Literal["pageSize", "pageAfter"]


class ListReportsParams(ApiKeyParam):
    """Params of list_reports."""

    accountId: NotRequired[str]
    """Only reports of this account (starts with act_)."""
    referenceId: NotRequired[str]
    """Your own id for the person."""
    pageSize: NotRequired[int]
    """How many to return, 1 to 100; left out, 10."""
    pageAfter: NotRequired[str]
    """Cursor: the nextCursor of the page before."""


ListReportsParam = Literal["accountId", "referenceId", "pageSize", "pageAfter"]


class MarkInquiryForReviewParams(ApiKeyParam):
    """Params of mark_inquiry_for_review."""

    inquiryId: str
    """Id of the inquiry (starts with inq_)."""


MarkInquiryForReviewParam = Literal["inquiryId"]


class PrintInquiryPdfParams(ApiKeyParam):
    """Params of print_inquiry_pdf."""

    inquiryId: str
    """Id of the inquiry (starts with inq_)."""


PrintInquiryPdfParam = Literal["inquiryId"]


class RedactAccountParams(ApiKeyParam):
    """Params of redact_account."""

    accountId: str
    """Id of the account (starts with act_)."""


RedactAccountParam = Literal["accountId"]


class RedactInquiryParams(ApiKeyParam):
    """Params of redact_inquiry."""

    inquiryId: str
    """Id of the inquiry (starts with inq_)."""


RedactInquiryParam = Literal["inquiryId"]


class ResumeInquiryParams(ApiKeyParam):
    """Params of resume_inquiry."""

    inquiryId: str
    """Id of the inquiry (starts with inq_)."""


ResumeInquiryParam = Literal["inquiryId"]


class UpdateAccountParams(ApiKeyParam):
    """Params of update_account. At least one of referenceId, countryCode, fields, tags has to be given."""

    accountId: str
    """Id of the account (starts with act_)."""
    referenceId: NotRequired[str]
    """Your own id for the person, such as your user id. Not treated as personal data, so put no name or email here."""
    countryCode: NotRequired[str]
    """Two-letter ISO 3166-1 country code, e.g. US."""
    fields: NotRequired[dict[str, Any]]
    """Field values by name, as the account type defines them, e.g. {"name": {"first": "Jane", "last": "Doe"}}."""
    tags: NotRequired[list[str]]
    """Tag names that replace the account's tags, e.g. ["vip"]; an empty list removes them all."""


UpdateAccountParam = Literal["accountId", "referenceId", "countryCode", "fields", "tags"]


class UpdateInquiryParams(ApiKeyParam):
    """Params of update_inquiry. At least one of note, fields, tags, redirectUri has to be given."""

    inquiryId: str
    """Id of the inquiry (starts with inq_)."""
    note: NotRequired[str]
    """Free text kept on the inquiry for your team."""
    fields: NotRequired[dict[str, Any]]
    """Field values by name, as the inquiry template defines them, e.g. {"name-first": "Jane", "birthdate": "1994-04-12"}."""
    tags: NotRequired[list[str]]
    """Tag names that replace the inquiry's tags, e.g. ["vip"]; an empty list removes them all."""
    redirectUri: NotRequired[str]
    """Where the applicant is sent after finishing the flow."""


UpdateInquiryParam = Literal["inquiryId", "note", "fields", "tags", "redirectUri"]
