"""Odds in words: exact fractions as people read them, and as the tables of a pack's page need them.

A percentage that has an end is written to its end; any other is marked as rounded, and the exact
fraction stands beside it. Nothing here is a float.
"""

import math
from collections.abc import Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

import msgspec

from packhouse.draws import LotPrizeCount, PackConfig, Slot, expected_count_by_tier
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.tiers import TIER_RANKS, TIERS, Tier

EXACT_DECIMALS: Final = 6
ROUNDED_DIGITS: Final = 4


class TierShare(msgspec.Struct, frozen=True):
    """How likely a tier is; ``share`` draws the bar, the words are exact."""

    tier: Tier
    share: Fraction
    percent: str
    one_in: str


class CardShare(msgspec.Struct, frozen=True):
    """How likely a card is in one draw of a slot."""

    card: CardFace
    tier: Tier
    value: int
    percent: str
    one_in: str


class SlotOdds(msgspec.Struct, frozen=True):
    """``count`` cards drawn by one table: its tiers and its cards, best first."""

    name: str
    count: int
    tiers: tuple[TierShare, ...]
    cards: tuple[CardShare, ...]


class LayoutOdds(msgspec.Struct, frozen=True):
    """One way in which a pack can be made up, and how likely it is."""

    name: str
    percent: str
    one_in: str
    slots: tuple[SlotOdds, ...]


class PrizeRow(msgspec.Struct, frozen=True):
    """A prize of a lot: how many there were, how many are left, and the next draw's chance."""

    card: CardFace
    tier: Tier
    value: int
    listed: int
    remaining: int
    percent: str
    one_in: str


class LotOdds(msgspec.Struct, frozen=True):
    """What is left of a lot's manifest, as of now."""

    tiers: tuple[TierShare, ...]
    prizes: tuple[PrizeRow, ...]
    last_one: PrizeRow | None


def percent_of(share: Fraction) -> str:
    """``1/2000`` as ``0.05 %``; ``1/3`` as ``≈ 33.33 %``."""
    percent = share * 100
    if (10**EXACT_DECIMALS * percent).denominator == 1:
        digits = f"{Decimal(percent.numerator) / Decimal(percent.denominator):f}"
        return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits} %"
    rounded = Context(prec=ROUNDED_DIGITS).divide(
        Decimal(percent.numerator), Decimal(percent.denominator)
    )
    return f"≈ {rounded:f} %"


def one_in_of(share: Fraction) -> str:
    """The exact fraction: ``1 in 2,000`` or ``13 in 20``."""
    if share == 1:
        return "always"
    return f"{share.numerator:,} in {share.denominator:,}"


def about_one_in(expected_count: Fraction) -> str:
    """How many packs it takes on average; said to be rounded when it is."""
    packs = 1 / expected_count
    if packs.denominator == 1:
        return f"1 in {packs.numerator:,}"
    return f"about 1 in {max(1, round(packs)):,}"


def count_a_pack(expected_count: Fraction) -> str:
    """How many a pack holds on average, in words that fit how many those are."""
    if expected_count < Fraction(1, 2):
        return f"{about_one_in(expected_count)} packs"
    if expected_count.denominator == 1:
        return f"{expected_count.numerator} a pack"
    return (
        f"about {Context(prec=3).divide(*map(Decimal, expected_count.as_integer_ratio())):f} a pack"
    )


def glance_of(config: PackConfig) -> tuple[tuple[TierShare, ...], int]:
    """Every tier's share of the cards of a pack, best first, and how many cards that is.

    For a pack of one card these are its odds; otherwise ``one_in`` says what a pack holds on
    average.
    """
    counts = expected_count_by_tier(config)
    total = sum(counts.values(), Fraction(0))
    shares = [
        TierShare(
            tier=tier,
            share=count / total,
            percent=percent_of(count / total),
            one_in=one_in_of(count) if total == 1 else count_a_pack(count),
        )
        for tier, count in reversed(list(counts.items()))
    ]
    return tuple(shares), math.ceil(total)


def best_tier_of(config: PackConfig) -> tuple[Tier, Fraction]:
    """The best tier a pack can hold, and how many cards of it one pack has on average."""
    counts = expected_count_by_tier(config)
    best = max(counts, key=TIER_RANKS.__getitem__)
    return best, counts[best]


def layouts_of(config: PackConfig, faces: Mapping[CardId, CardFace]) -> tuple[LayoutOdds, ...]:
    """An odds pack's exact odds, layout by layout and slot by slot."""
    total = sum(layout.weight for layout in config.layouts)
    return tuple(
        LayoutOdds(
            name=layout.name,
            percent=percent_of(Fraction(layout.weight, total)),
            one_in=one_in_of(Fraction(layout.weight, total)),
            slots=tuple(_slot_odds(slot, faces) for slot in layout.slots),
        )
        for layout in config.layouts
    )


def lot_odds_of(counts: list[LotPrizeCount], faces: Mapping[CardId, CardFace]) -> LotOdds:
    """A lot's prizes with what is left of them; the last-one prize is not drawn."""
    drawable = [count for count in counts if not count.is_last_one]
    left = sum(count.remaining for count in drawable)
    by_tier: dict[Tier, int] = dict.fromkeys(reversed(TIERS), 0)
    for count in drawable:
        by_tier[count.tier] += count.remaining
    prizes = sorted(drawable, key=lambda count: (-TIER_RANKS[count.tier], -count.value))
    last_one = [count for count in counts if count.is_last_one]
    return LotOdds(
        tiers=tuple(
            _tier_share(tier, Fraction(count, left)) for tier, count in by_tier.items() if count
        ),
        prizes=tuple(_prize_row(count, faces, left=left) for count in prizes),
        last_one=_prize_row(last_one[0], faces, left=0) if last_one else None,
    )


def _slot_odds(slot: Slot, faces: Mapping[CardId, CardFace]) -> SlotOdds:
    total = sum(tier.weight for tier in slot.odds)
    shares: list[tuple[TierShare, list[CardShare]]] = []
    for tier in slot.odds:
        share = Fraction(tier.weight, total)
        tier_total = sum(card.weight for card in tier.cards)
        cards = [
            _card_share(faces[card.card], tier.tier, card.value, share * card.weight / tier_total)
            for card in sorted(tier.cards, key=lambda card: -card.value)
            if card.card in faces
        ]
        shares.append((_tier_share(tier.tier, share), cards))
    shares.sort(key=lambda pair: -TIER_RANKS[pair[0].tier])
    return SlotOdds(
        name=slot.name,
        count=slot.count,
        tiers=tuple(tier for tier, _ in shares),
        cards=tuple(card for _, cards in shares for card in cards),
    )


def _tier_share(tier: Tier, share: Fraction) -> TierShare:
    return TierShare(tier=tier, share=share, percent=percent_of(share), one_in=one_in_of(share))


def _card_share(card: CardFace, tier: Tier, value: int, share: Fraction) -> CardShare:
    return CardShare(
        card=card, tier=tier, value=value, percent=percent_of(share), one_in=one_in_of(share)
    )


def _prize_row(count: LotPrizeCount, faces: Mapping[CardId, CardFace], *, left: int) -> PrizeRow:
    share = Fraction(count.remaining, left) if left else Fraction(0)
    return PrizeRow(
        card=faces[count.card_id],
        tier=count.tier,
        value=count.value,
        listed=count.listed,
        remaining=count.remaining,
        percent=percent_of(share),
        one_in=one_in_of(share) if share else "none left",
    )
