"""The odds of the next pack against brute force: every way in which it can come out."""

import itertools
from collections.abc import Sequence
from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from packhouse.draws import (
    LotPrize,
    LotTerms,
    OddsNow,
    PackConfig,
    PrizeLeft,
    SellBack,
    lot_odds_now,
    odds_pack_now,
    prospect_of,
)
from packhouse.foundation.money import share_of
from packhouse.foundation.tiers import TIERS
from worlds.four_packs import FINITE_LOT, GUARANTEED_HIT_PACK, config_of, lot_config_of
from worlds.small_packs import CARD_IDS, every_outcome, small_configs


@st.composite
def lots_in_part(draw: st.DrawFn) -> tuple[PackConfig, list[PrizeLeft]]:
    """A lot of few cards, of which some are gone."""
    cards_per_pack = draw(st.integers(1, 3))
    copies = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    prizes = [
        PrizeLeft(CARD_IDS[i], TIERS[i // 2], draw(st.integers(0, 999)), count)
        for i, count in enumerate(copies)
    ]
    # What is left is a whole number of packs.
    odd = sum(copies) % cards_per_pack
    if odd:
        spare = PrizeLeft(CARD_IDS[-1], "S", draw(st.integers(0, 999)), cards_per_pack - odd)
        prizes.append(spare)
    return lot_of(prizes, cards_per_pack, draw(st.integers(0, 10_000))), prizes


def lot_of(prizes: Sequence[PrizeLeft], cards_per_pack: int, rate: int) -> PackConfig:
    """A lot's configuration with these prizes listed."""
    listed = tuple(
        LotPrize(prize.card, prize.tier, prize.value, physical=False, count=prize.copies)
        for prize in prizes
    )
    packs = sum(prize.copies for prize in prizes) // cards_per_pack
    return msgspec.structs.replace(
        lot_config_of(FINITE_LOT),
        lot=LotTerms(packs, cards_per_pack, listed, None, manifest_root="", commitment=""),
        sell_back=SellBack(rate, window_seconds=60),
    )


def packs_of(config: PackConfig, prizes: Sequence[PrizeLeft]) -> list[tuple[PrizeLeft, ...]]:
    """Every pack that can be drawn, in every order; all of them are equally likely."""
    assert config.lot is not None
    copies = [prize for prize in prizes for _ in range(prize.copies)]
    return list(itertools.permutations(copies, min(len(copies), config.lot.cards_per_pack)))


@given(lots_in_part())
def test_a_lots_chances_are_those_of_every_pack_that_is_left(
    lot: tuple[PackConfig, list[PrizeLeft]],
) -> None:
    config, prizes = lot
    now = lot_odds_now(config, prizes, last_one=None)
    packs = packs_of(config, prizes)
    for card in now.cards:
        counts = [sum(prize.card == card.card for prize in pack) for pack in packs]
        firsts = sum(pack[0].card == card.card for pack in packs if pack)
        assert card.chance.at_least_one == Fraction(sum(map(bool, counts)), len(packs))
        assert card.chance.expected_count == Fraction(sum(counts), len(packs))
        assert card.chance.next_draw == Fraction(firsts, len(packs))
    for tier in now.tiers:
        counts = [sum(prize.tier == tier.tier for prize in pack) for pack in packs]
        assert tier.chance.at_least_one == Fraction(sum(map(bool, counts)), len(packs))
        assert tier.chance.expected_count == Fraction(sum(counts), len(packs))


@given(lots_in_part())
def test_a_lots_values_are_means_over_every_pack_that_is_left(
    lot: tuple[PackConfig, list[PrizeLeft]],
) -> None:
    config, prizes = lot
    now = lot_odds_now(config, prizes, last_one=None)
    packs = packs_of(config, prizes)
    rate = config.sell_back.rate_basis_points
    worth = sum(prize.value for pack in packs for prize in pack)
    paid = sum(share_of(prize.value, rate_basis_points=rate) for pack in packs for prize in pack)
    assert now.expected_value == Fraction(worth, len(packs))
    assert now.value_after_sell_back == Fraction(paid, len(packs))


def test_the_last_one_prize_is_in_the_value_of_the_last_pack_alone() -> None:
    prize = PrizeLeft(CARD_IDS[0], "D", value=10, copies=4)
    beside = PrizeLeft(CARD_IDS[1], "SS", value=1_001, copies=1)
    config = lot_of([prize], cards_per_pack=2, rate=5_000)

    def with_left(copies: int) -> OddsNow:
        left = msgspec.structs.replace(prize, copies=copies)
        return lot_odds_now(config, [left], last_one=beside)

    assert with_left(4).expected_value == 20
    assert with_left(2).expected_value == 1_001 + 20
    assert [with_left(copies).last_one for copies in (4, 2)] == [False, True]
    assert with_left(2).value_after_sell_back == 500 + 2 * 5
    assert [tier.tier for tier in with_left(2).tiers] == ["D"]


def test_nothing_left_is_worth_nothing() -> None:
    prize = PrizeLeft(CARD_IDS[0], "D", value=10, copies=0)
    now = lot_odds_now(lot_of([prize], 2, 5_000), [prize], last_one=None)
    assert (now.cards_left, now.packs_left, now.last_one) == (0, 0, False)
    assert now.expected_value == now.value_after_sell_back == 0
    assert now.cards[0].chance.at_least_one == 0


@given(small_configs())
def test_an_odds_packs_chances_are_those_of_every_outcome(config: PackConfig) -> None:
    now = odds_pack_now(config)
    outcomes = list(every_outcome(config))
    for card in now.cards:
        assert card.chance.at_least_one == sum(
            chance for chance, cards in outcomes if any(one.card == card.card for one in cards)
        )
    tier_of = {card.card: card.tier for card in now.cards}
    for tier in now.tiers:
        counts = [
            (chance, sum(tier_of[one.card] == tier.tier for one in cards))
            for chance, cards in outcomes
        ]
        assert tier.chance.at_least_one == sum(chance for chance, count in counts if count)
        assert tier.chance.expected_count == sum(chance * count for chance, count in counts)


@given(small_configs())
def test_an_odds_packs_value_after_sell_back_is_rounded_card_by_card(config: PackConfig) -> None:
    now = odds_pack_now(config)
    rate = config.sell_back.rate_basis_points
    assert now.expected_value == prospect_of(config).expected_value
    assert now.value_after_sell_back == sum(
        chance * sum(share_of(card.value, rate_basis_points=rate) for card in cards)
        for chance, cards in every_outcome(config)
    )


def test_a_pack_with_a_guaranteed_hit_always_holds_one_of_its_tiers() -> None:
    now = odds_pack_now(config_of(GUARANTEED_HIT_PACK))
    chances = {tier.tier: tier.chance.at_least_one for tier in now.tiers}
    assert chances["D"] == 1 - Fraction(30, 100) ** 7
    assert chances["SSS"] == Fraction(1, 1_000)
    hits = (chances[tier] for tier in TIERS if tier in ("B", "A", "S", "SS", "SSS"))
    assert sum(hits, Fraction(0)) == 1
