"""The formats of text params: each gives the text as the wire wants it, or raises ValueError with what it should be."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MOMENT = re.compile(r"[0-9W-]{7,10}[Tt ][0-9]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _id(text: str) -> str:
    if text in (".", "..") or _CONTROL.search(text):
        raise ValueError("must be an id, without line breaks or other control characters and not a dot")
    return text


def _list(text: str) -> str:
    parts = [_id(part.strip()) for part in text.split(",")]
    if not all(parts):
        raise ValueError("has an empty place between its commas")
    return ",".join(parts)


def _date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError("must be a date written YYYY-MM-DD, such as 1994-04-12")
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a day of the calendar; write it YYYY-MM-DD, such as 1994-04-12") from None
    return text


def _date_time(text: str) -> str:
    expected = "must be an ISO 8601 date and time such as 2026-01-31T00:00:00Z"
    if _DATE.fullmatch(text):
        raise ValueError(f"{expected}; a date alone leaves the hour open")
    if not _MOMENT.match(text):
        raise ValueError(expected)
    try:
        moment = dt.datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise ValueError(expected) from None
    precision = "seconds" if not moment.microsecond else "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def _country_code(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise ValueError("must be a two-letter ISO 3166-1 country code, such as US")
    return text.upper()


def _uri(text: str) -> str:
    if _CONTROL.search(text) or not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$", text):
        raise ValueError("must be a whole URI with its scheme, such as https://example.com/verified")
    return text


BY_FORMAT: dict[str, Callable[[str], str]] = {
    "id": _id,
    "id-list": _list,
    "list": _list,
    "date": _date,
    "date-time": _date_time,
    "country-code": _country_code,
    "uri": _uri,
}
