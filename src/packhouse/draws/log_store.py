"""What the draw log's files ask of the draws room; each function runs the query of its own name."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from packhouse.draws.model import LotItem
from packhouse.draws.store import QUERIES, KeptReceipt
from packhouse.foundation.identifiers import OpeningId
from packhouse.plumbing.postgres import Connection, ReadConnection


async def insert_receipts(
    connection: Connection,
    receipts: Sequence[tuple[KeptReceipt, datetime]],
    *,
    log_positions: Sequence[int],
) -> None:
    """Make receipts readable by their id, each with the position of its leaf in the draw log.

    Their texts stay in their openings.
    """
    await connection.execute(
        QUERIES["insert_receipts"],
        [kept.id for kept, _ in receipts],
        [kept.user_id for kept, _ in receipts],
        [kept.seed_pair_id for kept, _ in receipts],
        [created_at for _, created_at in receipts],
        list(log_positions),
    )


async def find_log_position(connection: ReadConnection, opening_id: OpeningId) -> int | None:
    """Where an opening's leaf is; None before it is published, and for one from before the log."""
    position: int | None = await connection.fetchval(QUERIES["find_log_position"], opening_id)
    return position


async def find_config_by_hash(connection: ReadConnection, config_hash: bytes) -> str | None:
    """The canonical JSON of a published version of any pack, on sale or not."""
    config: str | None = await connection.fetchval(QUERIES["find_config_by_hash"], config_hash)
    return config


async def list_lot_manifest(
    connection: ReadConnection, manifest_root: bytes, *, first: int, limit: int
) -> list[LotItem]:
    """At most ``limit`` lines of a manifest from position ``first`` on, drawn or not."""
    rows = await connection.fetch(QUERIES["list_lot_manifest"], manifest_root, first, limit)
    return [LotItem(**row) for row in rows]


async def list_sell_back_windows(connection: ReadConnection) -> list[timedelta]:
    """For how long cards of any version may be sold back, on sale or not, the shortest first."""
    rows = await connection.fetch(QUERIES["list_sell_back_windows"])
    return [timedelta(seconds=row["window_seconds"]) for row in rows]
