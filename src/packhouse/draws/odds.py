"""Odds: what a configuration promises, as exact fractions. Floats appear nowhere."""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Final

import msgspec

from packhouse.draws.model import Layout, PackConfig
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.money import exact_share_of
from packhouse.foundation.tiers import TIERS, Tier

CONFIGS_KEPT: Final = 64
"""A configuration never changes, and adding up its fractions takes a millisecond or more."""


class Prospect(msgspec.Struct, frozen=True):
    """What one pack is worth on average, exactly, in minor units.

    ``margin`` is what the shop keeps of the price when every card is sold back at once.
    """

    price: int
    expected_value: Fraction
    expected_sell_back: Fraction
    margin: Fraction

    @property
    def pays_back_more_than_it_costs(self) -> bool:
        """Whether selling everything back at once would return the price or more, on average."""
        return self.expected_sell_back >= self.price


class CardChance(msgspec.Struct, frozen=True):
    """How many copies of a card one pack holds on average."""

    card: CardId
    tier: Tier
    value: int
    physical: bool
    expected_count: Fraction


@lru_cache(CONFIGS_KEPT)
def list_card_chances(config: PackConfig) -> tuple[CardChance, ...]:
    """Every card that can be drawn, in the order of first mention, with its expected count.

    A lot's last-one prize is not drawn, so it is not counted here; ``prospect_of`` includes it.
    """
    chances: dict[CardId, CardChance] = {}
    for card, tier, value, physical, expected in _mentions(config):
        known = chances.get(card)
        before = Fraction(0) if known is None else known.expected_count
        chances[card] = CardChance(card, tier, value, physical, before + expected)
    return tuple(chances.values())


def expected_count_by_tier(config: PackConfig) -> Mapping[Tier, Fraction]:
    """How many cards of each tier one pack holds on average, weakest tier first."""
    counts: dict[Tier, Fraction] = {}
    for chance in list_card_chances(config):
        counts[chance.tier] = counts.get(chance.tier, Fraction(0)) + chance.expected_count
    return {tier: counts[tier] for tier in TIERS if tier in counts}


def cards_in_a_pack(config: PackConfig) -> int:
    """How many cards a pack holds; the most, where layouts differ."""
    if config.lot is not None:
        return config.lot.cards_per_pack
    return max(sum(slot.count for slot in layout.slots) for layout in config.layouts)


def prospect_of(config: PackConfig) -> Prospect:
    """Expected value, expected sell-back and margin of one pack.

    Sell-back is rounded down for each card when it is paid, so the true margin is never lower.
    """
    expected_value = sum(
        (chance.value * chance.expected_count for chance in list_card_chances(config)), Fraction(0)
    )
    if config.lot is not None and config.lot.last_one is not None:
        expected_value += Fraction(config.lot.last_one.value, config.lot.packs)
    sell_back = exact_share_of(expected_value, rate_basis_points=config.sell_back.rate_basis_points)
    return Prospect(
        price=config.price,
        expected_value=expected_value,
        expected_sell_back=sell_back,
        margin=config.price - sell_back,
    )


def _mentions(config: PackConfig) -> list[tuple[CardId, Tier, int, bool, Fraction]]:
    if config.lot is not None:
        return [
            (p.card, p.tier, p.value, p.physical, Fraction(p.count, config.lot.packs))
            for p in config.lot.prizes
        ]
    total = sum(layout.weight for layout in config.layouts)
    return [
        mention
        for layout in config.layouts
        for mention in _layout_mentions(layout, Fraction(layout.weight, total))
    ]


def _layout_mentions(
    layout: Layout, share: Fraction
) -> list[tuple[CardId, Tier, int, bool, Fraction]]:
    mentions: list[tuple[CardId, Tier, int, bool, Fraction]] = []
    for slot in layout.slots:
        tier_total = sum(tier.weight for tier in slot.odds)
        for tier in slot.odds:
            card_total = sum(card.weight for card in tier.cards)
            tier_share = share * slot.count * Fraction(tier.weight, tier_total)
            mentions.extend(
                (
                    card.card,
                    tier.tier,
                    card.value,
                    card.physical,
                    tier_share * Fraction(card.weight, card_total),
                )
                for card in tier.cards
            )
    return mentions
