"""What the draw log keeps in PostgreSQL; each function runs the query of its own name."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from packhouse.drawlog.model import Checkpoint
from packhouse.drawlog.tree import TileId
from packhouse.foundation.errors import Breach
from packhouse.plumbing.postgres import Connection, ReadConnection
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.drawlog")


async def find_log_end(connection: Connection) -> int:
    """Where the next leaf goes: how many there are."""
    position: int = await connection.fetchval(QUERIES["find_log_end"])
    return position


async def insert_leaves(
    connection: Connection, leaves: Sequence[bytes], *, first: int, now: datetime
) -> None:
    """Append leaves from position ``first`` on; only the relay does."""
    await connection.execute(
        QUERIES["insert_leaves"],
        list(range(first, first + len(leaves))),
        [leaf.decode() for leaf in leaves],
        now,
    )


async def list_leaves(connection: ReadConnection, *, first: int, limit: int) -> list[bytes]:
    """At most ``limit`` leaves from ``first`` on. Raises ``Breach`` when one is missing."""
    rows = await connection.fetch(QUERIES["list_leaves"], first, limit)
    for expected, row in enumerate(rows, start=first):
        if row["position"] != expected:
            raise Breach(
                f"Leaf {expected} of the draw log is gone. Nothing may be signed any more: restore"
                " it from a mirror of the log."
            )
    return [row["leaf"].encode() for row in rows]


async def claim_sequencer(connection: Connection) -> bool:
    """Whether this transaction is the one sequencer; the claim ends with the transaction."""
    return bool(await connection.fetchval(QUERIES["claim_sequencer"]))


async def find_checkpoint(connection: ReadConnection) -> Checkpoint | None:
    """The newest checkpoint; None until a worker has run for the first time."""
    row = await connection.fetchrow(QUERIES["find_checkpoint"])
    return None if row is None else Checkpoint(**row)


async def insert_checkpoint(connection: Connection, checkpoint: Checkpoint) -> None:
    """Publish a checkpoint with the transaction that wrote its tiles; only the sequencer does."""
    await connection.execute(
        QUERIES["insert_checkpoint"],
        checkpoint.size,
        checkpoint.note,
        checkpoint.verifier_key,
        checkpoint.created_at,
    )


async def list_tiles(connection: ReadConnection, wanted: Sequence[TileId]) -> dict[TileId, bytes]:
    """The hashes of those of the wanted tiles that exist."""
    rows = await connection.fetch(
        QUERIES["list_tiles"], [tile.level for tile in wanted], [tile.number for tile in wanted]
    )
    return {TileId(row["level"], row["number"]): row["hashes"] for row in rows}


async def upsert_tiles(connection: Connection, tiles: Mapping[TileId, bytes]) -> None:
    """Write tiles that have grown."""
    await connection.execute(
        QUERIES["upsert_tiles"],
        [tile.level for tile in tiles],
        [tile.number for tile in tiles],
        list(tiles.values()),
    )
