"""Importing and moving stock over the operators' API."""

import io
import zipfile
from typing import Any

import httpx
import pytest
from PIL import Image

from packhouse.house import House
from packhouse.plumbing.audit import list_audit_entries

ADMIN = "/api/v1/admin"
IMPORTS = f"{ADMIN}/catalog/imports"

FILE = """set_code,set_name,number,name,tier,value,quantity,place,location
EMB,Ember Hollow,001,Moth at the Bellows,D,0.50,3,on_sale,Bin 4
EMB,Ember Hollow,002,Cinder,A,18.00,2,house,Safe
"""
WITH_PICTURE = """set_code,set_name,number,name,tier,value,picture
EMB,Ember Hollow,001,Moth at the Bellows,D,0.50,moth.png
EMB,Ember Hollow,002,Cinder,A,18.00,
"""


async def test_a_dry_run_says_line_by_line_what_would_happen_and_does_nothing(
    olga: httpx.AsyncClient,
) -> None:
    answer = await olga.post(
        IMPORTS, params={"dry_run": "true"}, content=FILE, headers={"content-type": "text/csv"}
    )
    assert answer.status_code == 200
    report = answer.json()
    assert (report["dry_run"], report["cards_added"], report["copies_added"]) == (True, 2, 5)
    assert [line["line"] for line in report["lines"]] == [2, 2, 3, 3]
    assert await cards_of(olga, "EMB") == []


async def test_a_file_is_imported_from_a_form_with_its_pictures(
    house: House, olga: httpx.AsyncClient
) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (60, 84), "teal").save(picture, "PNG")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("moth.png", picture.getvalue())
    files = {
        "file": (r"C:\cards\ember.csv", WITH_PICTURE.encode(), "text/csv"),
        "pictures": ("pictures.zip", archive.getvalue(), "application/zip"),
    }
    trial = await olga.post(IMPORTS, files=files, data={"dry_run": "true"})
    assert (trial.status_code, trial.json()["dry_run"]) == (200, True)
    report = (await olga.post(IMPORTS, files=files)).json()
    assert (report["file_name"], report["pictures"], report["dry_run"]) == ("ember.csv", 1, False)
    moth, cinder = await cards_of(olga, "EMB")
    assert (moth["name"], moth["tier"], moth["value"]) == ("Moth at the Bellows", "D", 50)
    assert cinder["image_url"] is None
    assert (await olga.get(moth["image_url"])).headers["content-type"] == "image/webp"
    async with house.database.connection() as connection:
        actions = {
            each.action for each in await list_audit_entries(connection, before=None, limit=9)
        }
    assert "import_catalog" in actions


async def test_json_is_imported_as_csv_is(olga: httpx.AsyncClient) -> None:
    row = {
        "set_code": "EMB",
        "set_name": "Ember Hollow",
        "number": "001",
        "name": "Moth",
        "tier": "D",
        "value_minor": 50,
    }
    report = (await olga.post(IMPORTS, json=[row])).json()
    assert report["cards_added"] == 1


async def test_a_bad_file_is_refused_with_every_problem_by_line_and_column(
    olga: httpx.AsyncClient,
) -> None:
    bad = FILE.replace(",D,", ",Q,").replace("18.00", "eighteen")
    answer = await olga.post(IMPORTS, content=bad, headers={"content-type": "text/csv"})
    assert (answer.status_code, answer.json()["code"]) == (422, "import_refused")
    assert [error["field"] for error in answer.json()["errors"]] == [
        "line 2, tier",
        "line 3, value",
    ]
    assert await cards_of(olga, "EMB") == []


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\xff", b"[{", b'[{"set_code": "A\\u0000"}]', b"set_code\n\xff\xfe\n"]
)
async def test_what_is_no_catalogue_is_refused_and_never_an_error_of_ours(
    olga: httpx.AsyncClient, content: bytes
) -> None:
    for kind in ("text/csv", "application/json"):
        answer = await olga.post(IMPORTS, content=content, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["code"]) == (422, "import_refused")


async def test_a_form_without_a_file_and_a_zip_that_is_none_are_refused(
    olga: httpx.AsyncClient,
) -> None:
    answer = await olga.post(IMPORTS, files={"other": ("a.csv", b"x")})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "file")
    files = {"file": ("a.csv", FILE.encode()), "pictures": ("p.zip", b"no zip")}
    answer = await olga.post(IMPORTS, files=files)
    assert (answer.status_code, answer.json()["code"]) == (422, "picture_refused")
    for broken in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = await olga.post(IMPORTS, content=b"nothing", headers={"content-type": broken})
        assert 400 <= answer.status_code < 500


async def test_another_kind_of_body_is_415(olga: httpx.AsyncClient) -> None:
    answer = await olga.post(IMPORTS, content=b"x", headers={"content-type": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_cards_are_found_and_paged_through(olga: httpx.AsyncClient) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        query = {"set": "VEIL", "limit": "9", "cursor": cursor}
        page = (await olga.get(f"{ADMIN}/cards", params=query)).json()
        seen += [card["number"] for card in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"{number:03d}" for number in range(1, 23)]
    found = (await olga.get(f"{ADMIN}/cards", params={"search": "veil 02", "tier": "SS"})).json()
    assert [card["number"] for card in found["items"]] == ["021"]
    assert (await olga.get(f"{ADMIN}/cards", params={"set": "NONE"})).json()["items"] == []


async def test_stock_is_counted_by_place_and_moved(olga: httpx.AsyncClient) -> None:
    await olga.post(IMPORTS, content=FILE, headers={"content-type": "text/csv"})
    moth, cinder = await cards_of(olga, "EMB")
    moved = await olga.post(
        f"{ADMIN}/cards/{cinder['id']}/stock-moves", json={"to_place": "on_sale", "quantity": 1}
    )
    assert moved.status_code == 201
    (copy_id,) = moved.json()["stock_item_ids"]
    listed = (await olga.get(f"{ADMIN}/stock", params={"set": "EMB"})).json()["items"]
    assert [each["places"] for each in listed] == [{"on_sale": 3}, {"house": 1, "on_sale": 1}]
    copies = await olga.get(f"{ADMIN}/cards/{cinder['id']}/stock", params={"place": "on_sale"})
    assert [(each["id"], each["location"]) for each in copies.json()["items"]] == [
        (copy_id, "Safe")
    ]
    path = f"{ADMIN}/cards/{moth['id']}/stock-moves"
    refused = await olga.post(path, json={"to_place": "house", "stock_item_ids": [copy_id]})
    assert refused.status_code == 404
    refused = await olga.post(path, json={"to_place": "withdrawn", "quantity": 1})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")


async def test_the_copies_of_a_card_are_paged_through(olga: httpx.AsyncClient) -> None:
    (card,) = (await olga.get(f"{ADMIN}/cards", params={"search": "veil 020"})).json()["items"]
    path = f"{ADMIN}/cards/{card['id']}/stock"
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await olga.get(path, params={"limit": "15", "cursor": cursor})).json()
        seen += [copy["id"] for copy in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 40


async def cards_of(olga: httpx.AsyncClient, set_code: str) -> list[dict[str, Any]]:
    """The cards of a set."""
    page = (await olga.get(f"{ADMIN}/cards", params={"set": set_code})).json()
    items: list[dict[str, Any]] = page["items"]
    return items
