"""Parcels as pages show them: the cards inside, and the way behind and ahead."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.tiers import Tier
from packhouse.shipping import (
    AddressField,
    ShippingRequest,
    ShippingRequestEvent,
    ShippingStatus,
    short_request_id,
)
from packhouse.vault import UserCard

STATUS_WORDS: Final[Mapping[ShippingStatus, str]] = {
    "pending": "Requested",
    "packing": "Being packed",
    "shipped": "On its way",
    "delivered": "Delivered",
    "cancelled": "Called off",
    "returned": "Came back to us",
    "lost": "Lost on its way",
}

_EXPLANATIONS: Final[Mapping[ShippingStatus, str]] = {
    "cancelled": "The cards are in your vault again, and what you paid is in your wallet.",
    "returned": "The cards are in your vault again.",
    "lost": "The locked value of each card was credited to your wallet.",
}

_HAPPY_WAY: Final[tuple[ShippingStatus, ...]] = ("pending", "packing", "shipped", "delivered")


class HeldCard(msgspec.Struct, frozen=True):
    """A user card with its face."""

    card: CardFace
    tier: Tier
    value: int
    id: str


class Step(msgspec.Struct, frozen=True):
    """One step of a parcel; ``at`` is None for what is still ahead."""

    title: str
    at: datetime | None
    note: str | None = None


class ParcelLine(msgspec.Struct, frozen=True):
    """A parcel in a list."""

    parcel: ShippingRequest
    short_id: str
    words: str


def parcel_line(parcel: ShippingRequest) -> ParcelLine:
    """A parcel as the list shows it."""
    return ParcelLine(parcel, short_request_id(parcel.id), STATUS_WORDS[parcel.status])


def region_options(field: AddressField) -> list[dict[str, str]]:
    """The regions that an address field offers, by name."""
    return [{"value": choice.code, "label": choice.name} for choice in field.choices]


def held_card(card: UserCard, faces: Mapping[CardId, CardFace]) -> HeldCard:
    """A user card as a line shows it."""
    return HeldCard(card=faces[card.card_id], tier=card.tier, value=card.value, id=str(card.id))


def steps_of(parcel: ShippingRequest, events: Sequence[ShippingRequestEvent]) -> list[Step]:
    """The parcel's timeline: what happened, then what comes if all goes well."""
    steps = [
        Step(STATUS_WORDS[event.status], event.created_at, _note(parcel, event)) for event in events
    ]
    if parcel.status in _HAPPY_WAY:
        ahead = _HAPPY_WAY[_HAPPY_WAY.index(parcel.status) + 1 :]
        steps += [Step(STATUS_WORDS[status], None) for status in ahead]
    return steps


def _note(parcel: ShippingRequest, event: ShippingRequestEvent) -> str | None:
    parts = []
    if event.status == "shipped" and parcel.carrier:
        tracking = f", tracking {parcel.tracking_number}" if parcel.tracking_number else ""
        parts.append(f"With {parcel.carrier}{tracking}.")
    if event.status in _EXPLANATIONS:
        parts.append(_EXPLANATIONS[event.status])
    if event.note:
        parts.append(event.note)
    return " ".join(parts) or None
