"""Real servers for every test that needs one: each worker starts its own and stops it at the end.

A database is copied from a migrated template for each test, so tests never see each other's rows.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import asyncpg
import msgspec
import pytest
import valkey as valkey_client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from packhouse.house import House, open_house
from packhouse.plumbing.database_roles import DATABASE_ROLES, make_login
from packhouse.plumbing.embedded import start_postgres, start_valkey
from packhouse.plumbing.logins import LOGIN_PREFIX
from packhouse.plumbing.migrations import migrate
from packhouse.plumbing.postgres import Database
from packhouse.plumbing.settings import Settings, load_settings
from worlds.logins import LOGIN_PASSWORD

# A machine that is busy with other things must not fail a test, so none is timed.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")

TEST_SEED_KEY = "00" * 32
TEST_LOG_KEY = "01" * 32

_database_numbers = count(1)


class TestClock:
    """A clock that stands still until a test moves it."""

    __test__ = False

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Servers(msgspec.Struct, frozen=True):
    """Where the test servers are; ``admin_url`` opens the database that templates are made from."""

    admin_url: str
    cache_url: str

    def url_of(self, database: str) -> str:
        return self.admin_url.rsplit("/", 1)[0] + f"/{database}"


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    # Not below pytest's own folder: root's PostgreSQL runs as an account that cannot enter there.
    folder = Path(tempfile.mkdtemp(prefix="packhouse-tests-"))
    folder.chmod(0o711)
    postgres = start_postgres(
        folder / "postgres",
        announce=_quietly,
        # The databases of a test run need not survive the machine; only tests may say so.
        settings={"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
    )
    valkey = start_valkey(folder / "valkey", announce=_quietly)
    yield Servers(admin_url=postgres.url, cache_url=valkey.url)
    valkey.stop()
    postgres.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(servers: Servers) -> str:
    """The name of a migrated database to copy."""

    async def make() -> None:
        connection = await asyncpg.connect(servers.admin_url)
        await connection.execute("CREATE DATABASE template_shop")
        await connection.close()
        connection = await asyncpg.connect(servers.url_of("template_shop"))
        await migrate(connection)
        for role in DATABASE_ROLES:
            name = f"{LOGIN_PREFIX}{role}"
            await make_login(connection, name=name, role=role, password=LOGIN_PASSWORD)
        await connection.close()

    asyncio.run(make())
    return "template_shop"


@pytest.fixture
async def database_url(servers: Servers, template: str) -> AsyncIterator[str]:
    """A fresh migrated database of the test's own."""
    name = f"shop_{next(_database_numbers)}"
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
    yield servers.url_of(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def settings(database_url: str, servers: Servers, tmp_path: Path) -> Settings:
    with valkey_client.Valkey.from_url(servers.cache_url) as client:
        client.flushall()
    return load_settings(
        {},
        dotenv_path=tmp_path / "no.env",
        overrides={
            "environment": "test",
            "embedded": True,
            "database_url": database_url,
            "cache_url": servers.cache_url,
            "seed_key": TEST_SEED_KEY,
            "log_key": TEST_LOG_KEY,
            "media_directory": tmp_path / "media",
            "payment_provider": "demo",
            "demo_accounts": True,
            "http_workers": 1,
            "cache_timeout_ms": 1000,
        },
    ).settings


@pytest.fixture
async def house(settings: Settings, clock: TestClock) -> AsyncIterator[House]:
    """The whole house on the test's own database, with a clock that stands still."""
    async with open_house(settings, clock=clock) as opened:
        yield opened


@pytest.fixture
def database(house: House) -> Database:
    return house.database


def _quietly(_: str) -> None:
    """Say nothing of the servers' start."""
