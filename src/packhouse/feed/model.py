"""A pull: one drawn card as the public feed shows it."""

from datetime import datetime

import msgspec

from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import OpeningId, UserId
from packhouse.foundation.tiers import Tier


class PulledFrom(msgspec.Struct, frozen=True):
    """The pack that a pull came from."""

    slug: str
    name: str


class FeedErasure(msgspec.Struct, frozen=True):
    """A closed account's name is still in the feed, at openings older than this one."""

    user_id: UserId
    before_opening_id: OpeningId


class Pull(msgspec.Struct, frozen=True):
    """``sequence`` has no gaps and is the same everywhere; ``username`` is the chosen feed name."""

    sequence: int
    username: str
    card: CardFace
    tier: Tier
    value: int
    pack: PulledFrom
    opening_id: OpeningId
    created_at: datetime
