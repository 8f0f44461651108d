"""Query strings and page cursors, read once at the edge."""

import base64
import binascii
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from packhouse.foundation.errors import BadCursor
from packhouse.web.asgi import Scope

Cursor = TypeVar("Cursor")


def read_query(scope: Scope) -> Mapping[str, str]:
    """The query string's values by name, the last one winning."""
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


def write_cursor(position: object) -> str:
    """A page position as opaque text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def read_cursor(text: str | None, position_type: type[Cursor]) -> Cursor | None:
    """The position that ``write_cursor`` wrote. Raises ``BadCursor``."""
    if text is None or text == "":
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        return msgspec.json.decode(
            base64.b64decode(padded, altchars=b"-_", validate=True), type=position_type
        )
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise BadCursor(
            "This cursor was not made by this list. Start from its first page."
        ) from error
