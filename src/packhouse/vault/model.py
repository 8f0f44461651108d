"""A user card: one drawn card in a collector's keeping, with what was locked when it was drawn."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from packhouse.foundation.identifiers import CardId, OpeningId, StockItemId, UserCardId, UserId
from packhouse.foundation.tiers import Tier

UserCardState = Literal["vaulted", "sold", "reserved", "shipped", "lost", "forfeited"]
VaultSort = Literal["newest", "value"]


class UserCard(msgspec.Struct, frozen=True):
    """Amounts in minor units; no ``stock_item_id``: digital, or paid out for want of stock."""

    user_id: UserId
    id: UserCardId
    card_id: CardId
    stock_item_id: StockItemId | None
    opening_id: OpeningId
    tier: Tier
    value: int
    state: UserCardState
    sell_back_amount: int
    sell_back_until: datetime
    created_at: datetime

    @property
    def is_shippable(self) -> bool:
        """Whether there is a physical copy in the vault to be sent."""
        return self.state == "vaulted" and self.stock_item_id is not None

    def may_be_sold_back(self, now: datetime) -> bool:
        """Whether the shop would buy it back at ``now``."""
        return self.state == "vaulted" and now < self.sell_back_until


PackedCard: TypeAlias = tuple[bytes, bytes, bytes, int, int, int, int, bool, bytes, bytes]
"""A user card as PostgreSQL packs it for an answer: its id, the opening's and the card's; value,
sell-back amount and end, moment of making, whether it has a copy, tier, state.

Words are filled up with spaces; they and all ids but the card's are ASCII. Moments are microseconds
since the year 2000.
"""


class VaultFilter(msgspec.Struct, frozen=True):
    """Which of a user's cards, in which order."""

    tier: Tier | None = None
    state: UserCardState | None = None
    sort: VaultSort = "newest"


class VaultPosition(msgspec.Struct, frozen=True):
    """The last card of the page before: the keyset."""

    id: UserCardId
    value: int
