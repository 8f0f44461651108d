"""Fetching what is public: from a file, or from an address by a plain GET without any cookie."""

import http.client
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from packhouse.verify.findings import CouldNotLook

BYTES_MAX: Final = 32 * 1024 * 1024
WAIT_SECONDS: Final = 15
_NOT_FOUND: Final = 404
_PAGE: Final = re.compile(r"/(?P<place>openings|packs)/(?P<name>[^/]+)/?\Z")


class NotThere(CouldNotLook):
    """The server answered, and has nothing at this address."""


def is_address(target: str) -> bool:
    """Whether a target is to be fetched; anything else is a file."""
    return target.startswith(("http://", "https://"))


def read_target(target: str) -> bytes:
    """The bytes of a file or of an address. Raises ``CouldNotLook`` with a sentence."""
    if is_address(target):
        return _fetch(target)
    try:
        content = Path(target).read_bytes()
    except OSError as error:
        raise CouldNotLook(f"{target} could not be read: {error.strerror}.") from error
    if len(content) > BYTES_MAX:
        raise CouldNotLook(f"{target} is larger than {BYTES_MAX} bytes.")
    return content


def api_address_of(address: str) -> str:
    """Where the JSON behind a page for people is: ``/openings/ID`` and ``/packs/SLUG``."""
    parts = urlsplit(address)
    page = _PAGE.fullmatch(parts.path)
    path = parts.path if page is None else f"/api/v1/{page['place']}/{page['name']}"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def config_address_of(address: str, *, slug: str, config_hash: str) -> str:
    """Where the shop at ``address`` publishes one version's configuration."""
    parts = urlsplit(address)
    path = f"/api/v1/packs/{slug}/versions/{config_hash}"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _fetch(address: str) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - is_address lets only http and https through
        address, headers={"Accept": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:  # noqa: S310 - the same
            content: bytes = answer.read(BYTES_MAX + 1)
    except urllib.error.HTTPError as error:
        kind = NotThere if error.code == _NOT_FOUND else CouldNotLook
        raise kind(f"{address} answered {error.code} {error.reason}.") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CouldNotLook(f"{address} could not be fetched: {error}.") from error
    if len(content) > BYTES_MAX:
        raise CouldNotLook(f"{address} sent more than {BYTES_MAX} bytes.")
    return content
