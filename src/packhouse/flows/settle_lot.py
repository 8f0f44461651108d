"""Draws of a finite lot become true: many collectors in one transaction under the lot's lock.

The lot's row numbers its draws densely. Who pays is settled before anything is drawn, so that a
wallet that moved meanwhile costs no number; then the set is drawn in its order, each draw from what
the one before left.

Lock order: the lot's row · wallets by user id · the lot's own stock items by card id.
"""

from array import array
from collections.abc import Sequence
from datetime import datetime

import msgspec

from packhouse import catalog, draws, wallet
from packhouse.draws import LockedLot, LotItem, ShelvedPack, SoldOut, Ticket
from packhouse.flows.announcements import lot_closed
from packhouse.flows.decide_openings import Purchase, TakenItem, decide_lot_purchase
from packhouse.flows.settle_openings import (
    OpenedPacks,
    PurchaseRaced,
    SettledPurchase,
    answer_of,
    pay,
    price_of,
    record_purchases,
    user_cards_of,
)
from packhouse.foundation.cards import CardFace
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import CardId, LotId, OpeningId, new_id
from packhouse.house import House
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.postgres import Connection
from packhouse.wallet import Movement, WalletChange


class SettledLot(msgspec.Struct, frozen=True):
    """What became of a set; ``remaining`` positions after ``draws``, once it is committed."""

    outcomes: list[OpenedPacks | SoldOut | PurchaseRaced]
    lot_id: LotId
    draws: int
    remaining: "array[int]"


class _Paid(msgspec.Struct, frozen=True):
    purchase: Purchase
    opening_ids: tuple[OpeningId, ...]
    movements: tuple[tuple[Movement, ...], ...]
    change: WalletChange


async def settle_lot_purchases(
    house: House,
    connection: Connection,
    lot_id: LotId,
    purchases: Sequence[Purchase],
    *,
    now: datetime,
) -> SettledLot:
    """Draw and settle purchases of one lot in the caller's transaction; in the same order.

    Raises ``PurchaseRaced`` when the lot was closed before its end; the caller rolls back.
    """
    lot = await draws.lock_lot(connection, lot_id)
    if lot.is_closed and lot.draws < lot.size:
        # Published anew or withdrawn just now; the next attempt sees what took its place.
        house.packs.forget()
        raise PurchaseRaced
    left = lot.size - lot.draws
    outcomes: list[OpenedPacks | SoldOut | PurchaseRaced] = []
    fitting: list[_Paid | None] = []
    for purchase in purchases:
        wanted = _draws_of(purchase)
        fitting.append(_pay(purchase, now=now) if wanted <= left else None)
        left -= wanted if wanted <= left else 0
    advanced = await wallet.advance_wallets(
        connection, [each.change for each in fitting if each is not None], now=now
    )
    paid = [each for each in fitting if each and each.purchase.user_id in advanced]
    remaining = await house.lots.list_remaining(connection, lot)
    settled = await _draw(house, connection, lot, paid, remaining, now=now)
    await record_purchases(connection, settled, now=now)
    drawn = lot.draws + sum(_draws_of(each.purchase) for each in paid)
    if paid and drawn == lot.size:
        await _close(house, connection, lot, now=now)
    answers = {each.purchase.user_id: answer_of(each) for each in settled}
    lost = any(each and each.purchase.user_id not in answers for each in fitting)
    for purchase, each in zip(purchases, fitting, strict=True):
        if purchase.user_id in answers:
            outcomes.append(answers[purchase.user_id])
        elif each is None and not lost:
            outcomes.append(sold_out(purchase.pack, draws_left=left))
        else:
            # Lost its race, or has room again because another did.
            outcomes.append(PurchaseRaced())
    return SettledLot(outcomes, lot.id, drawn, remaining)


def sold_out(pack: ShelvedPack, *, draws_left: int) -> SoldOut:
    """Why a lot cannot give what is asked for."""
    terms = pack.config.lot
    packs_left = draws_left // terms.cards_per_pack if terms is not None else 0
    name = pack.config.name
    if packs_left == 0:
        return SoldOut(f"{name} is sold out; nothing was paid.", packs_left=0)
    return SoldOut(
        f"Only {packs_left} of {name} are left; nothing was paid. Choose a smaller quantity.",
        packs_left=packs_left,
    )


def _draws_of(purchase: Purchase) -> int:
    if purchase.pack.config.lot is None:
        raise Breach(f"The pack {purchase.pack.slug} was to be drawn from a lot, and has none.")
    return purchase.quantity * purchase.pack.config.lot.cards_per_pack


def _pay(purchase: Purchase, *, now: datetime) -> _Paid:
    opening_ids = tuple(OpeningId(new_id()) for _ in range(purchase.quantity))
    movements = tuple((price_of(purchase, opening_id),) for opening_id in opening_ids)
    return _Paid(purchase, opening_ids, movements, pay(purchase, movements, now=now))


async def _draw(
    house: House,
    connection: Connection,
    lot: LockedLot,
    paid: Sequence[_Paid],
    remaining: "array[int]",
    *,
    now: datetime,
) -> list[SettledPurchase]:
    """Draw for each in turn, and take it out of the lot; the last draw takes the last-one prize."""
    if not paid:
        return []
    lot_seed = house.seal.open(lot.sealed_server_seed, context=lot.id.bytes)
    drawn: list[list[tuple[int, Ticket, int]]] = []
    first_draw = lot.draws
    for each in paid:
        drawn.append(
            draws.draw_from(
                remaining,
                lot_seed=lot_seed,
                manifest_root=lot.manifest_root,
                first_draw=first_draw,
                draws=_draws_of(each.purchase),
                user_key=each.purchase.standing.user_key,
                client_seed=each.purchase.client_seed,
            )
        )
        first_draw += len(drawn[-1])
    numbers = {position: draw for each_drawn in drawn for draw, _, position in each_drawn}
    items = await draws.take_lot_items(connection, lot.id, numbers)
    await draws.advance_lot(connection, lot.id, draws=len(numbers))
    taken = [
        [TakenItem(items[position], draw, ticket) for draw, ticket, position in each_drawn]
        for each_drawn in drawn
    ]
    if first_draw == lot.size:
        last_ones = await draws.list_remaining_lot_items(connection, lot.id)
        taken[-1] += [TakenItem(item, None, None) for item in last_ones]
    await _move_stock(connection, [each.item for mine in taken for each in mine], now=now)
    card_ids = {each.item.card for mine in taken for each in mine}
    faces = await house.cards.list_faces(connection, card_ids)
    return [
        _settle(each, lot, mine, faces, now=now) for each, mine in zip(paid, taken, strict=True)
    ]


async def _close(house: House, connection: Connection, lot: LockedLot, *, now: datetime) -> None:
    """End the lot with its last draw; the event comes after those of the openings it ends with."""
    lot_seed = house.seal.open(lot.sealed_server_seed, context=lot.id.bytes)
    await draws.close_lot(connection, lot.id, server_seed=lot_seed, now=now)
    closed = lot_closed(lot, server_seed=lot_seed, draws=lot.size, now=now)
    await insert_events(connection, [closed])


async def _move_stock(connection: Connection, items: Sequence[LotItem], *, now: datetime) -> None:
    copies = [(item.card, item.stock_item_id) for item in items if item.stock_item_id is not None]
    if not copies:
        return
    moved = await catalog.move_stock_items(
        connection, copies, from_places=["on_sale"], to_place="vaulted", now=now
    )
    if len(moved) < len(copies):
        raise Breach("A lot's undrawn stock item is no longer on sale.")


def _settle(
    paid: _Paid,
    lot: LockedLot,
    taken: Sequence[TakenItem],
    faces: dict[CardId, CardFace],
    *,
    now: datetime,
) -> SettledPurchase:
    purchase = paid.purchase
    decided = decide_lot_purchase(purchase, paid.opening_ids, lot, taken, faces, now=now)
    return SettledPurchase(
        purchase=purchase,
        receipts=tuple(opening.receipt for opening in decided.openings),
        cards=tuple(
            card
            for opening in decided.openings
            for card in user_cards_of(purchase, opening.receipt, opening.lot_stock, now=now)
        ),
        movements=paid.movements,
        change=paid.change,
    )
