"""Writes come from our own pages or from no page at all: the check against forged requests."""

from urllib.parse import urlsplit

from packhouse.plumbing.settings import Settings
from packhouse.web.errors import CrossSite
from packhouse.web.headers import HeaderReader


def require_same_site(headers: HeaderReader, settings: Settings) -> None:
    """Raise ``CrossSite`` if a page of another site sent this in the visitor's name.

    Fetch metadata is looked at first (browsers always send it), ``Origin`` for older ones; a client
    that sends neither is no browser, and has no ambient cookie to be abused.
    """
    origin = headers.text("origin")
    if origin is not None and origin in settings.cors_origins:
        return
    site = headers.text("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
    elif (
        origin is None
        or origin == settings.public_url.rstrip("/")
        or urlsplit(origin).netloc == headers.text("host")
    ):
        return
    raise CrossSite("This came from a page of another site, so nothing was done.")
