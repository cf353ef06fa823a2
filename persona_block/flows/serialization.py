"""What the engine's tables hold: JSON, and encrypted where there is a key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from dbos import DBOSPortableJSONSerializer, PortableWorkflowError, Serializer

from ..credentials import Secret
from ..errors import InputError, PersonaError, Problem

_ERROR = "__error__"
_ENCRYPTED = "gAAAA"
"""How each token of Fernet begins, and no JSON does."""


def serializer(encryption_keys: Sequence[Secret | str] = ()) -> Serializer:
    """Return the engine's serializer: portable JSON, or with keys the same under Fernet.

    encryption_keys: of `cryptography.fernet.Fernet.generate_key()`; the first encrypts, each of them decrypts, so that a new
        key takes over from an old one. Raises InputError, which shows none, for one that is no such key.
    """
    if not encryption_keys:
        return DBOSPortableJSONSerializer()
    return EncryptedJSON(encryption_keys)


def pinned(value: Mapping[str, Any], param: str) -> dict[str, Any]:
    """Return JSON data as the engine stores it, which shares nothing with `value`; raises InputError for what is no JSON.

    param: what the value was given as, for the error.
    """
    try:
        stored: dict[str, Any] = json.loads(DBOSPortableJSONSerializer().serialize(dict(value)))
    except (TypeError, ValueError, RecursionError):
        raise InputError("workflow", [Problem(param, "must be JSON data, which can be kept with the flow")]) from None
    return stored


class EncryptedJSON(Serializer):
    """JSON under Fernet; its `repr` shows no key."""

    def __init__(self, encryption_keys: Sequence[Secret | str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(_revealed(each)) for each in encryption_keys])
        except ValueError:
            message = "must be a key as cryptography.fernet.Fernet.generate_key() makes them, 44 characters"
            raise InputError("flows", [Problem("encryption_keys", message)]) from None

    def name(self) -> str:
        return "persona_fernet_json"

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            data = {_ERROR: {"name": type(data).__name__, "message": _message(data)}}
        text = DBOSPortableJSONSerializer().serialize(data)
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def deserialize(self, serialized_data: str) -> Any:
        if not serialized_data.startswith(_ENCRYPTED):
            # From the time before the database was encrypted.
            return DBOSPortableJSONSerializer().deserialize(serialized_data)
        try:
            data = json.loads(self._fernet.decrypt(serialized_data.encode("ascii")))
        except InvalidToken:
            raise InputError("flows", [Problem("encryption_keys", "none of them made what the database holds")]) from None
        if isinstance(data, dict) and data.keys() == {_ERROR}:
            return PortableWorkflowError(data[_ERROR]["message"], data[_ERROR]["name"])
        return data


def _message(error: BaseException) -> str:
    return error.message if isinstance(error, PersonaError) else str(error)


def _revealed(encryption_key: Secret | str) -> str:
    return encryption_key.reveal() if isinstance(encryption_key, Secret) else encryption_key
