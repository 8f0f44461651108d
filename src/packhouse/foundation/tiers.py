"""Tiers: how good a card is, weakest first. A shop may rename them; the order is what counts."""

from typing import Final, Literal, get_args

Tier = Literal["D", "C", "B", "A", "S", "SS", "SSS"]

TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
"""Weakest first."""

TIER_RANKS: Final[dict[Tier, int]] = {tier: rank for rank, tier in enumerate(TIERS)}


def is_at_least(tier: Tier, floor: Tier) -> bool:
    """Whether ``tier`` is ``floor`` or better."""
    return TIER_RANKS[tier] >= TIER_RANKS[floor]
