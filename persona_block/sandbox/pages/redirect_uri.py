"""The redirect URI: where the hosted flow sends the applicant in the end.

Source: docs.withpersona.com/hosted-flow-redirecting-on-complete, which names the parameters: inquiry-id, reference-id,
status and fields.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

import idna

from ..objects.fields import plain
from ..state.records import Resource

# Any other scheme may be an app's own. These run a script, or open something on the machine or in the browser.
_REFUSED = frozenset(
    {"about", "blob", "chrome", "data", "file", "filesystem", "javascript", "jar", "resource", "vbscript", "view-source"}
)
# The characters of a URL that are not percent-encoded
_SAFE = ":/%#?=@[]!$&'()*+,;~"
_WEB = ("http", "https")


def destination(inquiry: Resource) -> str | None:
    """Return an inquiry's redirect URI with its parameters, or None where there is none that a browser may follow."""
    try:
        parts = urlsplit(inquiry.private.get("redirect-uri") or "")
        if parts.scheme in _WEB:
            parts = parts._replace(netloc=_ascii_netloc(parts))
    except ValueError:
        return None
    if parts.scheme in _REFUSED or not parts.scheme or (parts.scheme in _WEB and not parts.hostname):
        return None
    query = "&".join(filter(None, (parts.query, urlencode(_parameters(inquiry)))))
    url = quote(urlunsplit(parts._replace(query=query)), safe=_SAFE)
    return url if parts.netloc.isascii() else url.replace(quote(parts.netloc, safe=_SAFE), parts.netloc, 1)


def web_destination(inquiry: Resource) -> str | None:
    """Return the destination if a browser can be sent there at once: http or https, with a host in ASCII. Otherwise None.

    A browser without the app of an app's scheme would stay on the form as if nothing had been sent. For such a destination,
    the last page offers a link.
    """
    url = destination(inquiry)
    return url if url and url.isascii() and urlsplit(url).scheme in _WEB else None


def _ascii_netloc(parts: SplitResult) -> str:
    """Return a URL's authority with its host in ASCII (UTS 46), or as it is where the host has no such form."""
    host = parts.hostname or ""
    if host.isascii():
        return parts.netloc
    user, at, _ = parts.netloc.rpartition("@")
    port = f":{parts.port}" if parts.port is not None else ""
    try:
        return f"{user}{at}{idna.encode(host, uts46=True).decode('ascii')}{port}"
    except idna.IDNAError:
        return parts.netloc


def _parameters(inquiry: Resource) -> list[tuple[str, str]]:
    attributes = inquiry.attributes
    parameters = [("inquiry-id", inquiry.id)]
    if attributes["reference-id"]:
        parameters.append(("reference-id", attributes["reference-id"]))
    parameters.append(("status", attributes["status"]))
    for name, field in attributes["fields"].items():
        parameters += [(f"fields[{name}][type]", field["type"]), (f"fields[{name}][value]", _text(plain(field)))]
    return parameters


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
