"""What somebody who opens a stream wants: which tier, and from where on."""

from typing import Final, get_args

import msgspec

from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.tiers import Tier
from packhouse.web.asgi import Scope
from packhouse.web.headers import HeaderReader
from packhouse.web.queries import read_query

PATH: Final = "/api/v1/feed/live"


class Wish(msgspec.Struct, frozen=True):
    """``position`` is the last sequence that a returning listener saw, None for a new one."""

    tier: Tier | None
    position: int | None


def read_wish(scope: Scope) -> Wish:
    """What a request for a stream asks for. Raises ``InvalidInput`` for an unknown tier.

    A page names in ``after`` the pull that it was made at; who comes back has seen more since.
    """
    query = read_query(scope)
    seen = _read_position(HeaderReader(scope).text("last-event-id"))
    return Wish(
        tier=_read_tier(query.get("tier")),
        position=_read_position(query.get("after")) if seen is None else seen,
    )


def _read_tier(text: str | None) -> Tier | None:
    if not text:
        return None
    for tier in get_args(Tier):
        if text == tier:
            known: Tier = tier
            return known
    raise InvalidInput(
        "There is no such tier.", [FieldError("tier", "One of " + ", ".join(get_args(Tier)))]
    )


def _read_position(text: str | None) -> int | None:
    # What no feed has ever said begins like a new listener.
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 18:
        return None
    return int(text)
