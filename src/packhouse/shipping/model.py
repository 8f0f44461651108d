"""The things of the shipping room: statuses, addresses, parcels, quotes and the rate card.

A rate card is plain data, so that an operator can keep one as JSON in the shop's settings:
``msgspec.json.decode(text, type=RateCard)`` answers a rate card that can be used or an error that
says what is wrong with it. ``DEFAULT_RATE_CARD`` serves until then.
"""

from itertools import pairwise
from typing import Annotated, Any, Final, Literal, get_args

import msgspec

ShippingStatus = Literal[
    "pending", "packing", "shipped", "delivered", "cancelled", "returned", "lost"
]

SHIPPING_STATUSES: Final[tuple[ShippingStatus, ...]] = get_args(ShippingStatus)
"""In the order a parcel lives them; the unhappy ends last."""

NAME_LENGTH_MAX: Final = 100
LINE_LENGTH_MAX: Final = 120
CITY_LENGTH_MAX: Final = 80
REGION_LENGTH_MAX: Final = 80
POSTAL_CODE_LENGTH_MAX: Final = 16
PHONE_LENGTH_MAX: Final = 32

CountryCode = Annotated[str, msgspec.Meta(pattern="^[A-Za-z]{2}$")]
"""ISO 3166-1 alpha-2. That the country exists is for ``parse_address`` to say."""

_OptionalLine = Annotated[str, msgspec.Meta(max_length=LINE_LENGTH_MAX)] | None
_OptionalRegion = Annotated[str, msgspec.Meta(max_length=REGION_LENGTH_MAX)] | None
_OptionalPhone = Annotated[str, msgspec.Meta(max_length=PHONE_LENGTH_MAX)] | None

Count = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""Minor units; bounded so that sums stay far inside PostgreSQL's bigint."""


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a parcel goes. As decoded it is only well formed: see ``parse_address``.

    ``city`` and ``postal_code`` may be ``""`` in countries that have none. ``region`` is the state,
    province or prefecture, by its key in the postal data once parsed (``OR``, ``東京都``).
    """

    name: Annotated[str, msgspec.Meta(max_length=NAME_LENGTH_MAX)]
    line1: Annotated[str, msgspec.Meta(max_length=LINE_LENGTH_MAX)]
    city: Annotated[str, msgspec.Meta(max_length=CITY_LENGTH_MAX)]
    postal_code: Annotated[str, msgspec.Meta(max_length=POSTAL_CODE_LENGTH_MAX)]
    country: Annotated[str, msgspec.Meta(max_length=2)]
    line2: _OptionalLine = None
    region: _OptionalRegion = None
    phone: _OptionalPhone = None

    def __repr__(self) -> str:
        # An address must never reach a log, and a repr is how things get there by accident.
        return f"Address(country={self.country!r}, …)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("country", self.country)]


class ParcelCard(msgspec.Struct, frozen=True):
    """What a card adds to a parcel: its weight (see ``weigh_card``) and its locked value."""

    weight_grams: int
    value_minor: int


class Parcel(msgspec.Struct, frozen=True):
    """A packed parcel: weight with its packaging, and the sum of its cards' locked values."""

    weight_grams: int
    card_count: int
    insured_value_minor: int


class QuoteLine(msgspec.Struct, frozen=True):
    """One line of what a parcel costs, in words for people."""

    label: str
    amount_minor: int


class Quote(msgspec.Struct, frozen=True):
    """What sending a parcel costs: the sum of ``lines``. Delivery days count from its sending."""

    zone: str
    service: str
    country: str
    cost_minor: int
    weight_grams: int
    card_count: int
    delivery_days_min: int
    delivery_days_max: int
    lines: tuple[QuoteLine, ...]


class WeightStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The price of postage for parcels of at most ``up_to_grams``."""

    up_to_grams: Count
    price_minor: Amount


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Countries that cost the same to reach. No countries means: everywhere not named elsewhere."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    service: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    weight_steps: Annotated[tuple[WeightStep, ...], msgspec.Meta(min_length=1, max_length=50)]
    delivery_days_min: Annotated[int, msgspec.Meta(ge=0, le=365)]
    delivery_days_max: Annotated[int, msgspec.Meta(ge=0, le=365)]
    countries: frozenset[CountryCode] = frozenset()

    def __post_init__(self) -> None:
        if self.delivery_days_min > self.delivery_days_max:
            raise ValueError(f"zone {self.name!r}: delivery_days_min is over delivery_days_max")
        _require_upper_case(self.countries, where=f"zone {self.name!r}")
        for lighter, heavier in pairwise(self.weight_steps):
            if lighter.up_to_grams >= heavier.up_to_grams:
                raise ValueError(f"zone {self.name!r}: weight steps must rise in up_to_grams")
            # Otherwise one more card would make a parcel cheaper.
            if lighter.price_minor > heavier.price_minor:
                raise ValueError(f"zone {self.name!r}: a heavier step must not cost less")


class RateCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the shop charges for sending, and what it does not send.

    Insurance is charged for each started 100.00 of a parcel's value. Made only when it can price
    every parcel within its own limits to every country that it serves, the home country always.
    """

    zones: Annotated[tuple[Zone, ...], msgspec.Meta(min_length=1, max_length=100)]
    handling_fee_minor: Amount
    insurance_per_started_100_minor: Amount
    parcel_weight_grams_max: Count
    parcel_value_minor_max: Amount
    home_country: CountryCode = "US"
    countries_not_served: frozenset[CountryCode] = frozenset()

    def __post_init__(self) -> None:
        _require_upper_case({self.home_country}, where="home_country")
        _require_upper_case(self.countries_not_served, where="countries_not_served")
        if self.home_country in self.countries_not_served:
            raise ValueError("the home country must be served")
        if sum(not zone.countries for zone in self.zones) != 1:
            raise ValueError("exactly one zone must have no countries: it takes all the others")
        named = [country for zone in self.zones for country in zone.countries]
        if len(named) != len(set(named)):
            twice = sorted(country for country in set(named) if named.count(country) > 1)
            raise ValueError(f"countries in more than one zone: {', '.join(twice)}")
        for zone in self.zones:
            if zone.weight_steps[-1].up_to_grams < self.parcel_weight_grams_max:
                raise ValueError(
                    f"zone {zone.name!r}: the last weight step must reach parcel_weight_grams_max"
                )


def _require_upper_case(countries: set[str] | frozenset[str], *, where: str) -> None:
    lower = sorted(country for country in countries if country != country.upper())
    if lower:
        raise ValueError(f"{where}: write country codes in capitals, not {', '.join(lower)}")


def _steps(*prices: tuple[int, int]) -> tuple[WeightStep, ...]:
    return tuple(WeightStep(up_to_grams=grams, price_minor=price) for grams, price in prices)


_EUROPE: Final = frozenset(
    "AD AT BE BG CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR"  # noqa: SIM905 - reads best as words
    " HU IE IM IS IT JE LI LT LU LV MC MT NL NO PL PT RO SE SI SK SM VA".split()
)

DEFAULT_RATE_CARD: Final = RateCard(
    zones=(
        Zone(
            name="Home",
            service="Tracked domestic",
            countries=frozenset({"US"}),
            weight_steps=_steps((100, 450), (500, 650), (2_000, 1_100), (20_000, 2_900)),
            delivery_days_min=2,
            delivery_days_max=6,
        ),
        Zone(
            name="Neighbours",
            service="Tracked to North America",
            countries=frozenset({"CA", "MX"}),
            weight_steps=_steps((100, 950), (500, 1_400), (2_000, 2_400), (20_000, 6_200)),
            delivery_days_min=5,
            delivery_days_max=12,
        ),
        Zone(
            name="Europe",
            service="Tracked international",
            countries=_EUROPE,
            weight_steps=_steps((100, 1_250), (500, 1_900), (2_000, 3_400), (20_000, 8_900)),
            delivery_days_min=6,
            delivery_days_max=14,
        ),
        Zone(
            name="Rest of the world",
            service="Tracked international",
            weight_steps=_steps((100, 1_450), (500, 2_300), (2_000, 4_200), (20_000, 11_500)),
            delivery_days_min=8,
            delivery_days_max=25,
        ),
    ),
    handling_fee_minor=100,
    insurance_per_started_100_minor=60,
    parcel_weight_grams_max=20_000,
    parcel_value_minor_max=5_000_000,
    countries_not_served=frozenset({"AQ", "BY", "CU", "IR", "KP", "RU", "SY"}),
)
"""Invented but plausible prices from the United States, for a shop that has not set its own."""
