"""Events: past facts that a flow writes with its effect, and that the relay moves on in order.

An event's ``kind`` and ``version`` are a contract with whoever reads them later: fields may be
added with a default; anything else is a new version. ``postings`` are the amounts that the house's
own accounts change by, the other side of the user's ledger entries.
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec


class Posting(msgspec.Struct, frozen=True):
    """A change of one house account, in minor units; positive when the house receives."""

    account: str
    amount: int


class PackOpened(msgspec.Struct, frozen=True):
    """One pack was paid and drawn; the opening's receipt tells the rest."""

    kind: ClassVar[str] = "pack.opened"
    version: ClassVar[int] = 1

    username: str
    postings: tuple[Posting, ...]


class MoneyMoved(msgspec.Struct, frozen=True):
    """Credits moved between a user and the house for another reason than an opening."""

    kind: ClassVar[str] = "money.moved"
    version: ClassVar[int] = 1

    postings: tuple[Posting, ...]


class ShippingRequested(msgspec.Struct, frozen=True):
    """A collector asked for cards to be shipped; staff's queue finds the owner by the request."""

    kind: ClassVar[str] = "shipping.requested"
    version: ClassVar[int] = 1

    postings: tuple[Posting, ...]


Event = PackOpened | MoneyMoved | ShippingRequested


class WaitingEvent(msgspec.Struct, frozen=True):
    """An event on its way out, addressed: whose, about what, after which wallet sequence."""

    user_id: UUID
    id: UUID
    subject_id: UUID
    sequence: int
    event: Event
    created_at: datetime
