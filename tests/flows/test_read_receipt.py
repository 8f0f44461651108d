"""Anyone with its id reads a receipt, from the moment that its opening is committed."""

import pytest

from packhouse import draws
from packhouse.catalog import Card
from packhouse.flows.open_pack import open_pack
from packhouse.flows.publish_pack import WithdrawPack, withdraw_pack
from packhouse.flows.read_receipt import read_receipt
from packhouse.flows.rotate_seed import rotate_seed
from packhouse.foundation.errors import NotFound
from packhouse.foundation.identifiers import OpeningId, new_id
from packhouse.house import House
from worlds.ember_counter import (
    Person,
    lot_of,
    open_one,
    opening,
    publish,
    relay_all,
    session_of,
    stock_card,
)


async def test_a_receipt_is_the_same_for_everybody_before_and_after_it_is_published(
    house: House, ada: Person, ben: Person, ember: Card
) -> None:
    opened = (await open_one(house, ada, "ember")).openings[0]
    viewers = [None, session_of(ada, house), session_of(ben, house)]
    waiting = [await read_receipt(house, opened.id, viewer=viewer) for viewer in viewers]
    await relay_all(house)
    published = [await read_receipt(house, opened.id, viewer=viewer) for viewer in viewers]
    assert waiting == published == [waiting[0]] * 3
    receipt = waiting[0]
    assert (receipt.id, receipt.proof, receipt.price) == (opened.id, opened.proof, 100)
    assert receipt.cards[0].user_card_id == opened.cards[0].user_card_id


async def test_a_receipt_holds_nothing_that_names_its_collector(
    house: House, ada: Person, ember: Card
) -> None:
    opened = (await open_pack(house, opening(ada, "ember", client_seed="rain"))).openings[0]
    receipt = str(await read_receipt(house, opened.id, viewer=None))
    # Quoted, because hexadecimal digits may spell her name by chance.
    assert repr(ada.username) not in receipt
    assert str(ada.user_id) not in receipt


async def test_the_server_seed_is_told_once_its_pair_is_revealed(
    house: House, ada: Person, ember: Card
) -> None:
    before = (await open_one(house, ada, "ember")).openings[0]
    assert (await read_receipt(house, before.id, viewer=None)).server_seed is None
    rotated = await rotate_seed(house, ada.user_id)
    after = (await open_one(house, ada, "ember")).openings[0]
    assert rotated.revealed.server_seed is not None
    revealed = (await read_receipt(house, before.id, viewer=None)).server_seed
    assert revealed == rotated.revealed.server_seed.hex()
    assert (await read_receipt(house, after.id, viewer=None)).server_seed is None


async def test_a_lots_draw_does_not_wait_for_the_collectors_own_seed(
    house: House, olga: Person, ada: Person
) -> None:
    await stock_card(house, olga, "021", copies=2)
    await publish(house, olga, "crate", lot_of({"021": 2}, packs=2))
    opened = (await open_one(house, ada, "crate")).openings[0]
    await rotate_seed(house, ada.user_id)
    receipt = await read_receipt(house, opened.id, viewer=None)
    assert receipt.server_seed is None
    assert receipt.proof.lot is not None


async def test_a_lots_seed_stands_on_its_receipts_from_the_last_draw_on(
    house: House, olga: Person, ada: Person, ben: Person
) -> None:
    await stock_card(house, olga, "021", copies=3)
    await publish(house, olga, "crate", lot_of({"021": 3}, packs=3))
    first = (await open_one(house, ada, "crate")).openings[0]
    assert (await read_receipt(house, first.id, viewer=None)).server_seed is None
    rest = (await open_one(house, ben, "crate", quantity=2)).openings
    seeds = {
        (await read_receipt(house, opened.id, viewer=None)).server_seed for opened in (first, *rest)
    }
    (seed,) = seeds
    assert seed is not None
    assert draws.commitment_to(bytes.fromhex(seed)).hex() == first.proof.commitment


@pytest.mark.parametrize("how", ["withdrawn", "published anew"])
async def test_a_lots_seed_is_told_when_the_lot_is_closed_early(
    house: House, olga: Person, ada: Person, how: str
) -> None:
    await stock_card(house, olga, "021", copies=4)
    await publish(house, olga, "crate", lot_of({"021": 2}, packs=2))
    old = (await open_one(house, ada, "crate")).openings[0]
    if how == "withdrawn":
        await withdraw_pack(house, WithdrawPack("crate", "Damaged by water.", olga.actor))
    else:
        await publish(house, olga, "crate", lot_of({"021": 2}, packs=2))
        new = (await open_one(house, ada, "crate")).openings[0]
        assert (await read_receipt(house, new.id, viewer=None)).server_seed is None
    seed = (await read_receipt(house, old.id, viewer=None)).server_seed
    assert seed is not None
    assert draws.commitment_to(bytes.fromhex(seed)).hex() == old.proof.commitment


async def test_an_id_that_no_opening_has_is_not_found(house: House, ada: Person) -> None:
    for viewer in (None, session_of(ada, house)):
        with pytest.raises(NotFound):
            await read_receipt(house, OpeningId(new_id()), viewer=viewer)
