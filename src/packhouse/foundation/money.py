"""Money: whole numbers of the minor unit of the shop's one currency of credits. Never floats."""

from fractions import Fraction

BASIS_POINTS = 10_000
"""A rate of 1 in basis points; rates are kept as whole basis points so that they stay exact."""


def share_of(amount_minor: int, *, rate_basis_points: int) -> int:
    """``amount_minor`` times a rate, rounded down to a whole minor unit."""
    return amount_minor * rate_basis_points // BASIS_POINTS


def exact_share_of(amount: Fraction, *, rate_basis_points: int) -> Fraction:
    """``amount`` times a rate, exactly."""
    return amount * rate_basis_points / BASIS_POINTS


def format_minor(amount_minor: int) -> str:
    """``123456`` as ``1,234.56``; the sign first."""
    sign = "-" if amount_minor < 0 else ""
    whole, minor = divmod(abs(amount_minor), 100)
    return f"{sign}{whole:,}.{minor:02d}"
