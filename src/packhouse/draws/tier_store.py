"""How many cards of each tier every published version gave, counted as they become public.

The relay counts in the transaction that publishes the pulls, so the counts and the feed always tell
the same story; the drift monitor compares them with what was promised.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec

from packhouse.draws.drift import TierCell
from packhouse.draws.receipts import Receipt
from packhouse.draws.store import QUERIES
from packhouse.foundation.identifiers import CardId, LotId, PackVersionId
from packhouse.plumbing.postgres import Connection, ReadConnection


class CopiesNow(msgspec.Struct, frozen=True):
    """Free copies on sale by card, as of the feed's pull ``sequence``."""

    sequence: int
    copies: Mapping[CardId, int]


class CountedVersion(msgspec.Struct, frozen=True):
    """A version that the drift monitor looks at; ``server_seed`` is a closed lot's."""

    id: PackVersionId
    slug: str
    number: int
    config_hash: bytes
    published_at: datetime
    server_seed: bytes | None
    is_on_sale: bool


def tier_cells_of(receipt: Receipt) -> list[TierCell]:
    """The cell of every drawn card, in the receipt's order.

    A lot's last-one prize is not drawn, so it is not counted. A card that was paid out for want of
    stock was drawn like any other.
    """
    config_hash = bytes.fromhex(receipt.proof.config_hash)
    layout = receipt.proof.layout or ""
    return [
        TierCell(config_hash=config_hash, layout=layout, slot=card.slot or "", tier=card.tier)
        for card in receipt.cards
        if not card.last_one
    ]


async def add_tier_counts(connection: Connection, counts: Mapping[TierCell, int]) -> None:
    """Add cards to their cells; rows are locked in the cells' order, so that none waits in a ring.

    One cell's row is written once, however many cards it gets.
    """
    cells = sorted(counts)
    await connection.execute(
        QUERIES["add_tier_counts"],
        [cell.config_hash for cell in cells],
        [cell.layout for cell in cells],
        [cell.slot for cell in cells],
        [cell.tier for cell in cells],
        [counts[cell] for cell in cells],
    )


async def mark_lot_items_published(
    connection: Connection, drawn: Sequence[tuple[LotId, int]]
) -> None:
    """Items leave the lots' public view, by (lot, draw), together with their pulls.

    A lot's last-one prize has no draw of its own: it leaves with the lot's last draw.
    """
    await connection.execute(
        QUERIES["mark_lot_items_published"],
        [lot_id for lot_id, _ in drawn],
        [draw for _, draw in drawn],
    )


async def count_copies_now(connection: ReadConnection, card_ids: Collection[CardId]) -> CopiesNow:
    """How many copies of physical cards are free, and which pull of the feed that is after."""
    rows = await connection.fetch(QUERIES["count_copies_now"], list(card_ids))
    return CopiesNow(
        sequence=rows[0]["sequence"],
        copies={row["card_id"]: row["copies"] for row in rows if row["card_id"] is not None},
    )


async def list_counted_versions(connection: ReadConnection, *, limit: int) -> list[CountedVersion]:
    """Every version on sale, and past ones that gave cards: on sale and newest first."""
    rows = await connection.fetch(QUERIES["list_counted_versions"], limit)
    return [CountedVersion(**row) for row in rows]


async def list_tier_counts(
    connection: ReadConnection, config_hashes: Collection[bytes]
) -> Mapping[bytes, Mapping[TierCell, int]]:
    """How many cards each cell has, by version; a version that gave none has no entry."""
    counts: defaultdict[bytes, dict[TierCell, int]] = defaultdict(dict)
    for row in await connection.fetch(QUERIES["list_tier_counts"], list(config_hashes)):
        cell = TierCell(row["config_hash"], row["layout"], row["slot"], row["tier"])
        counts[cell.config_hash][cell] = row["cards"]
    return counts
