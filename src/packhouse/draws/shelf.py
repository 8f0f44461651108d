"""The shelf: what is on sale, kept in process memory and looked at again twice a second.

Published versions never change, so their configurations are read and compiled once; what changes
(which version is on sale, how much of a lot is drawn, whether a pack rests) is one small query.
Nothing money-bearing depends on its freshness: an opening settles under its own locks.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime

import msgspec

from packhouse.draws.canonical import parse_config
from packhouse.draws.decide import CompiledConfig, compile_config
from packhouse.draws.errors import PackNotFound
from packhouse.draws.model import PackConfig
from packhouse.draws.store import QUERIES
from packhouse.foundation.identifiers import CardId, LotId, PackId, PackVersionId
from packhouse.plumbing.postgres import Connection, Database

FRESH_SECONDS = 0.5


class ShelvedPack(msgspec.Struct, frozen=True):
    """A pack on sale with its published version, ready to be drawn; ``picture`` is a media key."""

    pack_id: PackId
    slug: str
    picture: str | None
    version_id: PackVersionId
    lot_id: LotId | None
    published_at: datetime
    compiled: CompiledConfig
    card_ids: tuple[CardId, ...]
    packs_left: int | None
    is_paused: bool

    @property
    def config(self) -> PackConfig:
        """What was published."""
        return self.compiled.config

    @property
    def is_sold_out(self) -> bool:
        """Whether nothing can be opened just now."""
        return self.is_paused or self.packs_left == 0


class PackShelf:
    """The packs on sale, as this process last saw them."""

    def __init__(self) -> None:
        self._packs: tuple[ShelvedPack, ...] = ()
        self._compiled: dict[PackVersionId, CompiledConfig] = {}
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self.changes = 0
        """How often this process itself changed something: whoever keeps answers looks at it."""

    async def list_packs(self, database: Database) -> Sequence[ShelvedPack]:
        """Everything on sale, in the shop's order, at most half a second old."""
        if time.monotonic() - self._looked_at >= FRESH_SECONDS:
            async with self._looking:
                if time.monotonic() - self._looked_at >= FRESH_SECONDS:
                    async with database.connection() as connection:
                        self._packs = await self._look(connection)
                    self._looked_at = time.monotonic()
        return self._packs

    async def find_pack(self, database: Database, slug: str) -> ShelvedPack | None:
        """One pack on sale."""
        return next((pack for pack in await self.list_packs(database) if pack.slug == slug), None)

    async def get_pack(self, database: Database, slug: str) -> ShelvedPack:
        """One pack on sale. Raises ``PackNotFound``."""
        pack = await self.find_pack(database, slug)
        if pack is None:
            raise PackNotFound(f"There is no pack {slug!r} on sale here.")
        return pack

    def forget(self) -> None:
        """Look again at the next question, because this process just changed something."""
        self.changes += 1
        self._looked_at = float("-inf")

    async def _look(self, connection: Connection) -> tuple[ShelvedPack, ...]:
        rows = await connection.fetch(QUERIES["list_packs"])
        hashes = {row["version_id"]: row["config_hash"] for row in rows}
        unknown = [version_id for version_id in hashes if version_id not in self._compiled]
        if unknown:
            for row in await connection.fetch(QUERIES["list_pack_configs"], unknown):
                self._compiled[row["id"]] = compile_config(
                    parse_config(row["config"]), hashes[row["id"]]
                )
        self._compiled = {version_id: self._compiled[version_id] for version_id in hashes}
        return tuple(
            ShelvedPack(
                pack_id=row["pack_id"],
                slug=row["slug"],
                picture=row["picture"],
                version_id=row["version_id"],
                lot_id=row["lot_id"],
                published_at=row["published_at"],
                compiled=(compiled := self._compiled[row["version_id"]]),
                card_ids=compiled.card_ids,
                packs_left=_packs_left(
                    compiled.config, row["size"], row["draws"], row["is_closed"]
                ),
                is_paused=row["is_paused"],
            )
            for row in rows
        )


def _packs_left(
    config: PackConfig,
    size: int | None,
    draws: int | None,
    is_closed: bool | None,  # noqa: FBT001 - a row's columns
) -> int | None:
    if config.lot is None or size is None or draws is None:
        return None
    return 0 if is_closed else (size - draws) // config.lot.cards_per_pack
