"""One small invented set and a pack of each of the four shapes that the shop must be able to sell.

Tests of draws share these, so that "pack (c)" means the same pack everywhere.
"""

from hashlib import sha256
from uuid import UUID

from packhouse.draws import (
    CardFact,
    DraftLayout,
    DraftLot,
    DraftPrize,
    DraftSlot,
    DraftTier,
    LotItem,
    LotTerms,
    PackConfig,
    PackDraft,
    compose_lot,
    compose_lot_prizes,
    compose_odds,
    manifest_leaf,
    merkle_root,
)
from packhouse.foundation.identifiers import CardId, StockItemId
from packhouse.foundation.tiers import TIERS, Tier

_TIERS_OF_VEIL: tuple[Tier, ...] = (
    *("D",) * 6,
    *("C",) * 5,
    *("B",) * 4,
    *("A",) * 3,
    *("S",) * 2,
    "SS",
    "SSS",
)
_VALUE_OF_TIER = {
    "D": 10,
    "C": 35,
    "B": 120,
    "A": 900,
    "S": 4_500,
    "SS": 20_000,
    "SSS": 150_000,
}

VEIL = tuple(
    CardFact(
        id=CardId(UUID(int=number)),
        set_code="VEIL",
        number=f"{number:03d}",
        tier=tier,
        value=_VALUE_OF_TIER[tier] + number,
        physical=tier != "D",
    )
    for number, tier in enumerate(_TIERS_OF_VEIL, start=1)
)
"""Twenty-two cards, VEIL-001 to VEIL-022, weakest first; the D cards are digital."""


def slot(name: str, count: int = 1, **weights: int) -> DraftSlot:
    """A slot by its tiers' weights, over every card of each tier."""
    odds = tuple(DraftTier(tier, weights[tier]) for tier in TIERS if tier in weights)
    return DraftSlot(name=name, count=count, odds=odds)


def odds_draft(
    *layouts: DraftLayout, price: int = 500, rate_basis_points: int = 8_000
) -> PackDraft:
    """An odds pack of VEIL."""
    return PackDraft(
        name="Veil",
        kind="odds",
        price=price,
        sell_back_rate_basis_points=rate_basis_points,
        sell_back_window_days=7,
        sets=("VEIL",),
        layouts=layouts,
    )


def config_of(draft: PackDraft) -> PackConfig:
    """What an odds draft composes to over VEIL."""
    return compose_odds(draft, slug="veil", number=1, facts=VEIL)


TIER_ODDS_PACK = odds_draft(
    DraftLayout("One card", (slot("Card", D=65, C=20, B=10, A=3, S=1, SS=1),))
)
"""Shape (a): one card by tier odds."""

GUARANTEED_HIT_PACK = odds_draft(
    DraftLayout(
        "Eight cards",
        (
            slot("Common", count=7, D=70, C=30),
            slot("Guaranteed hit", B=800, A=150, S=40, SS=9, SSS=1),
        ),
    )
)
"""Shape (b): seven commons and one card of B or better."""

RARE_LAYOUT_PACK = odds_draft(
    DraftLayout(
        "Regular",
        (
            slot("First", D=71_125, C=28_875),
            slot("Second", D=54_500, C=33_375, B=12_125),
            slot("Third", C=62_805, B=29_645, A=7_550),
            slot("Fourth", C=44_010, B=41_865, A=14_125),
            slot("Fifth", B=68_742, A=24_633, S=5_375, SS=1_125, SSS=125),
        ),
        weight=9_995,
    ),
    DraftLayout(
        "Rare",
        (
            slot("First", A=50_000, S=50_000),
            slot("Second", A=25_125, S=74_875),
            slot("Third", S=66_667, SS=33_333),
            slot("Fourth", S=40_004, SS=59_996),
            slot("Fifth", SS=80_808, SSS=19_192),
        ),
        weight=5,
    ),
)
"""Shape (c): layouts at 99.95 % and 0.05 %, five slots, rates to three decimals of a percent."""

FINITE_LOT = PackDraft(
    name="Veil, the last crate",
    kind="lot",
    price=900,
    sell_back_rate_basis_points=7_000,
    sell_back_window_days=3,
    lot=DraftLot(
        packs=20,
        cards_per_pack=2,
        prizes=(
            DraftPrize("VEIL-021"),
            DraftPrize("VEIL-016", count=3),
            DraftPrize("VEIL-012", count=12),
            DraftPrize("VEIL-001", count=24),
        ),
        last_one="VEIL-022",
    ),
)
"""Shape (d): twenty packs of two from a fixed prize list, with a last-one prize."""


def manifest_of(draft: PackDraft) -> tuple[LotItem, ...]:
    """A lot's items in the order of its prize list, the last-one prize behind them."""
    prizes, last_one = compose_lot_prizes(draft, facts=VEIL)
    listed = [(prize, False) for prize in prizes for _ in range(prize.count)]
    listed += [] if last_one is None else [(last_one, True)]
    return tuple(
        LotItem(
            position=position,
            card=prize.card,
            stock_item_id=StockItemId(UUID(int=1_000 + position)) if prize.physical else None,
            tier=prize.tier,
            value=prize.value,
            is_last_one=is_last_one,
            photo=sha256(b"photo %d" % position).hexdigest()
            if prize.physical and position % 2
            else None,
        )
        for position, (prize, is_last_one) in enumerate(listed)
    )


def lot_config_of(draft: PackDraft) -> PackConfig:
    """A lot's configuration, with the true root of its manifest and an invented commitment."""
    prizes, last_one = compose_lot_prizes(draft, facts=VEIL)
    assert draft.lot is not None
    root = merkle_root([manifest_leaf(item) for item in manifest_of(draft)])
    terms = LotTerms(
        packs=draft.lot.packs,
        cards_per_pack=draft.lot.cards_per_pack,
        prizes=prizes,
        last_one=last_one,
        manifest_root=root.hex(),
        commitment="5a" * 32,
    )
    return compose_lot(draft, slug="veil-lot", number=1, terms=terms)
