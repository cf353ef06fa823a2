"""Why one value of a param is refused: a code for programs and a phrase for people, neither of which holds the value."""

from __future__ import annotations

from typing import Literal, get_args

Code = Literal[
    "required",
    "one_required",
    "unknown",
    "not_text",
    "not_integer",
    "not_object",
    "not_array",
    "not_json",
    "not_file",
    "not_id",
    "other_kind",
    "not_date",
    "not_date_time",
    "not_country_code",
    "not_uri",
    "not_listed",
    "not_carried",
    "out_of_range",
    "empty_entry",
    "no_case",
    "no_key",
    "bad_key",
]
"""What is wrong with a param; the manifest's `grammar.refusals` says what each means."""

CODES: tuple[str, ...] = get_args(Code)


class Refused(ValueError):
    """A value that cannot be sent, as a phrase that continues the param's name."""

    def __init__(self, code: Code, phrase: str) -> None:
        super().__init__(phrase)
        self.code: Code = code
