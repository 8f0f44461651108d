"""Pictures from outside: judged by decoding, never by name, and encoded anew.

What leaves here is pixels that we wrote ourselves: no metadata (a phone writes where it was), no
scripts (SVG is not taken), no second file hidden behind the first. A picture is refused by its
stated size before a pixel of it is decoded.
"""

import io
import zipfile
from pathlib import Path
from typing import ClassVar, Final, Protocol

import msgspec
from PIL import Image, ImageOps, features

from packhouse.foundation.errors import Refusal
from packhouse.foundation.limits import PICTURE_BYTES_MAX, PICTURE_PIXELS_MAX

LONG_EDGE_MAX: Final = 1_400
WEBP_QUALITY: Final = 82

ZIP_ENTRIES_MAX: Final = 20_000

_FORMATS: Final = ("PNG", "JPEG", "WEBP", *(("AVIF",) if features.check("avif") else ()))

_SUFFIXES: Final = {"PNG": "png", "WEBP": "webp", "AVIF": "avif"}
"""A JPEG from a phone may call itself MPO."""

# Our own limit is lower than Pillow's and is checked right after the header is read; Pillow's would
# come first, and as a warning on standard error.
Image.MAX_IMAGE_PIXELS = None

_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, EOFError, MemoryError, OverflowError)
"""What Pillow's decoders raise for broken, truncated or hostile files."""


class PictureRefused(Refusal):
    """The file is no picture that we take; the message says why and what we do take."""

    code: ClassVar[str] = "picture_refused"


class Picture(msgspec.Struct, frozen=True):
    """A picture that is safe to serve: WebP without metadata. ``was`` is the form it came in."""

    webp: bytes
    width: int
    height: int
    was: str = "webp"


class PictureSource(Protocol):
    """Where an import's pictures come from."""

    def find_picture(self, name: str) -> bytes | None:
        """The file of this name, None when there is none. Raises ``PictureRefused``."""


class NoPictures:
    """The source of an import that came without pictures."""

    def find_picture(self, name: str) -> bytes | None:  # noqa: ARG002 - there is none of any name
        """Always None."""
        return None


class FolderPictures:
    """Files inside one folder; nothing outside it is ever read, not even through a link."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_picture(self, name: str) -> bytes | None:
        """The file of this name inside the folder."""
        folder = self._folder.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            return None
        try:
            with path.open("rb") as file:
                return file.read(PICTURE_BYTES_MAX + 1)
        except OSError as error:
            raise PictureRefused(f"cannot be read: {error.strerror or error}") from error


class ZipPictures:
    """Files inside an uploaded ZIP, looked up by name and read in memory; nothing is unpacked."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise PictureRefused("The file with the pictures is no ZIP file.") from error
        if len(self._zip.filelist) > ZIP_ENTRIES_MAX:
            raise PictureRefused(
                f"The ZIP has more than {ZIP_ENTRIES_MAX:,} files; split the import."
            )

    def find_picture(self, name: str) -> bytes | None:
        """The file of this name; read only so far as its size is allowed, whatever it states."""
        try:
            entry = self._zip.getinfo(name)
        except KeyError:
            return None
        try:
            with self._zip.open(entry) as file:
                return file.read(PICTURE_BYTES_MAX + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
            raise PictureRefused(f"cannot be read from the ZIP ({error})") from error


def reencode_picture(data: bytes) -> Picture:
    """Decode a PNG, JPEG, WebP or AVIF and encode its pixels as WebP. Raises ``PictureRefused``.

    Upright by its EXIF orientation, at most ``LONG_EDGE_MAX`` pixels long, everything else of the
    file dropped. Takes some tenths of a second: call it in a thread.
    """
    if len(data) > PICTURE_BYTES_MAX:
        raise PictureRefused(f"is larger than {PICTURE_BYTES_MAX // 1024**2} MiB")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _require_acceptable(image)
            # A JPEG can be decoded at half size or less, which saves most of the work.
            image.draft("RGB", (LONG_EDGE_MAX, LONG_EDGE_MAX))
            was = _SUFFIXES.get(image.format or "", "jpg")
            return msgspec.structs.replace(_encode(_upright(_plain(image))), was=was)
    except _UNREADABLE as error:
        raise PictureRefused(
            f"is no picture that we take, or it is damaged; use one of {', '.join(_FORMATS)}"
        ) from error


def _require_acceptable(image: Image.Image) -> None:
    if image.width * image.height > PICTURE_PIXELS_MAX:
        raise PictureRefused(
            f"has {image.width} × {image.height} pixels; at most"
            f" {PICTURE_PIXELS_MAX // 1_000_000} million are taken"
        )
    # Phones write a second, smaller picture into a JPEG (MPO); that is no animation.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise PictureRefused("is animated; use a still picture")


def _plain(image: Image.Image) -> Image.Image:
    """Decoded, as red, green, blue and, where it has any, transparency."""
    if image.mode.startswith("I;16"):
        # Pillow would cut every grey above 255 of 65,535 to white.
        image = image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _upright(image: Image.Image) -> Image.Image:
    # Shrunk first, because turning needs a second picture of the same size in memory.
    image.thumbnail((LONG_EDGE_MAX, LONG_EDGE_MAX), Image.Resampling.LANCZOS)
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except _UNREADABLE:
        # Broken EXIF does not spoil the pixels: the picture stays as it lies.
        return image
    return image


def _encode(image: Image.Image) -> Picture:
    # Whatever a format's reader put there (EXIF, XMP, colour profile) would be written again.
    image.info.clear()
    file = io.BytesIO()
    image.save(file, "WEBP", quality=WEBP_QUALITY, method=4)
    return Picture(webp=file.getvalue(), width=image.width, height=image.height)
