"""Money in whole minor units: shares rounded down, amounts written for people."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.money import BASIS_POINTS, exact_share_of, format_minor, share_of

AMOUNTS = st.integers(0, 2**53 - 1)
RATES = st.integers(0, BASIS_POINTS)


@given(AMOUNTS, RATES)
def test_a_share_is_rounded_down_by_less_than_one_minor_unit(amount: int, rate: int) -> None:
    exact = Fraction(amount * rate, 10_000)
    share = share_of(amount, rate_basis_points=rate)
    assert 0 <= exact - share < 1


@given(AMOUNTS, AMOUNTS, RATES)
def test_shares_of_parts_never_pass_the_share_of_the_whole(one: int, other: int, rate: int) -> None:
    parts = share_of(one, rate_basis_points=rate) + share_of(other, rate_basis_points=rate)
    assert parts <= share_of(one + other, rate_basis_points=rate)


@given(AMOUNTS)
def test_a_full_share_is_everything_and_an_empty_one_nothing(amount: int) -> None:
    assert share_of(amount, rate_basis_points=BASIS_POINTS) == amount
    assert share_of(amount, rate_basis_points=0) == 0


def test_an_exact_share_keeps_the_fraction() -> None:
    assert exact_share_of(Fraction(1, 3), rate_basis_points=8_500) == Fraction(17, 60)


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0, "0.00"),
        (5, "0.05"),
        (100, "1.00"),
        (123_456, "1,234.56"),
        (100_000_000, "1,000,000.00"),
        (-1, "-0.01"),
        (-123_456, "-1,234.56"),
    ],
)
def test_an_amount_is_written_with_two_decimals_and_its_sign_first(
    amount: int, written: str
) -> None:
    assert format_minor(amount) == written


@given(st.integers(-(2**53), 2**53))
def test_a_written_amount_reads_back_exactly(amount: int) -> None:
    assert int(format_minor(amount).replace(",", "").replace(".", "")) == amount
