"""A collector takes the own history away: everything once, and no secret before its time."""

import msgspec

from packhouse.catalog import Card
from packhouse.flows.read_history import History, read_history
from packhouse.flows.read_receipt import read_receipt
from packhouse.flows.rotate_seed import rotate_seed
from packhouse.flows.settle_openings import Opening
from packhouse.house import House
from worlds.ember_counter import Person, open_one


async def history_of(house: House, person: Person, *, rows_per_piece: int = 200) -> History:
    pieces = read_history(house, person.user_id, rows_per_piece=rows_per_piece)
    return msgspec.json.decode(b"".join([piece async for piece in pieces]), type=History)


async def test_a_long_history_comes_in_pieces_and_lacks_nothing(
    house: House, ada: Person, spark: Card
) -> None:
    opened: list[Opening] = []
    for _ in range(5):
        opened += (await open_one(house, ada, "spark")).openings
        await rotate_seed(house, ada.user_id)
    history = await history_of(house, ada, rows_per_piece=2)
    assert [receipt.id for receipt in history.receipts] == [each.id for each in reversed(opened)]
    assert len(history.seed_pairs) == 6
    assert history == await history_of(house, ada)


async def test_a_history_tells_revealed_seeds_alone(house: House, ada: Person, spark: Card) -> None:
    await open_one(house, ada, "spark")
    await rotate_seed(house, ada.user_id)
    await open_one(house, ada, "spark")
    history = await history_of(house, ada)
    assert [pair.server_seed is None for pair in history.seed_pairs] == [True, False]
    assert [receipt.server_seed is None for receipt in history.receipts] == [True, False]
    for receipt in history.receipts:
        assert receipt == await read_receipt(house, receipt.id, viewer=None)


async def test_a_history_is_its_collectors_own(
    house: House, ada: Person, ben: Person, spark: Card
) -> None:
    await open_one(house, ada, "spark")
    assert (await history_of(house, ben)).receipts == ()
