"""The JSON body of a request, read so that whatever it holds can be stored and answered."""

from __future__ import annotations

import json
import math
from typing import Any

from .errors import bad_request

# Readers of JSON need not hold more (RFC 8259, section 6); a double reaches as far.
_LARGEST_BITS = 1024


def is_json(content_type: str) -> bool:
    """Return whether a Content-Type is that of JSON, with or without parameters such as a charset."""
    return content_type.partition(";")[0].strip().lower() == "application/json"


def read_json(body: bytes) -> Any:
    """Read a JSON body; an empty one is an empty object. Raises a 400."""
    if not body.strip():
        return {}
    try:
        value = json.loads(body, parse_constant=_finite, parse_float=_finite, parse_int=_whole)
        # A lone surrogate can be written in JSON but not in UTF-8, and so not stored.
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise bad_request("The request body is not valid JSON") from None
    return value


def _finite(text: str) -> float:
    """Read a number, but not NaN or infinity, which could be stored but never answered."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no JSON")
    return number


def _whole(text: str) -> int:
    # A digit is more than a bit, and Python itself refuses to read thousands of them.
    if len(text) > _LARGEST_BITS or (number := int(text)).bit_length() > _LARGEST_BITS:
        raise bad_request("The request body holds a number that is too large")
    return number
