"""People and packs that flows are tested with, and the laws, which hold after every test.

Ada and Ben collect, Olga owns the shop. The pack ``ember`` holds one physical card of 80, of which
there are forty copies; ``spark`` holds one digital card.
"""

from collections.abc import AsyncIterator

import pytest

from packhouse.catalog import Card
from packhouse.flows.check_laws import list_broken_laws
from packhouse.house import House, open_house
from packhouse.plumbing.settings import Settings
from worlds.ember_counter import (
    Person,
    odds_of,
    publish,
    stock_card,
    welcome,
)

CREDITS_MINOR = 5_000
"""What Ada and Ben begin with."""


@pytest.fixture(autouse=True)
async def every_law_holds(house: House) -> AsyncIterator[None]:
    """Whatever a test does through flows, the house's laws hold afterwards."""
    yield
    assert await list_broken_laws(house) == []


@pytest.fixture
async def second_house(house: House, settings: Settings) -> AsyncIterator[House]:
    """Another process's worth of the shop on the same database."""
    async with open_house(settings, clock=house.clock) as opened:
        yield opened


@pytest.fixture
async def olga(house: House) -> Person:
    """Olga owns the shop."""
    return await welcome(house, "olga", role="owner")


@pytest.fixture
async def ada(house: House) -> Person:
    """Ada collects and has 50.00 credits."""
    return await welcome(house, "ada", credits_minor=CREDITS_MINOR)


@pytest.fixture
async def ben(house: House) -> Person:
    """Ben collects too, and is nosy."""
    return await welcome(house, "ben", credits_minor=CREDITS_MINOR)


@pytest.fixture
async def ember(house: House, olga: Person) -> Card:
    """The only card of the pack ``ember``: forty copies on sale."""
    card = await stock_card(house, olga, "001", copies=40)
    await publish(house, olga, "ember", odds_of("001"))
    return card


@pytest.fixture
async def spark(house: House, olga: Person) -> Card:
    """The only card of the pack ``spark``: digital."""
    card = await stock_card(house, olga, "002")
    await publish(house, olga, "spark", odds_of("002"))
    return card
