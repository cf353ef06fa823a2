"""The formats of text params: each gives the text as the wire wants it, or raises Refused with what it should be."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from .refusal import Refused

WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""The characters that are trimmed: those of Unicode's property White_Space, in every language alike."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]"
    r"([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def trimmed(text: str) -> str:
    """Return a text without white space at its ends."""
    return text.strip(WHITE_SPACE)


def _id(text: str) -> str:
    if text in (".", "..") or _CONTROL.search(text):
        raise Refused("not_id", "must be an id, without line breaks or other control characters and not a dot")
    return text


def _list(text: str) -> str:
    parts = [trimmed(part) for part in text.split(",")]
    if not all(parts):
        raise Refused("empty_entry", "has an empty place between its commas")
    return ",".join(map(_id, parts))


def _date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise Refused("not_date", "must be a date written YYYY-MM-DD, such as 1994-04-12")
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        message = "is not a day of the calendar; write it YYYY-MM-DD, such as 1994-04-12"
        raise Refused("not_date", message) from None
    return text


def _date_time(text: str) -> str:
    expected = "must be an ISO 8601 date and time such as 2026-01-31T00:00:00Z"
    if _DATE.fullmatch(text):
        raise Refused("not_date_time", f"{expected}; a date alone leaves the hour open")
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        raise Refused("not_date_time", expected)
    day, minute, second, fraction, sign, hours, minutes = parts.groups()
    try:
        moment = dt.datetime.fromisoformat(f"{day}T{minute}:{second or '00'}+00:00")
        if int(hours or 0) > 23 or int(minutes or 0) > 59:
            raise ValueError
        offset = dt.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        moment += offset if sign == "-" else -offset
    except (ValueError, OverflowError):
        message = f"{expected}; the one given is no moment of the calendar and the clock"
        raise Refused("not_date_time", message) from None
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + _fraction(fraction) + "Z"


def _fraction(digits: str | None) -> str:
    """Return a fraction of a second to the millisecond, or to the microsecond where it is finer; nothing for none."""
    kept = (digits or "")[:6].ljust(6, "0")
    if not int(kept):
        return ""
    return f".{kept[:3]}" if kept.endswith("000") else f".{kept}"


def _country_code(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise Refused("not_country_code", "must be a two-letter ISO 3166-1 country code, such as US")
    return text.upper()


def _uri(text: str) -> str:
    if not _SCHEME.match(text) or text.endswith(":"):
        raise Refused("not_uri", "must be a whole URI with its scheme, such as https://example.com/verified")
    if _CONTROL.search(text):
        raise Refused("not_uri", "holds a line break or another control character, which no URI does")
    if any(character in WHITE_SPACE for character in text):
        raise Refused("not_uri", "holds a space, which no URI does; write it as %20")
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
