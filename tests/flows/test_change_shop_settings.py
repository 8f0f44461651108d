"""Staff change how the shop runs today."""

import asyncio

import pytest

from packhouse.accounts import Forbidden
from packhouse.flows.change_shop_settings import ChangeShopSettings, change_shop_settings
from packhouse.foundation.errors import InvalidInput
from packhouse.house import House
from packhouse.plumbing.audit import list_audit_entries
from packhouse.plumbing.shop_settings import ShopSettings, find_shop_settings
from worlds.ember_counter import Person, record_everything

CLOSED = ShopSettings(registrations_open=False, maintenance=True)


async def test_switches_are_set_and_the_change_is_on_record(house: House, olga: Person) -> None:
    await change_shop_settings(house, ChangeShopSettings(CLOSED, olga.actor, " Moving house. "))
    assert await switches_of(house) == CLOSED
    async with house.database.connection() as connection:
        (entry,) = await list_audit_entries(connection, before=None, limit=1)
    assert (entry.action, entry.subject, entry.reason) == (
        "change_shop_settings",
        "settings",
        "Moving house.",
    )
    assert entry.details["from"] == {"registrations_open": True, "maintenance": False}
    assert entry.details["to"] == {"registrations_open": False, "maintenance": True}


async def test_a_collector_changes_nothing(house: House, ada: Person) -> None:
    before = await record_everything(house)
    with pytest.raises(Forbidden):
        await change_shop_settings(house, ChangeShopSettings(CLOSED, ada.actor))
    assert await record_everything(house) == before


async def test_a_reason_that_is_given_says_something(house: House, olga: Person) -> None:
    with pytest.raises(InvalidInput):
        await change_shop_settings(house, ChangeShopSettings(CLOSED, olga.actor, " "))


async def test_of_changes_at_once_one_stands_as_a_whole(house: House, olga: Person) -> None:
    wanted = (CLOSED, ShopSettings())
    await asyncio.gather(
        *(
            change_shop_settings(house, ChangeShopSettings(wanted[n % 2], olga.actor))
            for n in range(10)
        )
    )
    assert await switches_of(house) in wanted


async def switches_of(house: House) -> ShopSettings:
    """Today's switches."""
    async with house.database.connection() as connection:
        return await find_shop_settings(connection)
