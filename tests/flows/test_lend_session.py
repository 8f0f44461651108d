"""A session is lent to a check: an owner's, for a minute, on record."""

import pytest

from packhouse import accounts
from packhouse.flows.lend_session import LENT_SECONDS, NoOwner, lend_session
from packhouse.flows.sign_out import SignOut, sign_out
from packhouse.house import House
from packhouse.plumbing.audit import Actor, list_audit_entries
from worlds.veil_shop import open_veil_shop


@pytest.fixture
async def olga(house: House) -> Actor:
    return await open_veil_shop(house)


async def find(house: House, token: str) -> accounts.SessionUser | None:
    return await house.sessions.find(
        house.database, accounts.hash_token(token), now=house.clock(), fresh=True
    )


async def test_it_is_the_first_owners_and_lasts_a_minute(house: House, olga: Actor) -> None:
    holder = await find(house, await lend_session(house, reason="A check"))
    assert holder is not None
    assert holder.user_id == olga.user_id
    assert (holder.expires_at - house.clock()).total_seconds() == LENT_SECONDS


async def test_the_loan_is_in_the_audit_log(house: House, olga: Actor) -> None:
    await lend_session(house, reason="A check")
    async with house.database.connection() as connection:
        newest = (await list_audit_entries(connection, before=None, limit=1))[0]
    assert (newest.action, newest.actor_id, newest.reason) == (
        "lend_session",
        olga.user_id,
        "A check",
    )


async def test_it_ends_like_any_other(house: House, olga: Actor) -> None:
    token = await lend_session(house, reason=f"A check of {olga.username}'s shop")
    await sign_out(house, SignOut(token_hash=accounts.hash_token(token)))
    assert await find(house, token) is None


async def test_a_shop_without_an_owner_lends_nothing(house: House) -> None:
    with pytest.raises(NoOwner):
        await lend_session(house, reason="A check")
