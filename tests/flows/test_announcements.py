"""Every version that goes on sale, and every pack that goes off it, is told to the draw log."""

import pytest

from packhouse.flows.publish_pack import WithdrawPack, withdraw_pack
from packhouse.foundation.events import PackPublished, PackWithdrawn
from packhouse.house import House
from worlds.announced import list_facts
from worlds.ember_counter import Person, kill_at, odds_of, publish, record_everything


@pytest.mark.usefixtures("ember")
async def test_each_publication_is_in_the_log_and_none_is_a_withdrawal(
    house: House, olga: Person
) -> None:
    second = await publish(house, olga, "ember", odds_of("001", price=200))
    published = await list_facts(house, PackPublished)
    assert [fact.number for fact in published] == [1, 2]
    assert published[-1] == PackPublished(slug="ember", number=2, config_hash=second.config_hash)
    assert await list_facts(house, PackWithdrawn) == []


@pytest.mark.usefixtures("ember")
async def test_a_withdrawal_is_in_the_log_once(house: House, olga: Person) -> None:
    (published,) = await list_facts(house, PackPublished)
    for _ in range(2):
        await withdraw_pack(house, WithdrawPack("ember", "Out of fashion.", olga.actor))
    assert await list_facts(house, PackWithdrawn) == [
        PackWithdrawn(slug="ember", config_hash=published.config_hash)
    ]


@pytest.mark.usefixtures("ember")
async def test_a_withdrawal_that_is_killed_at_its_announcement_is_none(
    house: House, olga: Person
) -> None:
    before = await record_everything(house)
    command = WithdrawPack("ember", "Out of fashion.", olga.actor)
    await kill_at(house, "outbox", withdraw_pack(house, command))
    assert await record_everything(house) == before
