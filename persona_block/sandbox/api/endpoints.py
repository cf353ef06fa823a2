"""The endpoints that Persona has and the simulation has not, so that a request for one is told from a wrong path.

Source: the paths of Persona's OpenAPI of 2025-12-08, whole (github.com/persona-id/persona-openapi, 2026-08-21).
"""

from __future__ import annotations

import re
from functools import cache

from ..messages.errors import Refusal, method_not_allowed, refusal
from .operations import OPERATIONS

NOT_SIMULATED = """
/account-types/{id} GET
/accounts/search POST
/accounts/{id}/add-relation POST
/accounts/{id}/add-tag POST
/accounts/{id}/consolidate POST
/accounts/{id}/relations GET
/accounts/{id}/remove-relation POST
/accounts/{id}/remove-tag POST
/accounts/{id}/run-action POST
/accounts/{id}/set-tags POST
/api-keys GET POST
/api-keys/{id} GET PATCH
/api-keys/{id}/clone POST
/api-keys/{id}/expire POST
/api-logs GET
/api-logs/{id} GET
/case-templates/{id} GET
/cases POST
/cases/search POST
/cases/{id} PATCH DELETE
/cases/{id}/add-objects POST
/cases/{id}/add-tag POST
/cases/{id}/assign POST
/cases/{id}/remove-objects POST
/cases/{id}/remove-tag POST
/cases/{id}/set-status POST
/cases/{id}/set-tags POST
/connect/connections GET POST
/connect/connections/{id} GET
/connect/connections/{id}/deactivate POST
/connect/connections/{id}/reactivate POST
/connect/share-tokens GET POST
/connect/share-tokens/{id} GET
/connect/share-tokens/{id}/expire POST
/connect/share-tokens/{id}/redeem POST
/devices GET
/devices/{id} GET
/document/generics/{id} GET
/document/government-ids/{id} GET
/events GET
/events/{id} GET
/graph-queries POST
/graph-queries/{id} GET
/importer/list-item/email-addresses POST
/importer/list-item/geolocations POST
/importer/list-item/government-id-numbers POST
/importer/list-item/ip-addresses POST
/importer/list-item/names POST
/importer/list-item/phone-numbers POST
/importers GET
/inquiries/search POST
/inquiries/{id}/add-tag POST
/inquiries/{id}/remove-tag POST
/inquiries/{id}/set-tags POST
/inquiry-sessions GET POST
/inquiry-sessions/expire-all POST
/inquiry-sessions/{id} GET
/inquiry-sessions/{id}/expire POST
/inquiry-sessions/{id}/generate-one-time-link POST
/inquiry-template-versions GET
/inquiry-templates/{id} GET
/inquiry-templates/{id}/translations GET POST
/list-item/browser-fingerprints POST
/list-item/browser-fingerprints/{id} GET DELETE
/list-item/countries POST
/list-item/countries/{id} GET DELETE
/list-item/device-fingerprints POST
/list-item/device-fingerprints/{id} GET DELETE
/list-item/email-addresses POST
/list-item/email-addresses/{id} GET DELETE
/list-item/fields POST
/list-item/fields/{id} GET DELETE
/list-item/geolocations POST
/list-item/geolocations/{id} GET DELETE
/list-item/government-id-numbers POST
/list-item/government-id-numbers/{id} GET DELETE
/list-item/ip-addresses POST
/list-item/ip-addresses/{id} GET DELETE
/list-item/names POST
/list-item/names/{id} GET DELETE
/list-item/phone-numbers POST
/list-item/phone-numbers/{id} GET DELETE
/list-item/strings POST
/list-item/strings/{id} GET DELETE
/list/browser-fingerprints POST
/list/countries POST
/list/email-addresses POST
/list/geolocations POST
/list/government-id-numbers POST
/list/ip-addresses POST
/list/names POST
/list/phone-numbers POST
/list/strings POST
/lists GET
/lists/{id} GET DELETE
/oauth/authorize POST
/oauth/token POST
/privacy-passes POST
/rate-limits GET
/relays POST
/relays/challenge POST
/relays/{id}/generate-claim POST
/reports/{id} DELETE
/reports/{id}/add-tag POST
/reports/{id}/dismiss POST
/reports/{id}/history GET
/reports/{id}/pause POST
/reports/{id}/print GET
/reports/{id}/remove-tag POST
/reports/{id}/resume POST
/reports/{id}/run POST
/reports/{id}/set-tags POST
/theme-sets GET POST
/theme-sets/{id} GET PATCH DELETE
/transaction-types/{id} GET
/transactions GET POST
/transactions/{id} GET PATCH DELETE
/transactions/{id}/add-relation POST
/transactions/{id}/add-tag POST
/transactions/{id}/label POST
/transactions/{id}/redact-biometrics POST
/transactions/{id}/remove-relation POST
/transactions/{id}/remove-tag POST
/transactions/{id}/set-tags POST
/user-audit-logs GET
/user-audit-logs/{id} GET
/verification/aamvas/{id} GET
/verification/database-ecbsvs/{id} GET
/verification/database-phone-carriers/{id} GET
/verification/database-serpros/{id} GET
/verification/database-standards/{id} GET
/verification/database-tins/{id} GET
/verification/databases/{id} GET
/verification/documents/{id} GET
/verification/email-addresses/{id} GET
/verification/government-id-nfcs/{id} GET
/verification/government-ids/{id} GET
/verification/phone-numbers/{id} GET
/verification/selfies/{id} GET
/verifications/{id} DELETE
/verifications/{id}/investigation-lock POST
/verifications/{id}/investigation-unlock POST
/verifications/{id}/print GET
/webhooks GET POST
/webhooks/{id} GET PATCH
/webhooks/{id}/archive POST
/webhooks/{id}/clone POST
/webhooks/{id}/disable POST
/webhooks/{id}/enable POST
/webhooks/{id}/rotate-secret POST
/workflow-runs GET
/workflow-runs/{id} GET
/workflow-versions GET
/workflows/{id}/trigger POST
"""
"""A path on each line, and its methods; the operations of the simulation are not among them."""


def refusal_of(method: str, path: str) -> Refusal | None:
    """Return what answers a request that no operation takes, or None for a path that Persona has not.

    `path` is without the base path. The answer is a 501 for an endpoint of Persona, else a 405 with the path's methods.
    """
    asked = "GET" if method == "HEAD" else method
    known = {known_method for known_method, pattern in _patterns() if pattern.fullmatch(path)}
    if asked in known:
        return refusal(501, f"Persona has {asked} {path}, but the simulation has not")
    return method_not_allowed(f"{path} cannot be asked with {method}", known) if known else None


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the method of each endpoint, simulated or not, and the pattern of its path."""
    endpoints = [(operation.method, operation.path) for operation in OPERATIONS]
    for line in NOT_SIMULATED.strip().splitlines():
        path, *methods = line.split()
        endpoints += [(method, path) for method in methods]
    return tuple((method, re.compile(path.replace("{id}", "[^/]+"))) for method, path in endpoints)
