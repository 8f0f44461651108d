"""Accounts as PostgreSQL keeps them."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from packhouse import accounts
from packhouse.accounts import NewUser
from packhouse.foundation.errors import NotFound
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.plumbing.postgres import Database

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def someone(username: str = "Mira", *, email: str | None = None) -> NewUser:
    return NewUser(
        id=UserId(new_id()),
        username=username,
        email=email or f"{username}@Example.com",
        password_hash="$argon2id$former",
        role="collector",
        birth_date=None,
        created_at=NOW,
    )


async def insert(database: Database, *users: NewUser) -> None:
    for user in users:
        async with database.transaction() as connection:
            await accounts.insert_user(connection, user)


async def test_a_new_user_is_found_as_written(database: Database) -> None:
    mira = someone()
    await insert(database, mira)
    async with database.connection() as connection:
        found = await accounts.find_user(connection, mira.id)
        assert found is not None
        assert (found.username, found.email, found.role) == (
            "Mira",
            "Mira@Example.com",
            "collector",
        )
        assert found.created_at == NOW
        assert not found.is_anonymous
        assert await accounts.find_user(connection, new_id()) is None


async def test_an_address_has_one_account_however_it_is_spelt(database: Database) -> None:
    await insert(database, someone("mira"))
    with pytest.raises(accounts.EmailTaken):
        await insert(database, someone("another", email="MIRA@example.COM"))


async def test_a_name_has_one_account_however_it_is_spelt(database: Database) -> None:
    await insert(database, someone("mira"))
    with pytest.raises(accounts.UsernameTaken):
        await insert(database, someone("MIRA", email="another@example.com"))


async def test_a_refused_account_leaves_its_address_free(database: Database) -> None:
    await insert(database, someone("mira"))
    with pytest.raises(accounts.UsernameTaken):
        await insert(database, someone("Mira", email="another@example.com"))
    await insert(database, someone("another", email="another@example.com"))


async def test_of_many_who_want_one_name_at_once_one_gets_it(database: Database) -> None:
    rivals = [someone("mira", email=f"mira{number}@example.com") for number in range(8)]
    results = await asyncio.gather(
        *(insert(database, rival) for rival in rivals), return_exceptions=True
    )
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, accounts.UsernameTaken) for result in results) == 7


@pytest.mark.parametrize("email", ["mira@example.com", " MIRA@EXAMPLE.COM"])
async def test_credentials_are_found_by_any_spelling(database: Database, email: str) -> None:
    mira = someone()
    await insert(database, mira)
    async with database.connection() as connection:
        found = await accounts.find_credentials(connection, email=email)
    assert found is not None
    assert (found.user_id, found.password_hash) == (mira.id, "$argon2id$former")


@pytest.mark.parametrize("email", ["nobody@example.com", "", "\x00@example.com", "\ud800@a.com"])
async def test_an_address_that_cannot_be_is_simply_unknown(database: Database, email: str) -> None:
    async with database.connection() as connection:
        assert await accounts.find_credentials(connection, email=email) is None


async def test_a_hash_is_not_replaced_when_it_was_changed_meanwhile(database: Database) -> None:
    mira = someone()
    await insert(database, mira)
    async with database.connection() as connection:
        seen = await accounts.find_credentials(connection, email=mira.email)
        assert seen is not None
        await accounts.update_password_hash(connection, seen, password_hash="$argon2id$today")
        await accounts.update_password_hash(connection, seen, password_hash="$argon2id$late")
        found = await accounts.find_credentials(connection, email=mira.email)
    assert found is not None
    assert found.password_hash == "$argon2id$today"


async def test_locking_an_account_that_is_not_there_says_so(database: Database) -> None:
    async with database.transaction() as connection:
        with pytest.raises(NotFound):
            await accounts.lock_user(connection, new_id())


async def test_pages_of_users_go_from_the_newest_to_the_oldest(database: Database) -> None:
    users = [someone(f"collector{number}") for number in range(5)]
    await insert(database, *users)
    seen: list[UUID] = []
    cursor: UUID | None = None
    async with database.connection() as connection:
        while True:
            page = await accounts.list_users_page(connection, search=None, cursor=cursor, limit=2)
            seen += [user.id for user in page.users]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert seen == [user.id for user in reversed(users)]


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("MIRA", ["mira"]),
        ("theo@", ["theo"]),
        ("%", []),
        ("_", []),
        ("\x00", ["theo", "mira"]),
        (" ", ["theo", "mira"]),
    ],
)
async def test_a_search_takes_its_words_literally(
    database: Database, search: str, names: list[str]
) -> None:
    await insert(database, someone("mira"), someone("theo"))
    async with database.connection() as connection:
        page = await accounts.list_users_page(connection, search=search, cursor=None, limit=10)
    assert [user.username for user in page.users] == names


async def test_accounts_are_counted_by_role(database: Database) -> None:
    mira = someone()
    await insert(database, mira, someone("theo"))
    async with database.connection() as connection:
        before = await accounts.count_users(connection, role="staff")
        everyone = await accounts.count_users(connection)
        await accounts.update_role(connection, mira.id, role="staff")
        assert await accounts.count_users(connection, role="staff") == before + 1
        assert await accounts.count_users(connection) == everyone


async def test_a_suspension_has_a_date_and_a_reason_until_it_is_lifted(database: Database) -> None:
    mira = someone()
    await insert(database, mira)
    until = NOW + timedelta(days=1)
    async with database.connection() as connection:
        await accounts.update_suspension(connection, mira.id, suspended_at=until, reason="why")
        suspended = await accounts.find_user(connection, mira.id)
        await accounts.update_suspension(connection, mira.id, suspended_at=None, reason=None)
        lifted = await accounts.find_user(connection, mira.id)
    assert suspended is not None
    assert (suspended.suspended_at, suspended.suspension_reason) == (until, "why")
    assert lifted is not None
    assert (lifted.suspended_at, lifted.suspension_reason) == (None, None)
