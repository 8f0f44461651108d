"""Openings made true together are the same as one after another: the single form is the oracle.

Two copies of one shop with the same chance: in one every opening is a set of its own, in the other
all of a line are one set. Afterwards every table holds the same rows, but for new identifiers.
"""

import asyncio
import random
import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packhouse.flows.check_laws import list_broken_laws
from packhouse.flows.open_pack import AskedOpening, open_set
from packhouse.flows.settle_openings import OpenedPacks
from packhouse.foundation import identifiers
from packhouse.house import House
from worlds.ember_counter import (
    PRICE_MINOR,
    Person,
    lot_of,
    odds_of,
    opening,
    publish,
    stock_card,
    suspend,
    welcome,
)
from worlds.simulated_shop import (
    OPENED_AT,
    NumberedIds,
    ServersToUse,
    copy_database,
    drop_database,
    open_scene,
)

EXAMPLES: Final = 15
COLLECTORS: Final = 6
TEMPLATE: Final = "template_sets_of_openings"
UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")

_copies = count(1)


class Wish(msgspec.Struct, frozen=True):
    """Collector number ``who`` wants so many packs."""

    who: int
    slug: str
    quantity: int
    client_seed: str | None


WISHES: Final = st.lists(
    st.builds(
        Wish,
        who=st.integers(0, COLLECTORS - 1),
        slug=st.sampled_from(["mixed", "crate"]),
        quantity=st.integers(1, 4),
        client_seed=st.sampled_from([None, "rain on the roof"]),
    ),
    min_size=2,
    max_size=COLLECTORS,
    unique_by=lambda wish: wish.who,
)


async def stock_shop(house: House) -> list[Person]:
    """Packs with enough copies, a lot of seven packs, and collectors of whom two may not buy."""
    owner = await welcome(house, "olga", role="owner")
    for number in ("001", "003"):
        await stock_card(house, owner, number, value=80, copies=60)
    await stock_card(house, owner, "002", value=15)
    await stock_card(house, owner, "011", copies=10)
    await stock_card(house, owner, "013", value=901, copies=1)
    await publish(house, owner, "mixed", odds_of("001", "002", "003", count=3))
    crate = lot_of({"011": 10, "002": 4}, packs=7, cards_per_pack=2, last_one="013")
    await publish(house, owner, "crate", crate)
    crowd = [
        await welcome(house, f"collector{who}", credits_minor=10 * PRICE_MINOR)
        for who in range(COLLECTORS - 1)
    ]
    crowd.append(await welcome(house, "poor", credits_minor=2 * PRICE_MINOR))
    await suspend(house, crowd[0])
    return crowd


async def grant(house: House, crowd: Sequence[Person], sets: Sequence[Sequence[Wish]]) -> list[str]:
    """Open what is wished, set by set; gives what became of each wish."""
    told = []
    for wishes in sets:
        asked = [
            AskedOpening(
                opening(
                    crowd[wish.who],
                    wish.slug,
                    quantity=wish.quantity,
                    key="once",
                    client_seed=wish.client_seed,
                ),
                await house.packs.find_pack(house.database, wish.slug),
            )
            for wish in wishes
        ]
        told += [
            f"{wish.who}: {outcome if isinstance(outcome, OpenedPacks) else repr(outcome)}"
            for wish, outcome in zip(wishes, await open_set(house, asked), strict=True)
        ]
    return told


async def read_tables(house: House) -> dict[str, list[str]]:
    """Every row of every table as text."""
    async with house.database.connection() as connection:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace ORDER BY relname"
        )
        return {
            name: [row[0] for row in await connection.fetch(f"SELECT t::text FROM {name} t")]  # noqa: S608 - the catalog's own names
            for (name,) in tables
        }


def test_a_set_of_openings_leaves_what_the_same_openings_leave_one_by_one(
    servers: ServersToUse, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = NumberedIds()
    monkeypatch.setattr(identifiers, "uuid7", ids)

    def open_on(database: str) -> AbstractAsyncContextManager[House]:
        return open_scene(
            servers.url_of(database),
            servers.cache_url,
            tmp_path,
            clock=lambda: OPENED_AT,
            entropy=random.Random(0).randbytes,  # noqa: S311 - chance to repeat
        )

    async def prepare() -> list[Person]:
        await copy_database(servers, template, to=TEMPLATE)
        async with open_on(TEMPLATE) as house:
            return await stock_shop(house)

    crowd = asyncio.run(prepare())
    ids_used = ids.last

    def is_known(identifier: str) -> bool:
        return UUID(identifier).int & (2**62 - 1) <= ids_used

    def without_new_ids(text: str) -> str:
        return UUID_TEXT.sub(lambda found: found[0] if is_known(found[0]) else "new", text)

    async def outcome_of(sets: Sequence[Sequence[Wish]]) -> dict[str, list[str]]:
        database = f"sets_of_openings_{next(_copies)}"
        await copy_database(servers, TEMPLATE, to=database)
        ids.last = ids_used
        async with open_on(database) as house:
            told = await grant(house, crowd, sets)
            assert await list_broken_laws(house) == []
            tables = await read_tables(house)
        await drop_database(servers, database)
        left = {name: sorted(map(without_new_ids, rows)) for name, rows in tables.items()}
        return left | {"what each was told": list(map(without_new_ids, told))}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(wishes=WISHES)
    def compare(wishes: list[Wish]) -> None:
        lines = [[wish for wish in wishes if wish.slug == slug] for slug in ("mixed", "crate")]
        together = asyncio.run(outcome_of([line for line in lines if line]))
        assert together == asyncio.run(outcome_of([[wish] for line in lines for wish in line]))

    compare()
