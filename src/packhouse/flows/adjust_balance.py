"""Staff credit or debit a collector by hand, with a reason: a promise kept, a mistake put right.

Lock order: the wallet. Nobody adjusts their own balance, and no balance goes below zero.
"""

from typing import Annotated, Final
from uuid import UUID

import msgspec

from packhouse import accounts, wallet
from packhouse.flows.money_events import record_movements
from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.foundation.money import format_minor
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry
from packhouse.plumbing.idempotency import Repeat, find_answer, insert_answers
from packhouse.plumbing.postgres import Connection
from packhouse.wallet import Movement

ADJUSTMENT_MAX_MINOR: Final = 10_000_000
"""The most that one adjustment moves; more is several acts, each with its own reason."""


class Adjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What staff send: minor units, positive to credit and negative to debit, and why."""

    amount: Annotated[int, msgspec.Meta(ge=-ADJUSTMENT_MAX_MINOR, le=ADJUSTMENT_MAX_MINOR)]
    reason: str


class AdjustBalance(msgspec.Struct, frozen=True):
    """Whose balance changes how, by whom."""

    user_id: UserId
    request: Adjustment
    actor: Actor
    repeat: Repeat


class BalanceAdjusted(msgspec.Struct, frozen=True):
    """The answer, in minor units; the ledger entry's reference is ``id``."""

    id: UUID
    user_id: UserId
    amount: int
    balance: int


async def adjust_balance(house: House, command: AdjustBalance) -> BalanceAdjusted:
    """Credit or debit. Raises ``InsufficientCredits`` rather than go below zero, ``NotFound``,
    ``AccountClosed``, ``Forbidden``, ``InvalidInput``.
    """
    reason = accounts.require_reason(command.request.reason)
    amount = command.request.amount
    if amount == 0:
        raise InvalidInput(
            "Nothing was adjusted.", [FieldError("amount", "Credit or debit something.")]
        )
    now = house.clock()
    async with house.database.transaction() as connection:
        await _require_adjustable(connection, command)
        purse = await wallet.lock_wallet(connection, command.user_id)
        answer = await find_answer(connection, command.repeat, BalanceAdjusted)
        if answer is not None:
            return answer
        # Under the lock: an account that is just being closed takes no credits.
        accounts.require_not_closed(await accounts.get_user(connection, command.user_id))
        if purse.balance + amount < 0:
            raise wallet.InsufficientCredits(
                f"The balance is {format_minor(purse.balance)}, so {format_minor(-amount)} cannot"
                " be debited; nothing was.",
                missing=-purse.balance - amount,
            )
        adjustment_id = new_id()
        movements = [Movement("adjustment", amount, adjustment_id)]
        change = wallet.settle(purse, movements, now=now)
        await wallet.apply_change(connection, change, now=now)
        await record_movements(connection, change, movements, subject_id=adjustment_id, now=now)
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="adjust_balance",
            subject=f"user:{command.user_id}",
            reason=reason,
            details={
                "adjustment": str(adjustment_id),
                "amount": amount,
                "balance": change.balance,
            },
            now=now,
        )
        answer = BalanceAdjusted(
            id=adjustment_id, user_id=command.user_id, amount=amount, balance=change.balance
        )
        await insert_answers(connection, [(command.repeat, answer)], now=now)
        return answer


async def _require_adjustable(connection: Connection, command: AdjustBalance) -> None:
    acting = await accounts.find_user(connection, command.actor.user_id)
    accounts.require_role(acting, "staff", "owner")
    if command.actor.user_id == command.user_id:
        raise accounts.Forbidden("Nobody adjusts their own balance. Ask a colleague.")
    await accounts.get_user(connection, command.user_id)
