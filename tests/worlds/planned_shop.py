"""A shop big enough that the planner behaves as in production, and what its statements are asked.

Its worst cases are asked for: the collector with a tenth of all cards, pages in the middle of a
table, sets as large as the limits allow.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from packhouse.bench.bulk_rows import lot_id, pack_id, version_id
from packhouse.bench.bulk_shop import CARDS_PER_OPENING, BulkShop, card_of
from packhouse.foundation.limits import OPENINGS_PER_SET

SHOP: Final = BulkShop(user_cards=100_000, waiting=12_000, lot_items=5_000)
"""About half a million rows, 12,000 of them in the outbox: a relay that was away for a while."""

NOW: Final = SHOP.now
LATER: Final = NOW + timedelta(days=7)
HASH: Final = bytes(range(32))
PAGE: Final = 101
"""The largest page and one row more, which tells whether there is another."""

WHALE: Final = SHOP.user_id(0)
"""A tenth of everything is theirs."""
WHALE_PAIR: Final = SHOP.seed_pair_id(0)
LIGHT: Final = SHOP.user_id(3_500)
MIDDLE: Final = SHOP.openings // 140 * 70
"""An opening of the whale's with a parcel, which half of all openings follow."""
MIDDLE_CARD: Final = MIDDLE * CARDS_PER_OPENING
NEWEST: Final = SHOP.openings - 10
"""One of theirs that is about the newest of all."""

SET_OPENINGS: Final = tuple(range(MIDDLE, MIDDLE + OPENINGS_PER_SET))
SET_USERS: Final = tuple(SHOP.user_id(3_000 + number) for number in range(OPENINGS_PER_SET))
"""As many different collectors as one set of openings has."""
SET_CARDS: Final = tuple(range(MIDDLE_CARD, MIDDLE_CARD + OPENINGS_PER_SET * CARDS_PER_OPENING))
COPIES: Final = tuple(
    (SHOP.card_id(card_of(number)), item)
    for number in range(MIDDLE_CARD, MIDDLE_CARD + 400)
    if (item := SHOP.stock_item_id(number)) is not None
)
"""Two hundred copies, as many as a parcel may have."""
PACK: Final = UUID(int=pack_id(0))
VERSION: Final = UUID(int=version_id(0))
LOT: Final = UUID(int=lot_id(0))
CARDS: Final = tuple(SHOP.card_id(number) for number in range(0, 1_000, 7))
"""As many different cards as a pack may promise."""


class Case(msgspec.Struct, frozen=True):
    """One way in which a statement is asked, and the most pages that it may look at.

    ``sorts`` is the most rows that it may sort: the page or the set that was asked for. Where a
    statement reads on beyond that, ``because`` says what bounds it all the same; without a number
    of ``buffers`` it reads a whole table by nature, and ``because`` says why it may.
    """

    query: str
    arguments: Sequence[Any]
    buffers: int | None
    sorts: int = 500
    because: str = ""

    def __str__(self) -> str:
        """The statement and its arguments, long ones left out."""
        said = ("…" if isinstance(each, list | tuple) else str(each) for each in self.arguments)
        return f"{self.query}({', '.join(said)})"


def adds(rows: int, *, indexes: int) -> int:
    """Pages that so many new rows may touch: up to four in the table and in each of its indexes.

    Seventy more are for a table that has to be made longer.
    """
    return 70 + 4 * rows * (1 + indexes)


def new_ids(count: int, *, kind: int = 9) -> list[UUID]:
    """Ids that no row has yet, later than all others."""
    begin = int(LATER.timestamp() * 1000) << 80 | 7 << 76 | kind << 64 | 8 << 60
    return [UUID(int=begin + number) for number in range(count)]
