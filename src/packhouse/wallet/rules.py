"""How movements become ledger entries. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from packhouse.foundation.errors import Breach
from packhouse.foundation.events import Posting
from packhouse.foundation.limits import BALANCE_MAX_MINOR
from packhouse.foundation.money import format_minor
from packhouse.wallet.errors import CreditsLeft, InsufficientCredits
from packhouse.wallet.model import EntryKind, LedgerEntry, Movement, Wallet, WalletChange

HOUSE_ACCOUNTS: Final[Mapping[EntryKind, str]] = {
    "top_up": "payments",
    "pack_opening": "pack_sales",
    "stock_shortfall": "stock_shortfalls",
    "sell_back": "sell_backs",
    "shipping": "shipping",
    "shipping_refund": "shipping",
    "loss_compensation": "losses",
    "adjustment": "adjustments",
    "forfeiture": "forfeitures",
}
"""The house account on the other side of each kind of entry."""


def settle(
    wallet: Wallet, movements: Sequence[Movement], *, now: datetime, nonces: int = 0
) -> WalletChange:
    """Enter movements in order. Raises ``InsufficientCredits`` if the balance would go below zero.

    Movements of nothing (a free parcel, a worthless card) leave no entry.
    """
    balance = wallet.balance
    entries: list[LedgerEntry] = []
    for movement in movements:
        if movement.amount == 0:
            continue
        balance += movement.amount
        if balance < 0:
            raise InsufficientCredits(
                f"This costs {format_minor(-movement.amount)} credits and the balance is"
                f" {format_minor(balance - movement.amount)}. Top up first.",
                missing=-balance,
            )
        if balance > BALANCE_MAX_MINOR:
            raise Breach(f"A balance would pass {BALANCE_MAX_MINOR}, the most that stays exact.")
        entries.append(
            LedgerEntry(
                sequence=wallet.sequence + len(entries) + 1,
                kind=movement.kind,
                amount=movement.amount,
                balance_after=balance,
                counterparty=HOUSE_ACCOUNTS[movement.kind],
                reference=movement.reference,
                created_at=now,
            )
        )
    return WalletChange(wallet=wallet, entries=tuple(entries), nonces=nonces)


def require_credits(*, balance: int, cost: int) -> None:
    """Whether ``balance`` covers ``cost``, before luck comes in. Raises ``InsufficientCredits``."""
    if balance < cost:
        raise InsufficientCredits(
            f"This costs {format_minor(cost)} credits and the balance is {format_minor(balance)}."
            " Top up first.",
            missing=cost - balance,
        )


def require_forfeited(*, balance: int, forfeited: int) -> None:
    """Whether just what is left is given up. Raises ``CreditsLeft``.

    An amount and not a mere yes: what came in since it was shown is not lost by it.
    """
    if balance != forfeited:
        raise CreditsLeft(
            f"Your balance is {format_minor(balance)}. Spend it, or give up just that much.",
            balance=balance,
        )


def postings_of(movements: Sequence[Movement]) -> tuple[Posting, ...]:
    """The house's side of movements, written down from the movements themselves."""
    return tuple(
        Posting(account=HOUSE_ACCOUNTS[movement.kind], amount=-movement.amount)
        for movement in movements
        if movement.amount != 0
    )
