"""A lot ends when its pack is published anew or withdrawn, and what is left of it is free again."""

import asyncio
import hashlib
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from packhouse import draws, verify
from packhouse.draws import PackNotFound
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.flows.move_stock import MoveStock, move_stock
from packhouse.flows.open_pack import open_pack
from packhouse.flows.publish_pack import WithdrawPack, withdraw_pack
from packhouse.flows.settle_openings import OpenedPacks
from packhouse.foundation.events import (
    CardCopies,
    LotClosed,
    LotListed,
    PackPublished,
    StockWithdrawn,
)
from packhouse.house import House
from packhouse.plumbing.pictures import FolderPictures
from worlds.announced import list_announced, list_facts
from worlds.ember_counter import (
    Person,
    is_paused,
    lot_of,
    odds_of,
    open_one,
    opening,
    places_of,
    publish,
    stock_card,
)


async def test_undrawn_copies_of_a_lot_published_anew_go_into_the_new_one(
    house: House, olga: Person, ada: Person
) -> None:
    card = await stock_card(house, olga, "001", copies=4)
    await publish(house, olga, "crate", lot_of({"001": 3}, packs=3))
    await open_one(house, ada, "crate")
    await publish(house, olga, "crate", lot_of({"001": 2}, packs=2))
    assert await places_of(house, card) == {"vaulted": 1, "on_sale": 3}
    await open_one(house, ada, "crate", quantity=2)
    assert (await places_of(house, card))["vaulted"] == 3


async def test_undrawn_copies_of_a_withdrawn_lot_go_to_the_house(
    house: House, olga: Person, ada: Person
) -> None:
    card = await stock_card(house, olga, "001", copies=3)
    await publish(house, olga, "crate", lot_of({"001": 2}, packs=2, last_one="001"))
    await open_one(house, ada, "crate")
    await withdraw_pack(house, WithdrawPack("crate", "Damaged by water.", olga.actor))
    assert await places_of(house, card) == {"vaulted": 1, "house": 2}
    with pytest.raises(PackNotFound):
        await open_one(house, ada, "crate")


async def test_openings_at_the_moment_of_withdrawal_are_wholly_made_or_refused(
    house: House, olga: Person, ada: Person, ben: Person
) -> None:
    card = await stock_card(house, olga, "001", copies=6)
    await publish(house, olga, "crate", lot_of({"001": 6}, packs=6))
    results = await asyncio.gather(
        open_pack(house, opening(ada, "crate")),
        withdraw_pack(house, WithdrawPack("crate", "A change of mind.", olga.actor)),
        open_pack(house, opening(ben, "crate")),
        return_exceptions=True,
    )
    opened = [result for result in results if isinstance(result, OpenedPacks)]
    refused = [result for result in results if isinstance(result, PackNotFound)]
    assert len(opened) + len(refused) == 2
    places = await places_of(house, card)
    assert places.get("vaulted", 0) == len(opened)
    assert places.get("house", 0) == 6 - len(opened)


async def test_a_resting_pack_published_without_the_missing_card_sells_again(
    house: House, olga: Person, ada: Person
) -> None:
    await stock_card(house, olga, "001", copies=1)
    other = await stock_card(house, olga, "002", copies=2)
    await publish(house, olga, "ember", odds_of("001"))
    await open_one(house, ada, "ember", quantity=2)
    assert await is_paused(house, "ember")
    await publish(house, olga, "ember", odds_of("002"))
    assert not await is_paused(house, "ember")
    await open_one(house, ada, "ember")
    assert (await places_of(house, other))["vaulted"] == 1


async def test_a_lot_is_listed_in_the_log_after_its_pack(house: House, olga: Person) -> None:
    await stock_card(house, olga, "001", copies=5)
    await publish(house, olga, "crate", lot_of({"001": 4}, packs=2, cards_per_pack=2))
    pack, listed = [waiting.event for waiting in await list_announced(house)][-2:]
    assert isinstance(pack, PackPublished)
    assert isinstance(listed, LotListed)
    lot = (await house.packs.get_pack(house.database, "crate")).config.lot
    assert lot is not None
    assert listed == LotListed(
        config_hash=pack.config_hash,
        manifest_root=lot.manifest_root,
        commitment=lot.commitment,
        size=4,
    )


async def test_a_lot_published_anew_is_closed_in_the_log_with_its_draws(
    house: House, olga: Person, ada: Person
) -> None:
    await stock_card(house, olga, "001", copies=4)
    await publish(house, olga, "crate", lot_of({"001": 3}, packs=3))
    await open_one(house, ada, "crate", quantity=2)
    await publish(house, olga, "crate", lot_of({"001": 1}, packs=1))
    first, second = await list_facts(house, LotListed)
    (closed,) = await list_facts(house, LotClosed)
    assert (closed.manifest_root, closed.commitment, closed.draws) == (
        first.manifest_root,
        first.commitment,
        2,
    )
    assert draws.commitment_to(bytes.fromhex(closed.server_seed)).hex() == closed.commitment
    facts = [waiting.event for waiting in await list_announced(house)]
    assert facts.index(closed) < facts.index(second)


async def test_a_lot_that_ended_by_itself_is_not_closed_again_by_its_withdrawal(
    house: House, olga: Person, ada: Person
) -> None:
    await stock_card(house, olga, "001", copies=1)
    await publish(house, olga, "crate", lot_of({"001": 1}, packs=1))
    await open_one(house, ada, "crate")
    before = await list_facts(house, LotClosed)
    await withdraw_pack(house, WithdrawPack("crate", "Sold out.", olga.actor))
    assert await list_facts(house, LotClosed) == before


async def test_copies_that_a_lot_takes_off_the_sale_are_withdrawn_in_the_log(
    house: House, olga: Person
) -> None:
    mixed = await stock_card(house, olga, "001", copies=3, place="house")
    await move_stock(
        house, MoveStock(card_id=mixed.id, to_place="on_sale", actor=olga.actor, quantity=1)
    )
    await stock_card(house, olga, "002", copies=2, place="house")
    await publish(house, olga, "crate", lot_of({"001": 3, "002": 2}, packs=5))
    assert await list_facts(house, StockWithdrawn) == [
        StockWithdrawn(cards=(CardCopies(card=mixed.id, copies=1),))
    ]


async def test_the_manifest_binds_the_photo_of_each_copy_that_has_one(
    house: House, olga: Person, tmp_path: Path
) -> None:
    Image.new("RGB", (40, 56), "teal").save(tmp_path / "front.png")
    row = {
        "set_code": "EMB",
        "set_name": "Ember Hollow",
        "number": "041",
        "name": "Ember 041",
        "tier": "S",
        "value_minor": 900,
        "kind": "physical",
        "place": "on_sale",
    }
    rows = [row | {"certificate": "A-1", "photo": "front.png"}, row | {"certificate": "A-2"}]
    command = ImportCatalog(
        content=msgspec.json.encode(rows),
        file_name="graded.json",
        actor=olga.actor,
        pictures=FolderPictures(tmp_path),
    )
    assert (await import_catalog(house, command)).copies_added == 2
    await publish(house, olga, "graded", lot_of({"041": 2}, packs=2))
    (listed,) = await list_facts(house, LotListed)
    async with house.database.connection() as connection:
        items = await draws.list_lot_manifest(
            connection, bytes.fromhex(listed.manifest_root), first=0, limit=9
        )
        photo_key = await connection.fetchval("SELECT max(photo) FROM stock_items")
    lines = [draws.manifest_leaf(item) for item in items]
    assert verify.manifest_root_of(b"\n".join(lines)) == listed.manifest_root
    bound = [msgspec.json.decode(line).get("photo") for line in lines]
    stored = hashlib.sha256(house.media.read(photo_key)).hexdigest()
    assert set(bound) == {stored, None}
