"""A collector has cards shipped: quoted, paid and reserved in one step.

Lock order: the wallet · user cards by id · stock items by card id.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from packhouse import accounts, catalog, shipping, vault, wallet
from packhouse.foundation.errors import Breach
from packhouse.foundation.events import ShippingRequested, WaitingEvent
from packhouse.foundation.identifiers import (
    ShippingRequestId,
    UserCardId,
    UserId,
    new_id,
)
from packhouse.foundation.limits import CARDS_PER_PARCEL_MAX
from packhouse.house import House
from packhouse.plumbing.idempotency import Repeat, find_answer, insert_answers
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.postgres import Connection
from packhouse.shipping import Address, Quote, ShippingRequest, ShippingRequestItem
from packhouse.vault import UserCard
from packhouse.wallet import Movement


class ShippingOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends: which cards go where."""

    user_card_ids: Annotated[
        tuple[UserCardId, ...], msgspec.Meta(min_length=1, max_length=CARDS_PER_PARCEL_MAX)
    ]
    address: Address


class RequestShipping(msgspec.Struct, frozen=True):
    """Who has what shipped."""

    user_id: UserId
    request: ShippingOrder
    repeat: Repeat


class PlacedShippingRequest(msgspec.Struct, frozen=True):
    """The answer, in minor units."""

    id: ShippingRequestId
    status: str
    cost: int
    quote: Quote
    balance: int
    created_at: datetime


class QuoteShipping(msgspec.Struct, frozen=True):
    """Which cards would go to which country."""

    user_id: UserId
    user_card_ids: tuple[UserCardId, ...]
    country: str


async def quote_shipping(house: House, command: QuoteShipping) -> Quote:
    """What a parcel would cost; nothing is changed. Raises what ``request_shipping`` raises."""
    country = shipping.parse_country(command.country)
    wanted = tuple(dict.fromkeys(command.user_card_ids))
    async with house.database.connection() as connection:
        cards = await _list_shippable(connection, command.user_id, wanted)
        return await _quote(house, connection, cards, country=country)


async def request_shipping(house: House, command: RequestShipping) -> PlacedShippingRequest:
    """Ship cards. Raises ``CardNotShippable``, ``InvalidInput`` for the address,
    ``InsufficientCredits``, ``DestinationNotServed``, ``ParcelTooHeavy``, ``ParcelTooValuable``.
    """
    now = house.clock()
    address = shipping.parse_address(command.request.address)
    wanted = tuple(dict.fromkeys(command.request.user_card_ids))
    async with house.database.transaction() as connection:
        purse = await wallet.lock_wallet(connection, command.user_id)
        answer = await find_answer(connection, command.repeat, PlacedShippingRequest)
        if answer is not None:
            return answer
        accounts.require_may_act(await accounts.find_user(connection, command.user_id))
        cards = await _list_shippable(connection, command.user_id, wanted)
        quote = await _quote(house, connection, cards, country=address.country)
        request = ShippingRequest(
            user_id=command.user_id,
            id=ShippingRequestId(new_id()),
            status="pending",
            address=address,
            cost=quote.cost_minor,
            quote=quote,
            carrier=None,
            tracking_number=None,
            created_at=now,
            updated_at=now,
        )
        await _reserve(connection, command.user_id, cards, now=now)
        await shipping.insert_shipping_request(connection, request, [_item(c) for c in cards])
        await shipping.insert_shipping_request_event(
            connection,
            user_id=command.user_id,
            request_id=request.id,
            status="pending",
            actor_id=command.user_id,
            note=None,
            now=now,
        )
        movements = [Movement("shipping", -quote.cost_minor, request.id)]
        change = wallet.settle(purse, movements, now=now)
        await wallet.apply_change(connection, change, now=now)
        event = WaitingEvent(
            user_id=command.user_id,
            id=new_id(),
            subject_id=request.id,
            sequence=change.sequence,
            event=ShippingRequested(postings=wallet.postings_of(movements)),
            created_at=now,
        )
        await insert_events(connection, [event])
        answer = PlacedShippingRequest(
            id=request.id,
            status=request.status,
            cost=request.cost,
            quote=quote,
            balance=change.balance,
            created_at=now,
        )
        await insert_answers(connection, [(command.repeat, answer)], now=now)
        return answer


async def _list_shippable(
    connection: Connection, user_id: UserId, wanted: Sequence[UserCardId]
) -> list[UserCard]:
    cards = await vault.list_user_cards(connection, user_id=user_id, user_card_ids=wanted)
    shippable = {card.id for card in cards if card.is_shippable}
    refused = [card_id for card_id in wanted if card_id not in shippable]
    if refused:
        raise shipping.CardNotShippable(
            f"{len(refused)} of {len(wanted)} cards cannot be shipped: they are digital, or not in"
            " your vault (any more). Nothing was done.",
            user_card_ids=[str(card_id) for card_id in refused],
        )
    return cards


async def _quote(
    house: House, connection: Connection, cards: Sequence[UserCard], *, country: str
) -> Quote:
    known = await house.cards.list_cards(connection, {card.card_id for card in cards})
    stock = await catalog.list_stock_items(
        connection, [(c.card_id, c.stock_item_id) for c in cards if c.stock_item_id is not None]
    )
    parcel = shipping.parcel_for(
        [
            shipping.ParcelCard(
                weight_grams=max(
                    known[card.card_id].weight_grams,
                    shipping.weigh_card(
                        is_graded=card.stock_item_id is not None
                        and stock[card.stock_item_id].grade is not None
                    ),
                ),
                value_minor=card.value,
            )
            for card in cards
        ]
    )
    return shipping.quote(parcel, country=country, rate_card=shipping.DEFAULT_RATE_CARD)


async def _reserve(
    connection: Connection, user_id: UserId, cards: Sequence[UserCard], *, now: datetime
) -> None:
    reserved = await vault.update_user_card_states(
        connection,
        user_id=user_id,
        user_card_ids=[card.id for card in cards],
        from_state="vaulted",
        to_state="reserved",
    )
    copies = [(c.card_id, c.stock_item_id) for c in cards if c.stock_item_id is not None]
    moved = await catalog.move_stock_items(
        connection, copies, from_places=["vaulted"], to_place="reserved", now=now
    )
    if len(reserved) < len(cards) or len(moved) < len(cards):
        raise Breach("A vaulted card's copy is not in the vault.")


def _item(card: UserCard) -> ShippingRequestItem:
    if card.stock_item_id is None:
        raise Breach(f"The user card {card.id} is shipped without a copy.")
    return ShippingRequestItem(
        user_card_id=card.id,
        card_id=card.card_id,
        stock_item_id=card.stock_item_id,
        value=card.value,
    )
