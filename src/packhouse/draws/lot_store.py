"""What the draws room keeps of lots; each function runs the query of its own name."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from packhouse.draws.model import LotItem
from packhouse.draws.store import QUERIES
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import CardId, LotId, PackVersionId
from packhouse.foundation.tiers import Tier
from packhouse.plumbing.postgres import Connection, ReadConnection


class LockedLot(msgspec.Struct, frozen=True):
    """A lot whose row this transaction holds. ``size`` and ``draws`` count draws, not packs."""

    id: LotId
    size: int
    draws: int
    commitment: bytes
    sealed_server_seed: bytes
    manifest_root: bytes
    is_closed: bool


class LotPrizeCount(msgspec.Struct, frozen=True):
    """How many copies of a prize the manifest lists, and how many are left.

    ``remaining`` are not drawn yet, a last-one prize never being drawn; ``unpulled`` have no pull
    in the feed yet, so they are what the public knows to be left.
    """

    card_id: CardId
    tier: Tier
    value: int
    is_last_one: bool
    listed: int
    remaining: int
    unpulled: int


class LotNow(msgspec.Struct, frozen=True):
    """A lot as of the feed's pull ``sequence``; ``server_seed`` is None until the lot is closed."""

    sequence: int
    server_seed: bytes | None
    prizes: tuple[LotPrizeCount, ...]


async def insert_lot(
    connection: Connection,
    lot: LockedLot,
    items: Sequence[LotItem],
    *,
    pack_version_id: PackVersionId,
) -> None:
    """Write a lot and its manifest."""
    await connection.execute(
        QUERIES["insert_lot"],
        lot.id,
        pack_version_id,
        lot.size,
        lot.commitment,
        lot.sealed_server_seed,
        lot.manifest_root,
    )
    await connection.execute(
        QUERIES["insert_lot_items"],
        lot.id,
        [item.position for item in items],
        [item.card for item in items],
        [item.stock_item_id for item in items],
        [item.tier for item in items],
        [item.value for item in items],
        [item.is_last_one for item in items],
        [item.photo for item in items],
    )


async def lock_lot(connection: Connection, lot_id: LotId) -> LockedLot:
    """Hold the lot's row; draws are numbered under it."""
    row = await connection.fetchrow(QUERIES["lock_lot"], lot_id)
    if row is None:
        raise Breach(f"A published version names the lot {lot_id}, which does not exist.")
    return LockedLot(**row)


async def list_remaining_lot_items(connection: Connection, lot_id: LotId) -> list[LotItem]:
    """What is left, in the manifest's order, the last-one prize included."""
    rows = await connection.fetch(QUERIES["list_remaining_lot_items"], lot_id)
    return [LotItem(**row) for row in rows]


async def find_lot_now(connection: ReadConnection, lot_id: LotId) -> LotNow:
    """What was promised and what is left, dearest first, and which pull of the feed that is after.

    Raises ``Breach`` when there is no such lot.
    """
    rows = await connection.fetch(QUERIES["find_lot_now"], lot_id)
    if not rows:
        raise Breach(f"A published version names the lot {lot_id}, which does not exist.")
    return LotNow(
        sequence=rows[0]["sequence"],
        server_seed=rows[0]["server_seed"],
        prizes=tuple(
            LotPrizeCount(
                card_id=row["card_id"],
                tier=row["tier"],
                value=row["value"],
                is_last_one=row["is_last_one"],
                listed=row["listed"],
                remaining=row["remaining"],
                unpulled=row["unpulled"],
            )
            for row in rows
        ),
    )


async def take_lot_items(
    connection: Connection, lot_id: LotId, taken: Mapping[int, int]
) -> dict[int, LotItem]:
    """Items leave the lot, each with its draw's number; both by position. Raises ``Breach``."""
    rows = await connection.fetch(
        QUERIES["take_lot_items"], lot_id, list(taken), list(taken.values())
    )
    if len(rows) < len(taken):
        raise Breach(f"An item of the lot {lot_id} was to be drawn a second time.")
    return {row["position"]: LotItem(**row) for row in rows}


async def advance_lot(connection: Connection, lot_id: LotId, *, draws: int) -> None:
    """Count draws. Whoever makes the last one also closes the lot."""
    await connection.execute(QUERIES["advance_lot"], lot_id, draws)


async def close_lot(
    connection: Connection, lot_id: LotId, *, server_seed: bytes, now: datetime
) -> None:
    """End a lot and reveal its seed, which decides nothing any more."""
    await connection.execute(QUERIES["close_lot"], lot_id, server_seed, now)


async def find_lot_server_seed(connection: ReadConnection, lot_id: LotId) -> bytes | None:
    """The seed of a closed lot; None while it still has draws to decide."""
    server_seed: bytes | None = await connection.fetchval(QUERIES["find_lot_server_seed"], lot_id)
    return server_seed
