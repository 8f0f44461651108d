"""Headers: what is read from requests, and what every answer carries."""

import random
import re
from collections.abc import Iterable, Sequence

from packhouse.plumbing.rate_limits import Verdict
from packhouse.plumbing.settings import Settings
from packhouse.web.asgi import Scope

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def content_security_policy(settings: Settings) -> str:
    """Nothing inline, nothing from elsewhere but what a CDN of ours has: no scripts among it.

    ``data:`` pictures run nothing.
    """
    elsewhere = "" if settings.assets_url is None else f" {settings.assets_url}"
    styles = f" style-src 'self'{elsewhere};" if elsewhere else ""
    return (
        f"default-src 'self'; img-src 'self' data:{elsewhere};{styles} object-src 'none';"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


STREAM_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    # A proxy that gathers what it passes on would hold events back.
    (b"x-accel-buffering", b"no"),
)


class HeaderReader:
    """A request's headers by name, the last one winning."""

    def __init__(self, scope: Scope) -> None:
        self._raw = scope["headers"]
        self._headers = {name: value for name, value in self._raw}  # noqa: C416 - raw list

    def text(self, name: str) -> str | None:
        """A header as text; names in small letters."""
        value = self._headers.get(name.encode())
        return None if value is None else value.decode("latin-1")

    def list_text(self, name: str) -> str | None:
        """A header that is a list, whole: each proxy may have written a line of its own."""
        wanted = name.encode()
        if wanted not in self._headers:
            return None
        return b",".join(value for found, value in self._raw if found == wanted).decode("latin-1")


def request_id_of(text: str | None) -> str:
    """The caller's request id, if it is one that may stand in headers and logs; else a new one.

    It only has to be told from others, so it need not be drawn from the system's entropy.
    """
    if text is not None and _REQUEST_ID.fullmatch(text):
        return text
    return f"{random.getrandbits(128):032x}"


def default_headers(settings: Settings) -> list[tuple[bytes, bytes]]:
    """On every answer that does not say otherwise. Private and uncached is the safe beginning."""
    headers = [
        (b"content-security-policy", content_security_policy(settings).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
        (b"cache-control", b"private, no-store"),
    ]
    if settings.has_secure_cookies:
        headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
    return headers


def completed_headers(
    headers: Iterable[tuple[bytes, bytes]],
    *,
    defaults: Sequence[tuple[bytes, bytes]],
    request_id: str,
    extra: Sequence[tuple[bytes, bytes]],
    verdict: Verdict | None,
) -> list[tuple[bytes, bytes]]:
    """An answer's own headers, and what every answer carries."""
    own = list(headers)
    present = {name.lower() for name, _ in own}
    return [
        *own,
        *((name, value) for name, value in defaults if name not in present),
        (b"x-request-id", request_id.encode()),
        *extra,
        *(() if verdict is None else _rate_limit_headers(verdict)),
    ]


def _rate_limit_headers(verdict: Verdict) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"ratelimit-limit", str(verdict.limit).encode()),
        (b"ratelimit-remaining", str(verdict.remaining).encode()),
        (b"ratelimit-reset", str(verdict.reset_seconds).encode()),
    )


def cors_headers(origin: str | None, scope: Scope, settings: Settings) -> list[tuple[bytes, bytes]]:
    """For the draw log any origin may read; for the API, only those that the owner named."""
    if scope["path"].startswith("/log/"):
        return [
            (b"access-control-allow-origin", b"*"),
            (b"access-control-expose-headers", b"ETag"),
        ]
    if not settings.cors_origins or not scope["path"].startswith("/api/"):
        return []
    headers = [(b"vary", b"Origin")]
    if origin is not None and origin in settings.cors_origins:
        headers += [
            (b"access-control-allow-origin", origin.encode()),
            (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
            (
                b"access-control-allow-headers",
                b"Content-Type, Idempotency-Key, X-Request-ID, If-None-Match, Last-Event-ID",
            ),
            (
                b"access-control-expose-headers",
                b"ETag, X-Request-ID, Retry-After, RateLimit-Limit, RateLimit-Remaining",
            ),
            (b"access-control-max-age", b"600"),
        ]
    return headers
