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

import msgspec

from packhouse.foundation.errors import NotFound
from packhouse.house import House
from packhouse.web.answers import Answer, etag_of, matches_etag, send_answer
from packhouse.web.asgi import ASGIApp, Receive, Scope, Send
from packhouse.web.headers import HeaderReader

FOR_EVER = b"public, max-age=31536000, immutable"
CHECK_AGAIN = b"public, no-cache"
HASH_LENGTH = 12

COMPRESSIBLE = ("text/", "application/json", "application/javascript", "image/svg+xml")


class Asset(msgspec.Struct, frozen=True):
    """One file in memory, as it is and compressed."""

    media_type: str
    body: bytes
    gzipped: bytes | None
    etag: str
    cache_control: bytes


class StaticFiles:
    """Everything under ``web/static``, read once: a few hundred KiB."""

    def __init__(self) -> None:
        self._assets: dict[str, Asset] = {}
        self._urls: dict[str, str] = {}
        _walk(files("packhouse.web") / "static", "", self._add)

    def url_of(self, path: str) -> str:
        """The address of an asset, with its hash. An unknown path is a mistake in a template."""
        return self._urls[path]

    @property
    def urls(self) -> Mapping[str, str]:
        """Every asset's address by its plain path."""
        return self._urls

    def _add(self, path: str, body: bytes) -> None:
        media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        if media_type == "application/javascript":
            media_type = "text/javascript"
        if media_type.startswith("text/"):
            media_type += "; charset=utf-8"
        stem, dot, suffix = path.rpartition(".")
        hashed = f"{stem}.{hashlib.sha256(body).hexdigest()[:HASH_LENGTH]}{dot}{suffix}"
        is_text = media_type.startswith(COMPRESSIBLE)
        kept = Asset(
            media_type=media_type,
            body=body,
            gzipped=gzip.compress(body, 9, mtime=0) if is_text else None,
            etag=etag_of(body),
            cache_control=FOR_EVER,
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


def media_files(house: House) -> ASGIApp:
    """Card pictures below ``/media/``, read from the media folder."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path = house.media.path_of(scope["path"].removeprefix("/media/"))
        body = await _read(path)
        asset = Asset(
            media_type="image/webp",
            body=body,
            gzipped=None,
            etag=f'"{path.stem[:32]}"',
            cache_control=FOR_EVER,
        )
        await send_answer(_answer(asset, HeaderReader(scope)), send)

    return answer


async def _read(path: Path) -> bytes:
    try:
        return await asyncio.to_thread(path.read_bytes)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotFound("There is no such picture here.") from error


def _answer(asset: Asset, headers: HeaderReader) -> Answer:
    about = [
        (b"etag", asset.etag.encode()),
        (b"cache-control", asset.cache_control),
        (b"vary", b"Accept-Encoding"),
    ]
    if matches_etag(headers.text("if-none-match"), asset.etag):
        return Answer(status=304, headers=tuple(about))
    about.append((b"content-type", asset.media_type.encode()))
    body = asset.body
    if asset.gzipped is not None and "gzip" in (headers.text("accept-encoding") or ""):
        body = asset.gzipped
        about.append((b"content-encoding", b"gzip"))
    return Answer(status=200, body=body, headers=tuple(about))


def _walk(folder: Traversable, prefix: str, add: Callable[[str, bytes], None]) -> None:
    for entry in sorted(folder.iterdir(), key=lambda found: found.name):
        if entry.is_dir():
            _walk(entry, f"{prefix}{entry.name}/", add)
        else:
            add(f"{prefix}{entry.name}", entry.read_bytes())
