"""A shop of any size, by numbers: whose the n-th drawn card is, its id, its state. Pure.

Nothing is stored and nothing is left to chance: each fact follows from a number, so whoever
measures can name any row of ten million without having asked for it. Rows are in the order of time,
as in a real shop: one opening after another, each of another collector. Most collectors have a few
cards, some have hundreds, one has a tenth of all; these shares stay the same at every size, so that
what grows is the tables and not the page that somebody looks at.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec

from packhouse.foundation.tiers import Tier

CARDS_PER_OPENING: Final = 8
HEAVY_CARDS: Final = 800
"""What each of the collectors with hundreds of cards has, about."""
LIGHT_CARDS: Final = 16
"""What each of the others has, about."""
CATALOGUE: Final = 1_000
"""Different cards; a shop's catalogue does not grow with its sales."""
OPENINGS_PER_PARCEL: Final = 7
"""Not a divisor of ten, so that parcels are everybody's as openings are."""
PENDING_PARCELS: Final = 100
PACKING_PARCELS: Final = 50
"""The queue of a shop that keeps up is as long with many sales as with few."""
SESSIONS_EACH: Final = 3
BEGUN: Final = datetime(2025, 1, 1, tzinfo=UTC)
OPENING_MILLISECONDS: Final = 40

Kind = Literal["user", "opening", "user_card", "stock_item", "seed_pair", "card", "other"]
_KINDS: Final[dict[str, int]] = {
    "user": 1, "opening": 2, "user_card": 3, "stock_item": 4, "seed_pair": 5, "card": 6, "other": 7,
}  # fmt: skip
_BEGUN_MILLISECONDS: Final = int(BEGUN.timestamp() * 1000)

_TIER_ENDS: Final[tuple[tuple[int, Tier, int], ...]] = (
    (500, "D", 50),
    (750, "C", 200),
    (900, "B", 900),
    (960, "A", 3_000),
    (990, "S", 12_000),
    (998, "SS", 60_000),
    (CATALOGUE, "SSS", 400_000),
)
"""Up to which number the catalogue has which tier, and what its cards are worth at least."""


def scatter(number: int) -> int:
    """31 bits that look like chance and are always the same for a number."""
    mixed = (number + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    mixed = (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return mixed >> 33


def id_number(kind: Kind, number: int, *, at_opening: int = 0) -> int:
    """A UUIDv7 as an integer, of the time of an opening: ids of one kind are in its order."""
    milliseconds = _BEGUN_MILLISECONDS + at_opening * OPENING_MILLISECONDS
    return milliseconds << 80 | 7 << 76 | _KINDS[kind] << 64 | 8 << 60 | number


def moment_of(opening: int) -> datetime:
    """When the opening was made."""
    return BEGUN + timedelta(milliseconds=OPENING_MILLISECONDS * opening)


class BulkShop(msgspec.Struct, frozen=True):
    """A shop with ``user_cards`` cards in vaults, as many pulls, and ``waiting`` events to relay.

    ``lot_items`` is the size of each of its lots.
    """

    user_cards: int
    waiting: int = 2_000
    lot_items: int = 2_000

    @property
    def openings(self) -> int:
        """How many packs were opened."""
        return self.user_cards // CARDS_PER_OPENING

    @property
    def heavy_users(self) -> int:
        """Collectors 1 to this one have hundreds of cards; 0 has a tenth of all."""
        return max(1, self.user_cards * 3 // 10 // HEAVY_CARDS)

    @property
    def users(self) -> int:
        """How many collectors there are."""
        return 1 + self.heavy_users + max(1, self.user_cards * 6 // 10 // LIGHT_CARDS)

    @property
    def parcels(self) -> int:
        """How many shipping requests there are."""
        return self.openings // OPENINGS_PER_PARCEL

    @property
    def now(self) -> datetime:
        """The moment after the last opening."""
        return moment_of(self.openings)

    def user_id(self, user: int) -> UUID:
        """A collector's id; they came one after another while the shop grew."""
        return UUID(int=id_number("user", user))

    def seed_pair_id(self, user: int, *, is_in_force: bool = True) -> UUID:
        """A collector's pair in force, or the one before."""
        return UUID(int=id_number("seed_pair", 2 * user + is_in_force))

    def opening_id(self, opening: int) -> UUID:
        """An opening's public id."""
        return UUID(int=id_number("opening", opening, at_opening=opening))

    def parcel_id(self, parcel: int) -> UUID:
        """A shipping request's id."""
        return UUID(int=id_number("other", parcel, at_opening=parcel * OPENINGS_PER_PARCEL))

    def card_id(self, card: int) -> UUID:
        """A card of the catalogue."""
        return UUID(int=id_number("card", card))

    def owner_of(self, opening: int) -> int:
        """Whose opening it is."""
        share, chance = opening % 10, scatter(opening)
        if share == 0:
            return 0
        if share <= 3:
            return 1 + chance % self.heavy_users
        return 1 + self.heavy_users + chance % (self.users - 1 - self.heavy_users)

    def openings_of(self, user: int) -> Iterator[int]:
        """Their openings, in order; looks at all, so only for small shops and small numbers."""
        return (each for each in range(self.openings) if self.owner_of(each) == user)

    def parcel_status(self, parcel: int) -> str:
        """What became of a shipping request: the newest wait."""
        age = self.parcels - 1 - parcel
        if age < PENDING_PARCELS:
            return "pending"
        return "packing" if age < PENDING_PARCELS + PACKING_PARCELS else "delivered"

    def state_of(self, number: int) -> str:
        """The state of the n-th drawn card; of an opening with a parcel two cards are in it."""
        opening, place = divmod(number, CARDS_PER_OPENING)
        if place in {0, 2} and opening % OPENINGS_PER_PARCEL == 0:
            is_done = self.parcel_status(opening // OPENINGS_PER_PARCEL) == "delivered"
            return "shipped" if is_done else "reserved"
        return "sold" if scatter(number + 1) % 10 < 3 else "vaulted"

    def user_card_id(self, number: int) -> UUID:
        """The id of the n-th drawn card."""
        return UUID(int=user_card_number(number))

    def stock_item_id(self, number: int) -> UUID | None:
        """The copy of the n-th drawn card; every second card is one."""
        item = stock_item_number(number)
        return None if item is None else UUID(int=item)


def user_card_number(number: int) -> int:
    """The id of the n-th drawn card, as an integer."""
    return id_number("user_card", number, at_opening=number // CARDS_PER_OPENING)


def stock_item_number(number: int) -> int | None:
    """The id of its copy, as an integer; every second card has one."""
    if number % 2:
        return None
    return id_number("stock_item", number, at_opening=number // CARDS_PER_OPENING)


def card_of(number: int) -> int:
    """Which card of the catalogue the n-th drawn card is."""
    return scatter(number) % CATALOGUE


def tier_of(card: int) -> tuple[Tier, int]:
    """The tier and the value, in minor units, of a card of the catalogue."""
    for end, tier, least in _TIER_ENDS:
        if card < end:
            return tier, least + card * 7 % least
    raise ValueError(f"The catalogue has {CATALOGUE} cards; there is no number {card}.")
