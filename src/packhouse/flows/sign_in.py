"""Someone signs in: address and password become a session.

An unknown address and a wrong password get the same answer after the same time; that an account is
suspended is told only to someone who knows its password.
"""

from datetime import datetime

from packhouse import accounts
from packhouse.accounts import Credentials, Discreet, User
from packhouse.house import House
from packhouse.plumbing.postgres import Connection


class SignIn(Discreet, frozen=True, forbid_unknown_fields=True):
    """An attempt, as it was typed."""

    email: str
    password: str


class SignedIn(Discreet, frozen=True):
    """Who is signed in now; the token is for the cookie and is kept nowhere else."""

    user: User
    token: str
    expires_at: datetime


async def sign_in(house: House, command: SignIn) -> SignedIn:
    """Check the password and start a session. Raises ``BadCredentials``, ``AccountSuspended``.

    Lock order: the user. It holds back a suspension, which would otherwise miss the new session.
    """
    credentials = await _require_credentials(house, command)
    new_hash = await _find_better_hash(house, credentials, password=command.password)
    async with house.database.transaction() as connection:
        user = await accounts.lock_user(connection, credentials.user_id)
        if user.closed_at is not None:
            # Closed since its password was looked at: from then on it is an unknown address.
            raise _bad_credentials()
        accounts.require_may_act(user)
        if new_hash is not None:
            await accounts.update_password_hash(connection, credentials, password_hash=new_hash)
        return await start_session(house, connection, user)


async def start_session(house: House, connection: Connection, user: User) -> SignedIn:
    """A new session in the caller's transaction, which has locked or just made the user."""
    session = accounts.new_session(
        user.id,
        entropy=house.entropy,
        now=house.clock(),
        ttl_seconds=house.settings.session_ttl_seconds,
    )
    # Made room for before it is stored, so that it cannot be the one that is dropped.
    await accounts.delete_surplus_sessions(
        connection, user.id, kept=accounts.SESSIONS_PER_USER_MAX - 1
    )
    await accounts.insert_session(connection, session)
    return SignedIn(user=user, token=session.token, expires_at=session.expires_at)


async def _require_credentials(house: House, command: SignIn) -> Credentials:
    async with house.database.connection() as connection:
        credentials = await accounts.find_credentials(connection, email=command.email)
    is_right = await house.passwords.is_right(
        command.password,
        password_hash=None if credentials is None else credentials.password_hash,
    )
    if credentials is None or not is_right:
        raise _bad_credentials()
    return credentials


def _bad_credentials() -> accounts.BadCredentials:
    return accounts.BadCredentials("The e-mail address or the password is wrong.")


async def _find_better_hash(house: House, credentials: Credentials, *, password: str) -> str | None:
    """The hash at today's cost, when the stored one was made at another."""
    if not house.passwords.is_outdated(credentials.password_hash):
        return None
    return await house.passwords.hash_password(password)
