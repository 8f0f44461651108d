"""A collector makes an account; the keeper of the server makes an owner."""

import asyncio
from datetime import date
from uuid import UUID

import msgspec
import pytest

from packhouse import accounts
from packhouse.flows.create_owner import CreateOwner, create_owner
from packhouse.flows.register import Register, register
from packhouse.flows.rotate_seed import find_current_seed
from packhouse.flows.sign_in import SignedIn, SignIn, sign_in
from packhouse.foundation.errors import InvalidInput
from packhouse.foundation.events import SeedCommitted
from packhouse.house import House
from packhouse.plumbing.shop_settings import ShopSettings, update_shop_settings
from worlds.announced import list_facts

MIRA = Register(
    email="Mira.Cards@example.com",
    username="Mira_7",
    password="seven quiet herons",
    birth_date=date(1990, 5, 1),
)


async def test_a_new_collector_has_an_empty_wallet_a_seed_pair_and_a_session(house: House) -> None:
    answer = await register(house, MIRA)
    assert (answer.user.username, answer.user.role) == ("Mira_7", "collector")
    session = await house.sessions.find(
        house.database, accounts.hash_token(answer.token), now=house.clock()
    )
    assert session is not None
    assert session.user_id == answer.user.id
    async with house.database.connection() as connection:
        wallet = await connection.fetchrow(
            "SELECT wallets.balance, wallets.sequence, wallets.nonce, seed_pairs.revealed_at"
            " FROM wallets JOIN seed_pairs ON seed_pairs.user_id = wallets.user_id"
            " AND seed_pairs.id = wallets.seed_pair_id WHERE wallets.user_id = $1",
            answer.user.id,
        )
    assert wallet is not None
    assert tuple(wallet) == (0, 0, 0, None)


async def test_a_registration_commits_to_its_seed_pair_in_the_log(house: House) -> None:
    answer = await register(house, MIRA)
    pair = (await find_current_seed(house, answer.user.id)).pair
    assert await list_facts(house, SeedCommitted, by=answer.user.id) == [
        SeedCommitted(commitment=pair.commitment.hex(), user_key=pair.user_key.hex())
    ]


async def test_a_new_collector_can_sign_in(house: House) -> None:
    await register(house, MIRA)
    answer = await sign_in(house, SignIn(email=MIRA.email, password=MIRA.password))
    assert answer.user.username == "Mira_7"


async def test_the_password_is_kept_only_as_an_argon2id_hash(house: House) -> None:
    answer = await register(house, MIRA)
    async with house.database.connection() as connection:
        kept = await connection.fetchval(
            "SELECT password_hash FROM users WHERE id = $1", answer.user.id
        )
    assert kept.startswith("$argon2id$")
    assert MIRA.password not in kept


async def test_bad_fields_are_all_named_and_nothing_is_stored(house: House) -> None:
    before = await _count_users(house)
    bad = Register(email="x", username="y", password="z", birth_date=date(2999, 1, 1))
    with pytest.raises(InvalidInput) as refusal:
        await register(house, bad)
    assert [error.field for error in refusal.value.errors] == [
        "email",
        "username",
        "password",
        "birth_date",
    ]
    assert await _count_users(house) == before


async def test_someone_under_the_shops_age_is_refused(house: House) -> None:
    years = house.settings.minimum_age_years
    too_late = house.clock().date().replace(day=1, month=1).year - years + 1
    young = msgspec.structs.replace(MIRA, birth_date=date(too_late, 1, 1))
    with pytest.raises(InvalidInput) as refusal:
        await register(house, young)
    assert [error.field for error in refusal.value.errors] == ["birth_date"]


async def test_an_address_is_taken_once(house: House) -> None:
    await register(house, MIRA)
    again = msgspec.structs.replace(MIRA, email=MIRA.email.upper(), username="another")
    with pytest.raises(accounts.EmailTaken):
        await register(house, again)


async def test_a_name_is_taken_once_and_the_refused_try_leaves_nothing(house: House) -> None:
    await register(house, MIRA)
    before = await _count_rows(house)
    again = msgspec.structs.replace(MIRA, email="other@example.com", username="MIRA_7")
    with pytest.raises(accounts.UsernameTaken):
        await register(house, again)
    assert await _count_rows(house) == before


async def test_the_same_registration_at_once_makes_one_account(house: House) -> None:
    before = await _count_users(house)
    answers = await asyncio.gather(
        *(register(house, MIRA) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(answer, SignedIn) for answer in answers) == 1
    assert sum(isinstance(answer, accounts.EmailTaken) for answer in answers) == 3
    assert await _count_users(house) == before + 1


async def test_a_closed_shop_takes_no_new_accounts_but_lets_people_in(house: House) -> None:
    await register(house, MIRA)
    async with house.database.transaction() as connection:
        await update_shop_settings(
            connection, ShopSettings(registrations_open=False), now=house.clock()
        )
    other = msgspec.structs.replace(MIRA, email="other@example.com", username="other")
    with pytest.raises(accounts.RegistrationsClosed):
        await register(house, other)
    await sign_in(house, SignIn(email=MIRA.email, password=MIRA.password))


def test_a_command_prints_nothing_of_what_was_typed() -> None:
    assert repr(MIRA) == "Register(…)"
    assert not MIRA.__rich_repr__()


async def test_an_owner_is_made_with_a_wallet_and_an_audit_entry(house: House) -> None:
    command = CreateOwner(
        email="keeper@example.com", username="keeper", password="seven quiet herons"
    )
    keeper = await create_owner(house, command)
    assert keeper.role == "owner"
    assert await _audit_actions(house, keeper.id) == ["create_owner"]
    answer = await sign_in(house, SignIn(email=command.email, password=command.password))
    assert answer.user.id == keeper.id
    with pytest.raises(accounts.EmailTaken):
        await create_owner(house, command)


async def _count_users(house: House) -> int:
    async with house.database.connection() as connection:
        return await accounts.count_users(connection)


async def _count_rows(house: House) -> list[int]:
    tables = ("users", "user_emails", "user_names", "wallets", "seed_pairs", "sessions")
    async with house.database.connection() as connection:
        return [
            await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - names above
            for table in tables
        ]


async def _audit_actions(house: House, actor_id: UUID) -> list[str]:
    async with house.database.connection() as connection:
        rows = await connection.fetch("SELECT action FROM audit_log WHERE actor_id = $1", actor_id)
    return [row["action"] for row in rows]
