"""Odds in words: exact fractions as people read them, and as the tables of a pack's page need them.

A percentage that has an end is written to its end; any other is marked as rounded, and the exact
fraction stands beside it. Nothing here is a float.
"""

from collections.abc import Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

import msgspec

from packhouse.draws import (
    Chance,
    LotNow,
    LotPrizeCount,
    OddsNow,
    PackConfig,
    Slot,
    expected_count_by_tier,
)
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.money import format_minor
from packhouse.foundation.tiers import TIER_RANKS, Tier

EXACT_DECIMALS: Final = 6
ROUNDED_DIGITS: Final = 4
EXACT_LENGTH_MAX: Final = 24
"""A longer fraction is for machines, who find it in the JSON."""


class TierShare(msgspec.Struct, frozen=True):
    """How likely a tier is; ``share`` draws the bar, the words are exact.

    ``in_a_pack`` is the chance of at least one in the next pack, None where a pack is one draw.
    """

    tier: Tier
    share: Fraction
    percent: str
    one_in: str
    in_a_pack: str | None = None


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


class CardRow(msgspec.Struct, frozen=True):
    """A card now: ``copies`` left, of ``listed`` in a lot, and its chances.

    ``next_draw`` is a lot's; ``in_a_pack`` is the chance of at least one in the next pack, with its
    fraction where that is short enough to be read.
    """

    card: CardFace
    tier: Tier
    value: int
    copies: int | None
    listed: int | None
    next_draw: str | None
    in_a_pack: str
    exactly: str | None


class LastOne(msgspec.Struct, frozen=True):
    """A lot's last-one prize, and whether it is gone."""

    card: CardFace
    tier: Tier
    value: int
    is_gone: bool


class PackOddsNow(msgspec.Struct, frozen=True):
    """The next pack as of the feed's pull ``sequence``; cards best first."""

    sequence: int
    expected_value: str
    value_after_sell_back: str
    is_last_pack: bool
    tiers: tuple[TierShare, ...]
    cards: tuple[CardRow, ...]
    last_one: LastOne | None


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


def pack_odds_now(
    odds: OddsNow, faces: Mapping[CardId, CardFace], *, sequence: int, lot: LotNow | None
) -> PackOddsNow:
    """The odds of the next pack in words; of ``lot``, as what it promised and what is left."""
    prizes = () if lot is None else lot.prizes
    listed = {each.card_id: each.listed for each in prizes if not each.is_last_one}
    last_one = next((each for each in prizes if each.is_last_one), None)
    cards = sorted(odds.cards, key=lambda card: (-TIER_RANKS[card.tier], -card.value))
    return PackOddsNow(
        sequence=sequence,
        expected_value=minor_in_words(odds.expected_value),
        value_after_sell_back=minor_in_words(odds.value_after_sell_back),
        is_last_pack=odds.last_one,
        tiers=_tier_shares(odds),
        cards=tuple(
            CardRow(
                card=faces[card.card],
                tier=card.tier,
                value=card.value,
                copies=card.copies,
                listed=listed.get(card.card),
                next_draw=_next_draw(card.chance),
                in_a_pack=percent_of(card.chance.at_least_one),
                exactly=_exactly(card.chance.at_least_one),
            )
            for card in cards
        ),
        last_one=None if last_one is None else _last_one(last_one, faces),
    )


def minor_in_words(amount: Fraction) -> str:
    """A mean in credits, said to be rounded when it is."""
    nearest = format_minor(round(amount))
    return nearest if amount.denominator == 1 else f"about {nearest}"


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


def _tier_shares(odds: OddsNow) -> tuple[TierShare, ...]:
    """Every tier's share of the cards of a pack, best first; those gone from a lot are left out.

    For a pack of one card these are its odds. For a bigger one ``one_in`` says what a pack of an
    odds pack holds on average, and how the next draw of a lot stands.
    """
    total = sum((each.chance.expected_count for each in odds.tiers), Fraction(0))
    shares: list[TierShare] = []
    for each in reversed(odds.tiers):
        count = each.chance.expected_count
        if not count:
            continue
        share = count / total
        is_share = total == 1 or each.chance.next_draw is not None
        shares.append(
            TierShare(
                tier=each.tier,
                share=share,
                percent=percent_of(share),
                one_in=one_in_of(share) if is_share else count_a_pack(count),
                in_a_pack=None if total == 1 else percent_of(each.chance.at_least_one),
            )
        )
    return tuple(shares)


def _next_draw(chance: Chance) -> str | None:
    if chance.next_draw is None:
        return None
    return one_in_of(chance.next_draw) if chance.next_draw else "none left"


def _exactly(share: Fraction) -> str | None:
    words = f"{share.numerator:,} in {share.denominator:,}"
    return words if len(words) <= EXACT_LENGTH_MAX else None


def _last_one(prize: LotPrizeCount, faces: Mapping[CardId, CardFace]) -> LastOne:
    return LastOne(
        card=faces[prize.card_id],
        tier=prize.tier,
        value=prize.value,
        is_gone=prize.unpulled == 0,
    )
