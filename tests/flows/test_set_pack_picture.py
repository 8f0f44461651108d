"""An operator gives a pack a picture, also while it is on sale."""

import io

import pytest
from PIL import Image

from packhouse import draws
from packhouse.draws import DraftLayout, DraftSlot, DraftTier, PackDraft, PackNotFound
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.flows.publish_pack import (
    PublishPack,
    SavePackDraft,
    publish_pack,
    save_pack_draft,
)
from packhouse.flows.set_pack_picture import SetPackPicture, set_pack_picture
from packhouse.foundation.identifiers import new_id
from packhouse.house import House
from packhouse.plumbing.audit import Actor, list_audit_entries
from packhouse.plumbing.pictures import PictureRefused
from worlds.queued_jobs import list_queue

CLERK = Actor(user_id=new_id(), username="clerk", request_id="request-1")

FILE = b"""set_code,set_name,number,name,tier,value,quantity,place
EMB,Ember Hollow,001,Moth at the Bellows,D,0.50,40,on_sale
"""

DRAFT = PackDraft(
    name="Bellows",
    kind="odds",
    price=100,
    sell_back_rate_basis_points=8_000,
    sell_back_window_days=7,
    sets=("EMB",),
    layouts=(DraftLayout("Single", (DraftSlot("Card", (DraftTier("D", 1),)),)),),
)


@pytest.fixture
async def pack(house: House) -> str:
    """The slug of a pack on sale without a picture."""
    await import_catalog(house, ImportCatalog(content=FILE, file_name="ember.csv", actor=CLERK))
    await save_pack_draft(house, SavePackDraft("bellows", DRAFT, CLERK))
    await publish_pack(house, PublishPack("bellows", CLERK))
    return "bellows"


def pouch() -> bytes:
    """A picture that is transparent but for its middle."""
    picture = Image.new("RGBA", (40, 60))
    picture.paste((200, 40, 20, 255), (10, 10, 30, 50))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


async def test_the_picture_is_on_the_shelf_and_keeps_its_transparency(
    house: House, pack: str
) -> None:
    shelved = await house.packs.get_pack(house.database, pack)
    assert shelved.picture is None
    key = await set_pack_picture(house, SetPackPicture(pack, pouch(), CLERK))
    assert [job.entrypoint for job in await list_queue(house)] == ["make_picture_forms.v1"]
    shown = await house.packs.get_pack(house.database, pack)
    assert (shown.picture, shown.compiled) == (key, shelved.compiled)
    with Image.open(io.BytesIO(house.media.read(key))) as picture:
        alpha = picture.convert("RGBA").getchannel("A")
        assert (picture.format, alpha.getpixel((0, 0)), alpha.getpixel((20, 30))) == (
            "WEBP",
            0,
            255,
        )
    async with house.database.connection() as connection:
        row = await draws.find_pack(connection, pack)
        entries = await list_audit_entries(connection, before=None, limit=1)
    assert row is not None
    assert row.picture == key
    assert (entries[0].action, entries[0].details) == ("set_pack_picture", {"picture": key})


async def test_what_is_no_picture_is_refused(house: House, pack: str) -> None:
    with pytest.raises(PictureRefused):
        await set_pack_picture(house, SetPackPicture(pack, b"<svg/>", CLERK))


async def test_a_pack_that_does_not_exist_gets_no_picture(house: House) -> None:
    with pytest.raises(PackNotFound):
        await set_pack_picture(house, SetPackPicture("nowhere", pouch(), CLERK))
