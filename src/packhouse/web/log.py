"""The draw log as files: what anyone needs to follow it, to mirror it, or to check any draw.

The forms are in ``docs/fairness.md``, section "The draw log". Only the checkpoint and the key may
change under their names. A tile is served as far as the newest checkpoint covers it, so that what
was served once is served for ever, with the same bytes. Nobody needs a session, no count is kept,
and any other site's scripts may read.
"""

import re
from typing import Final
from uuid import UUID

import msgspec

from packhouse import drawlog, draws
from packhouse.drawlog import HASH_BYTES, TILE_WIDTH, Checkpoint, TileId
from packhouse.draws import LotItem
from packhouse.foundation.errors import Breach, NotFound
from packhouse.foundation.identifiers import OpeningId
from packhouse.house import House
from packhouse.web.answers import Answer, etag_of, matches_etag, send_answer
from packhouse.web.asgi import Receive, Scope, Send
from packhouse.web.errors import MethodNotAllowed
from packhouse.web.headers import HeaderReader

CHECKPOINT_SECONDS: Final = 1
KEY_SECONDS: Final = 60
FOR_EVER: Final = b"public, max-age=31536000, immutable"

MANIFEST_LINES_AT_ONCE: Final = 2_000

_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_BYTES: Final = (b"content-type", b"application/octet-stream")
_JSON: Final = (b"content-type", b"application/json")
_LINES: Final = (b"content-type", b"application/jsonl")

_TILE: Final = re.compile(
    r"/log/tile/([0-5]|entries)/((?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)
_CONFIG: Final = re.compile(r"/log/configs/([0-9a-f]{64})\.json")
_MANIFEST: Final = re.compile(r"/log/manifests/([0-9a-f]{64})\.jsonl")
_OPENING: Final = re.compile(r"/log/openings/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class LogFiles:
    """Answers everything below ``/log/``."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._size = 0
        """How many leaves some checkpoint that we have seen covers; there are never fewer again."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises ``NotFound`` for any other path, ``MethodNotAllowed``."""
        if scope["method"] != "GET":
            raise MethodNotAllowed("The draw log can only be read.")
        path = scope["path"]
        if path == "/log/checkpoint":
            answer = _changing((await self._newest()).note, scope, seconds=CHECKPOINT_SECONDS)
        elif path == "/log/key":
            key = f"{(await self._newest()).verifier_key}\n"
            answer = _changing(key, scope, seconds=KEY_SECONDS)
        elif match := _TILE.fullmatch(path):
            answer = await self._tile(match[1], match[2], match[3])
        elif match := _CONFIG.fullmatch(path):
            answer = await self._config(bytes.fromhex(match[1]))
        elif match := _OPENING.fullmatch(path):
            answer = await self._position(OpeningId(UUID(match[1])))
        elif match := _MANIFEST.fullmatch(path):
            await self._send_manifest(bytes.fromhex(match[1]), send)
            return
        else:
            raise NotFound("There is no such file in the draw log.")
        await send_answer(answer, send)

    async def _newest(self) -> Checkpoint:
        async with self._house.database.reading() as connection:
            newest = await drawlog.find_checkpoint(connection)
        if newest is None:
            raise NotFound("Nothing is signed yet: the draw log begins when the worker runs.")
        self._size = max(self._size, newest.size)
        return newest

    async def _tile(self, level: str, number_path: str, partial: str | None) -> Answer:
        number = int(number_path.replace("/", "").replace("x", ""))
        width = TILE_WIDTH if partial is None else int(partial)
        is_written_otherwise = drawlog.tile_number_path(number) != number_path
        if is_written_otherwise or (partial is not None and width >= TILE_WIDTH):
            raise NotFound("There is no such tile.")
        end = number * TILE_WIDTH + width
        if level == "entries":
            await self._require_signed(0, end)
            return _lasting(await self._entries(number, width), _BYTES)
        await self._require_signed(int(level), end)
        return _lasting(await self._hashes(TileId(int(level), number), width), _BYTES)

    async def _require_signed(self, level: int, end: int) -> None:
        """Raises ``NotFound`` unless the level has ``end`` hashes in the newest signed tree."""
        if drawlog.hashes_on_level(self._size, level) < end:
            await self._newest()
        if drawlog.hashes_on_level(self._size, level) < end:
            raise NotFound("The draw log has not grown to there yet.")

    async def _hashes(self, tile: TileId, width: int) -> bytes:
        async with self._house.database.reading() as connection:
            found = (await drawlog.list_tiles(connection, [tile])).get(tile, b"")
        if len(found) < width * HASH_BYTES:
            raise Breach(f"Tile {tile.number} of level {tile.level} of the draw log is gone.")
        return found[: width * HASH_BYTES]

    async def _entries(self, number: int, width: int) -> bytes:
        async with self._house.database.reading() as connection:
            leaves = await drawlog.list_leaves(connection, first=number * TILE_WIDTH, limit=width)
        if len(leaves) < width:
            raise Breach(f"Leaves of bundle {number} of the draw log are gone.")
        return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)

    async def _config(self, config_hash: bytes) -> Answer:
        async with self._house.database.reading() as connection:
            config = await draws.find_config_by_hash(connection, config_hash)
        if config is None:
            raise NotFound("No version of a pack was published with this hash.")
        return _lasting(config.encode(), _JSON)

    async def _position(self, opening_id: OpeningId) -> Answer:
        async with self._house.database.reading() as connection:
            position = await draws.find_log_position(connection, opening_id)
        if position is None:
            raise NotFound("The draw log has no opening with this id, or not yet.")
        return _lasting(msgspec.json.encode({"position": position}), _JSON)

    async def _send_manifest(self, root: bytes, send: Send) -> None:
        """A lot may have millions of lines, so they are sent as they are read."""
        items = await self._list_items(root, first=0)
        if not items:
            raise NotFound("No lot was published with this manifest.")
        headers = [_LINES, (b"cache-control", FOR_EVER)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while items:
            lines = b"".join(draws.manifest_leaf(item) + b"\n" for item in items)
            await send({"type": "http.response.body", "body": lines, "more_body": True})
            items = await self._list_items(root, first=items[-1].position + 1)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _list_items(self, root: bytes, *, first: int) -> list[LotItem]:
        async with self._house.database.reading() as connection:
            return await draws.list_lot_manifest(
                connection, root, first=first, limit=MANIFEST_LINES_AT_ONCE
            )


def _changing(text: str, scope: Scope, *, seconds: int) -> Answer:
    body = text.encode()
    etag = etag_of(body)
    about = (
        (b"etag", etag.encode()),
        (b"cache-control", f"public, max-age={seconds}".encode()),
    )
    if matches_etag(HeaderReader(scope).text("if-none-match"), etag):
        return Answer(status=304, headers=about)
    return Answer(status=200, body=body, headers=(*about, _TEXT))


def _lasting(body: bytes, media_type: tuple[bytes, bytes]) -> Answer:
    return Answer(status=200, body=body, headers=(media_type, (b"cache-control", FOR_EVER)))
