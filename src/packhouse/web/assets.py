"""Assets: our style sheets and scripts under names that change with their content.

``/static/css/base.<hash>.css`` may be kept for ever; the plain name answers too, to be checked
again. Media (card pictures) are named by content already.
"""

import asyncio
import gzip
import hashlib
import mimetypes
from collections.abc import Callable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import brotli
import msgspec
import zstandard

from packhouse.foundation.errors import NotFound
from packhouse.house import House
from packhouse.plumbing.picture_forms import served_key_of
from packhouse.web.answers import Answer, etag_of, matches_etag, send_answer
from packhouse.web.asgi import ASGIApp, Receive, Scope, Send
from packhouse.web.codings import SMALLEST_FIRST, Coding, choose_coding, compress_at_once
from packhouse.web.headers import HeaderReader

FOR_EVER = b"public, max-age=31536000, immutable"
CHECK_AGAIN = b"public, no-cache"
FOR_A_MOMENT = b"public, max-age=10"
HASH_LENGTH = 12

AT_THE_CDN = ("css/", "art/", "favicon.svg")

COMPRESSIBLE = ("text/", "application/json", "image/svg+xml")

_SMALLEST: Final[Mapping[Coding, Callable[[bytes], bytes]]] = {
    "br": lambda body: brotli.compress(body, quality=11),
    "zstd": lambda body: zstandard.ZstdCompressor(level=19).compress(body),
    "gzip": lambda body: gzip.compress(body, 9, mtime=0),
}
_SUFFIXES: Final[Mapping[Coding, str]] = {"br": "br", "zstd": "zst", "gzip": "gz"}
"""As web servers look for a compressed file beside another."""


class Asset(msgspec.Struct, frozen=True):
    """One file in memory, as it is and in the codings that it was made in."""

    media_type: str
    body: bytes
    etag: str
    cache_control: bytes
    coded: Mapping[Coding, bytes] = {}


class StaticFiles:
    """Everything under ``web/static``, read once: a few hundred KiB."""

    def __init__(self) -> None:
        self._assets: dict[str, Asset] = {}
        self._urls: dict[str, str] = {}
        _walk(files("packhouse.web") / "static", "", self._add)

    def url_of(self, path: str, *, origin: str = "") -> str:
        """The address of an asset, with its hash. An unknown path is a mistake in a template.

        Style sheets and pictures come from ``origin``. Scripts stay at home: their workers and the
        drawings that pages ``use`` must be of the page's own origin, and no policy then has to let
        another one's scripts run.
        """
        url = self._urls[path]
        return f"{origin}{url}" if path.startswith(AT_THE_CDN) else url

    @property
    def urls(self) -> Mapping[str, str]:
        """Every asset's address by its plain path."""
        return self._urls

    def _add(self, path: str, body: bytes) -> None:
        media_type = _media_type_of(path)
        if media_type.startswith("text/"):
            media_type += "; charset=utf-8"
        hashed = hashed_name(path, body)
        is_text = media_type.startswith(COMPRESSIBLE)
        kept = Asset(
            media_type=media_type,
            body=body,
            etag=etag_of(body),
            cache_control=FOR_EVER,
            coded=coded_forms(body) if is_text else {},
        )
        self._assets[hashed] = kept
        self._assets[path] = msgspec.structs.replace(kept, cache_control=CHECK_AGAIN)
        self._urls[path] = f"/static/{hashed}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request below ``/static/``. Raises ``NotFound``."""
        asset = self._assets.get(scope["path"].removeprefix("/static/"))
        if asset is None:
            raise NotFound("There is no such file here.")
        await send_answer(_answer(asset, HeaderReader(scope)), send)


def build_forms(folder: Path) -> int:
    """Write every text in every coding, as small as it goes, for processes that start later.

    Each is named by its content, so one that has changed since is never taken for another. Gives
    how many there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = 0

    def build(path: str, body: bytes) -> None:
        nonlocal written
        if not _media_type_of(path).startswith(COMPRESSIBLE):
            return
        for coding, compress in _SMALLEST.items():
            form = compress(body)
            if len(form) < len(body):
                (folder / f"{_hash_of(body)}.{coding}").write_bytes(form)
                written += 1

    _walk(files("packhouse.web") / "static", "", build)
    return written


def export_assets(folder: Path) -> int:
    """Write every asset under its hashed name, with its built forms, for a CDN or a web server."""
    exported = 0

    def export(path: str, body: bytes) -> None:
        nonlocal exported
        target = folder / hashed_name(path, body)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
        exported += 1
        if _media_type_of(path).startswith(COMPRESSIBLE):
            for coding, compress in _SMALLEST.items():
                suffix = _SUFFIXES[coding]
                target.with_name(f"{target.name}.{suffix}").write_bytes(compress(body))

    _walk(files("packhouse.web") / "static", "", export)
    return exported


def hashed_name(path: str, body: bytes) -> str:
    """``css/base.css`` with the beginning of its hash before the suffix."""
    stem, dot, suffix = path.rpartition(".")
    return f"{stem}.{_hash_of(body)}{dot}{suffix}"


def built_folder() -> Path:
    """Where built forms lie: beside the assets, and never in version control."""
    return Path(str(files("packhouse.web"))) / "static_built"


def coded_forms(body: bytes) -> Mapping[Coding, bytes]:
    """A text in every coding that makes it smaller: as it was built, or quickly for now."""
    forms: dict[Coding, bytes] = {}
    for coding in SMALLEST_FIRST:
        try:
            form = (built_folder() / f"{_hash_of(body)}.{coding}").read_bytes()
        except OSError:
            form = compress_at_once(body, coding)
        if len(form) < len(body):
            forms[coding] = form
    return forms


def _hash_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:HASH_LENGTH]


def _media_type_of(path: str) -> str:
    media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return "text/javascript" if media_type == "application/javascript" else media_type


def media_files(house: House) -> ASGIApp:
    """Card pictures below ``/media/``, read from where they are kept.

    While a smaller form is not made yet, the picture itself stands in for it, for a moment.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        key = scope["path"].removeprefix("/media/")
        cache_control = FOR_EVER
        try:
            body = await asyncio.to_thread(house.media.read, key)
        except NotFound:
            whole = served_key_of(key)
            if whole is None:
                raise
            key, cache_control = whole, FOR_A_MOMENT
            body = await asyncio.to_thread(house.media.read, key)
        name = key.rpartition("/")[2]
        asset = Asset(
            media_type=f"image/{name.rpartition('.')[2]}",
            body=body,
            etag=f'"{name[:32]}{name[64:]}"',
            cache_control=cache_control,
        )
        await send_answer(_answer(asset, HeaderReader(scope)), send)

    return answer


def _answer(asset: Asset, headers: HeaderReader) -> Answer:
    about = [
        (b"etag", asset.etag.encode()),
        (b"cache-control", asset.cache_control),
        (b"vary", b"Accept-Encoding"),
    ]
    if matches_etag(headers.text("if-none-match"), asset.etag):
        return Answer(status=304, headers=tuple(about))
    about.append((b"content-type", asset.media_type.encode()))
    coding = choose_coding(headers.text("accept-encoding"), SMALLEST_FIRST)
    body = asset.coded.get(coding, asset.body)
    if coding in asset.coded:
        about.append((b"content-encoding", coding.encode()))
    return Answer(status=200, body=body, headers=tuple(about))


def _walk(folder: Traversable, prefix: str, add: Callable[[str, bytes], None]) -> None:
    for entry in sorted(folder.iterdir(), key=lambda found: found.name):
        if entry.is_dir():
            _walk(entry, f"{prefix}{entry.name}/", add)
        else:
            add(f"{prefix}{entry.name}", entry.read_bytes())
