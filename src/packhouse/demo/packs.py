"""The packs of the demo shop: one of each kind that Packhouse can sell, and a digital one beside.

Prices leave the shop a margin even when everybody sells everything back at once; a test says so.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from packhouse.demo.cards import list_demo_cards
from packhouse.draws import (
    DraftCard,
    DraftLayout,
    DraftLot,
    DraftPrize,
    DraftSlot,
    DraftTier,
    PackDraft,
)
from packhouse.foundation.tiers import TIERS, Tier

PHYSICAL_SET: Final = "LNT"
"""Every card of this set is physical; the other one has digital cards too."""

MIXED_SET: Final = "ORY"

HUNDRED_PERCENT: Final = 100_000
"""What the weights of a slot add up to where rates have three decimals of a percent."""

_LOT_PACKS: Final = 200
_LOT_COPIES: Final[Mapping[Tier, int]] = {"C": 9, "B": 2}
"""How many copies of each card of these tiers the lot holds; of a rarer card it holds one."""


class DemoPack(msgspec.Struct, frozen=True):
    """A pack to publish. ``slug`` also chooses its wrapper."""

    slug: str
    draft: PackDraft


def list_demo_packs() -> tuple[DemoPack, ...]:
    """Every pack in the order of the shelf; the first is an odds pack of physical cards."""
    return (
        DemoPack("first-light", _first_light()),
        DemoPack("harbour-eight", _harbour_eight()),
        DemoPack("hollow-sky", _hollow_sky()),
        DemoPack("last-lantern", _last_lantern()),
        DemoPack("glass-echo", _glass_echo()),
    )


def _first_light() -> PackDraft:
    return PackDraft(
        name="First Light",
        description=(
            "One card from The Lantern Tides, as the tide leaves it. Most mornings it is driftwood;"
            " one morning in a hundred it is a drowned moon."
        ),
        kind="odds",
        price=600,
        sell_back_rate_basis_points=8_500,
        sell_back_window_days=14,
        sets=(PHYSICAL_SET,),
        layouts=(
            DraftLayout(
                "Single", (_slot("Card", {"D": 65, "C": 20, "B": 10, "A": 3, "S": 1, "SS": 1}),)
            ),
        ),
    )


def _harbour_eight() -> PackDraft:
    return PackDraft(
        name="Harbour Eight",
        description=(
            "Seven commons of The Lantern Tides and one sure hit of tier B or better: a whole"
            " evening at the quay."
        ),
        kind="odds",
        price=1_900,
        sell_back_rate_basis_points=8_500,
        sell_back_window_days=14,
        sets=(PHYSICAL_SET,),
        layouts=(
            DraftLayout(
                "Eight",
                (
                    _slot("Common", {"D": 80, "C": 20}, count=7),
                    _slot("Hit", {"B": 86_000, "A": 11_000, "S": 2_490, "SS": 500, "SSS": 10}),
                ),
            ),
        ),
    )


def _hollow_sky() -> PackDraft:
    return PackDraft(
        name="The Hollow Sky",
        description=(
            "Five cards of The Hollow Orrery, brass and glass, physical and digital. One pack in"
            " two thousand opens when the planets stand in line."
        ),
        kind="odds",
        price=1_600,
        sell_back_rate_basis_points=8_000,
        sell_back_window_days=30,
        sets=(MIXED_SET,),
        layouts=(
            DraftLayout(
                "Regular",
                (
                    _slot("Dust", {"D": 78_500, "C": 21_500}),
                    _slot("Gear", {"D": 70_125, "C": 27_375, "B": 2_500}),
                    _slot("Lens", {"D": 58_640, "C": 35_110, "B": 5_500, "A": 750}),
                    _slot("Wheel", {"C": 74_250, "B": 22_125, "A": 3_250, "S": 375}),
                    _slot(
                        "Zenith",
                        {"C": 41_345, "B": 51_000, "A": 6_500, "S": 1_000, "SS": 150, "SSS": 5},
                    ),
                ),
                weight=9_995,
            ),
            DraftLayout(
                "Alignment",
                (
                    _slot("First planet", {"A": HUNDRED_PERCENT}),
                    _slot("Second planet", {"A": 81_250, "S": 18_750}),
                    _slot("Third planet", {"A": 60_500, "S": 37_375, "SS": 2_125}),
                    _slot("Fourth planet", {"S": 84_875, "SS": 15_125}),
                    _slot("Sun", {"S": 69_995, "SS": 28_755, "SSS": 1_250}),
                ),
                weight=5,
            ),
        ),
    )


def _last_lantern() -> PackDraft:
    return PackDraft(
        name="The Last Lantern",
        description=(
            "A lot of 200 packs with every prize listed, and each pack that is opened leaves fewer."
            " Whoever opens the last one also takes home the beam that crosses the world."
        ),
        kind="lot",
        price=1_500,
        sell_back_rate_basis_points=9_000,
        sell_back_window_days=7,
        lot=DraftLot(packs=_LOT_PACKS, prizes=_lot_prizes(), last_one="LNT-070"),
    )


def _lot_prizes() -> tuple[DraftPrize, ...]:
    """An SSS, an SS, two S, every A once, B and C by ``_LOT_COPIES``; a D fills what is left."""
    rare = ("LNT-072", "LNT-068", "LNT-064", "LNT-066")
    listed = [
        DraftPrize(f"{card.set_code}-{card.number}", _LOT_COPIES.get(card.tier, 1))
        for card in list_demo_cards()
        if card.set_code == PHYSICAL_SET and card.tier in {"C", "B", "A"}
    ]
    prizes = [*(DraftPrize(code) for code in rare), *listed]
    left = _LOT_PACKS - sum(prize.count for prize in prizes)
    return (*prizes, DraftPrize("LNT-016", left))


def _glass_echo() -> PackDraft:
    digital = {
        tier: tuple(
            DraftCard(f"{card.set_code}-{card.number}")
            for card in list_demo_cards()
            if card.kind == "digital" and card.tier == tier
        )
        for tier in TIERS
    }
    odds: Mapping[Tier, int] = {"D": 700, "C": 220, "B": 65, "A": 14, "S": 1}
    return PackDraft(
        name="Glass Echo",
        description=(
            "One digital card that no shelf can hold and no drawer can run out of. It cannot be"
            " shipped; it can be kept, shown and sold back."
        ),
        kind="odds",
        price=200,
        sell_back_rate_basis_points=8_000,
        sell_back_window_days=30,
        sets=(MIXED_SET,),
        layouts=(
            DraftLayout(
                "Single",
                (
                    DraftSlot(
                        "Card",
                        tuple(
                            DraftTier(tier, weight, digital[tier]) for tier, weight in odds.items()
                        ),
                    ),
                ),
            ),
        ),
    )


def _slot(name: str, weights: Mapping[Tier, int], *, count: int = 1) -> DraftSlot:
    """A slot whose tiers hold every card of the pack's sets."""
    odds = tuple(DraftTier(tier, weight) for tier, weight in weights.items())
    return DraftSlot(name, odds, count)
