"""Accounts and sessions as PostgreSQL keeps them; see ``queries.sql`` for locks and indexes."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from packhouse.accounts.errors import EmailTaken, UsernameTaken
from packhouse.accounts.model import (
    CLOSED_NAME,
    Addressee,
    Credentials,
    NewSession,
    NewUser,
    Role,
    SessionUser,
    User,
    UserPage,
)
from packhouse.accounts.rules import email_error, email_key, username_key
from packhouse.foundation.errors import NotFound
from packhouse.foundation.identifiers import UserId
from packhouse.plumbing.postgres import Connection, ReadConnection, is_sharded
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.accounts")


async def insert_user(connection: Connection, user: NewUser) -> None:
    """Store an account with its address and name. Raises ``EmailTaken`` or ``UsernameTaken``."""
    if not await connection.fetchval(QUERIES["claim_email"], email_key(user.email), user.id):
        raise EmailTaken("There is an account with this e-mail address. Sign in instead.")
    if not await connection.fetchval(
        QUERIES["claim_username"], username_key(user.username), user.id
    ):
        raise UsernameTaken("This user name is taken. Choose another.")
    await connection.execute(
        QUERIES["insert_user"],
        user.id,
        user.username,
        user.email,
        user.password_hash,
        user.role,
        user.birth_date,
        user.created_at,
    )


async def find_user(connection: ReadConnection, user_id: UUID) -> User | None:
    """The account with this id."""
    row = await connection.fetchrow(QUERIES["find_user"], user_id)
    return None if row is None else User(**row)


async def find_addressee(connection: ReadConnection, user_id: UUID) -> Addressee | None:
    """Whom a letter to this user goes to; None when the account is closed, or never was."""
    row = await connection.fetchrow(QUERIES["find_addressee"], user_id)
    return None if row is None else Addressee(**row)


async def get_user(connection: Connection, user_id: UUID) -> User:
    """The account with this id. Raises ``NotFound``."""
    user = await find_user(connection, user_id)
    if user is None:
        raise NotFound(f"There is no account {user_id}.")
    return user


async def lock_user(connection: Connection, user_id: UUID) -> User:
    """The account as it stands, locked until the transaction ends. Raises ``NotFound``."""
    row = await connection.fetchrow(QUERIES["lock_user"], user_id)
    if row is None:
        raise NotFound(f"There is no account {user_id}.")
    return User(**row)


async def lock_users(connection: Connection, user_ids: Collection[UUID]) -> dict[UUID, User]:
    """All of these accounts by id, locked until the transaction ends. Raises ``NotFound``.

    One after the other in the order of their ids: on a sharded database each is elsewhere.
    """
    return {user_id: await lock_user(connection, user_id) for user_id in sorted(set(user_ids))}


async def lock_user_with_owners(connection: Connection, user_id: UUID) -> dict[UUID, User]:
    """An account and all owners by id, locked until the transaction ends. Raises ``NotFound``.

    Two owners who leave at once meet here.
    """
    rows = await connection.fetch(QUERIES["list_owner_ids"])
    users = await lock_users(connection, {user_id, *(row["id"] for row in rows)})
    # Who has left while this waited for their lock is no owner any more.
    return {
        id_: user
        for id_, user in users.items()
        if id_ == user_id or (user.role == "owner" and user.closed_at is None)
    }


async def list_users_page(
    connection: ReadConnection, *, search: str | None, cursor: UUID | None, limit: int
) -> UserPage:
    """Accounts older than ``cursor`` whose name or address contains ``search``, newest first.

    Closed ones are found by their ids alone.
    """
    # No name or address has a NUL, and PostgreSQL's text cannot hold one.
    words = (search or "").replace("\x00", "").strip().lower() or None
    rows = await connection.fetch(QUERIES["list_users"], words, cursor, limit + 1)
    users = tuple(User(**row) for row in rows[:limit])
    return UserPage(users=users, next_cursor=users[-1].id if len(rows) > limit else None)


async def count_users(connection: ReadConnection, *, role: Role | None = None) -> int:
    """How many accounts there are that are not closed, of one role or of all."""
    return int(await connection.fetchval(QUERIES["count_users"], role))


async def find_first_owner(connection: Connection) -> tuple[UserId, str] | None:
    """Id and name of the owner who came first and may act; None in a shop without one."""
    row = await connection.fetchrow(QUERIES["find_first_owner"])
    return None if row is None else (UserId(row["id"]), row["username"])


async def find_credentials(connection: Connection, *, email: str) -> Credentials | None:
    """What to check a password against; None for an unknown address or one that cannot be."""
    if email_error(email) is not None:
        return None
    user_id = await find_email_owner(connection, email=email)
    if user_id is None:
        return None
    row = await connection.fetchrow(QUERIES["find_credentials"], user_id)
    return None if row is None else Credentials(**row)


async def find_email_owner(connection: Connection, *, email: str) -> UUID | None:
    """Whose account an address is; None for one that is free."""
    found: UUID | None = await connection.fetchval(QUERIES["find_email_owner"], email_key(email))
    return found


async def update_password_hash(
    connection: Connection, credentials: Credentials, *, password_hash: str
) -> None:
    """Replace the hash that ``credentials`` has by one of the same password at today's cost."""
    await connection.execute(
        QUERIES["update_password_hash"],
        credentials.user_id,
        credentials.password_hash,
        password_hash,
    )


async def update_role(connection: Connection, user_id: UUID, *, role: Role) -> None:
    """Give an account another role; its sessions have it at their next request."""
    await connection.execute(QUERIES["update_role"], user_id, role)


async def update_suspension(
    connection: Connection, user_id: UUID, *, suspended_at: datetime | None, reason: str | None
) -> None:
    """Suspend an account, or lift that when both are None."""
    await connection.execute(QUERIES["update_suspension"], user_id, suspended_at, reason)


async def update_anonymity(connection: Connection, user_id: UUID, *, is_anonymous: bool) -> None:
    """Choose whether the feed shows the next pulls without the name."""
    await connection.execute(QUERIES["update_anonymity"], user_id, is_anonymous)


async def close_user(
    connection: Connection, user: User, *, keeps_username: bool, now: datetime
) -> None:
    """Take name, address, password and birth date from an account that is locked, for good.

    Address and name can be taken by others at once; the name not when ``keeps_username``.
    """
    await connection.execute(QUERIES["release_email"], email_key(user.email), user.id)
    if not keeps_username:
        await connection.execute(QUERIES["release_username"], username_key(user.username), user.id)
    await connection.execute(QUERIES["close_user"], user.id, CLOSED_NAME, now)


async def insert_session(connection: Connection, session: NewSession) -> None:
    """Store a session; only the hash of its token is kept."""
    await connection.execute(
        QUERIES["insert_session"],
        session.token_hash,
        session.user_id,
        session.created_at,
        session.expires_at,
    )


async def list_sessions(
    connection: Connection, token_hashes: Collection[bytes], *, now: datetime
) -> dict[bytes, SessionUser]:
    """Who holds the tokens with these SHA-256s, by hash; an ended or expired session is missing."""
    if is_sharded(connection):
        return await _list_sessions_apart(connection, token_hashes, now=now)
    rows = await connection.fetch(QUERIES["list_sessions"], token_hashes, now)
    return {row["token_hash"]: SessionUser(*row[1:]) for row in rows}


async def _list_sessions_apart(
    connection: Connection, token_hashes: Collection[bytes], *, now: datetime
) -> dict[bytes, SessionUser]:
    sessions = await connection.fetch(QUERIES["list_session_owners"], token_hashes, now)
    if not sessions:
        return {}
    ids = sorted({session["user_id"] for session in sessions})
    rows = await connection.fetch(QUERIES["list_session_users"], ids)
    users = {row["user_id"]: row for row in rows}
    return {
        session["token_hash"]: SessionUser(
            **users[session["user_id"]], expires_at=session["expires_at"]
        )
        for session in sessions
        # Whoever has just registered may be seen a moment later on their own server.
        if session["user_id"] in users
    }


async def delete_session(connection: Connection, *, token_hash: bytes) -> None:
    """End one session; one that has ended before stays so."""
    await connection.execute(QUERIES["delete_session"], token_hash)


async def delete_sessions_of_user(connection: Connection, user_id: UUID) -> None:
    """End all sessions of an account."""
    await connection.execute(QUERIES["delete_sessions_of_user"], user_id)


async def delete_surplus_sessions(connection: Connection, user_id: UUID, *, kept: int) -> None:
    """End all but the ``kept`` newest sessions of an account."""
    await connection.execute(QUERIES["delete_surplus_sessions"], user_id, kept)


async def delete_expired_sessions(connection: Connection, *, now: datetime, limit: int) -> int:
    """Take away up to ``limit`` sessions that have expired; gives how many there were."""
    return len(await connection.fetch(QUERIES["delete_expired_sessions"], now, limit))
