"""What an import reads and writes, in batches small enough for the statement timeout."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeVar

from packhouse.catalog.errors import ImportRunning
from packhouse.catalog.model import (
    Card,
    CardKey,
    CardRow,
    CopyKey,
    CopyPlan,
    CopyRow,
    Place,
    Progress,
)
from packhouse.catalog.store import QUERIES
from packhouse.foundation.identifiers import new_id
from packhouse.plumbing.postgres import Connection

BATCH_ROWS: Final = 10_000
"""Rows of one statement: about a tenth of a second of PostgreSQL's work."""

_CARD_COLUMNS: Final = (*Card.__struct_fields__, "created_at", "updated_at")
_STOCK_COLUMNS: Final = (
    *("card_id", "id", "place", "grade", "certificate", "photo", "location"),
    *("created_at", "updated_at"),
)

Item = TypeVar("Item")


async def require_only_import(connection: Connection) -> None:
    """Make this transaction the only import that writes. Raises ``ImportRunning``."""
    if not await connection.fetchval(QUERIES["claim_import"]):
        raise ImportRunning("Another import is running. Try again when it has ended.")


async def list_cards_by_key(connection: Connection, rows: Iterable[CardRow]) -> dict[CardKey, Card]:
    """The cards that exist already, by set code and number."""
    known: dict[CardKey, Card] = {}
    for batch in _batches(rows):
        found = await connection.fetch(
            QUERIES["list_cards_by_key"],
            [row.set_code for row in batch],
            [row.number for row in batch],
        )
        for row in found:
            known[row["set_code"], row["number"]] = Card(*row.values())
    return known


async def list_known_certificates(
    connection: Connection, rows: Iterable[CopyRow], *, cards: Mapping[CardKey, Card]
) -> dict[CopyKey, Place]:
    """Where the certified copies are that exist already, by card and certificate."""
    keys = {card.id: key for key, card in cards.items()}
    certified = (row for row in rows if row.certificate is not None and row.key in cards)
    known: dict[CopyKey, Place] = {}
    for batch in _batches(certified):
        found = await connection.fetch(
            QUERIES["list_known_certificates"],
            [cards[row.key].id for row in batch],
            [row.certificate for row in batch],
        )
        known.update(((keys[row["card_id"]], row["certificate"]), row["place"]) for row in found)
    return known


async def find_catalog_import(connection: Connection, sha256: bytes) -> datetime | None:
    """When this very file was imported first."""
    moment: datetime | None = await connection.fetchval(QUERIES["find_catalog_import"], sha256)
    return moment


async def insert_catalog_import(
    connection: Connection, *, sha256: bytes, file_name: str, now: datetime
) -> None:
    """Remember the file, so that a second import of it can warn."""
    await connection.execute(QUERIES["insert_catalog_import"], sha256, file_name, now)


async def insert_cards(
    connection: Connection, cards: Sequence[Card], *, now: datetime, progress: Progress
) -> None:
    """Write new cards."""
    records = (
        (*(getattr(card, name) for name in Card.__struct_fields__), now, now) for card in cards
    )
    await _copy(connection, "cards", _CARD_COLUMNS, records, len(cards), progress)


async def update_cards(connection: Connection, cards: Sequence[Card], *, now: datetime) -> None:
    """Give existing cards their new facts; set code, number and kind never change."""
    for batch in _batches(cards):
        await connection.execute(
            QUERIES["update_cards"],
            [card.id for card in batch],
            [card.set_name for card in batch],
            [card.name for card in batch],
            [card.tier for card in batch],
            [card.value for card in batch],
            [card.weight_grams for card in batch],
            [card.flavour for card in batch],
            [card.picture for card in batch],
            now,
        )


async def insert_copies(
    connection: Connection, copies: Sequence[CopyPlan], *, now: datetime, progress: Progress
) -> None:
    """Write a stock item for each copy of each row."""
    records = (
        (
            copy.card.id,
            new_id(),
            copy.row.place,
            copy.row.grade,
            copy.row.certificate,
            copy.photo,
            copy.row.location,
            now,
            now,
        )
        for copy in copies
        for _ in range(copy.row.quantity)
    )
    total = sum(copy.row.quantity for copy in copies)
    await _copy(connection, "stock_items", _STOCK_COLUMNS, records, total, progress)


async def _copy(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    records: Iterable[tuple[Any, ...]],
    total: int,
    progress: Progress,
) -> None:
    completed = 0
    for batch in _batches(records):
        await connection.copy_records_to_table(table, records=batch, columns=columns)
        completed += len(batch)
        progress(table, completed, total)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH_ROWS)):
        yield batch
