"""Each role may do its own work in PostgreSQL, which itself refuses it everything else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Final, Protocol

import asyncpg
import msgspec
import pytest

from packhouse import accounts, wallet
from packhouse.flows.check_laws import list_broken_laws
from packhouse.flows.erase_feed_names import erase_feed_names
from packhouse.flows.relay_events import relay_events
from packhouse.flows.reveal_due_seeds import reveal_due_seeds
from packhouse.flows.sequence_log import sequence_log
from packhouse.foundation.jobs import TrimJobLog
from packhouse.foundation.limits import SEED_PAIR_DAYS_DUE
from packhouse.house import House
from packhouse.plumbing.database_roles import DATABASE_ROLES, grant_roles, list_grants
from packhouse.plumbing.migrations import migrate
from packhouse.web.live.hub import LiveHub
from packhouse.worker.jobs import run_jobs
from worlds.ember_counter import odds_of, open_one, publish, stock_card, welcome
from worlds.logins import database_of_role, url_of_role
from worlds.queued_jobs import enqueue, until_queue_is


class MovedClock(Protocol):
    """The clock of a test."""

    def __call__(self) -> datetime: ...

    def forward(self, **span: float) -> None: ...


COLLECTORS: Final = ("web", "api")
EVERYBODY: Final = ("web", "api", "live", "worker", "admin")

FORBIDDEN: Final = [
    *(
        (role, statement)
        for role in EVERYBODY
        for statement in (
            "DROP TABLE users",
            "TRUNCATE ledger_entries",
            "CREATE TABLE of_mine (id int)",
            "ALTER TABLE users DISABLE TRIGGER ALL",
            "UPDATE ledger_entries SET amount = 1",
            "DELETE FROM ledger_entries",
            "UPDATE openings SET receipt = ''",
            "DELETE FROM openings",
            "UPDATE receipts SET receipt = ''",
            "DELETE FROM receipts",
            "UPDATE log_leaves SET leaf = ''",
            "DELETE FROM log_leaves",
            "DELETE FROM log_checkpoints",
            "UPDATE log_checkpoints SET note = ''",
            "UPDATE audit_log SET reason = 'none'",
            "DELETE FROM audit_log",
            "UPDATE pack_versions SET config = ''",
            "DELETE FROM pack_versions",
            "DELETE FROM global_feed",
            "DELETE FROM user_cards",
            "DELETE FROM stock_items",
            "DELETE FROM wallets",
            "DELETE FROM users",
            "SELECT rolpassword FROM pg_authid",
            "SET ROLE packhouse",
        )
    ),
    *(
        (role, statement)
        for role in COLLECTORS
        for statement in (
            "UPDATE users SET role = 'owner'",
            "UPDATE users SET suspended_at = NULL",
            "UPDATE cards SET value = 1",
            "INSERT INTO cards DEFAULT VALUES",
            "INSERT INTO packs DEFAULT VALUES",
            "UPDATE packs SET current_version_id = NULL",
            "INSERT INTO pack_versions DEFAULT VALUES",
            "INSERT INTO stock_items DEFAULT VALUES",
            "INSERT INTO audit_log DEFAULT VALUES",
            "SELECT reason FROM audit_log",
            "UPDATE settings SET value = 'false'",
            "UPDATE house_accounts SET balance = 0",
            "INSERT INTO global_feed DEFAULT VALUES",
            "INSERT INTO log_leaves DEFAULT VALUES",
            "UPDATE user_cards SET value = 1000000",
            "UPDATE openings SET price = 0",
        )
    ),
    *(
        ("admin", statement)
        for statement in (
            "SELECT sealed_server_seed FROM seed_pairs",
            "SELECT password_hash FROM users",
            "UPDATE users SET password_hash = ''",
            "UPDATE users SET email = ''",
            "INSERT INTO openings DEFAULT VALUES",
            "INSERT INTO user_cards DEFAULT VALUES",
            "UPDATE user_cards SET value = 1",
            "INSERT INTO seed_pairs DEFAULT VALUES",
            "UPDATE seed_pairs SET client_seed = ''",
            "INSERT INTO users DEFAULT VALUES",
            "INSERT INTO global_feed DEFAULT VALUES",
            "INSERT INTO log_leaves DEFAULT VALUES",
            "UPDATE house_accounts SET balance = 0",
            "DELETE FROM outbox",
        )
    ),
    *(
        ("worker", statement)
        for statement in (
            "SELECT password_hash FROM users",
            "SELECT birth_date FROM users",
            "UPDATE users SET email = ''",
            "SELECT email_key FROM user_emails",
            "INSERT INTO sessions SELECT * FROM sessions",
            "INSERT INTO openings SELECT * FROM openings",
            "INSERT INTO user_cards SELECT * FROM user_cards",
            "UPDATE user_cards SET state = 'sold'",
            "INSERT INTO ledger_entries SELECT * FROM ledger_entries",
            "UPDATE stock_items SET place = 'house'",
            "UPDATE cards SET value = 1",
            "UPDATE packs SET position = 1",
            "SELECT address FROM shipping_requests",
            "UPDATE settings SET value = 'false'",
            "INSERT INTO audit_log SELECT * FROM audit_log",
        )
    ),
    *(
        ("live", statement)
        for statement in (
            "SELECT id FROM users",
            "SELECT token_hash FROM sessions",
            "SELECT balance FROM wallets",
            "SELECT id FROM openings",
            "SELECT id FROM user_cards",
            "SELECT payload FROM outbox",
            "UPDATE global_feed SET username = ''",
            "INSERT INTO global_feed SELECT * FROM global_feed",
        )
    ),
]


@pytest.fixture
async def logins(house: House) -> AsyncIterator[dict[str, asyncpg.Connection]]:
    """A connection of each role's login to the test's database."""
    async with AsyncExitStack() as stack:
        opened = {}
        for role in EVERYBODY:
            opened[role] = await asyncpg.connect(url_of_role(house, role))
            stack.push_async_callback(opened[role].close)
        yield opened


async def test_what_a_role_must_not_do_is_refused_by_postgresql(
    logins: dict[str, asyncpg.Connection],
) -> None:
    allowed = []
    for role, statement in FORBIDDEN:
        try:
            await logins[role].execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            continue
        allowed.append((role, statement))
    assert allowed == []


@pytest.mark.parametrize("role", EVERYBODY)
async def test_a_role_reads_what_has_been_migrated(
    logins: dict[str, asyncpg.Connection], role: str
) -> None:
    assert await logins[role].fetchval("SELECT count(*) FROM schema_migrations") > 0


async def test_every_table_is_granted_to_somebody_by_name(house: House) -> None:
    async with house.database.connection() as connection:
        rows = await connection.fetch("SELECT relname FROM pg_stat_user_tables")
    granted = " ".join(list_grants())
    unnamed = {row["relname"] for row in rows if row["relname"] not in granted}
    assert unnamed == set(), "say in schema/grants.sql who may do what with it"


async def test_what_is_granted_is_what_is_written_however_often(house: House) -> None:
    async with house.database.connection() as connection:
        before = await connection.fetch(RIGHTS, list(DATABASE_ROLES))
        await connection.execute("GRANT DELETE ON users TO packhouse_live")
        await connection.execute("GRANT UPDATE (email) ON users TO packhouse_live")
        await grant_roles(connection)
        assert await connection.fetch(RIGHTS, list(DATABASE_ROLES)) == before
        await migrate(connection)
        assert await connection.fetch(RIGHTS, list(DATABASE_ROLES)) == before


RIGHTS: Final = """
SELECT grantee, table_name, column_name, privilege_type
FROM information_schema.column_privileges
WHERE grantee = ANY ($1::text[])
UNION ALL
SELECT grantee, table_name, '', privilege_type
FROM information_schema.table_privileges
WHERE grantee = ANY ($1::text[])
ORDER BY 1, 2, 3, 4
"""


async def test_the_worker_does_all_its_work_with_its_own_login(
    house: House, clock: MovedClock
) -> None:
    olga = await welcome(house, "olga", role="owner")
    ada = await welcome(house, "ada", credits_minor=5_000)
    await stock_card(house, olga, "001", copies=3)
    await publish(house, olga, "ember", odds_of("001"))
    await open_one(house, ada, "ember")
    clock.forward(days=SEED_PAIR_DAYS_DUE, hours=1)
    async with database_of_role(house, "worker") as database:
        worker = msgspec.structs.replace(house, database=database)
        while (relayed := await relay_events(worker)) is not None and relayed.events:
            pass
        await sequence_log(worker)
        assert (await reveal_due_seeds(worker)).revealed == 1
        assert not await erase_feed_names(worker)
        await do_jobs(worker)
        async with database.connection() as connection:
            await accounts.delete_expired_sessions(connection, now=clock(), limit=10)
        while (relayed := await relay_events(worker)) is not None and relayed.events:
            pass
    async with house.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM outbox") == 0
        assert await wallet.list_house_accounts(connection)
    assert await list_broken_laws(house) == []


async def do_jobs(worker: House) -> None:
    """Everything that the queue asks for: schedules noted, a job enqueued, taken, noted as done."""
    stop = asyncio.Event()
    loop = asyncio.create_task(run_jobs(worker, stop))
    await enqueue(worker, TrimJobLog())
    await until_queue_is(worker)
    stop.set()
    await loop


@pytest.mark.parametrize("role", ["web", "api", "live"])
async def test_a_role_without_jobs_does_not_see_the_queue(
    logins: dict[str, asyncpg.Connection], role: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await logins[role].fetch("SELECT id FROM jobs.pgqueuer")


async def test_operators_put_jobs_into_the_queue_with_their_own_login(house: House) -> None:
    async with database_of_role(house, "admin") as database:
        await enqueue(msgspec.structs.replace(house, database=database), TrimJobLog())
    await until_queue_is(house, ("queued", 0))


async def test_live_streams_follow_the_feed_with_their_own_login(house: House) -> None:
    async with database_of_role(house, "live") as database:
        hub = LiveHub(database, house.valkey, streams_max=1)
        async with hub.running():
            assert not hub.closed.is_set()
