"""The forms of a picture: as it came, as it is served, and smaller ones for smaller screens.

``ab/cd/abcd….webp`` is served, and smaller forms have its name with their width:
``ab/cd/abcd….w480.avif``. The file as it came, with whatever its camera wrote into it, lies under
``originals/``, which nobody serves: the day a better coding comes, it is made from there.
"""

import io
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec
from PIL import Image, features

from packhouse.plumbing.pictures import reencode_picture
from packhouse.plumbing.storage import Media

WIDTHS: Final = (240, 480, 960)
"""A card in a list, on a shelf, and on a shelf of a fine screen. None is made larger than it is."""

ENCODINGS: Final[Mapping[str, Mapping[str, int]]] = {
    "webp": {"quality": 80, "method": 3},
    **({"avif": {"quality": 60, "speed": 8, "max_threads": 1}} if features.check("avif") else {}),
}

LEAST_URGENT: Final = 19

_ADDRESS: Final = re.compile(r".*/media/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}\.webp")


class PictureSources(msgspec.Struct, frozen=True):
    """What a page names beside a picture, as ``srcset`` has it."""

    avif: str
    webp: str


def store_picture(media: Media, data: bytes) -> str:
    """Keep an upload and what is served of it; gives the latter's key.

    Raises ``PictureRefused``, ``MediaUnavailable``.
    """
    picture = reencode_picture(data)
    key = media.put(picture.webp, "webp")
    media.write(original_name(key, picture.was), data)
    return key


def original_name(key: str, suffix: str) -> str:
    """Where the file lies from which a picture was made."""
    return f"originals/{key.rpartition('.')[0]}.{suffix}"


def form_names(key: str) -> Sequence[tuple[str, int, str]]:
    """Name, width and coding of each smaller form."""
    stem = key.rpartition(".")[0]
    return [
        (f"{stem}.w{width}.{coding}", width, coding) for width in WIDTHS for coding in ENCODINGS
    ]


def served_key_of(name: str) -> str | None:
    """The picture of which this is the name of a smaller form; None for another name."""
    stem, _, width_and_coding = name.partition(".")
    width, _, coding = width_and_coding.partition(".")
    if coding not in ENCODINGS or width not in {f"w{each}" for each in WIDTHS}:
        return None
    return f"{stem}.webp"


def sources_of(url: str, widths: Sequence[int] = WIDTHS) -> PictureSources | None:
    """The smaller forms of a picture at this address; None for one that is not of our making."""
    if _ADDRESS.fullmatch(url) is None:
        return None
    stem = url.removesuffix(".webp")
    avif, webp = (
        ", ".join(f"{stem}.w{width}.{coding} {width}w" for width in widths)
        for coding in ("avif", "webp")
    )
    return PictureSources(avif=avif, webp=webp)


def make_forms(media: Media, key: str) -> int:
    """Make the smaller forms that are not there yet; gives how many. Takes some tenths of a second.

    Raises ``NotFound``, ``MediaUnavailable``.
    """
    missing = [each for each in form_names(key) if not media.has(each[0])]
    if not missing:
        return 0
    with Image.open(io.BytesIO(media.read(key)), formats=["WEBP"]) as opened:
        opened.load()
        for name, width, coding in missing:
            media.write(name, _encode(opened, width, coding))
    return len(missing)


def _encode(image: Image.Image, width: int, coding: str) -> bytes:
    smaller = image.copy()
    # A height that never binds; thumbnail() makes nothing larger.
    smaller.thumbnail((width, width * 100), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    smaller.save(file, coding.upper(), **ENCODINGS[coding])
    return file.getvalue()


def _step_aside() -> None:
    if sys.platform == "linux":
        # There niceness is a thread's own: it takes what time nobody else wants.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LEAST_URGENT)


FORM_MAKER: Final = ThreadPoolExecutor(1, "picture-forms", initializer=_step_aside)
"""One picture at a time, in what time is left: a shop with a full import goes on selling."""
