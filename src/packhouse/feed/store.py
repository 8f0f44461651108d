"""What the feed keeps in PostgreSQL; each function runs the query of its own name."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from packhouse.feed.model import FeedErasure, Pull, PulledFrom
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import OpeningId, UserId
from packhouse.foundation.tiers import Tier
from packhouse.plumbing.postgres import Connection, ReadConnection, Record
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.feed")


async def find_last_sequence(connection: ReadConnection) -> int:
    """The sequence of the newest pull; 0 when there is none."""
    last: int = await connection.fetchval(QUERIES["find_last_sequence"])
    return last


async def insert_pulls(connection: Connection, pulls: Sequence[Pull]) -> None:
    """Append pulls; only the relay does, after the openings are committed.

    By COPY, because they are many: the driver looks at each element of an array several times, and
    PostgreSQL writes rows of one COPY to a page together.
    """
    packs = {pull.pack for pull in pulls}
    pack_texts = {pack: msgspec.json.encode(pack).decode() for pack in packs}
    await connection.copy_records_to_table(
        "global_feed",
        records=[
            (
                pull.sequence,
                pull.username,
                msgspec.json.encode(pull.card).decode(),
                pull.tier,
                pull.value,
                pack_texts[pull.pack],
                pull.opening_id,
                pull.created_at,
            )
            for pull in pulls
        ],
        columns=Pull.__struct_fields__,
    )


async def list_newest_pulls(
    connection: ReadConnection, *, tier: Tier | None, before: int | None, limit: int
) -> list[Pull]:
    """Pulls, newest first, with sequences below ``before``."""
    if tier is None:
        rows = await connection.fetch(QUERIES["list_newest_pulls"], before, limit)
    else:
        rows = await connection.fetch(QUERIES["list_newest_pulls_of_tier"], before, limit, tier)
    return [_read_pull(row) for row in rows]


async def list_pulls_after(connection: ReadConnection, *, sequence: int, limit: int) -> list[Pull]:
    """Pulls after ``sequence``, oldest first."""
    rows = await connection.fetch(QUERIES["list_pulls_after"], sequence, limit)
    return [_read_pull(row) for row in rows]


async def erase_feed_names(
    connection: Connection, openings: Sequence[tuple[OpeningId, datetime]], *, username: str
) -> None:
    """Show the pulls of these openings, each given with its time, as ``username``'s."""
    await connection.execute(
        QUERIES["erase_feed_names"],
        [opening_id for opening_id, _ in openings],
        [created_at for _, created_at in openings],
        username,
    )


async def insert_feed_erasure(
    connection: Connection, erasure: FeedErasure, *, now: datetime
) -> None:
    """Note what is left to be erased."""
    await connection.execute(
        QUERIES["insert_feed_erasure"], erasure.user_id, erasure.before_opening_id, now
    )


async def claim_feed_erasure(connection: Connection) -> FeedErasure | None:
    """One that is left and that no other transaction is at, held until this one ends."""
    row = await connection.fetchrow(QUERIES["claim_feed_erasure"])
    return None if row is None else FeedErasure(**row)


async def update_feed_erasure(connection: Connection, erasure: FeedErasure) -> None:
    """Note how far it has come."""
    await connection.execute(
        QUERIES["update_feed_erasure"], erasure.user_id, erasure.before_opening_id
    )


async def delete_feed_erasure(connection: Connection, user_id: UserId) -> None:
    """Nothing is left."""
    await connection.execute(QUERIES["delete_feed_erasure"], user_id)


def _read_pull(row: Record) -> Pull:
    return Pull(
        sequence=row["sequence"],
        username=row["username"],
        card=msgspec.json.decode(row["card"], type=CardFace),
        tier=row["tier"],
        value=row["value"],
        pack=msgspec.json.decode(row["pack"], type=PulledFrom),
        opening_id=row["opening_id"],
        created_at=row["created_at"],
    )
