"""Payments: what the shop asks of a payment provider, and the demo provider that always pays.

A real provider starts a checkout on its own pages (``pending`` with an address to send the
collector to) and reports the end by webhook. The demo provider completes at once; settings refuse
it outside ``packhouse up``.
"""

from typing import Literal, Protocol
from uuid import UUID

import msgspec


class Checkout(msgspec.Struct, frozen=True):
    """A payment as its provider sees it: its own reference, and where the collector pays."""

    reference: str
    status: Literal["pending", "completed"]
    url: str | None = None


class PaymentProvider(Protocol):
    """What every provider can do. Calls are outside any database transaction."""

    name: str

    async def start_checkout(self, *, top_up_id: UUID, amount_minor: int) -> Checkout:
        """Start one payment; the same ``top_up_id`` again gives the same checkout."""
        ...


class DemoPayments:
    """Pays every checkout at once, with no money."""

    name = "demo"

    async def start_checkout(self, *, top_up_id: UUID, amount_minor: int) -> Checkout:
        """Complete the payment at once."""
        return Checkout(reference=f"demo-{top_up_id}-{amount_minor}", status="completed")
