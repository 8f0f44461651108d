"""A drop: everybody presses at once, in two processes, and the lot sells exactly what it holds."""

import asyncio
from collections import Counter

import asyncpg

from packhouse.flows.open_pack import open_pack
from packhouse.flows.settle_openings import OpenedPacks
from packhouse.foundation.errors import PackhouseError
from packhouse.house import House
from worlds.ember_counter import (
    PRICE_MINOR,
    Person,
    balance_of,
    lot_of,
    opening,
    places_of,
    publish,
    stock_card,
    welcome_all,
)

PEOPLE = 300
PACKS = 60
CREDITS_MINOR = 5_000


async def deadlocks_of(database_url: str) -> int:
    """Asked in a session of its own, after the others have reported what they counted."""
    await asyncio.sleep(1.5)
    connection = await asyncpg.connect(database_url)
    found = await connection.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    await connection.close()
    return int(found)


async def test_300_people_at_once_on_a_lot_of_60_are_60_buyers_and_240_who_paid_nothing(
    house: House, second_house: House, olga: Person, database_url: str
) -> None:
    card = await stock_card(house, olga, "091", copies=PACKS, place="house")
    await publish(house, olga, "drop", lot_of({"091": PACKS}, packs=PACKS))
    people = await welcome_all(house, PEOPLE, credits_minor=CREDITS_MINOR)
    answers = await asyncio.gather(
        *(
            open_pack((house, second_house)[number % 2], opening(person, "drop", key="mine"))
            for number, person in enumerate(people)
        ),
        return_exceptions=True,
    )
    told = Counter(
        answer.code if isinstance(answer, PackhouseError) else type(answer) for answer in answers
    )
    assert told == {OpenedPacks: PACKS, "sold_out": PEOPLE - PACKS}
    assert await places_of(house, card) == {"vaulted": PACKS}
    paid = [CREDITS_MINOR - await balance_of(house, person) for person in people]
    assert [each == PRICE_MINOR for each in paid] == [
        isinstance(answer, OpenedPacks) for answer in answers
    ]
    assert Counter(paid) == {PRICE_MINOR: PACKS, 0: PEOPLE - PACKS}
    assert await deadlocks_of(database_url) == 0
