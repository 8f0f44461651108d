"""Identifiers: UUIDv7 (RFC 9562), so that new rows land at the right edge of every index."""

from typing import Final, NewType
from uuid import UUID

from uuid_utils.compat import uuid7

UserId = NewType("UserId", UUID)
CardId = NewType("CardId", UUID)
StockItemId = NewType("StockItemId", UUID)
PackId = NewType("PackId", UUID)
PackVersionId = NewType("PackVersionId", UUID)
LotId = NewType("LotId", UUID)
OpeningId = NewType("OpeningId", UUID)
UserCardId = NewType("UserCardId", UUID)
SeedPairId = NewType("SeedPairId", UUID)
ShippingRequestId = NewType("ShippingRequestId", UUID)

HOUSE: Final = UserId(UUID(int=0))
"""Stands where a user would, for what the house itself did."""


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of milliseconds, then chance; monotonic within one process."""
    return uuid7()
