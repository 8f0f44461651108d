"""How parcels are weighed and priced, and how a shipping request may move. Pure.

::

    pending → packing → shipped → delivered
       └─────────┴→ cancelled ├→ returned ←┤
                              └→ lost ←────┘

A tracking page that says "delivered" is sometimes wrong: the parcel went to a neighbour who sends
it back, or to nobody at all. So ``delivered`` is not the end: staff may still mark it ``returned``
or ``lost``, or the shop could not put right what every shop meets. ``cancelled``, ``returned`` and
``lost`` are ends, because each gives the cards back or pays for them, and that must happen once.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.money import format_minor
from packhouse.shipping.errors import (
    BadTransition,
    DestinationNotServed,
    ParcelsUnderway,
    ParcelTooHeavy,
    ParcelTooValuable,
)
from packhouse.shipping.model import (
    Parcel,
    ParcelCard,
    Quote,
    QuoteLine,
    RateCard,
    ShippingStatus,
    Zone,
)

RAW_CARD_GRAMS: Final = 10
"""A card of 2 g in a sleeve and a rigid holder."""

GRADED_CARD_GRAMS: Final = 65
"""A card in a grading company's sealed case, with padding."""

ENVELOPE_CARDS_MAX: Final = 5
ENVELOPE_GRAMS: Final = 25
BOX_CARDS: Final = 50
BOX_GRAMS: Final = 120

INSURED_STEP_MINOR: Final = 10_000

TRANSITIONS: Final[Mapping[ShippingStatus, frozenset[ShippingStatus]]] = {
    "pending": frozenset({"packing", "cancelled"}),
    "packing": frozenset({"shipped", "cancelled"}),
    "shipped": frozenset({"delivered", "returned", "lost"}),
    "delivered": frozenset({"returned", "lost"}),
    "cancelled": frozenset(),
    "returned": frozenset(),
    "lost": frozenset(),
}
"""Where a request in each status may go next."""


UNDERWAY: Final[tuple[ShippingStatus, ...]] = ("pending", "packing", "shipped")
"""Where a parcel is still owed to its collector."""


class Effects(msgspec.Struct, frozen=True):
    """What a request's new status does to its cards and its money; ``None`` leaves as it is.

    ``user_card_state`` and ``stock_place`` are for every card in the request and its copy in stock.
    ``refunds_cost`` credits the collector what the request cost; ``pays_locked_value`` credits the
    value that each card had when it was pulled.
    """

    user_card_state: Literal["vaulted", "reserved", "shipped", "lost"] | None = None
    stock_place: Literal["vaulted", "reserved", "shipped", "lost"] | None = None
    refunds_cost: bool = False
    pays_locked_value: bool = False


# A returned parcel is not refunded: the carrier was paid to bring it there and back.
_EFFECTS: Final[Mapping[ShippingStatus, Effects]] = {
    "pending": Effects(user_card_state="reserved", stock_place="reserved"),
    "packing": Effects(),
    "shipped": Effects(user_card_state="shipped", stock_place="shipped"),
    "delivered": Effects(),
    "cancelled": Effects(user_card_state="vaulted", stock_place="vaulted", refunds_cost=True),
    "returned": Effects(user_card_state="vaulted", stock_place="vaulted"),
    "lost": Effects(user_card_state="lost", stock_place="lost", pays_locked_value=True),
}


def weigh_card(*, is_graded: bool) -> int:
    """The grams that one card adds to a parcel, in the holder it travels in."""
    return GRADED_CARD_GRAMS if is_graded else RAW_CARD_GRAMS


def parcel_for(cards: Sequence[ParcelCard]) -> Parcel:
    """The parcel that ``cards`` make, with its envelope or boxes. No cards: ``InvalidInput``."""
    if not cards:
        raise InvalidInput(
            "A parcel needs at least one card.",
            [FieldError("user_card_ids", "Choose at least one card to ship.")],
        )
    return Parcel(
        weight_grams=sum(card.weight_grams for card in cards) + _packaging_grams(len(cards)),
        card_count=len(cards),
        insured_value_minor=sum(card.value_minor for card in cards),
    )


def quote(parcel: Parcel, *, country: str, rate_card: RateCard) -> Quote:
    """What it costs to send ``parcel`` to ``country`` (ISO 3166 alpha-2, in capitals).

    Never falls as weight or value rise. Refuses with ``DestinationNotServed``, ``ParcelTooHeavy``
    or ``ParcelTooValuable``.
    """
    if country in rate_card.countries_not_served:
        raise DestinationNotServed(
            "We cannot send parcels to this country yet; please choose another address.",
            country=country,
        )
    if parcel.weight_grams > rate_card.parcel_weight_grams_max:
        raise ParcelTooHeavy(
            f"This parcel would weigh {parcel.weight_grams:,} g and we send at most"
            f" {rate_card.parcel_weight_grams_max:,} g; please ship the cards in several requests.",
            weight_grams=parcel.weight_grams,
            weight_grams_max=rate_card.parcel_weight_grams_max,
        )
    if parcel.insured_value_minor > rate_card.parcel_value_minor_max:
        raise ParcelTooValuable(
            f"These cards are worth {format_minor(parcel.insured_value_minor)} together and we"
            f" insure at most {format_minor(rate_card.parcel_value_minor_max)} in one parcel;"
            " please ship them in several requests.",
            insured_value_minor=parcel.insured_value_minor,
            insured_value_minor_max=rate_card.parcel_value_minor_max,
        )
    zone = zone_of(country, rate_card=rate_card)
    lines = (
        QuoteLine(label=f"Postage, {zone.service}", amount_minor=_postage_minor(parcel, zone)),
        QuoteLine(label="Handling and packaging", amount_minor=rate_card.handling_fee_minor),
        QuoteLine(label="Insurance", amount_minor=_insurance_minor(parcel, rate_card)),
    )
    return Quote(
        zone=zone.name,
        service=zone.service,
        country=country,
        cost_minor=sum(line.amount_minor for line in lines),
        weight_grams=parcel.weight_grams,
        card_count=parcel.card_count,
        delivery_days_min=zone.delivery_days_min,
        delivery_days_max=zone.delivery_days_max,
        lines=lines,
    )


def zone_of(country: str, *, rate_card: RateCard) -> Zone:
    """The zone that names ``country``, else the one that takes all the others."""
    for zone in rate_card.zones:
        if country in zone.countries:
            return zone
    return next(zone for zone in rate_card.zones if not zone.countries)


def require_transition(current: ShippingStatus, wanted: ShippingStatus) -> None:
    """Refuse a move that the state machine does not have."""
    if wanted not in TRANSITIONS[current]:
        raise BadTransition(
            f"A request that is {current} cannot become {wanted}; {_ways_on(current)}.",
            current=current,
            wanted=wanted,
        )


def require_none_underway(parcels: int) -> None:
    """Raises ``ParcelsUnderway``."""
    if parcels:
        raise ParcelsUnderway(
            f"{parcels} of your parcels are not with you yet. Call them off, or wait until they"
            " are delivered.",
            parcels=parcels,
        )


def may_cancel(status: ShippingStatus) -> bool:
    """Whether the collector can still have the cards and the money back."""
    return "cancelled" in TRANSITIONS[status]


def is_final(status: ShippingStatus) -> bool:
    """Whether nothing can follow ``status``."""
    return not TRANSITIONS[status]


def effects_of(status: ShippingStatus) -> Effects:
    """What must happen to cards, stock and money as a request enters ``status``."""
    return _EFFECTS[status]


def _packaging_grams(card_count: int) -> int:
    if card_count <= ENVELOPE_CARDS_MAX:
        return ENVELOPE_GRAMS
    boxes = -(-card_count // BOX_CARDS)
    return boxes * BOX_GRAMS


def _postage_minor(parcel: Parcel, zone: Zone) -> int:
    return next(
        step.price_minor for step in zone.weight_steps if parcel.weight_grams <= step.up_to_grams
    )


def _insurance_minor(parcel: Parcel, rate_card: RateCard) -> int:
    started_steps = -(-parcel.insured_value_minor // INSURED_STEP_MINOR)
    return started_steps * rate_card.insurance_per_started_100_minor


def _ways_on(status: ShippingStatus) -> str:
    ways = sorted(TRANSITIONS[status])
    if not ways:
        return "nothing follows it"
    return f"from here it can become {' or '.join(ways)}"
