"""Importing on the operator's pages: first looking, then doing."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from packhouse import catalog
from packhouse.flows.sign_in import SignedIn
from packhouse.foundation.errors import NotFound
from packhouse.house import House
from packhouse.plumbing.entropy import system_entropy
from packhouse.web.operator.kept_uploads import (
    KEPT_FOR,
    KEPT_MAX,
    KeptUpload,
    KeptUploads,
    UploadLabel,
)
from worlds.veil_shop import make_owner

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def upload(
    olga: httpx.AsyncClient, content: bytes, *, pictures: bytes | None = None
) -> httpx.Response:
    files = {"file": ("C:\\cards\\ember.csv", content, "text/csv")}
    if pictures is not None:
        files["pictures"] = ("pictures.zip", pictures, "application/zip")
    return await olga.post("/admin/import", files=files)


async def sample(olga: httpx.AsyncClient) -> bytes:
    return (await olga.get("/admin/import/sample.csv")).content


async def count_cards(house: House) -> int:
    async with house.database.connection() as connection:
        return len(await catalog.list_cards_of_sets(connection, ["EMB"]))


async def test_the_sample_is_looked_at_first_and_imported_then(
    house: House, olga: httpx.AsyncClient
) -> None:
    kept = await upload(olga, await sample(olga))
    assert kept.status_code == 303
    dry_run = await olga.get(kept.headers["location"])
    assert "What ember.csv would do" in dry_run.text
    assert "Moth at the Bellows: new physical card" in dry_run.text
    assert await count_cards(house) == 0
    done = await olga.post(kept.headers["location"])
    assert done.headers["location"] == "/admin/import?done=imported&count=3"
    assert await count_cards(house) == 3
    gone = await olga.get(kept.headers["location"])
    assert gone.status_code == 404
    assert "not kept any more" in gone.text


async def test_every_problem_is_told_with_its_line_and_column(olga: httpx.AsyncClient) -> None:
    content = (await sample(olga)).replace(b",A,", b",Q,").replace(b"flavour", b"flavor")
    kept = await upload(olga, content)
    shown = await olga.get(kept.headers["location"])
    assert shown.status_code == 422
    assert "did you mean flavour?" in shown.text
    assert "must be one of D, C, B, A, S, SS, SSS" in shown.text
    assert "Import it" not in shown.text


async def test_pictures_come_in_one_zip(house: House, olga: httpx.AsyncClient) -> None:
    picture, archive = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (63, 88), "#a04020").save(picture, "PNG")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("moth.png", picture.getvalue())
    content = b"set_code,set_name,number,name,tier,value,picture\nEMB,Ember,1,Moth,D,1,moth.png\n"
    kept = await upload(olga, content, pictures=archive.getvalue())
    await olga.post(kept.headers["location"])
    async with house.database.connection() as connection:
        (card,) = await catalog.list_cards_of_sets(connection, ["EMB"])
    assert card.picture is not None


async def test_what_is_no_zip_is_told_at_its_field(olga: httpx.AsyncClient) -> None:
    answer = await upload(olga, await sample(olga), pictures=b"no zip")
    assert answer.status_code == 422
    assert "is no ZIP file" in answer.text


async def test_nothing_chosen_is_told_at_its_field(olga: httpx.AsyncClient) -> None:
    assert "Choose a CSV or JSON file" in (await upload(olga, b"")).text


async def test_an_upload_is_for_whoever_brought_it(
    house: House, olga: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    kept = await upload(olga, await sample(olga))
    assert (await other.get(kept.headers["location"])).status_code == 404
    assert (await other.post(kept.headers["location"])).status_code == 404
    assert await count_cards(house) == 0


async def test_uploads_are_few_and_go_away_by_themselves(tmp_path: Path) -> None:
    uploads = KeptUploads(tmp_path, entropy=system_entropy)
    user_id = uuid4()

    def keep(minutes: int) -> str:
        label = UploadLabel(user_id, "cards.csv", NOON + timedelta(minutes=minutes))
        return uploads.keep(KeptUpload(label, b"cards", None))

    tokens = [keep(minutes) for minutes in range(KEPT_MAX + 1)]
    assert uploads.get(tokens[-1], user_id=user_id, now=NOON).content == b"cards"
    with pytest.raises(NotFound):
        uploads.get(tokens[0], user_id=user_id, now=NOON)
    with pytest.raises(NotFound):
        uploads.get(tokens[-1], user_id=user_id, now=NOON + KEPT_FOR + timedelta(hours=1))
    with pytest.raises(NotFound):
        uploads.get("../../etc", user_id=user_id, now=NOON)
    keep(1_000)
    assert len(list((tmp_path / ".imports").iterdir())) == 1


@pytest.fixture
async def other(
    house: House, new_client: Callable[[SignedIn | None], httpx.AsyncClient]
) -> httpx.AsyncClient:
    """A second owner."""
    return new_client(await make_owner(house, "otto"))
