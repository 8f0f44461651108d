"""200,000 draws of pack (c) against its exact odds, with a fixed seed, so that it cannot flake."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from fractions import Fraction
from statistics import NormalDist
from typing import TypeVar

import msgspec
import pytest

from packhouse.draws import PackConfig, Slot, canonical_config, compile_config, decide, hash_of
from packhouse.foundation.identifiers import CardId
from worlds.four_packs import RARE_LAYOUT_PACK, config_of

OPENINGS = 200_000
OPENINGS_OF_A_CHEAT = 40_000
SIGNIFICANCE = 1e-4

Choice = TypeVar("Choice")


class Observed(msgspec.Struct, frozen=True):
    """How often each layout came out, and, by layout and slot, each card."""

    layouts: Counter[str]
    cards: Mapping[tuple[str, str], Counter[CardId]]


class Fit(msgspec.Struct, frozen=True):
    """How far counts are from chances: chi-square (Pearson) and its degrees of freedom."""

    statistic: Fraction
    degrees: int

    @property
    def is_plausible(self) -> bool:
        return self.statistic < critical_value(self.degrees)


def observe(config: PackConfig, *, openings: int) -> Observed:
    compiled = compile_config(config, hash_of(canonical_config(config)))
    layouts: Counter[str] = Counter()
    cards: defaultdict[tuple[str, str], Counter[CardId]] = defaultdict(Counter)
    for nonce in range(openings):
        outcome = decide(
            compiled,
            server_seed=b"two hundred thousand packs".ljust(32, b"."),
            user_key=b"chi-squared key.",
            nonce=nonce,
            client_seed="a client seed",
        )
        layouts[outcome.layout] += 1
        for card in outcome.cards:
            cards[outcome.layout, card.slot][card.card] += 1
    return Observed(layouts, cards)


def fit_of(counts: Counter[Choice], chances: Mapping[Choice, Fraction]) -> Fit:
    assert set(counts) <= set(chances), "something came out that cannot"
    total = counts.total()
    assert min(chances.values()) * total >= 5, "too few draws for chi-square to mean anything"
    terms = [(counts[key] - total * p) ** 2 / (total * p) for key, p in chances.items()]
    return Fit(sum(terms, Fraction(0)), len(chances) - 1)


def fits_of(observed: Observed, config: PackConfig) -> list[Fit]:
    """The layouts' fit, and that of the cards in each slot of each layout, given the layout."""
    total = sum(layout.weight for layout in config.layouts)
    fits = [
        fit_of(
            observed.layouts,
            {layout.name: Fraction(layout.weight, total) for layout in config.layouts},
        )
    ]
    return fits + [
        fit_of(observed.cards[layout.name, slot.name], chances_of(slot))
        for layout in config.layouts
        for slot in layout.slots
    ]


def chances_of(slot: Slot) -> dict[CardId, Fraction]:
    """Each card's exact chance in one draw of the slot."""
    tier_total = sum(tier.weight for tier in slot.odds)
    return {
        card.card: Fraction(tier.weight, tier_total)
        * Fraction(card.weight, sum(listed.weight for listed in tier.cards))
        for tier in slot.odds
        for card in tier.cards
    }


def together(fits: list[Fit]) -> Fit:
    """Independent chi-squares add up, and so do their degrees of freedom."""
    statistic = sum((fit.statistic for fit in fits), Fraction(0))
    return Fit(statistic, sum(fit.degrees for fit in fits))


def critical_value(degrees: int, *, significance: float = SIGNIFICANCE) -> float:
    """Chi-square's upper quantile, by Wilson and Hilferty.

    E. B. Wilson and M. M. Hilferty, "The Distribution of Chi-Square", PNAS 17 (1931), 684–688:
    the cube root of chi-square over its k degrees of freedom is nearly normal, with mean
    1 - 2/(9k) and variance 2/(9k).
    """
    variance = 2 / (9 * degrees)
    z = NormalDist().inv_cdf(1 - significance)
    return float(degrees * (1 - variance + z * variance**0.5) ** 3)


@pytest.fixture(scope="module")
def pack() -> PackConfig:
    return config_of(RARE_LAYOUT_PACK)


@pytest.fixture(scope="module")
def observed(pack: PackConfig) -> Observed:
    return observe(pack, openings=OPENINGS)


def test_two_hundred_thousand_openings_match_the_published_odds(
    observed: Observed, pack: PackConfig
) -> None:
    assert observed.layouts.total() == OPENINGS
    assert together(fits_of(observed, pack)).is_plausible


def test_no_single_layout_or_slot_strays_from_its_odds(
    observed: Observed, pack: PackConfig
) -> None:
    assert all(fit.is_plausible for fit in fits_of(observed, pack))


def test_one_percent_moved_between_two_tiers_does_not_pass(
    observed: Observed, pack: PackConfig
) -> None:
    published = with_a_weight_moved(pack, by=1_000)
    assert not together(fits_of(observed, published)).is_plausible


def test_a_house_that_draws_by_other_weights_is_found_out(pack: PackConfig) -> None:
    cheat = with_a_weight_moved(pack, by=2_000)
    counts = observe(cheat, openings=OPENINGS_OF_A_CHEAT).cards["Regular", "Fifth"]
    assert fit_of(counts, chances_of(cheat.layouts[0].slots[4])).is_plausible
    assert not fit_of(counts, chances_of(pack.layouts[0].slots[4])).is_plausible


# Upper quantiles as any printed table of chi-square has them.
@pytest.mark.parametrize(
    ("degrees", "significance", "printed"),
    [(5, 0.05, 11.070), (10, 0.01, 23.209), (10, 0.001, 29.588), (100, 0.001, 149.449)],
)
def test_the_critical_value_is_that_of_the_printed_tables(
    degrees: int, significance: float, printed: float
) -> None:
    assert critical_value(degrees, significance=significance) == pytest.approx(printed, rel=0.01)


def with_a_weight_moved(config: PackConfig, *, by: int) -> PackConfig:
    """The regular layout's fifth slot with ``by`` of 100,000 moved from its A tier to its B."""
    regular, rare = config.layouts
    *others, fifth = regular.slots
    moved = {"B": by, "A": -by}
    odds = tuple(
        msgspec.structs.replace(tier, weight=tier.weight + moved.get(tier.tier, 0))
        for tier in fifth.odds
    )
    slots = (*others, msgspec.structs.replace(fifth, odds=odds))
    return msgspec.structs.replace(
        config, layouts=(msgspec.structs.replace(regular, slots=slots), rare)
    )
