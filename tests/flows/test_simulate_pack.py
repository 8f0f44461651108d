"""An operator looks ahead before publishing."""

from fractions import Fraction

import msgspec
import pytest

from packhouse import draws
from packhouse.draws import PackNotFound
from packhouse.flows.publish_pack import SavePackDraft, save_pack_draft
from packhouse.flows.simulate_pack import (
    SIMULATED_OPENINGS_MAX,
    PackSimulation,
    SimulatePack,
    simulate_pack,
    spread_of_payouts,
)
from packhouse.foundation.errors import InvalidInput
from packhouse.house import House
from worlds.ember_counter import (
    Person,
    lot_of,
    odds_of,
    publish,
    record_everything,
    stock_card,
)
from worlds.four_packs import (
    FINITE_LOT,
    GUARANTEED_HIT_PACK,
    TIER_ODDS_PACK,
    config_of,
    lot_config_of,
)


async def test_averages_are_exact_and_nothing_is_written(house: House, olga: Person) -> None:
    await stock_card(house, olga, "001", copies=9, value=10)
    await stock_card(house, olga, "002", copies=2, value=11)
    await stock_card(house, olga, "003", value=10)
    before = await record_everything(house)
    draft = odds_of("001", "002", "003", count=2, price=30)
    found = await simulate_pack(house, SimulatePack("new", draft, openings=50, seed="rain"))
    assert found.prospect.expected_value == Fraction(62, 3)
    assert found.prospect.margin == 30 - Fraction(62, 4)
    assert found.cards_by_tier == {"D": 2}
    assert found.cards_per_pack == 2
    assert await record_everything(house) == before


async def test_the_scarcest_card_says_how_far_the_stock_reaches(house: House, olga: Person) -> None:
    await stock_card(house, olga, "001", copies=9)
    await stock_card(house, olga, "002", copies=2)
    await stock_card(house, olga, "003")
    found = await simulate(house, odds_of("001", "002", "003", count=2))
    # Two cards of three equally likely ones: each copy lasts one pack and a half.
    assert [(c.code, c.copies, c.packs_covered, c.is_short) for c in found.stock.cards] == [
        ("EMB-002", 2, 3, False),
        ("EMB-001", 9, 13, False),
    ]
    assert (found.stock.packs_covered, found.stock.cards_short) == (3, 0)


async def test_copies_of_a_lot_or_in_the_house_are_no_stock_of_an_odds_pack(
    house: House, olga: Person
) -> None:
    await stock_card(house, olga, "001", copies=3)
    await stock_card(house, olga, "002", copies=3, place="house")
    await publish(house, olga, "crate", lot_of({"001": 3}, packs=3))
    found = await simulate(house, odds_of("001", "002"))
    assert [(c.code, c.copies, c.is_short) for c in found.stock.cards] == [
        ("EMB-001", 0, True),
        ("EMB-002", 0, True),
    ]
    assert (found.stock.packs_covered, found.stock.cards_short) == (0, 2)


async def test_a_lot_may_take_what_is_in_the_house_and_names_what_it_lacks(
    house: House, olga: Person
) -> None:
    await stock_card(house, olga, "001", copies=4)
    await stock_card(house, olga, "002", copies=2, place="house")
    draft = lot_of({"001": 4, "002": 2}, packs=6, last_one="002")
    found = await simulate(house, draft)
    assert [(c.code, c.copies, c.is_short) for c in found.stock.cards] == [
        ("EMB-002", 2, True),
        ("EMB-001", 4, False),
    ]


async def test_a_pack_of_digital_cards_never_runs_out(house: House, olga: Person) -> None:
    await stock_card(house, olga, "001")
    found = await simulate(house, odds_of("001"))
    assert (found.stock.packs_covered, found.stock.cards) == (None, ())


async def test_the_kept_draft_is_simulated_when_none_is_given(house: House, olga: Person) -> None:
    await stock_card(house, olga, "001", value=80)
    await save_pack_draft(house, SavePackDraft("kept", odds_of("001", price=300), olga.actor))
    found = await simulate_pack(house, SimulatePack("kept", None, openings=3))
    assert found.prospect.price == 300
    with pytest.raises(PackNotFound):
        await simulate_pack(house, SimulatePack("nowhere", None, openings=3))


async def test_a_simulation_is_bounded(house: House, olga: Person) -> None:
    await stock_card(house, olga, "001")
    for openings, seed in ((0, None), (SIMULATED_OPENINGS_MAX + 1, None), (1, "x" * 129)):
        with pytest.raises(InvalidInput):
            await simulate_pack(house, SimulatePack("new", odds_of("001"), openings, seed))


async def test_without_a_seed_there_is_a_fresh_one_that_repeats_the_sample(
    house: House, olga: Person
) -> None:
    for number in range(1, 9):
        await stock_card(house, olga, f"{number:03d}", value=number * number)
    draft = odds_of(*(f"{number:03d}" for number in range(1, 9)), count=3)
    first = await simulate_pack(house, SimulatePack("new", draft, openings=40))
    second = await simulate_pack(house, SimulatePack("new", draft, openings=40))
    assert first.spread.seed != second.spread.seed
    again = SimulatePack("new", draft, openings=40, seed=first.spread.seed)
    assert (await simulate_pack(house, again)).spread == first.spread


def test_the_sample_comes_near_the_exact_average() -> None:
    config = config_of(GUARANTEED_HIT_PACK)
    spread = spread_of_payouts(config, openings=4_000, seed="near")
    expected = draws.prospect_of(config).expected_value
    # Worth 914 on average; the standard error of so many openings is about 75.
    assert abs(spread.mean_value - expected) < 350
    assert spread.openings == 4_000


def test_percentiles_are_in_order_and_between_the_extremes() -> None:
    spread = spread_of_payouts(config_of(TIER_ODDS_PACK), openings=500, seed="order")
    payouts = [each.payout for each in spread.percentiles]
    assert payouts == sorted(payouts)
    assert spread.lowest_payout <= payouts[0]
    assert payouts[-1] <= spread.highest_payout
    assert [each.percent for each in spread.percentiles] == [1, 5, 10, 25, 50, 75, 90, 95, 99]


def test_a_pack_of_one_card_has_no_spread() -> None:
    config = config_of(TIER_ODDS_PACK)
    only = config.layouts[0].slots[0].odds[0]
    certain = msgspec.structs.replace(only, cards=only.cards[:1])
    layout = msgspec.structs.replace(
        config.layouts[0],
        slots=(msgspec.structs.replace(config.layouts[0].slots[0], odds=(certain,)),),
    )
    spread = spread_of_payouts(
        msgspec.structs.replace(config, layouts=(layout,), price=8), openings=7, seed="one"
    )
    value = certain.cards[0].value
    assert spread.mean_value == value
    assert (spread.lowest_payout, spread.highest_payout) == (8, 8)
    assert spread.packs_at_price == 7


def test_a_whole_lot_gives_out_exactly_what_its_list_promises() -> None:
    config = lot_config_of(FINITE_LOT)
    assert config.lot is not None
    spread = spread_of_payouts(config, openings=10_000, seed="whole")
    assert spread.openings == config.lot.packs
    assert spread.mean_value == draws.prospect_of(config).expected_value


async def simulate(house: House, draft: draws.PackDraft) -> PackSimulation:
    """A short look ahead."""
    return await simulate_pack(house, SimulatePack("new", draft, openings=5, seed="short"))
