from packhouse.house import House


async def test_it_opens(house: House) -> None:
    assert await house.packs.list_packs(house.database) == ()
