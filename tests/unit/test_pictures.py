"""Pictures from outside, and the folder that keeps them."""

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from packhouse.foundation import limits
from packhouse.foundation.errors import NotFound
from packhouse.plumbing.pictures import (
    LONG_EDGE_MAX,
    FolderPictures,
    PictureRefused,
    ZipPictures,
    reencode_picture,
)
from packhouse.plumbing.storage import MediaFolder, MediaUnavailable, key_of

RED = (200, 30, 30)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def decoded(webp: bytes) -> Image.Image:
    return Image.open(io.BytesIO(webp), formats=["WEBP"])


def is_near(pixel: object, colour: tuple[int, ...]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 20 for a, b in zip(pixel, colour, strict=True))


def stated_png(width: int, height: int) -> bytes:
    """A PNG that states a size and holds almost nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_each_form_becomes_webp(form: str) -> None:
    taken = reencode_picture(encoded(Image.new("RGB", (60, 40), RED), form))
    image = decoded(taken.webp)
    assert image.size == (taken.width, taken.height) == (60, 40)
    assert is_near(image.getpixel((30, 20)), RED)


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "ICO", "PPM", "PDF"])
def test_other_forms_are_refused_whatever_they_are_named(form: str) -> None:
    with pytest.raises(PictureRefused):
        reencode_picture(encoded(Image.new("RGB", (60, 40), RED), form))


@pytest.mark.parametrize("data", [b"", SVG, b"MZ", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 "])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PictureRefused):
        reencode_picture(data)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_picture_is_refused(form: str) -> None:
    data = encoded(Image.effect_noise((90, 90), 80).convert("RGB"), form)
    with pytest.raises(PictureRefused):
        reencode_picture(data[: len(data) // 2])


def test_a_picture_that_states_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(PictureRefused, match="million"):
        reencode_picture(stated_png(50_000, 50_000))


def test_a_picture_of_too_many_bytes_is_refused() -> None:
    with pytest.raises(PictureRefused, match="larger than 12 MiB"):
        reencode_picture(b"\0" * (limits.PICTURE_BYTES_MAX + 1))


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_an_animation_is_refused(form: str) -> None:
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 120, 240)]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    with pytest.raises(PictureRefused, match="animated"):
        reencode_picture(data)


def test_a_second_picture_inside_a_phones_jpeg_is_dropped() -> None:
    image = Image.new("RGB", (60, 40), RED)
    data = encoded(image, "MPO", save_all=True, append_images=[image.resize((6, 4))])
    taken = reencode_picture(data)
    assert (taken.width, taken.height) == (60, 40)


def test_the_long_edge_is_bounded_and_the_shape_kept() -> None:
    taken = reencode_picture(encoded(Image.new("RGB", (2800, 2000), RED), "JPEG"))
    assert (taken.width, taken.height) == (LONG_EDGE_MAX, 1000)


def test_a_small_picture_is_never_enlarged() -> None:
    assert reencode_picture(encoded(Image.new("RGB", (3, 2)), "PNG")).width == 3


def test_a_picture_stands_upright_and_tells_nothing_else() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by 90 degrees
    exif[0x010F] = "A phone with a secret"
    image = Image.new("RGB", (60, 40), RED)
    data = encoded(
        image, "JPEG", exif=exif, icc_profile=b"profile with a secret", comment=b"secret"
    )
    assert data.count(b"secret") == 3
    taken = reencode_picture(data)
    assert (taken.width, taken.height) == (40, 60)
    assert b"secret" not in taken.webp
    result = decoded(taken.webp)
    assert not result.getexif()
    assert "icc_profile" not in result.info


def test_transparency_stays() -> None:
    image = decoded(reencode_picture(encoded(Image.new("RGBA", (8, 8), (*RED, 0)), "PNG")).webp)
    assert image.getchannel("A").getpixel((4, 4)) == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK"])
def test_every_kind_of_pixel_is_understood(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    assert reencode_picture(encoded(Image.new(mode, (40, 30)), form)).width == 40


def test_deep_greys_stay_grey() -> None:
    deep = Image.new("I;16", (40, 30), 0x4000)
    image = decoded(reencode_picture(encoded(deep, "PNG")).webp)
    assert is_near(image.getpixel((5, 5)), (64, 64, 64))


def test_a_folder_gives_only_what_is_inside(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    (folder / "moths").mkdir(parents=True)
    (folder / "moths" / "a.png").write_bytes(b"inside")
    (tmp_path / "secret.png").write_bytes(b"outside")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    pictures = FolderPictures(folder)
    assert pictures.find_picture("moths/a.png") == b"inside"
    for name in ("../secret.png", str(tmp_path / "secret.png"), "link.png", "none.png", "moths"):
        assert pictures.find_picture(name) is None


def test_a_zip_gives_its_files_by_name() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("moths/a.png", b"inside")
    pictures = ZipPictures(file.getvalue())
    assert pictures.find_picture("moths/a.png") == b"inside"
    assert pictures.find_picture("a.png") is None


def test_a_zip_is_read_no_further_than_a_picture_may_be() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", b"\0" * (4 * limits.PICTURE_BYTES_MAX))
    data = ZipPictures(file.getvalue()).find_picture("bomb.png")
    assert data is not None
    assert len(data) == limits.PICTURE_BYTES_MAX + 1


def test_what_is_no_zip_is_refused() -> None:
    with pytest.raises(PictureRefused):
        ZipPictures(b"PK, perhaps")


def test_media_are_named_by_their_bytes_and_stored_once(tmp_path: Path) -> None:
    media = MediaFolder(tmp_path / "media")
    key = media.put(b"pixels", "webp")
    path = tmp_path / "media" / key
    stored_at = path.stat().st_mtime_ns
    assert media.put(b"pixels", "webp") == key == key_of(b"pixels", "webp")
    assert path.read_bytes() == media.read(key) == b"pixels"
    assert path.stat().st_mtime_ns == stored_at
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert media.url_of(key) == f"/media/{key}"
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "key",
    [
        *("", "../secret", "/etc/passwd", "ab/cd/x.webp", f"ab/cd/abce{'0' * 60}.webp"),
        f"originals/ab/cd/abcd{'0' * 60}.jpg",
    ],
)
def test_what_is_no_key_is_not_found(tmp_path: Path, key: str) -> None:
    with pytest.raises(NotFound):
        MediaFolder(tmp_path).read(key)


def test_a_folder_that_cannot_be_written_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MediaUnavailable):
        MediaFolder(tmp_path / "file" / "media").put(b"pixels", "webp")
