"""The API key and other secrets as values that show nothing: not in a repr, a log, a traceback's locals or a pickle."""

from __future__ import annotations

import hashlib
import os
import re
from typing import Any, ClassVar, NoReturn, Self

_WHITE_SPACE = "\t\n\v\f\r "
_HEADER_TEXT = re.compile(r"[!-~]+")
_SECRET_TEXT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+")

KEY_VARIABLE = "PERSONA_API_KEY"
"""The environment variable that holds the key where no other is given."""


class Secret:
    """A password, token or signing secret, or what was given in the place of one; only `reveal` shows it.

    It cannot be pickled, so that no queue or workflow engine stores it.
    """

    __slots__ = ("_value",)
    _noun: ClassVar[str] = "a secret"

    def __init__(self, value: Any) -> None:
        self._value = value

    @property
    def is_absent(self) -> bool:
        """Whether there is nothing, or nothing but blanks."""
        return self._value is None or (isinstance(self._value, str) and not self._value.strip(_WHITE_SPACE))

    @property
    def is_text(self) -> bool:
        """Whether it is text that is not blank."""
        return isinstance(self._value, str) and not self.is_absent

    def reveal(self) -> str:
        """Return the secret as text without blanks around it; raises ValueError, as a phrase that never shows it."""
        if self.is_absent:
            raise ValueError("is empty")
        if not isinstance(self._value, str):
            raise ValueError("must be text")
        if not _SECRET_TEXT.fullmatch(self._value.strip(_WHITE_SPACE)):
            raise ValueError("holds a line break or another control character; copy it again")
        return self._value.strip(_WHITE_SPACE)

    def digest(self) -> str:
        """Return a name for the secret that tells nothing of it."""
        return hashlib.sha256(repr(self._value).encode("utf-8", "backslashreplace")).hexdigest()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and type(other) is type(self) and self.digest() == other.digest()

    def __hash__(self) -> int:
        return hash(self.digest())

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self._noun} is not pickled; hand on the name of where it is found")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


class ApiKey(Secret):
    """An API key, or what was given in the place of one; only `reveal` shows it.

    Whatever takes a key as text turns it into this first, so that no frame of this package holds it as text.
    """

    __slots__ = ()
    _noun = "an API key"

    @classmethod
    def of(cls, value: Any) -> ApiKey:
        """Return a key as it is, or what is no key yet as one."""
        return value if isinstance(value, ApiKey) else cls(value)

    @classmethod
    def of_environment(cls) -> ApiKey:
        """Return the key of PERSONA_API_KEY, which may be absent."""
        return cls(os.environ.get(KEY_VARIABLE))

    def checked(self) -> ApiKey:
        """Return the key as it can stand in a header; raises ValueError, as a phrase that never shows the key."""
        text = self.reveal()
        return self if text is self._value else ApiKey(text)

    def reveal(self) -> str:
        """Return the key as text, for a header and nothing else; raises ValueError as `checked` does."""
        if type(self._value) is str and _HEADER_TEXT.fullmatch(self._value):
            return self._value
        if self.is_absent:
            raise ValueError(f"give your Persona API key here, to the runner, or as the environment variable {KEY_VARIABLE}")
        if not isinstance(self._value, str):
            raise ValueError("must be text")
        if not _HEADER_TEXT.fullmatch(self._value.strip(_WHITE_SPACE)):
            raise ValueError("holds spaces, line breaks or characters that no Persona API key has; copy the key again")
        return self._value.strip(_WHITE_SPACE)
