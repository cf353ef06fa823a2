"""The proxies of the environment, chosen as httpx chooses them."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.request import getproxies

import httpx

from ...credentials import Secret

HTTP_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where requests are sent instead. url: without user and password. credential: for `Proxy-Authorization`, if any."""

    url: str
    credential: Secret | None = field(repr=False)

    @classmethod
    def of(cls, url: httpx.URL) -> Proxy:
        """Return the proxy of a URL that may hold a user and a password."""
        if not (url.username or url.password):
            return cls(str(url), None)
        pair = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
        return cls(str(url.copy_with(userinfo=b"")), Secret(f"Basic {pair}"))

    def headers(self) -> dict[str, str]:
        """Return what the proxy is told of who asks."""
        return {"Proxy-Authorization": self.credential.reveal()} if self.credential else {}


@dataclass(frozen=True, slots=True)
class _Route:
    """Which URLs go through a proxy, or through none."""

    pattern: httpx.URL
    proxy: Proxy | None

    @property
    def order(self) -> tuple[bool, int, int]:
        """Sort the most specific first: with a port, then by the length of the host, then with a scheme."""
        return self.pattern.port is None, -len(self._host), -len(self._scheme)

    @property
    def _scheme(self) -> str:
        return "" if self.pattern.scheme == "all" else self.pattern.scheme

    @property
    def _host(self) -> str:
        return "" if self.pattern.host == "*" else self.pattern.host

    def holds(self, url: httpx.URL) -> bool:
        """Return whether a URL takes this way."""
        domain = re.escape(self._host.lstrip("*").removeprefix(".") if self._host.startswith("*") else self._host)
        before = r".+\." if self._host.startswith("*.") else r"(.+\.)?" if self._host.startswith("*") else ""
        return (
            self._scheme in ("", url.scheme)
            and (not self._host or re.match(f"^{before}{domain}$", url.host) is not None)
            and self.pattern.port in (None, url.port)
        )


class Proxies:
    """The proxies of HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, but for the hosts of NO_PROXY."""

    def __init__(self) -> None:
        told = getproxies()
        proxies: dict[str, Proxy | None] = {}
        for scheme in (*HTTP_SCHEMES, "all"):
            if address := told.get(scheme):
                url = httpx.URL(address if "://" in address else f"http://{address}")
                proxies[f"{scheme}://"] = Proxy.of(url)
        excepted = [name for each in told.get("no", "").split(",") if (name := each.strip())]
        proxies |= {_pattern(name): None for name in excepted}
        routes = [_Route(httpx.URL(pattern), proxy) for pattern, proxy in proxies.items() if "*" not in excepted]
        self._routes = sorted(routes, key=lambda route: route.order)

    @property
    def is_any(self) -> bool:
        """Whether there is a proxy at all."""
        return any(route.proxy for route in self._routes)

    @property
    def are_http(self) -> bool:
        """Whether all of them speak HTTP, rather than SOCKS."""
        return all(route.proxy.url.partition(":")[0] in HTTP_SCHEMES for route in self._routes if route.proxy)

    def of(self, url: httpx.URL) -> Proxy | None:
        """Return the proxy for a URL, or None where it is asked directly."""
        return next((route.proxy for route in self._routes if route.holds(url)), None)


def _pattern(name: str) -> str:
    """Return which URLs an entry of NO_PROXY means."""
    if "://" in name:
        return name
    try:
        address = ipaddress.ip_address(name.partition("/")[0])
    except ValueError:
        return f"all://{name}" if name.lower() == "localhost" else f"all://*{name}"
    return f"all://[{name}]" if address.version == 6 else f"all://{name}"
