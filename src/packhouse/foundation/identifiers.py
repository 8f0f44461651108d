"""Identifiers: UUIDv7 (RFC 9562), so that new rows land at the right edge of every index."""

from typing import Final, NewType
from uuid import UUID, SafeUUID

from uuid_utils import uuid7

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


_make = object.__new__
_set_int = vars(UUID)["int"].__set__
_set_is_safe = vars(UUID)["is_safe"].__set__
_UNKNOWN: Final = SafeUUID.unknown


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of milliseconds, then chance; monotonic within one process.

    Put together by hand, in half the time of ``UUID(int=…)``: an opening needs ten.
    """
    made = _make(UUID)
    _set_int(made, uuid7().int)
    _set_is_safe(made, _UNKNOWN)
    return made
