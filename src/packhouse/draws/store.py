"""What the draws room keeps in PostgreSQL; each function runs the query of its own name."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from packhouse.draws.receipts import Receipt
from packhouse.draws.seeds import NewSeedPair, SeedPair
from packhouse.foundation.identifiers import (
    LotId,
    OpeningId,
    PackId,
    PackVersionId,
    SeedPairId,
    UserId,
)
from packhouse.plumbing.postgres import Connection, ReadConnection, is_sharded
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.draws")


class DueSeedPair(msgspec.Struct, frozen=True):
    """A seed pair that is to be revealed, and since when it is in use."""

    user_id: UserId
    id: SeedPairId
    first_used_at: datetime


class NewOpening(msgspec.Struct, frozen=True):
    """One opening as it is written; ``nonce`` is None for a lot."""

    user_id: UserId
    id: OpeningId
    pack_version_id: PackVersionId
    seed_pair_id: SeedPairId
    nonce: int | None
    price: int
    receipt: Receipt


class KeptReceipt(msgspec.Struct, frozen=True):
    """A receipt's stored text, and whose seed pair would reveal its server seed."""

    id: OpeningId
    user_id: UserId
    seed_pair_id: SeedPairId
    receipt: str


class PackRow(msgspec.Struct, frozen=True):
    """A pack as operators see it; ``picture`` is a media key."""

    id: PackId
    slug: str
    position: int
    picture: str | None
    withdrawn_at: datetime | None
    created_at: datetime
    current_version_id: PackVersionId | None
    draft: dict[str, Any] | None
    version_number: int | None
    published_at: datetime | None
    is_paused: bool


class PackVersionRow(msgspec.Struct, frozen=True):
    """One published version; ``config`` is its canonical JSON."""

    id: PackVersionId
    number: int
    config: str
    config_hash: bytes
    lot_id: LotId | None
    reason: str | None
    published_by: UserId
    published_at: datetime


async def insert_seed_pair(connection: Connection, pair: NewSeedPair) -> None:
    """Write a fresh pair."""
    await connection.execute(
        QUERIES["insert_seed_pair"],
        pair.user_id,
        pair.id,
        pair.sealed_server_seed,
        pair.commitment,
        pair.user_key,
        pair.client_seed,
        pair.created_at,
    )


async def find_seed_pair(
    connection: ReadConnection, *, user_id: UserId, seed_pair_id: SeedPairId
) -> SeedPair | None:
    """One pair of the user."""
    row = await connection.fetchrow(QUERIES["find_seed_pair"], user_id, seed_pair_id)
    return None if row is None else SeedPair(**row)


async def list_commitments(
    connection: ReadConnection, user_ids: Sequence[UserId]
) -> Mapping[UserId, bytes]:
    """The commitment in force of each of these users."""
    rows = await connection.fetch(QUERIES["list_commitments"], user_ids)
    return {row["user_id"]: row["commitment"] for row in rows}


async def list_revealed_seed_pairs(
    connection: ReadConnection, *, user_id: UserId, limit: int
) -> list[SeedPair]:
    """Past pairs, newest first."""
    rows = await connection.fetch(QUERIES["list_revealed_seed_pairs"], user_id, limit)
    return [SeedPair(**row) for row in rows]


async def list_seed_pairs(
    connection: ReadConnection, *, user_id: UserId, before: SeedPairId | None, limit: int
) -> list[SeedPair]:
    """A user's pairs, revealed or not, newest first, older than ``before``."""
    rows = await connection.fetch(QUERIES["list_seed_pairs"], user_id, before, limit)
    return [SeedPair(**row) for row in rows]


async def find_sealed_server_seed(
    connection: Connection, *, user_id: UserId, seed_pair_id: SeedPairId
) -> bytes | None:
    """The sealed secret of one pair."""
    sealed: bytes | None = await connection.fetchval(
        QUERIES["find_sealed_server_seed"], user_id, seed_pair_id
    )
    return sealed


async def reveal_seed_pair(
    connection: Connection,
    *,
    user_id: UserId,
    seed_pair_id: SeedPairId,
    server_seed: bytes,
    openings: int,
    now: datetime,
) -> bool:
    """End a pair; False when it was revealed before."""
    row = await connection.fetchval(
        QUERIES["reveal_seed_pair"], user_id, seed_pair_id, server_seed, now, openings
    )
    return row is not None


async def list_due_seed_pairs(
    connection: Connection, *, used_by: datetime, limit: int
) -> list[DueSeedPair]:
    """Secret pairs first used at ``used_by`` or before, the oldest first; nothing is locked."""
    rows = await connection.fetch(QUERIES["list_due_seed_pairs"], used_by, limit)
    return [DueSeedPair(**row) for row in rows]


async def update_client_seed(
    connection: Connection, *, user_id: UserId, seed_pair_id: SeedPairId, client_seed: str
) -> None:
    """Store the seed for requests that bring none."""
    await connection.execute(QUERIES["update_client_seed"], user_id, seed_pair_id, client_seed)


async def erase_client_seeds(connection: Connection, user_id: UserId) -> None:
    """Forget the seeds that a closed account stored."""
    await connection.execute(QUERIES["erase_client_seeds"], user_id)


async def mark_first_use(
    connection: Connection, pairs: Sequence[tuple[UserId, SeedPairId]], *, now: datetime
) -> None:
    """Start the clock of pairs used for the first time."""
    await connection.execute(
        QUERIES["mark_first_use"],
        [user_id for user_id, _ in pairs],
        [pair_id for _, pair_id in pairs],
        now,
    )


async def insert_openings(
    connection: Connection, openings: Sequence[NewOpening], *, now: datetime
) -> None:
    """Write openings with their receipts."""
    await connection.execute(
        QUERIES["insert_openings"],
        [opening.user_id for opening in openings],
        [opening.id for opening in openings],
        [opening.pack_version_id for opening in openings],
        [opening.seed_pair_id for opening in openings],
        [opening.nonce for opening in openings],
        [opening.price for opening in openings],
        [msgspec.json.encode(opening.receipt).decode() for opening in openings],
        now,
    )


async def list_openings(
    connection: ReadConnection, *, user_id: UserId, before: UUID | None, limit: int
) -> list[Receipt]:
    """A user's own openings, newest first, older than ``before``."""
    rows = await connection.fetch(QUERIES["list_openings"], user_id, before, limit)
    return [msgspec.json.decode(row["receipt"], type=Receipt) for row in rows]


async def list_opening_times(
    connection: Connection, *, user_id: UserId, before: UUID | None, limit: int
) -> list[tuple[OpeningId, datetime]]:
    """A user's openings older than ``before``, newest first, each with its time."""
    rows = await connection.fetch(QUERIES["list_opening_times"], user_id, before, limit)
    return [(row["id"], row["created_at"]) for row in rows]


async def list_opening_receipts(
    connection: ReadConnection, wanted: Sequence[tuple[UUID, UUID]]
) -> list[tuple[KeptReceipt, datetime]]:
    """Receipts of (user, opening) pairs, with their times."""
    of_shards = is_sharded(connection)
    rows = await connection.fetch(
        QUERIES["list_opening_receipts_of_shards" if of_shards else "list_opening_receipts"],
        [user_id for user_id, _ in wanted],
        [opening_id for _, opening_id in wanted],
    )
    return [
        (
            KeptReceipt(
                id=row["id"],
                user_id=row["user_id"],
                seed_pair_id=row["seed_pair_id"],
                receipt=row["receipt"],
            ),
            row["created_at"],
        )
        for row in rows
        # Of shards one asks for users and openings apart.
        if not of_shards or (row["user_id"], row["id"]) in wanted
    ]


async def find_receipt_owner(connection: ReadConnection, opening_id: OpeningId) -> UserId | None:
    """Whose a public receipt is; None for one that the relay has not published."""
    user_id: UserId | None = await connection.fetchval(QUERIES["find_receipt_owner"], opening_id)
    return user_id


async def list_all_packs(connection: ReadConnection) -> list[PackRow]:
    """Every pack there is, in the shop's order."""
    rows = await connection.fetch(QUERIES["list_all_packs"])
    return [PackRow(**row) for row in rows]


async def find_pack(connection: ReadConnection, slug: str) -> PackRow | None:
    """One pack by its slug."""
    row = await connection.fetchrow(QUERIES["find_pack"], slug)
    return None if row is None else PackRow(**row)


async def lock_pack(connection: Connection, pack_id: PackId) -> None:
    """Hold the pack's row until the transaction ends."""
    await connection.execute(QUERIES["lock_pack"], pack_id)


async def insert_pack(
    connection: Connection, *, pack_id: PackId, slug: str, position: int, now: datetime
) -> bool:
    """Write a pack without a version; False when the slug is taken."""
    return (
        await connection.fetchval(QUERIES["insert_pack"], pack_id, slug, position, now) is not None
    )


async def upsert_pack_draft(
    connection: Connection, *, pack_id: PackId, draft: dict[str, Any], now: datetime
) -> None:
    """Keep the operator's draft."""
    await connection.execute(QUERIES["upsert_pack_draft"], pack_id, draft, now)


async def list_pack_versions(connection: ReadConnection, pack_id: PackId) -> list[PackVersionRow]:
    """Published versions, newest first."""
    rows = await connection.fetch(QUERIES["list_pack_versions"], pack_id)
    return [PackVersionRow(**row) for row in rows]


async def find_pack_config(
    connection: ReadConnection, *, slug: str, config_hash: bytes
) -> str | None:
    """The canonical JSON of one published version, on sale or not."""
    config: str | None = await connection.fetchval(QUERIES["find_pack_config"], slug, config_hash)
    return config


async def list_pack_configs(
    connection: ReadConnection, version_ids: Collection[PackVersionId]
) -> Mapping[PackVersionId, str]:
    """The canonical JSON of published versions."""
    rows = await connection.fetch(QUERIES["list_pack_configs"], list(version_ids))
    return {row["id"]: row["config"] for row in rows}


async def insert_pack_version(
    connection: Connection, version: PackVersionRow, *, pack_id: PackId
) -> None:
    """Write a version, once and for all."""
    await connection.execute(
        QUERIES["insert_pack_version"],
        version.id,
        pack_id,
        version.number,
        version.config,
        version.config_hash,
        version.lot_id,
        version.reason,
        version.published_by,
        version.published_at,
    )


async def put_pack_on_sale(
    connection: Connection, *, pack_id: PackId, version_id: PackVersionId
) -> None:
    """Make a version the one on sale."""
    await connection.execute(QUERIES["put_pack_on_sale"], pack_id, version_id)


async def withdraw_pack(connection: Connection, *, pack_id: PackId, now: datetime) -> bool:
    """Take a pack off sale; False when it was not on sale."""
    return await connection.fetchval(QUERIES["withdraw_pack"], pack_id, now) is not None


async def update_pack_position(connection: Connection, *, pack_id: PackId, position: int) -> None:
    """Where the pack stands in the list."""
    await connection.execute(QUERIES["update_pack_position"], pack_id, position)


async def update_pack_picture(connection: Connection, *, pack_id: PackId, picture: str) -> None:
    """How the pack looks; ``picture`` is a media key."""
    await connection.execute(QUERIES["update_pack_picture"], pack_id, picture)
