"""What a draw is made from and what comes out of it."""

from typing import Literal

import msgspec

from packhouse.foundation.identifiers import CardId, StockItemId
from packhouse.foundation.limits import CARDS_PER_PACK_MAX, ODDS_WEIGHT_MAX
from packhouse.foundation.tiers import TIERS, Tier

PackKind = Literal["odds", "lot"]
OutOfStockRule = Literal["pay_locked_value"]


class CardOdds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One card within a tier: its weight against the tier's other cards, and its locked value."""

    card: CardId
    weight: int
    value: int
    physical: bool


class TierOdds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tier within a slot: its weight against the slot's other tiers, and its cards."""

    tier: Tier
    weight: int
    cards: tuple[CardOdds, ...]


class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``count`` cards, each drawn by this table."""

    name: str
    count: int
    odds: tuple[TierOdds, ...]


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way in which a pack can be made up, with its weight against the other ways."""

    name: str
    weight: int
    slots: tuple[Slot, ...]


class LotPrize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``count`` copies of a card on a lot's prize list."""

    card: CardId
    tier: Tier
    value: int
    physical: bool
    count: int


class LotTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finite lot: so many packs, so many cards in each, these prizes and no others.

    ``manifest_root`` and ``commitment`` are hexadecimal SHA-256 values; the last-one prize goes to
    whoever opens the last pack, on top of what is drawn.
    """

    packs: int
    cards_per_pack: int
    prizes: tuple[LotPrize, ...]
    last_one: LotPrize | None
    manifest_root: str
    commitment: str


class SellBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the shop pays for a drawn card, as a share of its locked value, and for how long."""

    rate_basis_points: int
    window_seconds: int


class PackConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that matters about one published version; its canonical JSON is hashed.

    An odds pack has ``layouts`` and no ``lot``; a lot has ``lot`` and no layouts.
    """

    format: Literal["packhouse.pack/1"]
    slug: str
    number: int
    name: str
    description: str
    kind: PackKind
    price: int
    sell_back: SellBack
    out_of_stock: OutOfStockRule
    layouts: tuple[Layout, ...]
    lot: LotTerms | None


class Ticket(msgspec.Struct, frozen=True):
    """The number that was drawn, and out of how many: uniform in 0 … ``of`` - 1."""

    number: int
    of: int


class DrawnCard(msgspec.Struct, frozen=True):
    """One card that a draw gave, and the very numbers that selected it."""

    slot: str
    tier: Tier
    card: CardId
    value: int
    physical: bool
    tier_ticket: Ticket
    card_ticket: Ticket


class Outcome(msgspec.Struct, frozen=True):
    """What one pack of an odds pack holds."""

    layout: str
    layout_ticket: Ticket
    cards: tuple[DrawnCard, ...]


class LotItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One item of a lot's manifest; ``stock_item_id`` is None for a digital card.

    ``photo`` is the SHA-256 of the copy's photo as the shop serves it, hexadecimal; the manifest
    has no such field for a copy without one.
    """

    position: int
    card: CardId
    stock_item_id: StockItemId | None
    tier: Tier
    value: int
    is_last_one: bool
    photo: str | None = None


class LotDraw(msgspec.Struct, frozen=True):
    """Draw number ``draw`` of a lot took the ticket's item among those that remained."""

    draw: int
    ticket: Ticket
    item: LotItem


assert 2 * CARDS_PER_PACK_MAX < 2**32, "draw indexes fit their field"
assert len(TIERS) * ODDS_WEIGHT_MAX < 2**63, "the tickets of a slot fit a 64-bit word"
