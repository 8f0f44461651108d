"""A collector buys credits.

Lock order: the wallet. The provider is asked before the transaction. A checkout that was begun and
not recorded (a kill in between, the loser of two repetitions) is left behind unpaid: nobody was
given its address. Only the demo provider, which moves no money, completes a payment at once.
"""

from typing import Annotated
from uuid import UUID

import msgspec

from packhouse import accounts, wallet
from packhouse.flows.money_events import record_movements
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.foundation.limits import TOP_UP_MAX_MINOR, TOP_UP_MIN_MINOR
from packhouse.house import House
from packhouse.plumbing.idempotency import Repeat, find_answer, insert_answers
from packhouse.wallet import Movement, TopUp


class TopUpRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends: how many credits, in minor units."""

    amount: Annotated[int, msgspec.Meta(ge=TOP_UP_MIN_MINOR, le=TOP_UP_MAX_MINOR)]


class BuyCredits(msgspec.Struct, frozen=True):
    """Who buys how much."""

    user_id: UserId
    request: TopUpRequest
    repeat: Repeat


class ToppedUp(msgspec.Struct, frozen=True):
    """The answer; ``checkout_url`` is where to pay when ``status`` is pending."""

    id: UUID
    status: str
    amount: int
    checkout_url: str | None
    balance: int


async def top_up(house: House, command: BuyCredits) -> ToppedUp:
    """Buy credits. Raises ``PaymentsUnavailable``, ``AccountSuspended``."""
    async with house.database.connection() as connection:
        answer = await find_answer(connection, command.repeat, ToppedUp)
        if answer is not None:
            return answer
        if house.payments is None:
            raise wallet.PaymentsUnavailable(
                "This shop takes no payments yet; the owner has to set PACKHOUSE_PAYMENT_PROVIDER."
            )
        accounts.require_may_act(await accounts.find_user(connection, command.user_id))
    top_up_id = new_id()
    checkout = await house.payments.start_checkout(
        top_up_id=top_up_id, amount_minor=command.request.amount
    )
    now = house.clock()
    async with house.database.transaction() as connection:
        purse = await wallet.lock_wallet(connection, command.user_id)
        answer = await find_answer(connection, command.repeat, ToppedUp)
        if answer is not None:
            return answer
        # Once more, under the lock: an account that was closed meanwhile takes no credits.
        accounts.require_may_act(await accounts.find_user(connection, command.user_id))
        is_paid = checkout.status == "completed"
        movements = [Movement("top_up", command.request.amount, top_up_id)] if is_paid else []
        change = wallet.settle(purse, movements, now=now)
        await wallet.insert_top_up(
            connection,
            user_id=command.user_id,
            top_up=TopUp(
                id=top_up_id,
                amount=command.request.amount,
                provider=house.payments.name,
                provider_ref=checkout.reference,
                status=checkout.status,
                checkout_url=checkout.url,
                created_at=now,
                completed_at=now if is_paid else None,
            ),
        )
        await wallet.apply_change(connection, change, now=now)
        await record_movements(connection, change, movements, subject_id=top_up_id, now=now)
        answer = ToppedUp(
            id=top_up_id,
            status=checkout.status,
            amount=command.request.amount,
            checkout_url=checkout.url,
            balance=change.balance,
        )
        await insert_answers(connection, [(command.repeat, answer)], now=now)
        return answer
