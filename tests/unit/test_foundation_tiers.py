"""The order of tiers."""

import itertools

from packhouse.foundation.tiers import TIER_RANKS, TIERS, is_at_least


def test_tiers_stand_weakest_first() -> None:
    assert TIERS == ("D", "C", "B", "A", "S", "SS", "SSS")


def test_a_better_tier_has_a_higher_rank() -> None:
    assert [TIER_RANKS[tier] for tier in TIERS] == list(range(7))


def test_a_tier_is_at_least_itself_and_every_weaker_one() -> None:
    for weaker, better in itertools.combinations(TIERS, 2):
        assert is_at_least(better, weaker)
        assert not is_at_least(weaker, better)
    assert all(is_at_least(tier, tier) for tier in TIERS)
