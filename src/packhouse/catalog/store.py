"""Cards, stock and pack pauses in PostgreSQL; every function works in the caller's transaction.

Stock is moved set-wise: one statement for a whole batch of openings, sales or parcels.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

from packhouse.catalog.model import Card, PackPause, Place, StockItem
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import CardId, LotId, PackId, StockItemId
from packhouse.foundation.tiers import Tier
from packhouse.plumbing.postgres import Connection, ReadConnection, Record, is_sharded
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.catalog")

FIRST_COPY: Final = StockItemId(UUID(int=0))
"""No copy of a card comes before it."""

CARDS_WITH_FRONT_MAX: Final = 20_000

_fronts: WeakKeyDictionary[Connection, dict[CardId, StockItemId]] = WeakKeyDictionary()
"""Where each connection's last claim of a card began: no more than where to look first."""


async def list_cards(connection: ReadConnection, ids: Iterable[CardId]) -> list[Card]:
    """The cards of these ids that exist, in no order. Hot paths ask the ``CardShelf``."""
    return [_card(row) for row in await connection.fetch(QUERIES["list_cards"], list(ids))]


async def list_cards_of_sets(connection: Connection, set_codes: Iterable[str]) -> list[Card]:
    """Every card of these sets, by set code and number."""
    rows = await connection.fetch(QUERIES["list_cards_of_sets"], list(set_codes))
    return [_card(row) for row in rows]


async def list_cards_page(
    connection: ReadConnection,
    *,
    search: str | None,
    set_code: str | None,
    tier: Tier | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[Card]:
    """Cards by set code and number, after the card ``after`` (set code, number).

    ``search`` is looked for anywhere in name or number, in either case.
    """
    after_set_code, after_number = after or (None, None)
    rows = await connection.fetch(
        QUERIES["list_cards_page"],
        None if search is None else _contains(search),
        set_code,
        tier,
        after_set_code,
        after_number,
        limit,
    )
    return [_card(row) for row in rows]


async def list_sets(connection: ReadConnection) -> list[tuple[str, str, int]]:
    """Code, name and number of cards of every set."""
    rows = await connection.fetch(QUERIES["list_sets"])
    return [(row["set_code"], row["set_name"], row["cards"]) for row in rows]


async def claim_stock_items(
    connection: Connection, wanted: Mapping[CardId, int], *, waiting: bool
) -> dict[CardId, list[StockItemId]]:
    """Lock up to that many free copies of each card; nobody else gets them while this holds them.

    Without ``waiting``, copies that another transaction holds are skipped: fewer than wanted does
    not mean that none are left. Such a claim begins where the connection's last one did, and again
    with the very first copy of each card of which it then misses some: what was put back is older.
    With ``waiting`` it waits for them, in card id order, and what it then misses was gone when the
    statement began or was taken by others meanwhile. Cards of which nothing was claimed are not in
    the answer.
    """
    card_ids = sorted(wanted)
    if waiting:
        copies = [wanted[card_id] for card_id in card_ids]
        query = QUERIES["claim_stock_items_waiting"]
        return _copies_by_card(await connection.fetch(query, card_ids, copies))
    fronts = _fronts.setdefault(connection, {})
    claimed = await _claim_from(connection, card_ids, wanted, fronts)
    short = [
        card_id
        for card_id in card_ids
        if card_id in fronts and len(claimed.get(card_id, ())) < wanted[card_id]
    ]
    if short:
        # What this transaction holds already is found again.
        claimed |= await _claim_from(connection, short, wanted, {})
    if len(fronts) > CARDS_WITH_FRONT_MAX:
        fronts.clear()
    fronts.update((card_id, copies[0]) for card_id, copies in claimed.items())
    return claimed


async def _claim_from(
    connection: Connection,
    card_ids: Sequence[CardId],
    wanted: Mapping[CardId, int],
    fronts: Mapping[CardId, StockItemId],
) -> dict[CardId, list[StockItemId]]:
    return _copies_by_card(
        await connection.fetch(
            QUERIES["claim_stock_items"],
            card_ids,
            [wanted[card_id] for card_id in card_ids],
            [fronts.get(card_id, FIRST_COPY) for card_id in card_ids],
        )
    )


def _copies_by_card(rows: Iterable[Record]) -> dict[CardId, list[StockItemId]]:
    copies: dict[CardId, list[StockItemId]] = {}
    for row in rows:
        copies.setdefault(row["card_id"], []).append(row["id"])
    return copies


async def hand_out_stock_items(
    connection: Connection, items: Sequence[tuple[CardId, StockItemId]], *, now: datetime
) -> None:
    """Move copies that this transaction has claimed from sale into vaults; the rest stays there."""
    by_id = is_sharded(connection)
    await connection.execute(
        QUERIES["hand_out_stock_items_by_id" if by_id else "hand_out_stock_items"],
        [card_id for card_id, _ in items],
        [stock_item_id for _, stock_item_id in items],
        now,
    )


async def move_stock_items(
    connection: Connection,
    items: Sequence[tuple[CardId, StockItemId]],
    *,
    from_places: Sequence[Place],
    to_place: Place,
    now: datetime,
) -> set[StockItemId]:
    """Move items; gives those that were in one of ``from_places`` and are now in ``to_place``.

    What goes to the house leaves its lot.
    """
    rows = await connection.fetch(
        QUERIES["move_stock_items"],
        [card_id for card_id, _ in items],
        [stock_item_id for _, stock_item_id in items],
        list(from_places),
        to_place,
        now,
    )
    return {row["id"] for row in rows}


async def lock_stock_items(
    connection: Connection, *, card_id: CardId, ids: Sequence[StockItemId]
) -> list[StockItem]:
    """The items of one card that exist, locked until the transaction ends."""
    rows = await connection.fetch(QUERIES["lock_stock_items"], card_id, list(ids))
    return [StockItem(**row) for row in rows]


async def claim_movable_items(
    connection: Connection, *, card_id: CardId, places: Sequence[Place], limit: int
) -> dict[StockItemId, Place]:
    """The oldest items of a card in ``places`` that are in no lot and that nobody else holds.

    Each with the place where it is, the oldest first.
    """
    rows = await connection.fetch(QUERIES["claim_movable_items"], card_id, list(places), limit)
    return {row["id"]: row["place"] for row in rows}


async def bind_stock_items(
    connection: Connection,
    items: Sequence[tuple[CardId, StockItemId]],
    *,
    lot_id: LotId,
    now: datetime,
) -> None:
    """Put items that this transaction holds on sale as part of a lot. Raises ``Breach``."""
    bound = await connection.fetch(
        QUERIES["bind_stock_items"],
        [card_id for card_id, _ in items],
        [stock_item_id for _, stock_item_id in items],
        lot_id,
        now,
    )
    if len(bound) < len(items):
        raise Breach("A stock item is already part of another lot.")


async def count_stock_by_card(
    connection: ReadConnection, card_ids: Iterable[CardId]
) -> dict[CardId, int]:
    """Free copies on sale of each card; 0 for cards without any."""
    wanted = list(card_ids)
    rows = await connection.fetch(QUERIES["count_stock_by_card"], wanted)
    return dict.fromkeys(wanted, 0) | {row["card_id"]: row["copies"] for row in rows}


async def count_stock_by_place(
    connection: ReadConnection, card_ids: Iterable[CardId]
) -> dict[CardId, dict[Place, int]]:
    """Copies of each card by place; places without a copy are left out."""
    wanted = list(card_ids)
    counts: dict[CardId, dict[Place, int]] = {card_id: {} for card_id in wanted}
    for row in await connection.fetch(QUERIES["count_stock_by_place"], wanted):
        counts[row["card_id"]][row["place"]] = row["copies"]
    return counts


async def list_stock_page(
    connection: ReadConnection,
    *,
    card_id: CardId,
    place: Place | None,
    after: StockItemId | None,
    limit: int,
) -> list[StockItem]:
    """The copies of one card, oldest first, after the copy ``after``."""
    rows = await connection.fetch(QUERIES["list_stock_page"], card_id, place, after, limit)
    return [StockItem(**row) for row in rows]


async def list_stock_items(
    connection: ReadConnection, items: Sequence[tuple[CardId, StockItemId]]
) -> dict[StockItemId, StockItem]:
    """The named copies that exist, by id."""
    rows = await connection.fetch(
        QUERIES["list_stock_items"],
        [card_id for card_id, _ in items],
        [stock_item_id for _, stock_item_id in items],
    )
    return {row["id"]: StockItem(**row) for row in rows}


async def lock_cards(connection: Connection, card_ids: Iterable[CardId]) -> None:
    """Hold cards until the transaction ends: no pause and no restock of them meanwhile."""
    await connection.execute(QUERIES["lock_cards"], list(card_ids))


async def insert_pack_pauses(
    connection: Connection, pauses: Iterable[tuple[PackId, CardId]], *, now: datetime
) -> None:
    """Pause packs for want of a card; a pause that is there already stays as it is."""
    paused = list(pauses)
    await connection.execute(
        QUERIES["insert_pack_pauses"],
        [pack_id for pack_id, _ in paused],
        [card_id for _, card_id in paused],
        now,
    )


async def delete_pack_pauses_for_cards(
    connection: Connection, card_ids: Iterable[CardId]
) -> set[PackId]:
    """End the pauses for want of these cards; gives the packs that had one."""
    rows = await connection.fetch(QUERIES["delete_pack_pauses_for_cards"], list(card_ids))
    return {row["pack_id"] for row in rows}


async def delete_pack_pauses(connection: Connection, pack_id: PackId) -> None:
    """End every pause of one pack."""
    await connection.execute(QUERIES["delete_pack_pauses"], pack_id)


async def list_pack_pauses(connection: ReadConnection) -> dict[PackId, list[PackPause]]:
    """Every pause, by pack."""
    pauses: dict[PackId, list[PackPause]] = defaultdict(list)
    for row in await connection.fetch(QUERIES["list_pack_pauses"]):
        pauses[row["pack_id"]].append(PackPause(**row))
    return dict(pauses)


def _card(row: Record) -> Card:
    return Card(*row.values())


def _contains(search: str) -> str:
    """A LIKE pattern for ``search`` anywhere, its own wildcards taken as letters."""
    escaped = search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
