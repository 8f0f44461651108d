"""The drift monitor: honest draws pass, shifted ones do not, and the p-values are the true ones."""

import itertools
import math
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.draws import (
    PackConfig,
    PackDraft,
    TierCell,
    alarm_threshold,
    canonical_config,
    compile_config,
    decide,
    hash_of,
    measure_drift,
)
from packhouse.draws.drift import (
    EXPECTED_MIN,
    Cell,
    Table,
    chi_square_of,
    chi_square_tail,
    exact_p_value,
    p_value_of,
)
from packhouse.foundation.tiers import Tier
from worlds.four_packs import (
    FINITE_LOT,
    GUARANTEED_HIT_PACK,
    RARE_LAYOUT_PACK,
    TIER_ODDS_PACK,
    config_of,
    lot_config_of,
)

CARDS = 50_000
LOT = lot_config_of(FINITE_LOT)


def counts_of(
    config: PackConfig, openings: int, *, server_seed: bytes = b"honest".ljust(32, b".")
) -> Mapping[TierCell, int]:
    """What the relay would have counted of honest openings."""
    config_hash = hash_of(canonical_config(config))
    compiled = compile_config(config, config_hash)
    counts: Counter[TierCell] = Counter()
    for nonce in range(openings):
        outcome = decide(
            compiled,
            server_seed=server_seed,
            user_key=b"drift, a monitor",
            nonce=nonce,
            client_seed="a client seed",
        )
        counts.update(
            TierCell(config_hash, outcome.layout, card.slot, card.tier) for card in outcome.cards
        )
    return counts


def lot_counts(**tiers: int) -> dict[TierCell, int]:
    """What came out of the lot of four tiers: D 24, B 12, A 3, SS 1."""
    known: dict[str, Tier] = {"D": "D", "B": "B", "A": "A", "SS": "SS", "SSS": "SSS"}
    return {TierCell(b"", "", "", known[name]): count for name, count in tiers.items()}


def table_of(*lines: tuple[int, int], is_finite: bool = False) -> Table:
    """Lines of (count, weight)."""
    cells = (Cell(str(i), count, weight) for i, (count, weight) in enumerate(lines))
    return Table(tuple(cells), is_finite=is_finite)


@pytest.mark.parametrize(
    ("draft", "openings"), [(TIER_ODDS_PACK, 50_000), (GUARANTEED_HIT_PACK, 6_250)]
)
def test_fifty_thousand_honest_cards_alarm_nobody(draft: PackDraft, openings: int) -> None:
    config = config_of(draft)
    drift = measure_drift(config, counts_of(config, openings))
    assert drift.cards == CARDS
    assert drift.p_value is not None
    assert drift.p_value > 0.01


def test_honest_packs_of_a_rare_layout_alarm_nobody() -> None:
    config = config_of(RARE_LAYOUT_PACK)
    drift = measure_drift(config, counts_of(config, 5_000))
    assert drift.p_value is not None
    assert drift.p_value > 0.01


def test_a_tenth_more_of_the_worst_tier_is_found_out() -> None:
    config = config_of(TIER_ODDS_PACK)
    (layout,) = config.layouts
    (slot,) = layout.slots
    worst, *others = slot.odds
    # 65 in 100 become 71.5; the other tiers share what is left as they did before.
    planted = {worst.tier: CARDS * 715 // 1_000}
    left = CARDS - planted[worst.tier]
    for tier in others:
        planted[tier.tier] = left * tier.weight // 35
    counts = {TierCell(b"", layout.name, slot.name, tier): n for tier, n in planted.items()}
    p_value = measure_drift(config, counts).p_value
    assert p_value is not None
    assert p_value < 1e-6


def test_a_rare_layout_that_comes_too_often_is_found_out() -> None:
    config = config_of(RARE_LAYOUT_PACK)
    honest = counts_of(config, 2_000)
    regular = {cell: count for cell, count in honest.items() if cell.layout == "Regular"}
    rare = {
        TierCell(b"", "Rare", slot.name, slot.odds[0].tier): 20 for slot in config.layouts[1].slots
    }
    p_value = measure_drift(config, regular | rare).p_value
    assert p_value is not None
    assert p_value < alarm_threshold(100)


def test_a_card_that_the_odds_do_not_have_is_impossible() -> None:
    config = config_of(TIER_ODDS_PACK)
    counts = {**counts_of(config, 100), TierCell(b"", "One card", "Card", "SSS"): 1}
    assert measure_drift(config, counts).p_value == 0


def test_nothing_drawn_says_nothing() -> None:
    drift = measure_drift(LOT, {})
    assert (drift.cards, drift.p_value) == (0, None)
    assert [tally.cards for tally in drift.tiers] == [0, 0, 0, 0]


def test_tallies_add_up_to_what_came() -> None:
    config = config_of(GUARANTEED_HIT_PACK)
    drift = measure_drift(config, counts_of(config, 100))
    assert sum(tally.cards for tally in drift.tiers) == drift.cards == 800
    assert sum(tally.expected for tally in drift.tiers) == 800


def test_a_lot_that_is_sold_out_holds_what_it_promised() -> None:
    assert measure_drift(LOT, lot_counts(D=24, B=12, A=3, SS=1)).p_value == 1


@pytest.mark.parametrize("tiers", [{"D": 25}, {"SS": 2}, {"D": 3, "SSS": 1}])
def test_more_than_a_lot_listed_is_impossible(tiers: dict[str, int]) -> None:
    assert measure_drift(LOT, lot_counts(**tiers)).p_value == 0


def test_a_lot_whose_best_prizes_stay_to_the_end_is_measured_from_that_end() -> None:
    # The last four of forty are the three A cards and the SS: one way of C(40, 4) = 91,390.
    p_value = measure_drift(LOT, lot_counts(D=24, B=12)).p_value
    assert p_value == pytest.approx(1 / 91_390)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6)), min_size=2, max_size=4))
def test_the_exact_test_counts_every_outcome_that_is_no_likelier(
    lines: list[tuple[int, int]],
) -> None:
    table = table_of(*lines)
    total = table.weight
    counts = [count for count, _ in lines]
    if sum(counts) > 6:
        counts = [min(count, 1) for count in counts]
        table = table_of(*zip(counts, (weight for _, weight in lines), strict=True))

    def likelihood(outcome: tuple[int, ...]) -> Fraction:
        ways = math.factorial(sum(outcome))
        for count in outcome:
            ways //= math.factorial(count)
        chance = Fraction(ways)
        for cell, count in zip(table.cells, outcome, strict=True):
            chance *= Fraction(cell.weight, total) ** count
        return chance

    came = likelihood(tuple(counts))
    outcomes = itertools.product(range(sum(counts) + 1), repeat=len(counts))
    true = sum(
        each
        for outcome in outcomes
        if sum(outcome) == sum(counts) and (each := likelihood(outcome)) <= came
    )
    assert exact_p_value(table) == pytest.approx(float(true))


@given(st.lists(st.integers(1, 4), min_size=2, max_size=3), st.data())
def test_a_lots_exact_test_counts_every_way_of_drawing(
    weights: list[int], data: st.DataObject
) -> None:
    counts = [data.draw(st.integers(0, weight)) for weight in weights]
    items = [line for line, weight in enumerate(weights) for _ in range(weight)]
    draws = Counter(
        tuple(sorted(items[index] for index in drawn))
        for drawn in itertools.combinations(range(len(items)), sum(counts))
    )
    came = draws[tuple(line for line, count in enumerate(counts) for _ in range(count))]
    true = Fraction(sum(ways for ways in draws.values() if ways <= came), draws.total())
    table = table_of(*zip(counts, weights, strict=True), is_finite=True)
    assert exact_p_value(table) == pytest.approx(float(true))


def test_a_rare_line_of_many_cards_is_tested_by_the_binomial() -> None:
    # Ten of one in 10,000 among 10,000: Poisson's tail with mean 1 is 1.11e-7.
    assert p_value_of([table_of((9_990, 9_999), (10, 1))]) == pytest.approx(1.11e-7, rel=0.01)


# Upper quantiles as any printed table of chi-square has them.
@pytest.mark.parametrize(
    ("statistic", "degrees", "tail"),
    [
        (3.841, 1, 0.05),
        (5.991, 2, 0.05),
        (7.815, 3, 0.05),
        (23.209, 10, 0.01),
        (149.449, 100, 0.001),
    ],
)
def test_the_tail_is_that_of_the_printed_tables(
    statistic: float, degrees: int, tail: float
) -> None:
    assert chi_square_tail(statistic, degrees=degrees) == pytest.approx(tail, rel=1e-3)


def test_the_tail_of_an_enormous_statistic_is_zero_and_no_error() -> None:
    assert chi_square_tail(1e9, degrees=7) == chi_square_tail(1e9, degrees=8) == 0


def test_a_lot_seen_from_either_end_differs_as_much() -> None:
    table = table_of((30, 100), (55, 200), (15, 100), is_finite=True)
    other = table_of((70, 100), (145, 200), (85, 100), is_finite=True)
    assert chi_square_of(table) == chi_square_of(other)


def test_p_values_of_honest_shops_are_spread_evenly() -> None:
    random = Random(20)  # noqa: S311 - a fixed run, no secret
    weights = [65, 20, 10, 5]
    below = 0
    for _ in range(400):
        came = Counter(random.choices(range(4), weights, k=200))
        lines = [(came[line], weight) for line, weight in enumerate(weights)]
        below += p_value_of([table_of(*lines)]) < 0.1
    # 40 of 400 are expected, with a standard deviation of 6.
    assert 22 <= below <= 58


def test_small_and_large_tables_share_one_threshold() -> None:
    large = table_of((500, 1), (500, 1))
    small = table_of((0, 1), (EXPECTED_MIN, 1))
    alone = p_value_of([small])
    assert p_value_of([small, large]) == pytest.approx(min(1.0, 2 * alone))


def test_many_versions_share_one_alarm() -> None:
    assert alarm_threshold(0) == alarm_threshold(1) == 0.001
    assert alarm_threshold(50) == pytest.approx(0.00002)
