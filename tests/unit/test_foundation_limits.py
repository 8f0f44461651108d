"""Limits that lean on each other across rooms."""

from packhouse.foundation import limits
from packhouse.foundation.tiers import TIERS

EXACT_IN_JSON = 2**53 - 1
"""The largest whole number up to which an IEEE double, and so RFC 8785, keeps each one apart."""


def test_every_amount_that_is_hashed_or_shown_is_exact_in_json() -> None:
    assert limits.BALANCE_MAX_MINOR == EXACT_IN_JSON
    assert limits.CARD_VALUE_MAX_MINOR <= EXACT_IN_JSON
    assert limits.PACK_PRICE_MAX_MINOR <= EXACT_IN_JSON
    assert limits.ODDS_WEIGHT_MAX <= EXACT_IN_JSON
    assert limits.ODDS_WEIGHTS_SUM_MAX == EXACT_IN_JSON


def test_the_tickets_of_a_slot_fit_a_draws_word() -> None:
    assert len(TIERS) * limits.ODDS_WEIGHT_MAX <= 2**63


def test_a_tier_of_a_million_cards_fits_a_draws_word() -> None:
    assert 1_000_000 * limits.ODDS_WEIGHT_MAX <= 2**63


def test_everything_one_request_opens_can_be_sold_in_one_and_shipped_in_one() -> None:
    opened = limits.PACKS_PER_OPENING_MAX * limits.CARDS_PER_PACK_MAX
    assert opened <= limits.CARDS_PER_SALE_MAX
    assert opened <= limits.CARDS_PER_PARCEL_MAX


def test_a_rate_may_be_given_to_three_decimals_of_a_percent() -> None:
    assert limits.ODDS_WEIGHT_MAX >= 100_000


def test_the_dearest_opening_can_be_paid_from_one_wallet() -> None:
    dearest = limits.PACKS_PER_OPENING_MAX * limits.PACK_PRICE_MAX_MINOR
    assert dearest <= limits.BALANCE_MAX_MINOR


def test_the_smallest_top_up_is_below_the_largest() -> None:
    assert 0 < limits.TOP_UP_MIN_MINOR <= limits.TOP_UP_MAX_MINOR
