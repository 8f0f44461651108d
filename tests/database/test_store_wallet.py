"""Wallets and the ledger as PostgreSQL keeps them."""

import asyncpg
import msgspec
import pytest

from packhouse import wallet
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.house import House
from packhouse.wallet import HousePosting, Movement, Wallet
from worlds.ember_counter import Person, welcome


@pytest.fixture
async def ada(house: House) -> Person:
    """Ada has 10.00 credits from one top-up."""
    return await welcome(house, "ada", credits_minor=1_000)


async def test_a_step_from_a_state_that_is_gone_is_not_made(house: House, ada: Person) -> None:
    purse = await purse_of(house, ada)
    now = house.clock()
    spent = wallet.settle(purse, [Movement("shipping", -100, new_id())], now=now)
    async with house.database.transaction() as connection:
        assert await wallet.advance_wallets(connection, [spent], now=now) == {ada.user_id}
    async with house.database.transaction() as connection:
        assert await wallet.advance_wallets(connection, [spent], now=now) == set()
    assert (await purse_of(house, ada)).balance == 900


@pytest.mark.parametrize("field", ["seed_pair_id", "sequence", "nonce"])
async def test_a_step_sees_whatever_moved_in_between(house: House, ada: Person, field: str) -> None:
    purse = await purse_of(house, ada)
    other = new_id() if field == "seed_pair_id" else getattr(purse, field) + 1
    stale = msgspec.structs.replace(purse, **{field: other})
    change = wallet.settle(stale, [Movement("shipping", -100, new_id())], now=house.clock())
    async with house.database.transaction() as connection:
        assert await wallet.advance_wallets(connection, [change], now=house.clock()) == set()


async def test_of_many_steps_the_possible_ones_are_made(house: House, ada: Person) -> None:
    ben = await welcome(house, "ben", credits_minor=1_000)
    purses = [await purse_of(house, person) for person in (ada, ben)]
    purses[0] = msgspec.structs.replace(purses[0], nonce=7)
    now = house.clock()
    changes = [
        wallet.settle(purse, [Movement("shipping", -100, new_id())], now=now) for purse in purses
    ]
    async with house.database.transaction() as connection:
        assert await wallet.advance_wallets(connection, changes, now=now) == {ben.user_id}
        entries = await wallet.list_ledger_entries(
            connection, user_id=ada.user_id, before=None, limit=9
        )
    assert len(entries) == 1


async def test_a_balance_below_zero_is_refused_by_the_table_too(house: House, ada: Person) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        async with house.database.transaction() as connection:
            await connection.execute("UPDATE wallets SET balance = -1")
    assert (await purse_of(house, ada)).balance == 1_000


async def test_entries_come_in_pages_newest_first(house: House, ada: Person) -> None:
    now = house.clock()
    for _ in range(4):
        async with house.database.transaction() as connection:
            purse = await wallet.lock_wallet(connection, ada.user_id)
            change = wallet.settle(purse, [Movement("shipping", -100, new_id())], now=now)
            await wallet.apply_change(connection, change, now=now)
    async with house.database.connection() as connection:
        pages = [
            await wallet.list_ledger_entries(
                connection, user_id=ada.user_id, before=before, limit=2
            )
            for before in (None, 4, 2)
        ]
    assert [[entry.sequence for entry in page] for page in pages] == [[5, 4], [3, 2], [1]]
    assert [entry.balance_after for entry in pages[0]] == [600, 700]


async def test_house_accounts_step_on_batch_by_batch(house: House) -> None:
    for amount in (300, -100):
        async with house.database.transaction() as connection:
            await wallet.post_house_entries(
                connection,
                [HousePosting("pack_sales", amount, events=2), HousePosting("losses", 5, events=1)],
                batch_id=new_id(),
                now=house.clock(),
            )
    async with house.database.connection() as connection:
        assert await wallet.list_house_accounts(connection) == {"losses": 10, "pack_sales": 200}
        rows = await connection.fetch(
            "SELECT sequence, amount, balance_after FROM house_entries"
            " WHERE account = 'pack_sales' ORDER BY sequence"
        )
    assert [tuple(row) for row in rows] == [(1, 300, 300), (2, -100, 200)]


async def test_the_law_sees_money_from_nowhere(house: House, ada: Person) -> None:
    for statement in (
        "UPDATE wallets SET balance = balance + 1",
        "UPDATE ledger_entries SET amount = amount + 1",
        "DELETE FROM ledger_entries",
        "DELETE FROM outbox",
        "INSERT INTO house_accounts (name, balance) VALUES ('tips', 1)",
    ):
        async with house.database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(statement)
            finding = await wallet.check_ledger_sums_to_zero(connection)
            await transaction.rollback()
        assert not finding.holds, statement
    async with house.database.connection() as connection:
        assert (await wallet.check_ledger_sums_to_zero(connection)).holds


async def test_a_user_without_a_wallet_breaks_a_law(house: House) -> None:
    async with house.database.connection() as connection:
        assert await wallet.find_wallet(connection, UserId(new_id())) is None
        with pytest.raises(Breach):
            await wallet.lock_wallet(connection, UserId(new_id()))


async def purse_of(house: House, person: Person) -> Wallet:
    async with house.database.connection() as connection:
        purse = await wallet.find_wallet(connection, person.user_id)
    assert purse is not None
    return purse
