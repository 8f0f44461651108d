"""A pack's figures in words: exact where a decimal can be, marked where it is rounded. Pure."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any, Final

from packhouse.flows.simulate_pack import PackSimulation
from packhouse.foundation.money import format_minor
from packhouse.foundation.tiers import TIERS, Tier

PLACES_SHOWN: Final = 6
SCARCE_SHOWN: Final = 8
SPREAD_SHOWN: Final = (5, 25, 50, 75, 95)


def decimal_of(value: Fraction, *, places: int = PLACES_SHOWN) -> str:
    """``1/8`` as ``0.125``; what does not end within ``places`` is rounded and begins with ≈."""
    scaled = value * 10**places
    if scaled.denominator == 1:
        text = f"{Decimal(scaled.numerator).scaleb(-places):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    rounded = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(
        Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN
    )
    return f"≈ {rounded:f}"


def money_of(value: Fraction) -> str:
    """Minor units as an amount: up to four places where that is exact, else marked as rounded."""
    if value.denominator == 1:
        return format_minor(value.numerator)
    exact = decimal_of(value / 100, places=4)
    return f"≈ {format_minor(round(value))}" if exact.startswith("≈") else exact


def share_of_price(value: Fraction, *, price: int) -> str:
    """A part of the price in percent, rounded to one place."""
    return f"{decimal_of(value * 100 / price, places=1).removeprefix('≈ ')} %"


def tier_rows(counts: Mapping[Tier, Fraction]) -> list[dict[str, Any]]:
    """How many cards of each tier a pack holds on average, best first, for the odds bar."""
    total = sum(counts.values(), Fraction(0))
    return [
        {
            "tier": tier,
            "share": decimal_of(counts[tier] / total).removeprefix("≈ "),
            "percent": decimal_of(counts[tier]),
            "one_in": _one_in(counts[tier]),
        }
        for tier in reversed(TIERS)
        if tier in counts
    ]


def figures_of(simulation: PackSimulation) -> dict[str, Any]:
    """What the preview shows."""
    prospect, spread, stock = simulation.prospect, simulation.spread, simulation.stock
    price = prospect.price
    return {
        "price": price,
        "expected_value": money_of(prospect.expected_value),
        "expected_sell_back": money_of(prospect.expected_sell_back),
        "margin": money_of(prospect.margin),
        "margin_share": share_of_price(prospect.margin, price=price),
        "is_losing": prospect.pays_back_more_than_it_costs,
        "exact_value": str(prospect.expected_value),
        "exact_sell_back": str(prospect.expected_sell_back),
        "cards_per_pack": simulation.cards_per_pack,
        "tiers": tier_rows(simulation.cards_by_tier),
        "packs_covered": stock.packs_covered,
        "cards_short": stock.cards_short,
        "short": [card for card in stock.cards if card.is_short],
        "scarce": _scarce(simulation),
        "openings": spread.openings,
        "packs_at_price": share_of_price(Fraction(spread.packs_at_price), price=spread.openings),
        "percentiles": [each for each in spread.percentiles if each.percent in SPREAD_SHOWN],
    }


def _scarce(simulation: PackSimulation) -> Sequence[Any]:
    return [card for card in simulation.stock.cards if not card.is_short][:SCARCE_SHOWN]


def _one_in(count: Fraction) -> str:
    if count >= 1:
        return "in every pack" if count == 1 else f"{decimal_of(count, places=2)} in a pack"
    rounded = decimal_of(1 / count, places=2)
    return f"{'about ' if rounded.startswith('≈') else ''}1 in {rounded.removeprefix('≈ ')}"
