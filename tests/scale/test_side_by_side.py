"""The version before runs beside this one on the new schema: a deploy needs no pause."""

import itertools
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from packhouse.flows.check_laws import list_broken_laws
from packhouse.house import House
from worlds.balancers import start_haproxy
from worlds.debian_programs import require_program
from worlds.logins import url_of_role
from worlds.previous_version import (
    MIGRATIONS,
    REPOSITORY,
    PreviousVersion,
    find_previous_commit,
    numbers_in,
    unpack_previous_version,
)
from worlds.served_roles import Role, demo_payments, free_port, start, until_ready
from worlds.shop_walk import Walker
from worlds.veil_shop import open_veil_shop
from worlds.web_fleet import KEYS, UNLIMITED

pytestmark = pytest.mark.scale

WEB_BEFORE_WORKER = frozenset({8})
"""Migrations whose worker writes what older web servers cannot read: those are to be gone first."""


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> PreviousVersion:
    return unpack_previous_version(tmp_path_factory.mktemp("previous"))


class Deploy:
    """Starts programs of both versions on one database, and walks through what is served.

    Each has the login of its role, with the rights that the new version grants.
    """

    def __init__(self, house: House, previous: PreviousVersion, folder: Path) -> None:
        self._house = house
        self._previous = previous
        self._folder = folder
        self._names: Iterator[str] = (f"walker-{number}" for number in itertools.count())

    @asynccontextmanager
    async def run(self, program: str, *, is_old: bool) -> AsyncIterator[Role]:
        environment = demo_payments(self._folder)
        if is_old:
            environment |= self._previous.environment
        port = free_port()
        async with start(
            self._house,
            port,
            program,
            environment,
            database_url=url_of_role(self._house, program),
            media_directory=str(self._folder / "media"),
            http_port=str(port),
            http_workers="1",
            worker_port="0",
            **KEYS,
            **UNLIMITED,
        ) as role:
            if program == "web":
                await until_ready(role)
            yield role
            assert await role.stop() == 0, role.said()

    async def walk(self, *served: Role | str) -> None:
        """Somebody new walks, each step at the next of the servers."""
        urls = [
            each if isinstance(each, str) else f"http://127.0.0.1:{each.port}" for each in served
        ]
        await Walker(next(self._names), urls).walk()


@pytest.fixture
async def deploy(house: House, previous: PreviousVersion, tmp_path: Path) -> AsyncIterator[Deploy]:
    await open_veil_shop(house)
    yield Deploy(house, previous, tmp_path)
    assert await list_broken_laws(house) == []


async def test_both_versions_serve_one_shop_until_only_the_new_one_is_left(
    deploy: Deploy, previous: PreviousVersion
) -> None:
    async with AsyncExitStack() as new, AsyncExitStack() as old_webs, AsyncExitStack() as old:
        before = await old_webs.enter_async_context(deploy.run("web", is_old=True))
        await old.enter_async_context(deploy.run("worker", is_old=True))
        # Migrated, and nothing exchanged yet.
        await deploy.walk(before)

        after = await new.enter_async_context(deploy.run("web", is_old=False))
        both = {"web": [before.port, after.port]}
        balancer = await new.enter_async_context(start_haproxy(both))
        await deploy.walk(after)
        await deploy.walk(before, after)
        await deploy.walk(after, before)
        await deploy.walk(balancer.url)

        if previous.unknown & WEB_BEFORE_WORKER:
            await old_webs.aclose()
        await new.enter_async_context(deploy.run("worker", is_old=False))
        await deploy.walk(balancer.url)
        await old.aclose()
        # The old web servers, as long as they may be there, live with the new worker.
        await deploy.walk(balancer.url)
        await old_webs.aclose()
        await deploy.walk(after)


def test_the_version_before_does_not_know_the_newest_migration(previous: PreviousVersion) -> None:
    assert max(numbers_in(REPOSITORY / MIGRATIONS)) in previous.unknown


def test_a_shallow_clone_says_that_it_cannot_tell(tmp_path: Path) -> None:
    """Its only commit has no parent, so the version before is not there."""
    shallow = tmp_path / "shallow"
    subprocess.run(
        [
            *(require_program("git", package="git"), "clone", "--quiet", "--depth=1"),
            *(f"file://{REPOSITORY}", shallow),
        ],
        check=True,
    )
    with pytest.raises(AssertionError, match="shallow"):
        find_previous_commit(shallow)
