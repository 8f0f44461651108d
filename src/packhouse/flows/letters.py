"""Letters to collectors: which event leads to which, and what they say.

They are few: a welcome, and what becomes of a parcel. The closing of an account has none, because
the address is erased with it, and to keep it for a goodbye would be to keep it. Plain words, no
pictures, nothing that counts who reads.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

import msgspec

from packhouse import shipping
from packhouse.accounts import Addressee
from packhouse.foundation.events import (
    AccountRegistered,
    ShipmentMoved,
    ShippingRequested,
    WaitingEvent,
)
from packhouse.foundation.identifiers import ShippingRequestId
from packhouse.foundation.jobs import LetterKind, SendLetter
from packhouse.foundation.money import format_minor
from packhouse.plumbing.settings import Settings
from packhouse.shipping import ParcelNotice

OF_STATUS: Final[Mapping[str, LetterKind]] = {
    "shipped": "parcel_shipped",
    "delivered": "parcel_delivered",
    "cancelled": "parcel_cancelled",
    "returned": "parcel_returned",
    "lost": "parcel_lost",
}
"""Statuses whose coming a collector is told of; that a parcel is being packed is none."""

_PARCELS: Final[Mapping[LetterKind, tuple[str, str]]] = {
    "parcel_requested": (
        "we have your request",
        "We have your request and will pack {cards}. Until then you can call it off.",
    ),
    "parcel_shipped": ("it is on its way", "Your parcel with {cards} is on its way.{tracking}"),
    "parcel_delivered": (
        "it has arrived",
        "Your parcel with {cards} was delivered. Enjoy!\n\nIf you do not have it, write to us.",
    ),
    "parcel_cancelled": (
        "it was called off",
        "Your parcel was called off. {cards_capital} back in your vault, and its cost is repaid.",
    ),
    "parcel_returned": (
        "it came back to us",
        "Your parcel came back to us. {cards_capital} back in your vault.",
    ),
    "parcel_lost": (
        "it was lost",
        "Your parcel with {cards} was lost. We are sorry. Every card's full value is now yours.",
    ),
}
"""How the subject goes on after the parcel's number, and what the letter says."""


class Words(msgspec.Struct, frozen=True):
    """A letter without its envelope."""

    subject: str
    text: str


def letters_for(events: Iterable[WaitingEvent]) -> list[SendLetter]:
    """The letters that events lead to, in their order."""
    return [
        SendLetter(
            letter=letter,
            id=waiting.id,
            user_id=waiting.user_id,
            subject_id=waiting.subject_id,
        )
        for waiting in events
        if (letter := _letter_for(waiting)) is not None
    ]


def welcome_words(settings: Settings, addressee: Addressee) -> Words:
    """Somebody has made an account."""
    return Words(
        subject=f"Welcome to {settings.shop_name}",
        text=_letter(
            settings,
            addressee,
            f"your account at {settings.shop_name} is ready: {settings.public_url}/\n\nEvery pack"
            " tells its odds as exact numbers before you open it, and every draw can be checked"
            f" afterwards: {settings.public_url}/fairness\n\nIf you did not make this account,"
            " somebody mistyped an address. Without its password they can do nothing in your"
            " name anywhere else, and you need not do anything.",
        ),
    )


def parcel_words(
    settings: Settings,
    addressee: Addressee,
    letter: LetterKind,
    *,
    request_id: ShippingRequestId,
    notice: ParcelNotice,
) -> Words:
    """Something became of a parcel."""
    ending, told = _PARCELS[letter]
    cards = "1 card" if notice.cards == 1 else f"{notice.cards} cards"
    body = told.format(
        cards=cards,
        cards_capital=f"The {cards} {'is' if notice.cards == 1 else 'are'}",
        tracking=_tracking(notice),
    )
    url = f"{settings.public_url}/shipping/{request_id}"
    return Words(
        subject=f"Parcel {shipping.short_request_id(request_id)}: {ending}",
        text=_letter(settings, addressee, f"{body}\n\nAll of it: {url}"),
    )


def reminder_words(
    settings: Settings, addressee: Addressee, *, day: date, cards: int, amount: int
) -> Words:
    """The sell-back time of some cards ends."""
    told = "1 of your cards" if cards == 1 else f"{cards} of your cards"
    ends = f"{day:%A}, {day.day} {day:%B %Y}"
    return Words(
        subject=f"The sell-back time of {told} ends on {day:%A}",
        text=_letter(
            settings,
            addressee,
            f"the sell-back time of {told} ends on {ends} (UTC); your vault tells the hour. Until"
            f" then the shop pays {format_minor(amount)} credits. After that"
            f" {'it stays' if cards == 1 else 'they stay'} yours, to keep or to have sent.\n\nYour"
            f" vault: {settings.public_url}/vault",
        ),
    )


def _letter_for(waiting: WaitingEvent) -> LetterKind | None:
    match waiting.event:
        case AccountRegistered():
            return "welcome"
        case ShippingRequested():
            return "parcel_requested"
        case ShipmentMoved(status=status):
            return OF_STATUS.get(status)
        case _:
            return None


def _letter(settings: Settings, addressee: Addressee, body: str) -> str:
    return f"Hello {addressee.username},\n\n{body}\n\n{settings.shop_name}\n{settings.public_url}\n"


def _tracking(notice: ParcelNotice) -> str:
    lines = [("Carrier", notice.carrier), ("Tracking number", notice.tracking_number)]
    told = "\n".join(f"{name}: {value}" for name, value in lines if value)
    return f"\n\n{told}" if told else ""
