"""A collector buys credits, once for each request."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from packhouse.accounts import AccountSuspended
from packhouse.flows.top_up import top_up
from packhouse.house import House
from packhouse.plumbing.idempotency import IdempotencyKeyReused
from packhouse.plumbing.payments import Checkout
from packhouse.wallet import PaymentsUnavailable
from worlds.ember_counter import (
    Person,
    balance_of,
    buying,
    entries_of,
    kill_at,
    record_everything,
    relay_all,
    suspend,
)


class SlowPayments:
    """A provider with pages of its own: a checkout begins unpaid."""

    name = "slow"

    async def start_checkout(self, *, top_up_id: UUID, amount_minor: int) -> Checkout:
        return Checkout(f"slow-{amount_minor}", "pending", f"https://pay.example/{top_up_id}")


async def test_credits_are_bought_and_entered(house: House, ada: Person) -> None:
    bought = await top_up(house, buying(ada, 2_500))
    assert (bought.status, bought.amount, bought.checkout_url) == ("completed", 2_500, None)
    assert bought.balance == await balance_of(house, ada) == 7_500
    entry = (await entries_of(house, ada))[-1]
    assert (entry.kind, entry.amount, entry.counterparty, entry.reference) == (
        "top_up",
        2_500,
        "payments",
        bought.id,
    )
    await relay_all(house)


async def test_a_checkout_that_is_not_paid_yet_moves_no_credits(house: House, ada: Person) -> None:
    slow = msgspec.structs.replace(house, payments=SlowPayments())
    bought = await top_up(slow, buying(ada, 2_500))
    assert (bought.status, bought.balance) == ("pending", 5_000)
    assert bought.checkout_url == f"https://pay.example/{bought.id}"
    assert len(await entries_of(house, ada)) == 1


async def test_a_shop_without_a_provider_takes_no_payments(house: House, ada: Person) -> None:
    before = await record_everything(house)
    with pytest.raises(PaymentsUnavailable):
        await top_up(msgspec.structs.replace(house, payments=None), buying(ada, 2_500))
    assert await record_everything(house) == before


async def test_a_suspended_collector_buys_nothing(house: House, ada: Person) -> None:
    await suspend(house, ada)
    before = await record_everything(house)
    with pytest.raises(AccountSuspended):
        await top_up(house, buying(ada, 2_500))
    assert await record_everything(house) == before


async def test_the_same_purchase_again_is_answered_again_and_entered_once(
    house: House, ada: Person
) -> None:
    bought = await top_up(house, buying(ada, 2_500, key="once"))
    before = await record_everything(house)
    assert await top_up(house, buying(ada, 2_500, key="once")) == bought
    with pytest.raises(IdempotencyKeyReused):
        await top_up(house, buying(ada, 2_600, key="once"))
    assert await record_everything(house) == before


async def test_a_purchase_is_answered_again_after_the_shop_stopped_taking_payments(
    house: House, ada: Person
) -> None:
    bought = await top_up(house, buying(ada, 2_500, key="once"))
    closed = msgspec.structs.replace(house, payments=None)
    assert await top_up(closed, buying(ada, 2_500, key="once")) == bought


async def test_the_same_purchase_in_many_places_at_once_is_one(
    house: House, second_house: House, ada: Person
) -> None:
    results = await asyncio.gather(
        *(top_up((house, second_house)[n % 2], buying(ada, 500, key="once")) for n in range(12))
    )
    assert set(results) == {results[0]}
    assert await balance_of(house, ada) == 5_500


async def test_different_purchases_at_once_all_count(
    house: House, second_house: House, ada: Person
) -> None:
    await asyncio.gather(
        *(top_up((house, second_house)[n % 2], buying(ada, 500)) for n in range(12))
    )
    assert await balance_of(house, ada) == 11_000
    assert [entry.sequence for entry in await entries_of(house, ada)] == list(range(1, 14))


@pytest.mark.parametrize(
    "table", ["top_ups", "wallets", "ledger_entries", "outbox", "idempotency_keys"]
)
async def test_a_killed_purchase_left_nothing_and_its_repetition_is_entered_once(
    house: House, ada: Person, table: str
) -> None:
    before = await record_everything(house)
    await kill_at(house, table, top_up(house, buying(ada, 500, key="once")))
    assert await record_everything(house) == before
    await top_up(house, buying(ada, 500, key="once"))
    assert await balance_of(house, ada) == 5_500
