"""What hardly changes, in process memory: published versions (which never change), card faces."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from answers import CardFace
from database import Card, Pack, PackVersion
from draw import CompiledConfig
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

FRESH_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ShelvedPack:
    """A pack on sale."""

    id: UUID
    slug: str
    version_id: UUID
    compiled: CompiledConfig


_packs: dict[str, tuple[ShelvedPack | None, float]] = {}
_versions: dict[UUID, CompiledConfig] = {}
_faces: dict[UUID, CardFace] = {}


async def find_pack(session: AsyncSession, slug: str) -> ShelvedPack | None:
    """The pack on sale under a slug, at most half a second old."""
    pack, looked_at = _packs.get(slug, (None, float("-inf")))
    if time.monotonic() - looked_at < FRESH_SECONDS:
        return pack
    found = (
        await session.execute(
            select(Pack.id, Pack.current_version_id).where(
                Pack.slug == slug,
                Pack.withdrawn_at.is_(None),
                Pack.current_version_id.is_not(None),
            )
        )
    ).first()
    pack = None
    if found is not None:
        if found.current_version_id not in _versions:
            version = await session.get_one(PackVersion, found.current_version_id)
            _versions[version.id] = CompiledConfig(json.loads(version.config), version.config_hash)
        compiled = _versions[found.current_version_id]
        pack = ShelvedPack(found.id, slug, found.current_version_id, compiled)
    _packs[slug] = pack, time.monotonic()
    return pack


async def list_faces(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, CardFace]:
    """The faces of cards by id."""
    missing = {id_ for id_ in ids if id_ not in _faces}
    if missing:
        for card in await session.scalars(select(Card).where(Card.id.in_(missing))):
            _faces[card.id] = CardFace(
                id=card.id,
                name=card.name,
                set=card.set_name,
                number=card.number,
                image_url=None if card.picture is None else f"/media/{card.picture}",
            )
    return _faces
