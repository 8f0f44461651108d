"""Someone signs in and out, on one of their devices or on many."""

from datetime import date, timedelta

import msgspec
import pytest

from packhouse import accounts
from packhouse.accounts import Argon2Cost, PasswordHasher, SessionReader, SessionUser
from packhouse.flows.choose_feed_name import ChooseFeedName, choose_feed_name
from packhouse.flows.register import Register, register
from packhouse.flows.sign_in import SignedIn, SignIn, sign_in
from packhouse.flows.sign_out import SignOut, sign_out
from packhouse.house import House

MIRA = SignIn(email="mira.cards@example.com", password="seven quiet herons")


@pytest.fixture
async def registered(house: House) -> SignedIn:
    """Mira, just registered and signed in on her first device."""
    return await register(
        house,
        Register(
            email=MIRA.email,
            username="mira_cards",
            password=MIRA.password,
            birth_date=date(1990, 5, 1),
        ),
    )


async def find(house: House, signed_in: SignedIn) -> SessionUser | None:
    return await house.sessions.find(
        house.database, accounts.hash_token(signed_in.token), now=house.clock(), fresh=True
    )


async def test_every_sign_in_is_a_new_session_of_its_own(
    house: House, registered: SignedIn
) -> None:
    first, second = await sign_in(house, MIRA), await sign_in(house, MIRA)
    assert len({registered.token, first.token, second.token}) == 3
    for signed_in in (registered, first, second):
        found = await find(house, signed_in)
        assert found is not None
        assert found.user_id == registered.user.id


@pytest.mark.usefixtures("registered")
async def test_a_session_lasts_as_long_as_the_settings_say(house: House) -> None:
    answer = await sign_in(house, MIRA)
    ttl = timedelta(seconds=house.settings.session_ttl_seconds)
    token_hash = accounts.hash_token(answer.token)
    last_moment = answer.expires_at - timedelta(seconds=1)
    assert abs(answer.expires_at - house.clock() - ttl) < timedelta(minutes=1)
    assert (
        await house.sessions.find(house.database, token_hash, now=last_moment, fresh=True)
        is not None
    )
    assert (
        await house.sessions.find(house.database, token_hash, now=answer.expires_at, fresh=True)
        is None
    )


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "attempt",
    [
        SignIn(email=MIRA.email, password="seven quiet heron"),
        SignIn(email=MIRA.email, password=""),
        SignIn(email="nobody@example.com", password=MIRA.password),
        SignIn(email="no address", password=MIRA.password),
        SignIn(email="\x00@example.com", password="\x00"),
    ],
)
async def test_wrong_password_and_unknown_address_get_the_same_answer(
    house: House, attempt: SignIn
) -> None:
    with pytest.raises(accounts.BadCredentials) as refusal:
        await sign_in(house, attempt)
    assert refusal.value.message == "The e-mail address or the password is wrong."


async def test_signing_in_once_too_often_ends_the_oldest_session(
    house: House, registered: SignedIn
) -> None:
    moment = house.clock() + timedelta(seconds=1)
    later = msgspec.structs.replace(house, clock=lambda: moment)
    for _ in range(accounts.SESSIONS_PER_USER_MAX - 1):
        await sign_in(later, MIRA)
    assert await find(house, registered) is not None
    newest = await sign_in(later, MIRA)
    assert await find(house, registered) is None
    assert await find(house, newest) is not None
    async with house.database.connection() as connection:
        count = await connection.fetchval(
            "SELECT count(*) FROM sessions WHERE user_id = $1", registered.user.id
        )
    assert count == accounts.SESSIONS_PER_USER_MAX


@pytest.mark.usefixtures("registered")
async def test_a_hash_of_a_former_cost_is_renewed_at_sign_in(house: House) -> None:
    dearer = PasswordHasher(Argon2Cost(memory_kib=256, passes=1))
    today = msgspec.structs.replace(house, passwords=dearer)
    await sign_in(today, MIRA)
    async with house.database.connection() as connection:
        credentials = await accounts.find_credentials(connection, email=MIRA.email)
    assert credentials is not None
    assert not dearer.is_outdated(credentials.password_hash)
    await sign_in(today, MIRA)


async def test_a_sign_out_ends_this_session_everywhere_and_no_other(
    house: House, registered: SignedIn
) -> None:
    other = await sign_in(house, MIRA)
    elsewhere = SessionReader()
    token_hash = accounts.hash_token(registered.token)
    assert await house.sessions.find(house.database, token_hash, now=house.clock()) is not None
    await sign_out(house, SignOut(token_hash=token_hash))
    assert await house.sessions.find(house.database, token_hash, now=house.clock()) is None
    assert await elsewhere.find(house.database, token_hash, now=house.clock(), fresh=True) is None
    assert await find(house, other) is not None
    await sign_out(house, SignOut(token_hash=token_hash))


async def test_a_collector_can_hide_from_the_feed_and_show_again(
    house: House, registered: SignedIn
) -> None:
    user_id = registered.user.id
    for is_anonymous in (True, False):
        await choose_feed_name(house, ChooseFeedName(user_id=user_id, is_anonymous=is_anonymous))
        found = await find(house, registered)
        assert found is not None
        assert found.is_anonymous is is_anonymous
