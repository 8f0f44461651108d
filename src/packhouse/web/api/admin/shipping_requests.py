"""The fulfilment queue: what to pack, where it goes, how far each parcel has come."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from packhouse import accounts, catalog, shipping
from packhouse.flows.move_shipment import (
    FulfilShipment,
    Transition,
    fulfil_shipment,
    get_request_owner,
)
from packhouse.foundation.cards import CardFace
from packhouse.foundation.errors import Breach, NotFound
from packhouse.foundation.identifiers import (
    CardId,
    ShippingRequestId,
    StockItemId,
    UserCardId,
    UserId,
)
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.shipping import (
    Address,
    Parcel,
    Quote,
    ShippingRequest,
    ShippingRequestEvent,
    ShippingRequestItem,
    ShippingStatus,
    SlipCard,
)
from packhouse.web.api.admin.cards import StockCopy, stock_copy
from packhouse.web.api.pages_of_results import ResultPage, page_of
from packhouse.web.api.requests import ApiRequest, Limit
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor

_Line = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class TransitionOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a request moves on to; a carrier or number once given stays when none is given now.

    The collector reads the note in the timeline.
    """

    status: ShippingStatus
    carrier: _Line | None = None
    tracking_number: _Line | None = None
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None


class QueuedRequest(msgspec.Struct, frozen=True):
    """A request as the queue shows it; ``cost`` in minor units, as it was debited."""

    id: ShippingRequestId
    user_id: UserId
    status: ShippingStatus
    cost: int
    country: str
    cards: int
    weight_grams: int
    carrier: str | None
    tracking_number: str | None
    created_at: datetime
    updated_at: datetime


class RequestedCard(msgspec.Struct, frozen=True):
    """One card to pack: its face, the locked value, and the very copy to take from its bin."""

    user_card_id: UserCardId
    card: CardFace
    tier: Tier
    value: int
    copy: StockCopy


class OperatorRequest(msgspec.Struct, frozen=True):
    """All that packing and answering for a request needs.

    ``address_lines`` are the address as it is printed; ``next_statuses`` where it may move on to.
    """

    id: ShippingRequestId
    user_id: UserId
    username: str
    status: ShippingStatus
    next_statuses: tuple[ShippingStatus, ...]
    cost: int
    quote: Quote
    carrier: str | None
    tracking_number: str | None
    address: Address
    address_lines: tuple[str, ...]
    items: tuple[RequestedCard, ...]
    timeline: tuple[ShippingRequestEvent, ...]
    created_at: datetime
    updated_at: datetime


class _Packing(msgspec.Struct, frozen=True):
    """A request with everything that hangs on it."""

    username: str
    request: ShippingRequest
    items: list[ShippingRequestItem]
    cards: dict[CardId, catalog.Card]
    copies: dict[StockItemId, catalog.StockItem]
    timeline: list[ShippingRequestEvent]


@get("/shipping-requests")
async def list_request_queue(
    request: ApiRequest,
    status: FromQuery[ShippingStatus | None] = None,
    limit: Limit = PAGE_LIMIT_DEFAULT,
    cursor: FromQuery[str | None] = None,
) -> ResultPage[QueuedRequest]:
    """Everybody's requests: of one status, oldest first; of all, newest first."""
    house = context_of(request.scope).house
    position = read_cursor(cursor, UUID)
    async with house.database.reading() as connection:
        if status is None:
            found = await shipping.list_all_shipping_requests(
                connection, before=position, limit=limit + 1
            )
        else:
            found = await shipping.list_shipping_queue(
                connection, status=status, after=position, limit=limit + 1
            )
    shown = [_queued(each) for each in found]
    return page_of(shown, limit=limit, position=lambda each: each.id)


@get("/shipping-requests/{request_id:uuid}")
async def get_request(request: ApiRequest, request_id: FromPath[UUID]) -> OperatorRequest:
    """One request: whose it is, what is in it and where that lies, where it goes."""
    house = context_of(request.scope).house
    return _shown(house, await _read_packing(house, ShippingRequestId(request_id)))


@post("/shipping-requests/{request_id:uuid}/transitions", status_code=201)
async def create_transition(
    request: ApiRequest, request_id: FromPath[UUID], data: JSONBody[TransitionOrder]
) -> OperatorRequest:
    """Move a request on, with everything that follows for cards, stock and money."""
    context = context_of(request.scope)
    transition = Transition(
        status=data.status,
        carrier=data.carrier,
        tracking_number=data.tracking_number,
        note=data.note,
    )
    command = FulfilShipment(
        request_id=ShippingRequestId(request_id), transition=transition, actor=context.actor()
    )
    moved = await fulfil_shipment(context.house, command)
    return _shown(context.house, await _read_packing(context.house, moved.id))


@get("/shipping-requests/{request_id:uuid}/packing-slip", media_type="application/pdf")
async def get_packing_slip(request: ApiRequest, request_id: FromPath[UUID]) -> Response[bytes]:
    """The packing slip as a PDF on A4: the address, and each card in the order of the bins."""
    house = context_of(request.scope).house
    packing = await _read_packing(house, ShippingRequestId(request_id))
    pdf = await asyncio.to_thread(_print_slip, house, packing)
    name = f"packing-slip-{shipping.short_request_id(packing.request.id)}.pdf"
    return Response(
        content=pdf,
        media_type="application/pdf",
        headers={"content-disposition": f'inline; filename="{name}"'},
    )


async def _read_packing(house: House, request_id: ShippingRequestId) -> _Packing:
    async with house.database.reading() as connection:
        owner_id = await get_request_owner(connection, request_id)
        found = await shipping.find_shipping_request(
            connection, user_id=owner_id, request_id=request_id
        )
        owner = await accounts.find_user(connection, owner_id)
        if found is None or owner is None:
            # Any waiting event is found by its subject, and this one was about something else.
            raise NotFound("There is no such shipping request.")
        items = await shipping.list_shipping_request_items(
            connection, user_id=owner_id, request_id=request_id
        )
        cards = await house.cards.list_cards(connection, {item.card_id for item in items})
        copies = await catalog.list_stock_items(
            connection, [(item.card_id, item.stock_item_id) for item in items]
        )
        timeline = await shipping.list_shipping_request_events(
            connection, user_id=owner_id, request_id=request_id
        )
    if any(item.stock_item_id not in copies for item in items):
        raise Breach(f"The shipping request {request_id} has a card without its copy.")
    return _Packing(
        username=owner.username,
        request=found,
        items=items,
        cards=cards,
        copies=copies,
        timeline=timeline,
    )


def _print_slip(house: House, packing: _Packing) -> bytes:
    quote = packing.request.quote
    return shipping.packing_slip(
        shop_name=house.settings.shop_name,
        request_id=packing.request.id,
        address=packing.request.address,
        cards=[_slip_card(packing, item) for item in packing.items],
        parcel=Parcel(
            weight_grams=quote.weight_grams,
            card_count=quote.card_count,
            insured_value_minor=sum(item.value for item in packing.items),
        ),
        printed_at=house.clock(),
    )


def _slip_card(packing: _Packing, item: ShippingRequestItem) -> SlipCard:
    card, copy = packing.cards[item.card_id], packing.copies[item.stock_item_id]
    return SlipCard(
        stock_item_id=item.stock_item_id,
        set_name=card.set_name,
        number=card.number,
        name=card.name,
        grade=copy.grade,
        certificate=copy.certificate,
        location=copy.location,
    )


def _queued(request: ShippingRequest) -> QueuedRequest:
    return QueuedRequest(
        id=request.id,
        user_id=request.user_id,
        status=request.status,
        cost=request.cost,
        country=request.address.country,
        cards=request.quote.card_count,
        weight_grams=request.quote.weight_grams,
        carrier=request.carrier,
        tracking_number=request.tracking_number,
        created_at=request.created_at,
        updated_at=request.updated_at,
    )


def _shown(house: House, packing: _Packing) -> OperatorRequest:
    request = packing.request
    ways_on = shipping.TRANSITIONS[request.status]
    return OperatorRequest(
        id=request.id,
        user_id=request.user_id,
        username=packing.username,
        status=request.status,
        next_statuses=tuple(each for each in shipping.SHIPPING_STATUSES if each in ways_on),
        cost=request.cost,
        quote=request.quote,
        carrier=request.carrier,
        tracking_number=request.tracking_number,
        address=request.address,
        address_lines=tuple(shipping.format_address(request.address)),
        items=tuple(
            RequestedCard(
                user_card_id=item.user_card_id,
                card=catalog.card_face(packing.cards[item.card_id], media_url=house.media.url_of),
                tier=packing.cards[item.card_id].tier,
                value=item.value,
                copy=stock_copy(house, packing.copies[item.stock_item_id]),
            )
            for item in packing.items
        ),
        timeline=tuple(packing.timeline),
        created_at=request.created_at,
        updated_at=request.updated_at,
    )


SHIPPING_HANDLERS = [list_request_queue, get_request, create_transition, get_packing_slip]
