"""Which role of the shop answers which path.

``web`` has the pages and, for a shop of one program, everything else as well; ``api`` and ``admin``
answer their own paths alone, so that each can be scaled, and trusted, by itself. Probes, metrics,
assets and pictures are answered by all of them.
"""

from enum import StrEnum
from typing import ClassVar, Final

from packhouse.foundation.errors import NotFound


class WebRole(StrEnum):
    """A program that serves HTTP."""

    WEB = "web"
    API = "api"
    ADMIN = "admin"


ADMIN_PREFIXES: Final = ("/admin", "/api/v1/admin")
EVERYWHERE: Final = ("/static/", "/media/", "/health/", "/metrics", "/favicon.ico", "/robots.txt")
LIVE: Final = "/api/v1/feed/live"


class NotServedHere(NotFound):
    """Another role of the shop answers this address; the message says which."""

    code: ClassVar[str] = "not_served_here"


def is_for_operators(path: str) -> bool:
    """Whether operators' pages or their API are asked for."""
    return path.startswith(ADMIN_PREFIXES) and (
        path in ADMIN_PREFIXES or path.startswith(("/admin/", "/api/v1/admin/"))
    )


def require_served(path: str, role: WebRole) -> None:
    """Raise ``NotServedHere`` when a path belongs to another role than this one."""
    if path.startswith(EVERYWHERE):
        return
    owner = _owner_of(path)
    if owner != role and not (role is WebRole.WEB and owner != WebRole.ADMIN):
        raise not_served_by(role, path)


def not_served_by(role: str, path: str) -> NotServedHere:
    """The refusal of a role that does not answer a path; it names the role that does."""
    return NotServedHere(
        f"This address is answered by `packhouse serve {_owner_of(path)}`; here is {role}. Send it"
        " there by path, as deploy/haproxy does."
    )


def _owner_of(path: str) -> str:
    if is_for_operators(path):
        return WebRole.ADMIN
    if path == LIVE:
        return "live"
    return WebRole.API if path.startswith("/api/") else WebRole.WEB
