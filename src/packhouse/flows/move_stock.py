"""Move copies of a card by hand: put them on sale, take them back to the house, withdraw them.

Locks: stock_items of the one card in id order, the card, then pack_pauses.
"""

from typing import Final

import msgspec

from packhouse import catalog
from packhouse.catalog import STAFF_MOVES, Place, StaffPlace
from packhouse.flows.announcements import stock_added, stock_withdrawn
from packhouse.foundation.errors import FieldError, InvalidInput, NotFound
from packhouse.foundation.identifiers import CardId, StockItemId
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.postgres import Connection

MOVED_ITEMS_MAX: Final = 10_000
REASON_LENGTH_MAX: Final = 500

_ACTIONS: Final[dict[StaffPlace, str]] = {
    "on_sale": "put_on_sale",
    "house": "take_back_to_house",
    "withdrawn": "withdraw_stock",
}


class MoveStock(msgspec.Struct, frozen=True, kw_only=True):
    """Which copies of a card go where: these very ones, or that many of the oldest.

    A withdrawal needs a reason.
    """

    card_id: CardId
    to_place: StaffPlace
    actor: Actor
    stock_item_ids: tuple[StockItemId, ...] = ()
    quantity: int | None = None
    reason: str | None = None


class StockMoved(msgspec.Struct, frozen=True):
    """The copies that were moved. By ``quantity`` they may be fewer than asked for."""

    card_id: CardId
    place: StaffPlace
    stock_item_ids: tuple[StockItemId, ...]


async def move_stock(house: House, command: MoveStock) -> StockMoved:
    """Move the copies, all or nothing when they are named, and write the audit log.

    Copies put on sale end the pauses of packs that waited for the card. Raises ``InvalidInput``,
    ``NotFound`` and ``StockNotMovable``.
    """
    _require_valid(command)
    now = house.clock()
    async with house.database.transaction() as connection:
        chosen = await _choose(connection, command)
        await catalog.move_stock_items(
            connection,
            [(command.card_id, stock_item_id) for stock_item_id in chosen],
            from_places=STAFF_MOVES[command.to_place],
            to_place=command.to_place,
            now=now,
        )
        if command.to_place == "on_sale":
            await catalog.lock_cards(connection, [command.card_id])
            await catalog.delete_pack_pauses_for_cards(connection, [command.card_id])
            events = stock_added({command.card_id: len(chosen)}, now=now)
        else:
            from_sale = list(chosen.values()).count("on_sale")
            events = stock_withdrawn({command.card_id: from_sale}, now=now)
        await insert_events(connection, events)
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action=_ACTIONS[command.to_place],
            subject=f"card:{command.card_id}",
            reason=command.reason,
            details={"stock_item_ids": [str(stock_item_id) for stock_item_id in chosen]},
            now=now,
        )
    return StockMoved(card_id=command.card_id, place=command.to_place, stock_item_ids=tuple(chosen))


async def _choose(connection: Connection, command: MoveStock) -> dict[StockItemId, Place]:
    """The copies to move, locked, each with the place where it is."""
    if command.quantity is not None:
        claimed = await catalog.claim_movable_items(
            connection,
            card_id=command.card_id,
            places=STAFF_MOVES[command.to_place],
            limit=command.quantity,
        )
        if not claimed:
            raise NotFound("No copy of this card is where it could be moved from.")
        return claimed
    items = await catalog.lock_stock_items(
        connection, card_id=command.card_id, ids=command.stock_item_ids
    )
    if len(items) != len(set(command.stock_item_ids)):
        raise NotFound("One of these copies is not a copy of this card.")
    catalog.require_movable(items, to_place=command.to_place)
    return {item.id: item.place for item in items}


def _require_valid(command: MoveStock) -> None:
    errors = []
    if (command.quantity is None) == (not command.stock_item_ids):
        errors.append(FieldError("stock_item_ids", "name the copies, or say how many: one of both"))
    if command.quantity is not None and not 1 <= command.quantity <= MOVED_ITEMS_MAX:
        errors.append(FieldError("quantity", f"must be from 1 to {MOVED_ITEMS_MAX:,}"))
    if len(command.stock_item_ids) > MOVED_ITEMS_MAX:
        errors.append(FieldError("stock_item_ids", f"at most {MOVED_ITEMS_MAX:,} at once"))
    reason = (command.reason or "").strip()
    if command.to_place == "withdrawn" and not reason:
        errors.append(FieldError("reason", "a withdrawal needs a reason"))
    if len(reason) > REASON_LENGTH_MAX:
        errors.append(FieldError("reason", f"at most {REASON_LENGTH_MAX} characters"))
    if errors:
        raise InvalidInput("The stock was not moved.", errors)
