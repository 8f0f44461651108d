"""An operator imports cards and their copies."""

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from packhouse import catalog
from packhouse.catalog import Card, ImportRefused, ImportReport
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.foundation.events import CardCopies, StockAdded
from packhouse.foundation.identifiers import PackId, new_id
from packhouse.house import House
from packhouse.plumbing.audit import Actor, list_audit_entries
from packhouse.plumbing.pictures import FolderPictures
from worlds.announced import list_facts

CLERK = Actor(user_id=new_id(), username="clerk", request_id="request-1")

HEADER = "set_code,set_name,number,name,tier,value,picture,quantity,place,certificate,photo"
MOTH = "EMB,Ember Hollow,001,Moth at the Bellows,D,0.50"
CINDER = "EMB,Ember Hollow,002,Cinder,A,18.00"
FILE = f"{HEADER}\n{MOTH},,40,on_sale,,\n{CINDER},,2,,,\n{CINDER},,,,EH-1,\n"


async def run(
    house: House, text: str = FILE, *, dry_run: bool = False, folder: Path | None = None
) -> ImportReport:
    command = ImportCatalog(
        content=text.encode(),
        file_name="ember.csv",
        actor=CLERK,
        dry_run=dry_run,
        pictures=FolderPictures(folder or Path("no-pictures")),
    )
    return await import_catalog(house, command)


async def cards_of(house: House) -> list[Card]:
    async with house.database.connection() as connection:
        return await catalog.list_cards_page(
            connection, search=None, set_code=None, tier=None, after=None, limit=100
        )


async def stock_of(house: House, card: Card) -> dict[catalog.Place, int]:
    async with house.database.connection() as connection:
        return (await catalog.count_stock_by_place(connection, [card.id]))[card.id]


async def count_rows(house: House) -> list[int]:
    async with house.database.connection() as connection:
        return [
            await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - names below
            for table in ("cards", "stock_items", "audit_log", "catalog_imports")
        ]


async def test_cards_and_copies_are_imported_and_it_is_on_record(house: House) -> None:
    report = await run(house)
    assert (report.rows, report.cards_added, report.copies_added) == (3, 2, 43)
    assert report.copies_on_sale == 40
    moth, cinder = await cards_of(house)
    assert (moth.name, moth.value, cinder.tier) == ("Moth at the Bellows", 50, "A")
    assert await stock_of(house, moth) == {"on_sale": 40}
    assert await stock_of(house, cinder) == {"house": 3}
    async with house.database.connection() as connection:
        (entry,) = await list_audit_entries(connection, before=None, limit=10)
    assert (entry.action, entry.subject) == ("import_catalog", "file:ember.csv")
    assert entry.details["sha256"] == report.sha256
    assert entry.details["copies_added"] == 43


async def test_copies_imported_for_sale_are_added_in_the_log(house: House) -> None:
    await run(house, f"{FILE}{MOTH},,2,on_sale,,\n")
    moth, _ = await cards_of(house)
    assert await list_facts(house, StockAdded) == [
        StockAdded(cards=(CardCopies(card=moth.id, copies=42),))
    ]


async def test_an_import_that_puts_nothing_on_sale_is_not_in_the_log(house: House) -> None:
    await run(house, f"{HEADER}\n{CINDER},,2,,,\n")
    assert await list_facts(house, StockAdded) == []


async def test_a_dry_run_says_the_same_and_writes_nothing(house: House) -> None:
    dry = await run(house, dry_run=True)
    assert await count_rows(house) == [0, 0, 0, 0]
    real = await run(house)
    assert dry.lines == real.lines
    assert [line.text for line in dry.lines] == [
        "EMB 001 Moth at the Bellows: new physical card, tier D",
        "EMB 001: 40 copies on sale",
        "EMB 002 Cinder: new physical card, tier A",
        "EMB 002: 2 copies in the house",
        "EMB 002: 1 copy in the house",
    ]


async def test_a_bad_line_stops_everything_and_every_problem_is_told(house: House) -> None:
    bad = FILE + f"{MOTH},moth.png,,,,\nEMB,Ember Hollow,003,Coal,Z,1,,,,,\n"
    with pytest.raises(ImportRefused) as refused:
        await run(house, bad)
    assert [each.field for each in refused.value.errors] == ["line 5, picture", "line 6, tier"]
    assert refused.value.errors[1].message == "'Z': must be one of D, C, B, A, S, SS, SSS"
    assert await count_rows(house) == [0, 0, 0, 0]


async def test_a_second_import_warns_and_keeps_what_is_certified(house: House) -> None:
    await run(house)
    again = await run(house, dry_run=True)
    assert (again.cards_added, again.cards_unchanged) == (0, 2)
    assert (again.copies_added, again.copies_known) == (42, 1)
    assert "adds 42 copies" in again.warnings[0]
    await run(house)
    assert await count_rows(house) == [2, 85, 2, 1]


async def test_a_changed_card_is_changed_and_seen_at_once(house: House) -> None:
    await run(house)
    moth, _ = await cards_of(house)
    async with house.database.connection() as connection:
        await house.cards.list_cards(connection, [moth.id])
    report = await run(house, f"{HEADER}\n{MOTH.replace('0.50', '0.75')},,,,,\n")
    assert (report.cards_changed, report.copies_added) == (1, 0)
    async with house.database.connection() as connection:
        assert (await house.cards.list_cards(connection, [moth.id]))[moth.id].value == 75


async def test_two_imports_at_once_never_add_a_card_twice(house: House) -> None:
    results = await asyncio.gather(*(run(house) for _ in range(4)), return_exceptions=True)
    done = [each for each in results if isinstance(each, ImportReport)]
    assert {type(each) for each in results} <= {ImportReport, catalog.ImportRunning}
    assert sum(report.cards_added for report in done) == 2
    assert (await count_rows(house))[1] == sum(report.copies_added for report in done)


async def test_pictures_are_taken_from_the_folder_and_encoded_anew(
    house: House, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (60, 40), (200, 30, 30)).save(folder / "moth.png")
    (folder / "broken.png").write_bytes(b"<svg/>")
    text = f"{HEADER}\n{MOTH},moth.png,1,,,moth.png\n"
    dry = await run(house, text, dry_run=True, folder=folder)
    assert dry.pictures == 1
    assert not house.settings.media_directory.exists()
    await run(house, text, folder=folder)
    (moth,) = await cards_of(house)
    assert moth.picture is not None
    stored = house.media.read(moth.picture)
    assert Image.open(io.BytesIO(stored)).format == "WEBP"
    again = await run(house, text, folder=folder)
    assert again.cards_unchanged == 1
    with pytest.raises(ImportRefused) as refused:
        await run(house, text.replace("moth.png", "broken.png"), folder=folder)
    assert refused.value.errors[0].field == "line 2, picture"


async def test_an_import_that_puts_stock_on_sale_ends_the_pauses_that_waited_for_it(
    house: House,
) -> None:
    await run(house)
    _, cinder = await cards_of(house)
    pack_id = PackId(new_id())
    async with house.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO packs (id, slug, created_at) VALUES ($1, 'ember', $2)",
            pack_id,
            house.clock(),
        )
        await catalog.insert_pack_pauses(connection, [(pack_id, cinder.id)], now=house.clock())
    await run(house, f"{HEADER}\n{CINDER},,1,,,\n")
    async with house.database.connection() as connection:
        assert await catalog.list_pack_pauses(connection)
    await run(house, f"{HEADER}\n{CINDER},,1,on_sale,,\n")
    async with house.database.connection() as connection:
        assert not await catalog.list_pack_pauses(connection)
