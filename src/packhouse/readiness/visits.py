"""Visits to the shop over HTTP, each on a connection of its own and from an address of one's own.

On the loopback network every address of 127.0.0.0/8 is this machine's, so a visit can come from one
that no visitor has: what is counted against it harms nobody.
"""

import asyncio
import http.client
import ssl
from collections.abc import Mapping
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

from packhouse.foundation.errors import Outage

SECONDS_MAX: Final = 10.0
BODY_BYTES_MAX: Final = 4 * 1024 * 1024

Headers: TypeAlias = Mapping[str, str]


class ShopUnreachable(Outage):
    """Nobody answers at the shop's address, or not as a web server does."""

    code = "readiness_shop_unreachable"


class Visit(msgspec.Struct, frozen=True):
    """One answer; the names of headers in small letters, a repeated one's values joined."""

    status: int
    headers: dict[str, str]
    body: bytes


class Visits:
    """Asks one web server, by default from whatever address the system chooses."""

    def __init__(self, url: str, *, address: str | None = None) -> None:
        self.url = url
        self._address = address

    def from_address(self, address: str) -> "Visits":
        """The same server, asked from another of this machine's addresses."""
        return Visits(self.url, address=address)

    async def get(self, path: str, **headers: str) -> Visit:
        """GET; ``accept_encoding="br"`` sends ``Accept-Encoding: br``."""
        return await self.send("GET", path, headers=headers)

    async def send(
        self, method: str, path: str, *, headers: Headers | None = None, body: bytes = b""
    ) -> Visit:
        """Send one request on a new connection. Raises ``ShopUnreachable``."""
        named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        try:
            return await asyncio.to_thread(self._send, method, path, named, body)
        except (OSError, http.client.HTTPException) as error:
            raise ShopUnreachable(
                f"{self.url} does not answer {method} {path}: {error or type(error).__name__}."
            ) from error

    def _send(self, method: str, path: str, headers: Headers, body: bytes) -> Visit:
        connection = self._connect()
        try:
            connection.request(method, path, body=body or None, headers=dict(headers))
            answer = connection.getresponse()
            found: dict[str, str] = {}
            for name, value in answer.getheaders():
                key = name.lower()
                found[key] = f"{found[key]}, {value}" if key in found else value
            return Visit(status=answer.status, headers=found, body=answer.read(BODY_BYTES_MAX))
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        url = urlsplit(self.url)
        source = None if self._address is None else (self._address, 0)
        host = url.hostname or ""
        if url.scheme == "https":
            return http.client.HTTPSConnection(
                host,
                url.port or 443,
                timeout=SECONDS_MAX,
                source_address=source,
                context=ssl.create_default_context(),
            )
        return http.client.HTTPConnection(
            host, url.port or 80, timeout=SECONDS_MAX, source_address=source
        )
