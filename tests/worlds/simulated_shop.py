"""A real shop for one example of a simulation: its own database, event loop, clock and chance.

Identifiers and entropy are numbered, so that the same steps give the same draws in every run.
"""

import asyncio
import random
from collections.abc import Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import pytest

from packhouse.catalog import Card
from packhouse.foundation import identifiers
from packhouse.foundation.time import Clock
from packhouse.house import House, open_house
from packhouse.plumbing.entropy import Entropy
from packhouse.plumbing.settings import load_settings
from worlds.ember_counter import Person, lot_of, odds_of, publish, restock, stock_card, welcome

Result = TypeVar("Result")

OPENED_AT: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

_example_numbers = count(1)


class ServersToUse(Protocol):
    """Where the test servers are."""

    admin_url: str
    cache_url: str

    def url_of(self, database: str) -> str:
        """The address of one database."""


class NumberedIds:
    """Identifiers in the form of UUIDv7 that count instead of telling time and chance."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self) -> UUID:
        """The next one."""
        self.last += 1
        return UUID(int=(0x019700000000 << 80) | (7 << 76) | (2 << 62) | self.last)


class Scene(msgspec.Struct, frozen=True):
    """A stocked shop to copy for each example: who owns it, and the cards by number."""

    servers: ServersToUse
    database: str
    folder: Path
    ids: NumberedIds
    ids_used: int
    owner: Person
    cards: Mapping[str, Card]


class SimulatedShop:
    """The house of one example; ``run`` awaits one thing in its loop."""

    def __init__(self, scene: Scene, *, seed: int) -> None:
        self.now = OPENED_AT
        self._scene = scene
        self._database = f"simulated_{next(_example_numbers)}"
        self._stack = AsyncExitStack()
        self._runner = asyncio.Runner()
        scene.ids.last = scene.ids_used
        self.house = self.run(self._open(random.Random(seed)))  # noqa: S311 - chance to repeat

    def run(self, flow: Coroutine[Any, Any, Result]) -> Result:
        """The flow's result."""
        return self._runner.run(flow)

    def forward(self, hours: int) -> None:
        """Move the clock."""
        self.now += timedelta(hours=hours)

    def close(self) -> None:
        """Leave nothing behind."""
        self.run(self._stack.aclose())
        self._runner.close()

    async def _open(self, chance: random.Random) -> House:
        await copy_database(self._scene.servers, self._scene.database, to=self._database)
        self._stack.push_async_callback(drop_database, self._scene.servers, self._database)
        return await self._stack.enter_async_context(
            open_scene(
                self._scene.servers.url_of(self._database),
                self._scene.servers.cache_url,
                self._scene.folder,
                clock=lambda: self.now,
                entropy=chance.randbytes,
            )
        )


_scene_numbers = count(1)


def make_scene(
    servers: ServersToUse, template: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Scene:
    """Stock a shop: ``mixed`` holds two cards of three, ``scarce`` one, ``crate`` is a lot.

    Cards 001 and 003 are physical and few, 002 is digital; 011 to 013 are the lot's.
    """
    ids = NumberedIds()
    monkeypatch.setattr(identifiers, "uuid7", ids)
    database = f"template_simulation_{next(_scene_numbers)}"

    async def prepare() -> tuple[Person, dict[str, Card]]:
        await copy_database(servers, template, to=database)
        async with open_scene(
            servers.url_of(database),
            servers.cache_url,
            folder,
            clock=lambda: OPENED_AT,
            entropy=random.Random(0).randbytes,  # noqa: S311 - the same
        ) as house:
            owner = await welcome(house, "olga", role="owner")
            cards = [
                await stock_card(house, owner, "001", value=80, copies=6, place="house"),
                await stock_card(house, owner, "002", value=15),
                await stock_card(house, owner, "003", value=333, copies=3, place="house"),
                await stock_card(house, owner, "011", value=70, copies=6),
                await stock_card(house, owner, "012", value=5),
                await stock_card(house, owner, "013", value=901, copies=1),
            ]
            await restock(house, owner, cards[0], 4)
            await restock(house, owner, cards[2], 2)
            await publish(house, owner, "mixed", odds_of("001", "002", "003", count=2))
            await publish(house, owner, "scarce", odds_of("001"))
            crate = lot_of({"011": 6, "012": 2}, packs=4, cards_per_pack=2, last_one="013")
            await publish(house, owner, "crate", crate)
        return owner, {card.number: card for card in cards}

    owner, cards = asyncio.run(prepare())
    return Scene(servers, database, folder, ids, ids.last, owner, cards)


def open_scene(
    database_url: str, cache_url: str, folder: Path, *, clock: Clock, entropy: Entropy
) -> AbstractAsyncContextManager[House]:
    """A small house on one database."""
    settings = load_settings(
        {},
        dotenv_path=folder / "no.env",
        overrides={
            "environment": "test",
            "embedded": True,
            "database_url": database_url,
            "cache_url": cache_url,
            "database_pool_size": 3,
            "seed_key": "00" * 32,
            "log_key": "01" * 32,
            "media_directory": folder / "media",
            "payment_provider": "demo",
            "http_workers": 1,
        },
    ).settings
    return open_house(settings, clock=clock, entropy=entropy)


async def copy_database(servers: ServersToUse, template: str, *, to: str) -> None:
    """Make a database like another."""
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute(f"CREATE DATABASE {to} TEMPLATE {template} STRATEGY file_copy")
    await admin.close()


async def drop_database(servers: ServersToUse, name: str) -> None:
    """Take a database away."""
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
