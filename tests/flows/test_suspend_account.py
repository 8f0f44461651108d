"""Staff stop an account and lift that again; owners give roles."""

import asyncio
from datetime import date

import pytest

from packhouse import accounts
from packhouse.accounts import User
from packhouse.flows.change_role import ChangeRole, change_role
from packhouse.flows.choose_feed_name import ChooseFeedName, choose_feed_name
from packhouse.flows.create_owner import CreateOwner, create_owner
from packhouse.flows.register import Register, register
from packhouse.flows.sign_in import SignedIn, SignIn, sign_in
from packhouse.flows.suspend_account import (
    LiftSuspension,
    SuspendAccount,
    lift_suspension,
    suspend_account,
)
from packhouse.foundation.errors import InvalidInput, NotFound
from packhouse.foundation.identifiers import new_id
from packhouse.house import House
from packhouse.plumbing.audit import Actor

PASSWORD = "seven quiet herons"


@pytest.fixture
async def keeper(house: House) -> User:
    """Keeper, who owns the shop."""
    return await create_owner(
        house, CreateOwner(email="keeper@example.com", username="keeper", password=PASSWORD)
    )


@pytest.fixture
async def clerk(house: House, keeper: User) -> User:
    """Clerk, who packs the parcels."""
    user = (await _register(house, "clerk_one")).user
    command = ChangeRole(actor=_as(keeper), user_id=user.id, role="staff", reason="Hired.")
    return await change_role(house, command)


@pytest.fixture
async def mira(house: House) -> SignedIn:
    """Mira, a collector, signed in."""
    return await _register(house, "mira_cards")


async def test_a_suspension_ends_every_session_and_is_on_record(
    house: House, clerk: User, mira: SignedIn
) -> None:
    token_hash = accounts.hash_token(mira.token)
    assert await house.sessions.find(house.database, token_hash, now=house.clock()) is not None
    suspended = await suspend_account(house, _suspend(clerk, mira.user))
    assert suspended.suspension_reason == "Stolen card."
    assert await house.sessions.find(house.database, token_hash, now=house.clock()) is None
    entry = await _last_audit_entry(house, clerk)
    assert entry == ("suspend_account", f"user:{mira.user.id}", "Stolen card.", "request-1")


async def test_a_suspended_account_is_told_so_only_with_the_right_password(
    house: House, clerk: User, mira: SignedIn
) -> None:
    await suspend_account(house, _suspend(clerk, mira.user))
    with pytest.raises(accounts.AccountSuspended):
        await sign_in(house, SignIn(email=mira.user.email, password=PASSWORD))
    with pytest.raises(accounts.BadCredentials):
        await sign_in(house, SignIn(email=mira.user.email, password="seven loud herons"))


async def test_a_suspended_account_cannot_act(house: House, clerk: User, mira: SignedIn) -> None:
    await suspend_account(house, _suspend(clerk, mira.user))
    with pytest.raises(accounts.AccountSuspended):
        await choose_feed_name(house, ChooseFeedName(user_id=mira.user.id, is_anonymous=True))


async def test_no_session_slips_in_beside_a_suspension(
    house: House, clerk: User, mira: SignedIn
) -> None:
    attempt = SignIn(email=mira.user.email, password=PASSWORD)
    await asyncio.gather(
        *(sign_in(house, attempt) for _ in range(6)),
        suspend_account(house, _suspend(clerk, mira.user)),
        return_exceptions=True,
    )
    async with house.database.connection() as connection:
        count = await connection.fetchval(
            "SELECT count(*) FROM sessions WHERE user_id = $1", mira.user.id
        )
    assert count == 0


async def test_a_lifted_suspension_lets_its_owner_in_again(
    house: House, clerk: User, mira: SignedIn
) -> None:
    await suspend_account(house, _suspend(clerk, mira.user))
    lifted = await lift_suspension(
        house, LiftSuspension(actor=_as(clerk), user_id=mira.user.id, reason="It was hers.")
    )
    assert lifted.suspended_at is None
    assert (await _last_audit_entry(house, clerk))[0] == "lift_suspension"
    await sign_in(house, SignIn(email=mira.user.email, password=PASSWORD))


async def test_the_first_suspension_stands(house: House, clerk: User, mira: SignedIn) -> None:
    with pytest.raises(accounts.NotSuspended):
        await lift_suspension(
            house, LiftSuspension(actor=_as(clerk), user_id=mira.user.id, reason="Why not?")
        )
    await suspend_account(house, _suspend(clerk, mira.user))
    with pytest.raises(accounts.AlreadySuspended):
        await suspend_account(house, _suspend(clerk, mira.user, reason="Another reason."))


async def test_a_suspension_needs_a_reason_and_an_account(
    house: House, clerk: User, mira: SignedIn
) -> None:
    with pytest.raises(InvalidInput):
        await suspend_account(house, _suspend(clerk, mira.user, reason=" "))
    with pytest.raises(NotFound):
        await suspend_account(
            house, SuspendAccount(actor=_as(clerk), user_id=new_id(), reason="Nobody.")
        )


async def test_staff_cannot_stop_an_owner_and_collectors_nobody(
    house: House, keeper: User, clerk: User, mira: SignedIn
) -> None:
    for acting, subject in ((clerk, keeper), (mira.user, clerk), (keeper, keeper)):
        with pytest.raises(accounts.Forbidden):
            await suspend_account(house, _suspend(acting, subject))


async def test_the_role_that_counts_is_the_one_in_the_database(
    house: House, keeper: User, clerk: User, mira: SignedIn
) -> None:
    await suspend_account(house, _suspend(keeper, clerk))
    with pytest.raises(accounts.AccountSuspended):
        await suspend_account(house, _suspend(clerk, mira.user))


async def test_a_new_role_counts_in_the_sessions_that_are_open(
    house: House, keeper: User, mira: SignedIn
) -> None:
    token_hash = accounts.hash_token(mira.token)
    await house.sessions.find(house.database, token_hash, now=house.clock())
    await change_role(
        house, ChangeRole(actor=_as(keeper), user_id=mira.user.id, role="staff", reason="Hired.")
    )
    found = await house.sessions.find(house.database, token_hash, now=house.clock())
    assert found is not None
    assert found.role == "staff"
    assert (await _last_audit_entry(house, keeper))[0] == "change_role"


async def test_staff_cannot_give_roles(house: House, clerk: User, mira: SignedIn) -> None:
    with pytest.raises(accounts.Forbidden):
        await change_role(
            house, ChangeRole(actor=_as(clerk), user_id=mira.user.id, role="staff", reason="Hired.")
        )


async def test_two_owners_who_demote_each_other_leave_one(house: House, keeper: User) -> None:
    rival = await create_owner(
        house, CreateOwner(email="rival@example.com", username="rival", password=PASSWORD)
    )
    results = await asyncio.gather(
        *(
            change_role(
                house,
                ChangeRole(actor=_as(acting), user_id=subject.id, role="collector", reason="Out!"),
            )
            for acting, subject in ((keeper, rival), (rival, keeper))
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, accounts.Forbidden) for result in results) == 1


def _as(user: User) -> Actor:
    return Actor(user_id=user.id, username=user.username, request_id="request-1")


def _suspend(acting: User, subject: User, *, reason: str = "Stolen card.") -> SuspendAccount:
    return SuspendAccount(actor=_as(acting), user_id=subject.id, reason=reason)


async def _register(house: House, username: str) -> SignedIn:
    return await register(
        house,
        Register(
            email=f"{username}@example.com",
            username=username,
            password=PASSWORD,
            birth_date=date(1990, 5, 1),
        ),
    )


async def _last_audit_entry(house: House, actor: User) -> tuple[str, ...]:
    async with house.database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT action, subject, reason, request_id FROM audit_log"
            " WHERE actor_id = $1 ORDER BY id DESC LIMIT 1",
            actor.id,
        )
    assert row is not None
    return tuple(row)
