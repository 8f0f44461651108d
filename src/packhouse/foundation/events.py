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


class ShipmentMoved(msgspec.Struct, frozen=True):
    """A shipping request moved on to another status; the subject is the request."""

    kind: ClassVar[str] = "shipment.moved"
    version: ClassVar[int] = 1

    status: str
    postings: tuple[Posting, ...] = ()


class AccountRegistered(msgspec.Struct, frozen=True):
    """Somebody made an account; the subject is the user."""

    kind: ClassVar[str] = "account.registered"
    version: ClassVar[int] = 1

    postings: tuple[Posting, ...] = ()


class SeedCommitted(msgspec.Struct, frozen=True):
    """A seed pair was made; the subject is the pair. Bytes are hexadecimal, as in the draw log."""

    kind: ClassVar[str] = "seed.committed"
    version: ClassVar[int] = 1

    commitment: str
    user_key: str
    postings: tuple[Posting, ...] = ()


class SeedRevealed(msgspec.Struct, frozen=True):
    """A seed pair ended after so many openings, and its server seed is public."""

    kind: ClassVar[str] = "seed.revealed"
    version: ClassVar[int] = 1

    commitment: str
    user_key: str
    server_seed: str
    openings: int
    postings: tuple[Posting, ...] = ()


class PackPublished(msgspec.Struct, frozen=True):
    """A version went on sale; the subject is the version."""

    kind: ClassVar[str] = "pack.published"
    version: ClassVar[int] = 1

    slug: str
    number: int
    config_hash: str
    postings: tuple[Posting, ...] = ()


class PackWithdrawn(msgspec.Struct, frozen=True):
    """A pack went off sale; ``config_hash`` is that of the version that was on sale."""

    kind: ClassVar[str] = "pack.withdrawn"
    version: ClassVar[int] = 1

    slug: str
    config_hash: str
    postings: tuple[Posting, ...] = ()


class LotListed(msgspec.Struct, frozen=True):
    """A lot went on sale with ``size`` draws; the subject is the lot."""

    kind: ClassVar[str] = "lot.listed"
    version: ClassVar[int] = 1

    config_hash: str
    manifest_root: str
    commitment: str
    size: int
    postings: tuple[Posting, ...] = ()


class LotClosed(msgspec.Struct, frozen=True):
    """A lot ended after so many draws, and its seed is public."""

    kind: ClassVar[str] = "lot.closed"
    version: ClassVar[int] = 1

    manifest_root: str
    commitment: str
    server_seed: str
    draws: int
    postings: tuple[Posting, ...] = ()


class CardCopies(msgspec.Struct, frozen=True):
    """A number of copies of one card."""

    card: UUID
    copies: int


class StockAdded(msgspec.Struct, frozen=True):
    """Copies came on sale for odds packs; at most ``STOCK_CARDS_PER_EVENT_MAX`` cards."""

    kind: ClassVar[str] = "stock.added"
    version: ClassVar[int] = 1

    cards: tuple[CardCopies, ...]
    postings: tuple[Posting, ...] = ()


class StockWithdrawn(msgspec.Struct, frozen=True):
    """Copies left the sale for odds packs, other than by a draw; as many cards at most."""

    kind: ClassVar[str] = "stock.withdrawn"
    version: ClassVar[int] = 1

    cards: tuple[CardCopies, ...]
    postings: tuple[Posting, ...] = ()


Event = (
    PackOpened
    | MoneyMoved
    | ShippingRequested
    | ShipmentMoved
    | AccountRegistered
    | SeedCommitted
    | SeedRevealed
    | PackPublished
    | PackWithdrawn
    | LotListed
    | LotClosed
    | StockAdded
    | StockWithdrawn
)


class WaitingEvent(msgspec.Struct, frozen=True):
    """An event on its way out, addressed: whose, about what, after which wallet sequence.

    What the house itself did (packs, lots, stock) is ``HOUSE``'s, with sequence 0.
    """

    user_id: UUID
    id: UUID
    subject_id: UUID
    sequence: int
    event: Event
    created_at: datetime
