"""Accounts: one person each, found by a reference id that is unique in an environment.

Sources: OpenAPI paths /accounts*; docs.withpersona.com/accounts-tutorials and /reference-ids.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from ...spec.inflection import kebab
from ..messages.errors import bad_request, unprocessable
from ..messages.shapes import ACCOUNT_PHOTO, check_shape
from ..state.environment import Environment
from ..state.records import Resource
from .copies import keep_former_texts
from .fields import ACCOUNT_PLACES, empty_account_fields, plain, set_account_fields
from .templates import TEMPLATES

_SEPARATOR = re.compile(r"[/\\]")
_LONGEST_FILENAME = 200

_FIELD_ATTRIBUTES = (
    "birthdate",
    "name-first",
    "name-middle",
    "name-last",
    "phone-number",
    "email-address",
    "country-code",
    "address-street-1",
    "address-street-2",
    "address-city",
    "address-subdivision",
    "address-postal-code",
)


def create(env: Environment, attributes: dict[str, Any], upsert_by: str | None = None) -> tuple[Resource, bool]:
    """Create an account, or update the one that `upsert_by` finds; return it, and whether it is new. Raises a 409 or 422."""
    if upsert_by is not None:
        if kebab(upsert_by) != "reference-id":
            raise unprocessable("An account can only be upserted by reference-id", "/meta/upsert-by")
        if not attributes.get("reference-id"):
            raise unprocessable("Upserting by reference-id needs a reference id", "/data/attributes/reference-id")
        existing = by_reference(env, attributes["reference-id"])
        if existing:
            update(env, existing, {name: value for name, value in attributes.items() if name != "account-type-id"})
            return existing, False
    type_id = _checked_type(attributes.get("account-type-id"), "/data/attributes/account-type-id")
    account = env.create(
        "account",
        {
            "reference-id": _checked_reference(attributes.get("reference-id")),
            "account-type-name": "User",
            "account-status": attributes.get("account-status", "Active"),
            "created-at": env.timestamp,
            "updated-at": env.timestamp,
            "redacted-at": None,
            "fields": _set_fields(empty_account_fields(), attributes),
            "tags": attributes.get("tags") or [],
        },
        {"account-type": {"type": "account-type", "id": type_id}},
    )
    if "selfie-photo" in attributes:
        _set_photo(env, account, attributes["selfie-photo"])
        env.save(account)
    env.log("account.created", account)
    return account, True


def update(env: Environment, account: Resource, attributes: dict[str, Any]) -> None:
    """Change the given attributes of an account and leave the others. Raises a 409 or 422."""
    keep_former_texts(account)
    values = account.attributes
    if "reference-id" in attributes:
        values["reference-id"] = _checked_reference(attributes["reference-id"])
    if "account-status" in attributes:
        values["account-status"] = attributes["account-status"]
    if "tags" in attributes:
        values["tags"] = attributes["tags"] or []
    _set_fields(values["fields"], attributes)
    if "selfie-photo" in attributes:
        _set_photo(env, account, attributes["selfie-photo"])
    elif plain(attributes.get("fields", {}).get("selfie_photo", "kept")) is None:
        _set_photo(env, account, {"data": None})
    env.save(account, "account.updated")


def by_reference(env: Environment, reference_id: str) -> Resource | None:
    """Return the account of a reference id, or None."""
    return next(iter(env.find("account", "reference_id", reference_id)), None)


def check_auto_creation(meta: dict[str, Any]) -> None:
    """Check that `meta` does not both forbid a new account and describe it. Raises a 400."""
    if meta.get("auto-create-account", True) is False:
        for name in ("auto-create-account-reference-id", "auto-create-account-type-id"):
            if name in meta:
                raise bad_request(f"meta.{name.replace('-', '_')} needs meta.auto_create_account")


def auto_create(env: Environment, reference_id: str | None, meta: dict[str, Any], fields: dict[str, Any]) -> Resource | None:
    """Return the account of a new inquiry or report: the one of the reference id, else a new one unless `meta` forbids it."""
    check_auto_creation(meta)
    reference_id = meta.get("auto-create-account-reference-id", reference_id)
    existing = by_reference(env, reference_id) if reference_id else None
    if existing or meta.get("auto-create-account", True) is False:
        return existing
    attributes: dict[str, Any] = {"fields": account_values(fields)}
    if reference_id is not None:
        attributes["reference-id"] = reference_id
    type_id = meta.get("auto-create-account-type-id")
    attributes["account-type-id"] = _checked_type(type_id, "/meta/auto-create-account-type-id")
    return create(env, attributes)[0]


def account_values(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the plain values of those fields of an inquiry that an account has too, without empty ones."""
    return {name: plain(value) for name, value in fields.items() if name in ACCOUNT_PLACES and plain(value) is not None}


def names(account: Resource) -> list[str | None]:
    """Return an account's first, middle and last name."""
    return list(plain(account.attributes["fields"]["name"]).values())


def applicant_names(env: Environment, inquiry: Resource) -> dict[str, str | None]:
    """Return an applicant's name by field: the inquiry's own, or its account's where the inquiry has none."""
    own = {name: plain(inquiry.attributes["fields"][name]) for name in ("name-first", "name-middle", "name-last")}
    account = env.related(inquiry, "account")
    return own if any(own.values()) or account is None else dict(zip(own, names(account), strict=True))


def _set_fields(fields: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    flat = {name: attributes[name] for name in _FIELD_ATTRIBUTES if name in attributes}
    set_account_fields(fields, flat, "/data/attributes/")
    set_account_fields(fields, attributes.get("fields", {}))
    return fields


def _checked_reference(reference_id: str | None) -> str | None:
    if reference_id is not None and not reference_id.strip():
        raise unprocessable("reference-id must not be blank", "/data/attributes/reference-id")
    return reference_id


def _checked_type(id: str | None, pointer: str) -> str:
    if id is not None and id != TEMPLATES.account_type:
        raise unprocessable("There is no such account type", pointer)
    return TEMPLATES.account_type


def _set_photo(env: Environment, account: Resource, photo: dict[str, Any]) -> None:
    place = "fields/selfie_photo/value"
    if "data" not in photo:
        return
    env.delete_files(account)
    account.attributes["fields"]["selfie_photo"] = {"type": "file", "value": None}
    if photo["data"] is not None:
        check_shape(ACCOUNT_PHOTO, photo["data"], "data.attributes.selfie_photo.data")
        try:
            content = base64.b64decode(photo["data"].get("data", ""), validate=True)
        except binascii.Error:
            raise unprocessable("The photo is not base64", "/data/attributes/selfie-photo/data/data") from None
        env.add_file(account, _filename(photo["data"].get("filename", "")) or "selfie_photo.jpg", content, place)


def _filename(path: str) -> str:
    """Return the printable characters of a path's last segment, or "" where a URL cannot end in it."""
    name = "".join(character for character in _SEPARATOR.split(path)[-1] if character.isprintable()).strip()
    return "" if name in (".", "..") else name[-_LONGEST_FILENAME:]
