"""Exact figures in answers: fractions of minor units, never floats."""

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from packhouse.draws import Prospect
from packhouse.foundation.tiers import Tier

_PLACES = 4


class Ratio(msgspec.Struct, frozen=True):
    """An exact fraction; ``decimal`` is the same rounded to four places, for reading."""

    numerator: int
    denominator: int
    decimal: str


class ProspectFigures(msgspec.Struct, frozen=True):
    """What a pack is worth on average, in minor units.

    ``margin`` is what the shop keeps of ``price`` when every card is sold back at once.
    """

    price: int
    expected_value: Ratio
    expected_sell_back: Ratio
    margin: Ratio
    pays_back_more_than_it_costs: bool


class TierFigure(msgspec.Struct, frozen=True):
    """How many cards of a tier a pack holds on average."""

    tier: Tier
    expected_count: Ratio


def ratio_of(value: Fraction) -> Ratio:
    """The fraction in lowest terms; halves of the last place are rounded to even."""
    scaled = round(abs(value) * 10**_PLACES)
    whole, rest = divmod(scaled, 10**_PLACES)
    sign = "-" if value < 0 and scaled else ""
    return Ratio(value.numerator, value.denominator, f"{sign}{whole}.{rest:0{_PLACES}d}")


def prospect_figures(prospect: Prospect) -> ProspectFigures:
    """A prospect as answers show it."""
    return ProspectFigures(
        price=prospect.price,
        expected_value=ratio_of(prospect.expected_value),
        expected_sell_back=ratio_of(prospect.expected_sell_back),
        margin=ratio_of(prospect.margin),
        pays_back_more_than_it_costs=prospect.pays_back_more_than_it_costs,
    )


def tier_figures(counts: Mapping[Tier, Fraction]) -> tuple[TierFigure, ...]:
    """Counts by tier, weakest first, as answers show them."""
    return tuple(TierFigure(tier, ratio_of(count)) for tier, count in counts.items())
