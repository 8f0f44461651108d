"""A shipping request moves on: staff pack and send it, or its collector cancels it.

Lock order: the wallet · the request · user cards by id · stock items by card id. What a status does
to cards, stock and money is one pure table, ``shipping.effects_of``.
"""

from datetime import datetime
from typing import Literal

import msgspec

from packhouse import accounts, catalog, shipping, vault, wallet
from packhouse.flows.money_events import record_movements
from packhouse.foundation.errors import Breach, NotFound
from packhouse.foundation.events import ShipmentMoved, WaitingEvent
from packhouse.foundation.identifiers import ShippingRequestId, UserId, new_id
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry
from packhouse.plumbing.outbox import find_waiting_event, insert_events
from packhouse.plumbing.postgres import Connection, ReadConnection
from packhouse.shipping import (
    Effects,
    ShippingRequest,
    ShippingRequestItem,
    ShippingStatus,
)
from packhouse.wallet import Movement


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What staff send: where to, and what the collector may want to know."""

    status: ShippingStatus
    carrier: str | None = None
    tracking_number: str | None = None
    note: str | None = None


class FulfilShipment(msgspec.Struct, frozen=True):
    """Which request moves how, by whom."""

    request_id: ShippingRequestId
    transition: Transition
    actor: Actor


class CancelShipping(msgspec.Struct, frozen=True):
    """Whose request is called off."""

    user_id: UserId
    request_id: ShippingRequestId


async def fulfil_shipment(house: House, command: FulfilShipment) -> ShippingRequest:
    """Move a request on as staff. Raises ``BadTransition``, ``AccountClosed``, ``NotFound``."""
    now = house.clock()
    async with house.database.transaction() as connection:
        owner_id = await get_request_owner(connection, command.request_id)
        moved = await _move(
            connection,
            owner_id=owner_id,
            request_id=command.request_id,
            transition=command.transition,
            actor_id=UserId(command.actor.user_id),
            now=now,
        )
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="fulfil_shipment",
            subject=f"shipping_request:{command.request_id}",
            reason=command.transition.note,
            details={
                "status": command.transition.status,
                "carrier": command.transition.carrier,
                "tracking_number": command.transition.tracking_number,
            },
            now=now,
        )
        return moved


async def cancel_shipping(house: House, command: CancelShipping) -> ShippingRequest:
    """Call one's own request off. Raises ``BadTransition``, ``NotFound``."""
    async with house.database.transaction() as connection:
        return await _move(
            connection,
            owner_id=command.user_id,
            request_id=command.request_id,
            transition=Transition(status="cancelled"),
            actor_id=command.user_id,
            now=house.clock(),
        )


async def get_request_owner(connection: ReadConnection, request_id: ShippingRequestId) -> UserId:
    """Whose request it is, even before the relay has noted it. Raises ``NotFound``."""
    owner_id = await shipping.find_request_owner(connection, request_id)
    if owner_id is not None:
        return owner_id
    waiting = await find_waiting_event(connection, subject_id=request_id)
    if waiting is not None:
        return UserId(waiting.user_id)
    # The relay may have noted it between the two looks.
    owner_id = await shipping.find_request_owner(connection, request_id)
    if owner_id is None:
        raise NotFound("There is no such shipping request.")
    return owner_id


async def _move(
    connection: Connection,
    *,
    owner_id: UserId,
    request_id: ShippingRequestId,
    transition: Transition,
    actor_id: UserId,
    now: datetime,
) -> ShippingRequest:
    purse = await wallet.lock_wallet(connection, owner_id)
    request = await shipping.lock_shipping_request(
        connection, user_id=owner_id, request_id=request_id
    )
    if request is None:
        raise NotFound("There is no such shipping request.")
    shipping.require_transition(request.status, transition.status)
    accounts.require_may_act(await accounts.find_user(connection, actor_id))
    # What comes back from a parcel of a closed account comes back to nobody.
    accounts.require_not_closed(await accounts.get_user(connection, owner_id))
    effects = shipping.effects_of(transition.status)
    items = await shipping.list_shipping_request_items(
        connection, user_id=owner_id, request_id=request_id
    )
    await _move_cards(connection, request, items, effects, now=now)
    movements = _movements(request, items, effects)
    change = wallet.settle(purse, movements, now=now)
    await wallet.apply_change(connection, change, now=now)
    await record_movements(connection, change, movements, subject_id=request_id, now=now)
    await shipping.update_shipping_request(
        connection,
        user_id=owner_id,
        request_id=request_id,
        status=transition.status,
        carrier=transition.carrier,
        tracking_number=transition.tracking_number,
        now=now,
    )
    await shipping.insert_shipping_request_event(
        connection,
        user_id=owner_id,
        request_id=request_id,
        status=transition.status,
        actor_id=actor_id,
        note=transition.note,
        now=now,
    )
    event = WaitingEvent(
        user_id=owner_id,
        id=new_id(),
        subject_id=request_id,
        sequence=change.sequence,
        event=ShipmentMoved(status=transition.status),
        created_at=now,
    )
    await insert_events(connection, [event])
    moved = await shipping.find_shipping_request(
        connection, user_id=owner_id, request_id=request_id
    )
    if moved is None:
        raise Breach("A locked shipping request vanished.")
    return moved


async def _move_cards(
    connection: Connection,
    request: ShippingRequest,
    items: list[ShippingRequestItem],
    effects: Effects,
    *,
    now: datetime,
) -> None:
    if effects.user_card_state is None or effects.stock_place is None:
        return
    before = _card_state(request.status)
    moved = await vault.update_user_card_states(
        connection,
        user_id=request.user_id,
        user_card_ids=[item.user_card_id for item in items],
        from_state=before,
        to_state=effects.user_card_state,
    )
    stock = await catalog.move_stock_items(
        connection,
        [(item.card_id, item.stock_item_id) for item in items],
        from_places=[before],
        to_place=effects.stock_place,
        now=now,
    )
    if len(moved) < len(items) or len(stock) < len(items):
        raise Breach(f"Cards of the shipping request {request.id} are not where it says.")


def _card_state(status: ShippingStatus) -> Literal["reserved", "shipped"]:
    """Where the cards of a request are that is in ``status`` and not at its end."""
    return "reserved" if status in ("pending", "packing") else "shipped"


def _movements(
    request: ShippingRequest, items: list[ShippingRequestItem], effects: Effects
) -> list[Movement]:
    movements = []
    if effects.refunds_cost:
        movements.append(Movement("shipping_refund", request.cost, request.id))
    if effects.pays_locked_value:
        movements += [
            Movement("loss_compensation", item.value, item.user_card_id) for item in items
        ]
    return movements
