"""Odds at this moment: what the next pack holds, tier by tier and card by card, exactly.

An odds pack's chances never change while its version is on sale. A lot's change with every card
that leaves it: the next pack is a draw without replacement from what is left (hypergeometric).
Everything is a fraction in lowest terms; whoever shows it rounds.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import comb

import msgspec

from packhouse.draws.model import Layout, PackConfig
from packhouse.draws.odds import cards_in_a_pack, list_card_chances, prospect_of
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.money import share_of
from packhouse.foundation.tiers import TIERS, Tier


class Chance(msgspec.Struct, frozen=True):
    """How likely something is in the next pack.

    ``at_least_one`` is the chance that the pack holds one or more, ``expected_count`` how many it
    holds on average, and ``next_draw`` the chance of the very next draw, None for an odds pack,
    whose slots differ.
    """

    next_draw: Fraction | None
    at_least_one: Fraction
    expected_count: Fraction


class TierNow(msgspec.Struct, frozen=True):
    """One tier: what is left of it in a lot (None for an odds pack), and its chance."""

    tier: Tier
    copies: int | None
    chance: Chance


class CardNow(msgspec.Struct, frozen=True):
    """One card: what is left of it in a lot (None for an odds pack), and its chance."""

    card: CardId
    tier: Tier
    value: int
    copies: int | None
    chance: Chance


class OddsNow(msgspec.Struct, frozen=True):
    """What the next pack holds; amounts in minor units, exactly.

    ``value_after_sell_back`` is what selling all of it back at once pays on average: each card's
    share is rounded down by itself, as it is when it is paid. ``last_one`` says whether the next
    pack is a lot's last one, whose last-one prize is in both values but in no chance: it is handed
    out, not drawn.
    """

    cards_left: int | None
    packs_left: int | None
    last_one: bool
    tiers: tuple[TierNow, ...]
    cards: tuple[CardNow, ...]
    expected_value: Fraction
    value_after_sell_back: Fraction


class PrizeLeft(msgspec.Struct, frozen=True):
    """How many copies of a prize are still in a lot; ``value`` in minor units."""

    card: CardId
    tier: Tier
    value: int
    copies: int


def odds_pack_now(config: PackConfig) -> OddsNow:
    """The odds of every pack of an odds pack's version."""
    chances = list_card_chances(config)
    expected_by_tier: dict[Tier, Fraction] = {}
    for each in chances:
        before = expected_by_tier.get(each.tier, Fraction(0))
        expected_by_tier[each.tier] = before + each.expected_count
    total = sum(layout.weight for layout in config.layouts)
    tier_misses: dict[Tier, Fraction] = dict.fromkeys(expected_by_tier, Fraction(0))
    card_misses: dict[CardId, Fraction] = {each.card: Fraction(0) for each in chances}
    for layout in config.layouts:
        share = Fraction(layout.weight, total)
        by_tier, by_card = _misses_of(layout)
        for tier in tier_misses:
            tier_misses[tier] += share * by_tier.get(tier, 1)
        for card in card_misses:
            card_misses[card] += share * by_card.get(card, 1)
    rate = config.sell_back.rate_basis_points
    return OddsNow(
        cards_left=None,
        packs_left=None,
        last_one=False,
        tiers=tuple(
            TierNow(tier, None, Chance(None, 1 - tier_misses[tier], expected_by_tier[tier]))
            for tier in TIERS
            if tier in expected_by_tier
        ),
        cards=tuple(
            CardNow(
                card=each.card,
                tier=each.tier,
                value=each.value,
                copies=None,
                chance=Chance(None, 1 - card_misses[each.card], each.expected_count),
            )
            for each in chances
        ),
        expected_value=prospect_of(config).expected_value,
        value_after_sell_back=sum(
            (
                share_of(each.value, rate_basis_points=rate) * each.expected_count
                for each in chances
            ),
            Fraction(0),
        ),
    )


def lot_odds_now(
    config: PackConfig, prizes: Sequence[PrizeLeft], *, last_one: PrizeLeft | None
) -> OddsNow:
    """The odds of a lot's next pack, from what is left of its prizes.

    ``prizes`` are those that are drawn, also when none is left of them; ``last_one`` is the
    last-one prize while it is still to be handed out.
    """
    left = sum(prize.copies for prize in prizes)
    cards_per_pack = cards_in_a_pack(config)
    drawn = min(left, cards_per_pack)
    rate = config.sell_back.rate_basis_points
    copies_by_tier: dict[Tier, int] = {}
    for prize in prizes:
        copies_by_tier[prize.tier] = copies_by_tier.get(prize.tier, 0) + prize.copies
    is_last = last_one is not None and 0 < left <= cards_per_pack
    beside = last_one.value if last_one is not None and is_last else 0
    return OddsNow(
        cards_left=left,
        packs_left=left // cards_per_pack,
        last_one=is_last,
        tiers=tuple(
            TierNow(tier, copies_by_tier[tier], _chance(copies_by_tier[tier], left, drawn))
            for tier in TIERS
            if tier in copies_by_tier
        ),
        cards=tuple(
            CardNow(
                card=prize.card,
                tier=prize.tier,
                value=prize.value,
                copies=prize.copies,
                chance=_chance(prize.copies, left, drawn),
            )
            for prize in prizes
        ),
        expected_value=beside
        + _mean(((prize.value, prize.copies) for prize in prizes), left=left, drawn=drawn),
        value_after_sell_back=share_of(beside, rate_basis_points=rate)
        + _mean(
            ((share_of(prize.value, rate_basis_points=rate), prize.copies) for prize in prizes),
            left=left,
            drawn=drawn,
        ),
    )


def _misses_of(layout: Layout) -> tuple[Mapping[Tier, Fraction], Mapping[CardId, Fraction]]:
    """The chance that a pack of this layout holds none of a tier, and none of a card."""
    by_tier: dict[Tier, Fraction] = {}
    by_card: dict[CardId, Fraction] = {}
    for slot in layout.slots:
        tier_total = sum(tier.weight for tier in slot.odds)
        tier_shares: dict[Tier, Fraction] = {}
        card_shares: dict[CardId, Fraction] = {}
        for tier in slot.odds:
            share = Fraction(tier.weight, tier_total)
            tier_shares[tier.tier] = tier_shares.get(tier.tier, Fraction(0)) + share
            card_total = sum(card.weight for card in tier.cards)
            for card in tier.cards:
                before = card_shares.get(card.card, Fraction(0))
                card_shares[card.card] = before + share * Fraction(card.weight, card_total)
        for tier_name, share in tier_shares.items():
            by_tier[tier_name] = by_tier.get(tier_name, Fraction(1)) * (1 - share) ** slot.count
        for card_id, share in card_shares.items():
            by_card[card_id] = by_card.get(card_id, Fraction(1)) * (1 - share) ** slot.count
    return by_tier, by_card


def _chance(copies: int, left: int, drawn: int) -> Chance:
    """Of ``left`` cards ``copies`` are wanted and ``drawn`` are drawn, without replacement.

    None of them comes in C(left - copies, drawn) of the C(left, drawn) ways.
    """
    if left == 0:
        return Chance(Fraction(0), Fraction(0), Fraction(0))
    return Chance(
        next_draw=Fraction(copies, left),
        at_least_one=1 - Fraction(comb(left - copies, drawn), comb(left, drawn)),
        expected_count=Fraction(drawn * copies, left),
    )


def _mean(worth: Iterable[tuple[int, int]], *, left: int, drawn: int) -> Fraction:
    """What ``drawn`` cards are worth on average, from (worth, copies) of everything left."""
    if left == 0:
        return Fraction(0)
    return Fraction(drawn * sum(amount * copies for amount, copies in worth), left)
