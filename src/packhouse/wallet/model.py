"""What a wallet is: a balance, and the entries it is the sum of. Amounts in minor units."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from packhouse.foundation.identifiers import SeedPairId, UserId

EntryKind = Literal[
    "top_up",
    "pack_opening",
    "stock_shortfall",
    "sell_back",
    "shipping",
    "shipping_refund",
    "loss_compensation",
    "adjustment",
    "forfeiture",
]


class Wallet(msgspec.Struct, frozen=True):
    """A wallet as of one moment; ``sequence`` is that of its last entry."""

    user_id: UserId
    balance: int
    sequence: int
    seed_pair_id: SeedPairId
    nonce: int


class Movement(msgspec.Struct, frozen=True):
    """Credits that shall move: signed as the user sees them, about ``reference``."""

    kind: EntryKind
    amount: int
    reference: UUID


class LedgerEntry(msgspec.Struct, frozen=True):
    """A movement that happened: one line of the append-only ledger."""

    sequence: int
    kind: EntryKind
    amount: int
    balance_after: int
    counterparty: str
    reference: UUID
    created_at: datetime


class WalletChange(msgspec.Struct, frozen=True):
    """A wallet's step from one state to the next: applied only if nothing happened in between."""

    wallet: Wallet
    entries: tuple[LedgerEntry, ...]
    nonces: int = 0

    @property
    def amount(self) -> int:
        """What the balance changes by."""
        return sum(entry.amount for entry in self.entries)

    @property
    def balance(self) -> int:
        """The balance afterwards."""
        return self.wallet.balance + self.amount

    @property
    def sequence(self) -> int:
        """The sequence afterwards."""
        return self.wallet.sequence + len(self.entries)


class TopUp(msgspec.Struct, frozen=True):
    """Credits bought, or being bought."""

    id: UUID
    amount: int
    provider: str
    provider_ref: str
    status: Literal["pending", "completed", "failed"]
    checkout_url: str | None
    created_at: datetime
    completed_at: datetime | None


class HousePosting(msgspec.Struct, frozen=True):
    """What one house account changed by in one batch of events."""

    account: str
    amount: int
    events: int
