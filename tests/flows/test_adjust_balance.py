"""Staff put a balance right, with a reason, once for each request, and never below zero."""

import asyncio

import pytest

from packhouse.accounts import AccountSuspended, Forbidden
from packhouse.flows.adjust_balance import (
    AdjustBalance,
    Adjustment,
    BalanceAdjusted,
    adjust_balance,
)
from packhouse.foundation.errors import InvalidInput, NotFound
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.house import House
from packhouse.plumbing.audit import list_audit_entries
from packhouse.plumbing.idempotency import IdempotencyKeyReused
from packhouse.wallet import InsufficientCredits, list_house_accounts
from worlds.ember_counter import (
    Person,
    balance_of,
    entries_of,
    kill_at,
    outcomes_of,
    record_everything,
    relay_all,
    repeat_of,
    suspend,
    welcome,
)


@pytest.fixture
async def clerk(house: House) -> Person:
    """Clerk, who answers letters."""
    return await welcome(house, "clerk", role="staff")


async def test_a_credit_and_a_debit_are_entries_with_the_house_on_the_other_side(
    house: House, clerk: Person, ada: Person
) -> None:
    given = await adjust(house, clerk, ada, 700)
    assert (given.amount, given.balance) == (700, 5_700)
    taken = await adjust(house, clerk, ada, -5_700)
    assert taken.balance == await balance_of(house, ada) == 0
    entries = (await entries_of(house, ada))[-2:]
    assert [(each.kind, each.amount, each.counterparty) for each in entries] == [
        ("adjustment", 700, "adjustments"),
        ("adjustment", -5_700, "adjustments"),
    ]
    assert [each.reference for each in entries] == [given.id, taken.id]
    await relay_all(house)
    async with house.database.connection() as connection:
        assert (await list_house_accounts(connection))["adjustments"] == 5_000


async def test_an_adjustment_is_in_the_audit_log_with_its_reason(
    house: House, clerk: Person, ada: Person
) -> None:
    given = await adjust(house, clerk, ada, 700, reason="  A late parcel.  ")
    async with house.database.connection() as connection:
        (entry,) = await list_audit_entries(connection, before=None, limit=1)
    assert (entry.action, entry.subject, entry.reason) == (
        "adjust_balance",
        f"user:{ada.user_id}",
        "A late parcel.",
    )
    assert entry.details == {
        "adjustment": str(given.id),
        "amount": 700,
        "balance": 5_700,
    }


async def test_a_debit_of_more_than_there_is_takes_nothing(
    house: House, clerk: Person, ada: Person
) -> None:
    before = await record_everything(house)
    with pytest.raises(InsufficientCredits) as refusal:
        await adjust(house, clerk, ada, -5_001)
    assert refusal.value.fields == {"missing": 1}
    assert await record_everything(house) == before


async def test_debits_at_once_never_go_below_zero(
    house: House, second_house: House, clerk: Person, ada: Person
) -> None:
    results = await asyncio.gather(
        *(adjust((house, second_house)[n % 2], clerk, ada, -2_000) for n in range(6)),
        return_exceptions=True,
    )
    assert outcomes_of(results, InsufficientCredits) == 4
    assert await balance_of(house, ada) == 1_000


async def test_the_same_request_again_adjusts_once(
    house: House, second_house: House, clerk: Person, ada: Person
) -> None:
    answers = await asyncio.gather(
        *(adjust((house, second_house)[n % 2], clerk, ada, 700, key="once") for n in range(6))
    )
    assert len(set(answers)) == 1
    assert await balance_of(house, ada) == 5_700
    before = await record_everything(house)
    for amount, reason in ((701, "A mistake of ours."), (700, "Another reason.")):
        with pytest.raises(IdempotencyKeyReused):
            await adjust(house, clerk, ada, amount, reason=reason, key="once")
    assert await record_everything(house) == before


async def test_an_adjustment_says_how_much_and_why(
    house: House, clerk: Person, ada: Person
) -> None:
    before = await record_everything(house)
    for amount, reason in ((0, "Nothing."), (1, " "), (1, "x" * 501)):
        with pytest.raises(InvalidInput):
            await adjust(house, clerk, ada, amount, reason=reason)
    assert await record_everything(house) == before


async def test_only_staff_adjust_and_never_their_own_balance(
    house: House, clerk: Person, olga: Person, ada: Person, ben: Person
) -> None:
    before = await record_everything(house)
    for acting, subject in ((ada, ben), (ada, ada), (clerk, clerk), (olga, olga)):
        with pytest.raises(Forbidden):
            await adjust(house, acting, subject, 100)
    await suspend(house, clerk)
    with pytest.raises(AccountSuspended):
        await adjust(house, clerk, ada, 100)
    assert await balance_of(house, ada) == 5_000
    assert (await record_everything(house))["wallets"] == before["wallets"]


async def test_an_account_that_is_not_there_is_not_found(house: House, clerk: Person) -> None:
    with pytest.raises(NotFound):
        await adjust(house, clerk, Person(UserId(new_id()), "nobody"), 100)


@pytest.mark.parametrize("table", ["ledger_entries", "outbox", "audit_log", "idempotency_keys"])
async def test_an_adjustment_killed_between_steps_did_nothing_and_may_be_repeated(
    house: House, clerk: Person, ada: Person, table: str
) -> None:
    before = await record_everything(house)
    await kill_at(house, table, adjust_once_locked(house, table, clerk, ada))
    assert await record_everything(house) == before
    assert (await adjust(house, clerk, ada, 700, key="once")).balance == 5_700


async def adjust(
    house: House,
    acting: Person,
    subject: Person,
    amount: int,
    *,
    reason: str = "A mistake of ours.",
    key: str | None = None,
) -> BalanceAdjusted:
    """Adjust as a request like no other, unless it has a key."""
    request = Adjustment(amount=amount, reason=reason)
    command = AdjustBalance(
        user_id=subject.user_id,
        request=request,
        actor=acting.actor,
        repeat=repeat_of(acting, request, key),
    )
    return await adjust_balance(house, command)


async def adjust_once_locked(
    house: House, table: str, acting: Person, subject: Person
) -> BalanceAdjusted:
    """An adjustment is over so soon that it waits until the table is locked against it."""
    async with house.database.connection() as connection:
        while not await connection.fetchval(  # noqa: ASYNC110 - a lock in PostgreSQL has no event
            "SELECT count(*) FROM pg_locks WHERE relation = $1::text::regclass"
            " AND mode = 'ShareLock' AND granted",
            table,
        ):
            await asyncio.sleep(0.001)
    return await adjust(house, acting, subject, 700, key="once")
