"""The session cookie: a random token that only the browser and a hash in PostgreSQL know."""

from packhouse.plumbing.settings import Settings

NAME = "packhouse_session"


def cookie_name(settings: Settings) -> str:
    """With TLS the ``__Host-`` prefix binds the cookie to this very host."""
    return f"__Host-{NAME}" if settings.has_secure_cookies else NAME


def read_cookie(header: str | None, settings: Settings) -> str | None:
    """The session token in a ``Cookie`` header; whatever others wrote beside it does no harm."""
    if header is None:
        return None
    wanted = cookie_name(settings)
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == wanted and value:
            return value
    return None


def session_cookie(token: str, settings: Settings) -> str:
    """The ``Set-Cookie`` value that signs in."""
    return _cookie(token, settings, max_age_seconds=settings.session_ttl_seconds)


def ended_cookie(settings: Settings) -> str:
    """The ``Set-Cookie`` value that signs out."""
    return _cookie("", settings, max_age_seconds=0)


def _cookie(value: str, settings: Settings, *, max_age_seconds: int) -> str:
    secure = "; Secure" if settings.has_secure_cookies else ""
    return (
        f"{cookie_name(settings)}={value}; HttpOnly; SameSite=Lax; Path=/;"
        f" Max-Age={max_age_seconds}{secure}"
    )
