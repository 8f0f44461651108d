"""Published odds against brute force: every way a small pack can come out, one by one."""

from collections import defaultdict
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given

from packhouse.draws import (
    DraftLayout,
    LotPrize,
    LotTerms,
    PackConfig,
    PackDraft,
    SellBack,
    cards_in_a_pack,
    expected_count_by_tier,
    list_card_chances,
    prospect_of,
)
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.money import share_of
from packhouse.foundation.tiers import TIERS
from worlds.four_packs import (
    FINITE_LOT,
    GUARANTEED_HIT_PACK,
    RARE_LAYOUT_PACK,
    TIER_ODDS_PACK,
    VEIL,
    config_of,
    lot_config_of,
    odds_draft,
    slot,
)
from worlds.small_packs import CARD_IDS, every_outcome, small_configs


@given(small_configs())
def test_expected_value_is_the_mean_over_every_outcome(config: PackConfig) -> None:
    outcomes = list(every_outcome(config))
    assert sum(chance for chance, _ in outcomes) == 1
    mean = sum(chance * sum(card.value for card in cards) for chance, cards in outcomes)
    assert prospect_of(config).expected_value == mean


@given(small_configs())
def test_each_cards_expected_count_is_its_mean_over_every_outcome(config: PackConfig) -> None:
    counted: defaultdict[CardId, Fraction] = defaultdict(Fraction)
    for chance, cards in every_outcome(config):
        for card in cards:
            counted[card.card] += chance
    chances = list_card_chances(config)
    assert {chance.card: chance.expected_count for chance in chances} == counted
    assert len(chances) == len(counted)


@given(small_configs())
def test_the_true_sell_back_never_passes_the_published_one(config: PackConfig) -> None:
    rate = config.sell_back.rate_basis_points
    paid = sum(
        chance * sum(share_of(card.value, rate_basis_points=rate) for card in cards)
        for chance, cards in every_outcome(config)
    )
    prospect = prospect_of(config)
    assert paid <= prospect.expected_sell_back
    assert prospect.margin == config.price - prospect.expected_sell_back
    assert prospect.expected_sell_back == prospect.expected_value * rate / 10_000


@given(small_configs())
def test_expected_counts_add_up_to_the_cards_in_an_average_pack(config: PackConfig) -> None:
    total = sum(layout.weight for layout in config.layouts)
    average = sum(
        Fraction(layout.weight, total) * sum(table.count for table in layout.slots)
        for layout in config.layouts
    )
    by_tier = expected_count_by_tier(config)
    assert sum(by_tier.values()) == average
    assert list(by_tier) == sorted(by_tier, key=TIERS.index)
    assert average <= cards_in_a_pack(config)


@pytest.mark.parametrize(
    ("draft", "cards"), [(TIER_ODDS_PACK, 1), (GUARANTEED_HIT_PACK, 8), (RARE_LAYOUT_PACK, 5)]
)
def test_a_pack_of_each_shape_says_how_many_cards_it_holds(draft: PackDraft, cards: int) -> None:
    config = config_of(draft)
    assert cards_in_a_pack(config) == cards
    assert sum(expected_count_by_tier(config).values()) == cards


def test_one_card_by_tier_odds_has_those_odds() -> None:
    percent = {
        tier: p * 100 for tier, p in expected_count_by_tier(config_of(TIER_ODDS_PACK)).items()
    }
    assert percent == {"D": 65, "C": 20, "B": 10, "A": 3, "S": 1, "SS": 1}


def test_seven_commons_and_a_hit_have_their_odds() -> None:
    counts = expected_count_by_tier(config_of(GUARANTEED_HIT_PACK))
    assert counts["D"] + counts["C"] == 7
    assert counts["B"] + counts["A"] + counts["S"] + counts["SS"] + counts["SSS"] == 1
    assert counts["SSS"] == Fraction(1, 1_000)


def test_a_rare_layout_weighs_as_its_rate_to_the_last_digit() -> None:
    counts = expected_count_by_tier(config_of(RARE_LAYOUT_PACK))
    regular, rare = Fraction(9_995, 10_000), Fraction(5, 10_000)
    assert counts["SSS"] == regular * Fraction(125, 100_000) + rare * Fraction(19_192, 100_000)
    assert counts["D"] == regular * Fraction(71_125 + 54_500, 100_000)


def test_a_lots_odds_are_its_prizes_over_its_packs() -> None:
    config = lot_config_of(FINITE_LOT)
    assert cards_in_a_pack(config) == 2
    assert expected_count_by_tier(config) == {
        "D": Fraction(24, 20),
        "B": Fraction(12, 20),
        "A": Fraction(3, 20),
        "SS": Fraction(1, 20),
    }


def test_a_lots_expected_value_is_everything_in_it_over_its_packs() -> None:
    config = lot_config_of(FINITE_LOT)
    assert config.lot is not None
    assert config.lot.last_one is not None
    total = sum(prize.value * prize.count for prize in config.lot.prizes)
    prospect = prospect_of(config)
    assert prospect.expected_value == Fraction(total + config.lot.last_one.value, 20)
    assert prospect.expected_sell_back == prospect.expected_value * Fraction(7, 10)


def test_a_lot_without_a_last_one_prize_is_worth_that_much_less() -> None:
    config = lot_config_of(FINITE_LOT)
    assert config.lot is not None
    without = msgspec.structs.replace(
        config, lot=msgspec.structs.replace(config.lot, last_one=None)
    )
    difference = prospect_of(config).expected_value - prospect_of(without).expected_value
    assert difference == Fraction(VEIL[-1].value, 20)


@pytest.mark.parametrize(("price", "pays_back"), [(799, True), (800, True), (801, False)])
def test_a_pack_pays_back_its_price_from_the_very_price_on(
    price: int,
    pays_back: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    prize = LotPrize(CARD_IDS[0], "D", value=1_000, physical=False, count=1)
    terms = LotTerms(1, 1, (prize,), None, manifest_root="", commitment="")
    config = msgspec.structs.replace(
        lot_config_of(FINITE_LOT), lot=terms, price=price, sell_back=SellBack(8_000, 60)
    )
    assert prospect_of(config).pays_back_more_than_it_costs is pays_back


def test_a_margin_is_exact_where_a_float_would_not_be() -> None:
    draft = odds_draft(DraftLayout("Thirds", (slot("Card", SS=1, SSS=2),)), rate_basis_points=3_333)
    prospect = prospect_of(config_of(draft))
    value = Fraction(VEIL[-2].value + 2 * VEIL[-1].value, 3)
    assert prospect.margin == 500 - value * 3_333 / 10_000


def test_layouts_of_different_sizes_count_as_the_largest() -> None:
    draft = odds_draft(
        DraftLayout("Small", (slot("Card", D=1),)),
        DraftLayout("Large", (slot("Card", count=3, D=1), slot("Extra", C=1))),
    )
    assert cards_in_a_pack(config_of(draft)) == 4
