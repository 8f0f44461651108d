"""Smaller forms of pictures: none larger than the picture, none with what a camera wrote."""

import io
from pathlib import Path

import pytest
from PIL import Image

from packhouse.foundation.errors import NotFound
from packhouse.plumbing.picture_forms import (
    WIDTHS,
    form_names,
    make_forms,
    original_name,
    served_key_of,
    sources_of,
    store_picture,
)
from packhouse.plumbing.storage import MediaFolder

WHERE = "52 degrees north"


def photo(width: int, height: int) -> bytes:
    """A JPEG that says where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = WHERE
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.fixture
def media(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path)


def test_every_form_is_as_wide_as_it_says_and_in_its_coding(media: MediaFolder) -> None:
    key = store_picture(media, photo(1000, 1397))
    assert make_forms(media, key) == len(WIDTHS) * 2
    for name, width, coding in form_names(key):
        with Image.open(io.BytesIO(media.read(name))) as form:
            assert (form.width, (form.format or "").lower()) == (width, coding)
            assert form.height == pytest.approx(width * 1.397, abs=2)


def test_no_form_is_larger_than_the_picture(media: MediaFolder) -> None:
    key = store_picture(media, photo(300, 420))
    make_forms(media, key)
    for name, width, _ in form_names(key):
        with Image.open(io.BytesIO(media.read(name))) as form:
            assert form.width == min(width, 300)


def test_the_original_is_kept_to_the_byte_and_nothing_served_says_where_it_was(
    media: MediaFolder, tmp_path: Path
) -> None:
    data = photo(1000, 1397)
    key = store_picture(media, data)
    make_forms(media, key)
    assert (tmp_path / original_name(key, "jpg")).read_bytes() == data
    assert WHERE.encode() in data
    for name in (key, *(name for name, _, _ in form_names(key))):
        served = media.read(name)
        assert WHERE.encode() not in served
        with Image.open(io.BytesIO(served)) as form:
            assert not form.getexif()
            assert not {"exif", "xmp", "icc_profile"} & form.info.keys()
    with pytest.raises(NotFound):
        media.read(original_name(key, "jpg"))


def test_made_twice_is_made_once(media: MediaFolder) -> None:
    key = store_picture(media, photo(500, 700))
    make_forms(media, key)
    assert make_forms(media, key) == 0


def test_a_page_names_the_forms_that_are_made() -> None:
    key = f"ab/cd/abcd{'0' * 60}.webp"
    sources = sources_of(f"https://cdn.example/media/{key}")
    assert sources is not None
    named = {
        each.split()[0].removeprefix("https://cdn.example/media/")
        for each in f"{sources.avif}, {sources.webp}".split(", ")
    }
    assert named == {name for name, _, _ in form_names(key)}
    assert {served_key_of(name) for name in named} == {key}


@pytest.mark.parametrize("url", ["/media/cards/bulk-0001.webp", "https://elsewhere.example/a.png"])
def test_a_picture_of_another_making_has_no_forms(url: str) -> None:
    assert sources_of(url) is None


@pytest.mark.parametrize("name", ["x.w77.avif", "x.w240.exe", "x.webp", "x"])
def test_what_is_no_name_of_a_form_stands_for_nothing(name: str) -> None:
    assert served_key_of(name) is None
