"""Pictures in a bucket of a real object store, as in a folder, and what holds while it is away."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from PIL import Image

from packhouse.foundation.errors import NotFound
from packhouse.house import House
from packhouse.plumbing.buckets import MediaBucket, open_media
from packhouse.plumbing.picture_forms import form_names, make_forms, original_name, store_picture
from packhouse.plumbing.setting_values import MediaUrl
from packhouse.plumbing.storage import MediaFolder, MediaUnavailable
from packhouse.web.app import WebApp
from worlds.object_store import ObjectStore, list_names, start_object_store

pytestmark = pytest.mark.scale

BUCKET = "pictures"


@pytest.fixture
async def store(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ObjectStore]:
    async with start_object_store(BUCKET) as started:
        for name, value in started.environ.items():
            monkeypatch.setenv(name, value)
        yield started


@pytest.fixture
def in_bucket(store: ObjectStore, house: House) -> House:
    """The shop with its pictures in the bucket."""
    assert store.child.returncode is None
    settings = msgspec.structs.replace(
        house.settings, media_url=MediaUrl(f"s3://{BUCKET}/shop-one")
    )
    return msgspec.structs.replace(house, settings=settings, media=open_media(settings))


@asynccontextmanager
async def visitor_of(house: House) -> AsyncIterator[httpx.AsyncClient]:
    app = WebApp(house.settings, house, operators_database=house.database)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.running(),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
    ):
        yield client


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (500, 700), (20, 160, 60)).save(file, "PNG")
    return file.getvalue()


async def test_a_bucket_keeps_what_a_folder_keeps(in_bucket: House) -> None:
    data = picture()
    assert isinstance(in_bucket.media, MediaBucket)
    key = store_picture(in_bucket.media, data)
    assert store_picture(in_bucket.media, data) == key
    make_forms(in_bucket.media, key)
    names = {key, original_name(key, "png"), *(name for name, _, _ in form_names(key))}
    found = list_names(BUCKET)
    assert set(found) == {f"shop-one/{name}" for name in names}
    assert found[f"shop-one/{original_name(key, 'png')}"] == len(data)


async def test_the_shop_serves_pictures_from_the_bucket_and_originals_to_nobody(
    in_bucket: House,
) -> None:
    key = store_picture(in_bucket.media, picture())
    async with visitor_of(in_bucket) as client:
        whole = await client.get(f"/media/{key}")
        small = form_names(key)[0][0]
        not_yet = await client.get(f"/media/{small}")
        make_forms(in_bucket.media, key)
        made = await client.get(f"/media/{small}")
        original = await client.get(f"/media/{original_name(key, 'png')}")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "image/webp")
    assert "immutable" in whole.headers["cache-control"]
    assert (not_yet.status_code, not_yet.content) == (200, whole.content)
    assert "immutable" not in not_yet.headers["cache-control"]
    assert made.content == in_bucket.media.read(small)
    assert "immutable" in made.headers["cache-control"]
    assert original.status_code == 404


async def test_a_store_that_is_away_is_an_outage_of_pictures_alone(
    in_bucket: House, store: ObjectStore
) -> None:
    key = store_picture(in_bucket.media, picture())
    await store.stop()
    with pytest.raises(MediaUnavailable):
        store_picture(in_bucket.media, picture())
    async with visitor_of(in_bucket) as client:
        page = await client.get("/")
        shown = await client.get(f"/media/{key}")
    assert page.status_code == 200
    assert shown.status_code == 503
    assert "retry-after" in shown.headers


async def test_keys_that_the_store_does_not_know_are_an_outage_and_not_a_lost_picture(
    in_bucket: House,
) -> None:
    with pytest.raises(NotFound):
        in_bucket.media.read(f"ab/cd/abcd{'0' * 60}.webp")
    with pytest.raises(MediaUnavailable):
        MediaBucket("nobody-made-this").put(b"pixels", "webp")


@pytest.mark.parametrize("scheme", ["", "file://"])
async def test_a_folder_may_be_named_by_its_address(house: House, scheme: str) -> None:
    folder = house.settings.media_directory.absolute() / "elsewhere"
    settings = msgspec.structs.replace(house.settings, media_url=MediaUrl(f"{scheme}{folder}"))
    media = open_media(settings)
    key = media.put(b"pixels", "webp")
    assert isinstance(media, MediaFolder)
    assert urlsplit(media.url_of(key)).path == f"/media/{key}"
    assert (folder / key).read_bytes() == b"pixels"
