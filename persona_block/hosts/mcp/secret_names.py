"""Which Persona API key a caller uses: a file names secrets, and what they hold is read from the environment or from files.

    {"claim": "sub", "secrets": {"alice@example.com": "PERSONA_KEY_SUPPORT", "*": "PERSONA_KEY_READERS"}}

`claim` is the claim of a token that tells callers apart, `sub` where it is left out; its value may be a list, such as groups,
of which the first that is named counts. `*` is for everybody else whom the issuer gave a token. A secret is the environment
variable of its name, or a file of its name in the folder of secrets.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...credentials import ApiKey
from ...errors import InputError, Problem

SECRETS_FOLDER = Path("/run/secrets")
"""Where container platforms put secrets as files."""
EVERYBODY = "*"
"""The entry for callers that no other entry is for."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_PARAM = "--oauth-keys"


class PersonaKeys:
    """The API keys of callers, by the names of secrets; it shows none of them.

    claim: the claim of a token that tells callers apart. names: the name of a secret by the claim's value. keys: what the
    secrets hold.
    """

    def __init__(self, claim: str, names: Mapping[str, str], keys: Mapping[str, ApiKey]) -> None:
        self._claim = claim
        self._names = dict(names)
        self._keys = dict(keys)

    @classmethod
    def of_file(cls, path: Path, folder: Path = SECRETS_FOLDER) -> PersonaKeys:
        """Read a file of secret names and the secrets that it names; raises InputError for what is missing or malformed.

        No error repeats what the file or a secret holds, since a key may stand where its name belongs.
        """
        try:
            document = json.loads(path.read_text("utf-8"))
        except OSError:
            raise _wrong("there is no file of this name that can be read") from None
        except (ValueError, RecursionError):
            raise _wrong("must be a file of JSON") from None
        secrets = document.get("secrets") if isinstance(document, dict) else None
        claim = document.get("claim", "sub") if isinstance(document, dict) else None
        if not isinstance(secrets, dict) or not secrets or not isinstance(claim, str) or {*document} - {"claim", "secrets"}:
            raise _wrong('must hold {"claim": …, "secrets": {…}}, with an entry for each caller')
        names: dict[str, str] = {}
        keys: dict[str, ApiKey] = {}
        for number, (value, name) in enumerate(secrets.items(), 1):
            if not isinstance(name, str) or not _NAME.fullmatch(name) or name.startswith("persona_"):
                raise _wrong(f"entry {number} must be the name of a secret, never an API key itself")
            try:
                keys[name] = _secret(name, folder).checked()
            except ValueError as error:
                raise _wrong(f"the secret of entry {number} {error}") from None
            names[value] = name
        return cls(claim, names, keys)

    @classmethod
    def of_everybody(cls, api_key: str | ApiKey) -> PersonaKeys:
        """Return one key for every caller, as for a simulation."""
        return cls("sub", {EVERYBODY: EVERYBODY}, {EVERYBODY: ApiKey.of(api_key)})

    def secret_of(self, claims: Mapping[str, Any]) -> str | None:
        """Return the name of the secret for the caller of a token; None where there is none."""
        value = claims.get(self._claim)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and each != EVERYBODY and each in self._names:
                return self._names[each]
        return self._names.get(EVERYBODY)

    def of_secret(self, name: str | None) -> ApiKey | None:
        """Return the key of a secret; None for a name that there is none of."""
        return self._keys.get(name) if name else None


def _secret(name: str, folder: Path) -> ApiKey:
    """Return what a secret holds; raises ValueError, as a phrase, where there is none."""
    if name in os.environ:
        return ApiKey(os.environ[name])
    try:
        return ApiKey((folder / name).read_text("utf-8"))
    except (OSError, ValueError):
        raise ValueError("is neither an environment variable nor a file in the folder of secrets") from None


def _wrong(text: str) -> InputError:
    return InputError("mcp", [Problem(_PARAM, text)])
