"""Sessions: found by the hash of their token, dead within a second of being ended."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from packhouse import accounts
from packhouse.accounts import NewSession, NewUser, SessionReader, SessionUser, sessions
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.plumbing.entropy import system_entropy
from packhouse.plumbing.postgres import Connection, Database, DatabaseUnavailable

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


BACKENDS_WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


class Watch:
    """A stop watch that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def user_id(database: Database) -> UserId:
    """Mira, who has just made her account."""
    mira = NewUser(
        id=UserId(new_id()),
        username="mira",
        email="mira@example.com",
        password_hash="$argon2id$",
        role="collector",
        birth_date=None,
        created_at=NOW,
    )
    async with database.transaction() as connection:
        await accounts.insert_user(connection, mira)
    return mira.id


async def start(
    database: Database, user_id: UserId, *, now: datetime = NOW, ttl_seconds: int = 3600
) -> NewSession:
    session = accounts.new_session(
        user_id, entropy=system_entropy, now=now, ttl_seconds=ttl_seconds
    )
    async with database.transaction() as connection:
        await accounts.insert_session(connection, session)
    return session


async def end(database: Database, session: NewSession) -> None:
    async with database.transaction() as connection:
        await accounts.delete_session(connection, token_hash=session.token_hash)


async def find(
    database: Database, session: NewSession, *, now: datetime = NOW
) -> SessionUser | None:
    async with database.connection() as connection:
        found = await accounts.list_sessions(connection, [session.token_hash], now=now)
    return found.get(session.token_hash)


async def test_a_session_tells_who_holds_it_until_it_expires(
    database: Database, user_id: UserId
) -> None:
    session = await start(database, user_id)
    found = await find(database, session)
    assert found is not None
    assert (found.user_id, found.username, found.role) == (user_id, "mira", "collector")
    assert found.expires_at == NOW + timedelta(hours=1)
    assert await find(database, session, now=NOW + timedelta(hours=1)) is None


async def test_the_table_holds_no_token(database: Database, user_id: UserId) -> None:
    session = await start(database, user_id)
    assert len(session.token) == 43
    assert accounts.hash_token(session.token) == session.token_hash
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT token_hash FROM sessions")
    assert [bytes(row["token_hash"]) for row in rows] == [session.token_hash]


@pytest.mark.parametrize("token", ["", "not a token", "ÿ\x00", "\ud800"])
async def test_any_text_can_be_asked_about(database: Database, token: str) -> None:
    reader = SessionReader()
    assert await reader.find(database, accounts.hash_token(token), now=NOW) is None


async def test_only_the_newest_sessions_are_kept(database: Database, user_id: UserId) -> None:
    started = [
        await start(database, user_id, now=NOW + timedelta(minutes=number)) for number in range(4)
    ]
    async with database.transaction() as connection:
        await accounts.delete_surplus_sessions(connection, user_id, kept=2)
    alive = [await find(database, session) is not None for session in started]
    assert alive == [False, False, True, True]


async def test_expired_sessions_are_taken_away_a_few_at_a_time(
    database: Database, user_id: UserId
) -> None:
    for _ in range(3):
        await start(database, user_id, ttl_seconds=300)
    lasting = await start(database, user_id, ttl_seconds=3600)
    later = NOW + timedelta(seconds=300)
    async with database.transaction() as connection:
        counts = [
            await accounts.delete_expired_sessions(connection, now=later, limit=2) for _ in range(3)
        ]
    assert counts == [2, 1, 0]
    assert await find(database, lasting, now=later) is not None


async def test_an_ended_session_is_remembered_for_less_than_a_second(
    database: Database, user_id: UserId
) -> None:
    watch = Watch()
    reader = SessionReader(monotonic=watch)
    session = await start(database, user_id)
    assert await reader.find(database, session.token_hash, now=NOW) is not None
    await end(database, session)
    watch.seconds += 0.999
    assert await reader.find(database, session.token_hash, now=NOW) is not None
    watch.seconds += 0.001
    assert await reader.find(database, session.token_hash, now=NOW) is None


async def test_a_write_sees_at_once_that_a_session_has_ended(
    database: Database, user_id: UserId
) -> None:
    reader = SessionReader(monotonic=Watch())
    session = await start(database, user_id)
    assert await reader.find(database, session.token_hash, now=NOW) is not None
    await end(database, session)
    assert await reader.find(database, session.token_hash, now=NOW, fresh=True) is None
    assert await reader.find(database, session.token_hash, now=NOW) is None


async def test_whose_a_token_is_may_be_known_from_long_ago(
    database: Database, user_id: UserId
) -> None:
    watch = Watch()
    reader = SessionReader(monotonic=watch)
    session = await start(database, user_id, ttl_seconds=300)

    async def holder(now: datetime = NOW) -> SessionUser | None:
        return await reader.find(database, session.token_hash, now=now, is_checked_later=True)

    found = await holder()
    assert found is not None
    await end(database, session)
    watch.seconds += 250.0
    assert await holder() == found
    assert await holder(NOW + timedelta(seconds=300)) is None
    assert await holder() is None


async def test_who_was_suspended_is_asked_for_anew(database: Database, user_id: UserId) -> None:
    watch = Watch()
    reader = SessionReader(monotonic=watch)
    session = await start(database, user_id)
    for suspended_at in (NOW, None):
        async with database.transaction() as connection:
            await connection.execute(
                "UPDATE users SET suspended_at = $1, suspension_reason = $2",
                suspended_at,
                suspended_at and "A test.",
            )
        found = await reader.find(database, session.token_hash, now=NOW, is_checked_later=True)
        assert found is not None
        assert found.suspended_at == suspended_at
        watch.seconds += 1.0


async def test_a_remembered_session_expires_on_time(database: Database, user_id: UserId) -> None:
    reader = SessionReader(monotonic=Watch())
    session = await start(database, user_id, ttl_seconds=300)
    assert await reader.find(database, session.token_hash, now=NOW) is not None
    later = NOW + timedelta(seconds=300)
    assert await reader.find(database, session.token_hash, now=later) is None


async def test_what_changed_here_is_asked_for_anew(database: Database, user_id: UserId) -> None:
    reader = SessionReader(monotonic=Watch())
    session = await start(database, user_id)
    assert await reader.find(database, session.token_hash, now=NOW) is not None
    await end(database, session)
    reader.forget(session.token_hash)
    assert await reader.find(database, session.token_hash, now=NOW) is None


async def test_a_user_who_changed_is_asked_for_anew_in_every_session(
    database: Database, user_id: UserId
) -> None:
    reader = SessionReader(monotonic=Watch())
    started = [await start(database, user_id) for _ in range(2)]
    for session in started:
        await reader.find(database, session.token_hash, now=NOW)
    async with database.transaction() as connection:
        await accounts.update_role(connection, user_id, role="staff")
    reader.forget_user(user_id)
    found = [await reader.find(database, session.token_hash, now=NOW) for session in started]
    assert [user.role for user in found if user is not None] == ["staff", "staff"]


async def test_made_up_tokens_cannot_fill_the_memory(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "REMEMBERED_SESSIONS_MAX", 3)
    reader = SessionReader(monotonic=Watch())
    for number in range(10):
        await reader.find(database, accounts.hash_token(f"made up {number}"), now=NOW)
    assert list(reader._remembered) == [
        accounts.hash_token(f"made up {number}") for number in (7, 8, 9)
    ]


async def test_questions_that_wait_together_are_one(database: Database, user_id: UserId) -> None:
    reader = SessionReader(monotonic=Watch())
    started = [await start(database, user_id) for _ in range(5)]
    async with database.transaction() as connection:
        await connection.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        asked = [
            asyncio.create_task(reader.find(database, session.token_hash, now=NOW))
            for session in started
        ]
        async with asyncio.timeout(5):
            while not await connection.fetchval(BACKENDS_WAITING):  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.01)
        assert await connection.fetchval(BACKENDS_WAITING) == 1
        assert not any(task.done() for task in asked)
    found = await asyncio.gather(*asked)
    assert [user.user_id for user in found if user is not None] == [user_id] * 5
    assert not reader._waiting


async def test_who_gives_up_takes_no_answer_away(database: Database, user_id: UserId) -> None:
    reader = SessionReader(monotonic=Watch())
    session = await start(database, user_id)
    leaving, staying = (
        asyncio.create_task(reader.find(database, session.token_hash, now=NOW)) for _ in range(2)
    )
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying is not None


async def test_a_failed_question_is_told_to_all_and_asked_anew(
    database: Database, user_id: UserId
) -> None:
    reader = SessionReader(monotonic=Watch())
    session = await start(database, user_id)
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        asked = [
            asyncio.create_task(reader.find(database, session.token_hash, now=NOW))
            for _ in range(2)
        ]
        await end_those_who_wait(connection)
        failures = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(failure) for failure in failures] == [DatabaseUnavailable] * 2
    assert await reader.find(database, session.token_hash, now=NOW) is not None


async def end_those_who_wait(connection: Connection) -> None:
    """End the backends that wait for a lock, as an administrator would."""
    async with asyncio.timeout(5):
        while not await connection.fetchval(  # noqa: ASYNC110 - PostgreSQL tells nobody
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)
