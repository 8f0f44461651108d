"""What the shop tells the public draw log: events that a flow writes in its effect's transaction.

A fact that is not written here is missing from the log for ever, so each flow that makes one names
it. The order of the identifiers is the order in the log: make an event under the lock that its fact
was made under, and after the events that it rests on.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from packhouse.draws import LockedLot, NewSeedPair, PackVersionRow, SeedPair
from packhouse.foundation.events import (
    CardCopies,
    Event,
    LotClosed,
    LotListed,
    PackPublished,
    PackWithdrawn,
    SeedCommitted,
    SeedRevealed,
    StockAdded,
    StockWithdrawn,
    WaitingEvent,
)
from packhouse.foundation.identifiers import HOUSE, CardId, UserId, new_id
from packhouse.foundation.limits import STOCK_CARDS_PER_EVENT_MAX


def seed_committed(pair: NewSeedPair, *, sequence: int, now: datetime) -> WaitingEvent:
    """A pair was made; ``sequence`` is that of its wallet."""
    return WaitingEvent(
        user_id=pair.user_id,
        id=new_id(),
        subject_id=pair.id,
        sequence=sequence,
        event=SeedCommitted(commitment=pair.commitment.hex(), user_key=pair.user_key.hex()),
        created_at=now,
    )


def seed_revealed(
    pair: SeedPair,
    *,
    user_id: UserId,
    server_seed: bytes,
    openings: int,
    sequence: int,
    now: datetime,
) -> WaitingEvent:
    """A pair ended; ``sequence`` is that of its wallet, which the caller has locked."""
    return WaitingEvent(
        user_id=user_id,
        id=new_id(),
        subject_id=pair.id,
        sequence=sequence,
        event=SeedRevealed(
            commitment=pair.commitment.hex(),
            user_key=pair.user_key.hex(),
            server_seed=server_seed.hex(),
            openings=openings,
        ),
        created_at=now,
    )


def pack_published(version: PackVersionRow, *, slug: str, now: datetime) -> WaitingEvent:
    """A version went on sale; the one before it, if any, is off sale by that."""
    event = PackPublished(slug=slug, number=version.number, config_hash=version.config_hash.hex())
    return _of_the_house(event, subject_id=version.id, now=now)


def pack_withdrawn(version: PackVersionRow, *, slug: str, now: datetime) -> WaitingEvent:
    """A pack went off sale; ``version`` is what was on sale."""
    event = PackWithdrawn(slug=slug, config_hash=version.config_hash.hex())
    return _of_the_house(event, subject_id=version.id, now=now)


def lot_listed(lot: LockedLot, *, config_hash: bytes, now: datetime) -> WaitingEvent:
    """A lot went on sale; it follows its ``pack_published``."""
    event = LotListed(
        config_hash=config_hash.hex(),
        manifest_root=lot.manifest_root.hex(),
        commitment=lot.commitment.hex(),
        size=lot.size,
    )
    return _of_the_house(event, subject_id=lot.id, now=now)


def lot_closed(lot: LockedLot, *, server_seed: bytes, draws: int, now: datetime) -> WaitingEvent:
    """A lot ended after so many draws; it follows the openings that made them."""
    event = LotClosed(
        manifest_root=lot.manifest_root.hex(),
        commitment=lot.commitment.hex(),
        server_seed=server_seed.hex(),
        draws=draws,
    )
    return _of_the_house(event, subject_id=lot.id, now=now)


def stock_added(copies: Mapping[CardId, int], *, now: datetime) -> list[WaitingEvent]:
    """Copies came on sale outside of lots; nothing for none."""
    return [
        _of_the_house(StockAdded(cards=cards), subject_id=HOUSE, now=now)
        for cards in _in_parts(copies)
    ]


def stock_withdrawn(copies: Mapping[CardId, int], *, now: datetime) -> list[WaitingEvent]:
    """Copies outside of lots left the sale other than by a draw; nothing for none."""
    return [
        _of_the_house(StockWithdrawn(cards=cards), subject_id=HOUSE, now=now)
        for cards in _in_parts(copies)
    ]


def _of_the_house(event: Event, *, subject_id: UUID, now: datetime) -> WaitingEvent:
    return WaitingEvent(
        user_id=HOUSE,
        id=new_id(),
        subject_id=subject_id,
        sequence=0,
        event=event,
        created_at=now,
    )


def _in_parts(copies: Mapping[CardId, int]) -> list[tuple[CardCopies, ...]]:
    moved = tuple(
        CardCopies(card=card_id, copies=copies[card_id])
        for card_id in sorted(copies)
        if copies[card_id]
    )
    starts = range(0, len(moved), STOCK_CARDS_PER_EVENT_MAX)
    return [moved[start : start + STOCK_CARDS_PER_EVENT_MAX] for start in starts]
