"""Shipping over the API: what a parcel costs, asking for one, following it, calling it off."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody

from packhouse import shipping
from packhouse.accounts import Discreet
from packhouse.flows.move_shipment import CancelShipping, cancel_shipping
from packhouse.flows.request_shipping import (
    QuoteShipping,
    RequestShipping,
    ShippingOrder,
    quote_shipping,
    request_shipping,
)
from packhouse.foundation.cards import CardFace
from packhouse.foundation.errors import FieldError, InvalidInput, NotFound
from packhouse.foundation.identifiers import ShippingRequestId, UserCardId
from packhouse.foundation.limits import CARDS_PER_PARCEL_MAX, PAGE_LIMIT_DEFAULT
from packhouse.house import House
from packhouse.plumbing.idempotency import recognise
from packhouse.plumbing.postgres import ReadConnection
from packhouse.shipping import (
    Address,
    Quote,
    ShippingRequest,
    ShippingStatus,
)
from packhouse.web.api.pages_of_results import ResultPage, page_of
from packhouse.web.api.requests import ApiRequest, IdempotencyKey, Limit
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor


class ShippingQuoteLine(msgspec.Struct, frozen=True):
    """One line of what a parcel costs; ``amount`` in minor units."""

    label: str
    amount: int


class ShippingQuote(msgspec.Struct, frozen=True):
    """What a parcel costs, in minor units: the sum of ``lines``; days count from its sending."""

    cost: int
    country: str
    zone: str
    service: str
    weight_grams: int
    card_count: int
    delivery_days_min: int
    delivery_days_max: int
    lines: tuple[ShippingQuoteLine, ...]


class PlacedShippingRequest(msgspec.Struct, frozen=True):
    """A request just made and paid; amounts in minor units."""

    id: ShippingRequestId
    status: str
    cost: int
    quote: ShippingQuote
    balance: int
    created_at: datetime


class ShippedCard(msgspec.Struct, frozen=True):
    """One card of a parcel, with the value it was locked at, in minor units."""

    user_card_id: UserCardId
    card: CardFace
    value: int


class TimelineEvent(msgspec.Struct, frozen=True):
    """One step of a request, with what the shop has to say about it."""

    status: ShippingStatus
    note: str | None
    created_at: datetime


class MyShippingRequest(Discreet, frozen=True):
    """One of your requests with its timeline, oldest step first; ``cost`` in minor units."""

    id: ShippingRequestId
    status: ShippingStatus
    address: Address
    cost: int
    quote: ShippingQuote
    carrier: str | None
    tracking_number: str | None
    cards: tuple[ShippedCard, ...]
    timeline: tuple[TimelineEvent, ...]
    may_cancel: bool
    created_at: datetime
    updated_at: datetime


@get("/api/v1/shipping-quotes", tags=["shipping"])
async def get_shipping_quote(
    request: ApiRequest, country: FromQuery[str], user_card_ids: FromQuery[list[str]]
) -> ShippingQuote:
    """What sending cards would cost; nothing is changed.

    ``user_card_ids`` may be repeated, or one text with commas; ``country`` is an ISO 3166 code.
    """
    context = context_of(request.scope)
    viewer = context.require_viewer()
    command = QuoteShipping(
        user_id=viewer.user_id, user_card_ids=_read_ids(user_card_ids), country=country
    )
    return _shown_quote(await quote_shipping(context.house, command))


@post("/api/v1/shipping-requests", status_code=201, tags=["shipping"])
async def create_shipping_request(
    request: ApiRequest, data: JSONBody[ShippingOrder], idempotency_key: IdempotencyKey = None
) -> PlacedShippingRequest:
    """Have cards shipped: quoted, paid and reserved in one step."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    repeat = recognise(
        user_id=viewer.user_id,
        route="POST /api/v1/shipping-requests",
        key=idempotency_key,
        request=data,
    )
    command = RequestShipping(user_id=viewer.user_id, request=data, repeat=repeat)
    placed = await request_shipping(context.house, command)
    return PlacedShippingRequest(
        id=placed.id,
        status=placed.status,
        cost=placed.cost,
        quote=_shown_quote(placed.quote),
        balance=placed.balance,
        created_at=placed.created_at,
    )


@get("/api/v1/shipping-requests", tags=["shipping"])
async def list_shipping_requests(
    request: ApiRequest, limit: Limit = PAGE_LIMIT_DEFAULT, cursor: FromQuery[str | None] = None
) -> ResultPage[MyShippingRequest]:
    """Your own requests with their timelines, newest first."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    async with context.house.database.reading() as connection:
        requests = await shipping.list_shipping_requests(
            connection,
            user_id=viewer.user_id,
            before=read_cursor(cursor, UUID),
            limit=limit + 1,
        )
        found = page_of(requests, limit=limit, position=lambda made: made.id)
        items = [await _shown(context.house, connection, made) for made in found.items]
    return ResultPage(items=tuple(items), next_cursor=found.next_cursor)


@get("/api/v1/shipping-requests/{request_id:uuid}", tags=["shipping"])
async def get_shipping_request(
    request: ApiRequest, request_id: FromPath[UUID]
) -> MyShippingRequest:
    """One of your own requests with its timeline."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    async with context.house.database.reading() as connection:
        found = await shipping.find_shipping_request(
            connection, user_id=viewer.user_id, request_id=ShippingRequestId(request_id)
        )
        if found is None:
            raise NotFound("There is no such shipping request.")
        return await _shown(context.house, connection, found)


@post(
    "/api/v1/shipping-requests/{request_id:uuid}/cancellation", status_code=201, tags=["shipping"]
)
async def create_cancellation(request: ApiRequest, request_id: FromPath[UUID]) -> MyShippingRequest:
    """Call a request off before it is shipped: the cards come back and the cost is refunded."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    command = CancelShipping(user_id=viewer.user_id, request_id=ShippingRequestId(request_id))
    cancelled = await cancel_shipping(context.house, command)
    async with context.house.database.connection() as connection:
        return await _shown(context.house, connection, cancelled)


def _read_ids(texts: list[str]) -> tuple[UserCardId, ...]:
    ids = [text.strip() for listed in texts for text in listed.split(",") if text.strip()]
    if not 1 <= len(ids) <= CARDS_PER_PARCEL_MAX:
        raise InvalidInput(
            "A parcel needs cards.",
            [FieldError("user_card_ids", f"Name 1 to {CARDS_PER_PARCEL_MAX} cards.")],
        )
    try:
        return tuple(UserCardId(UUID(text)) for text in ids)
    except ValueError as error:
        raise InvalidInput(
            "One of these is no card's id.",
            [FieldError("user_card_ids", "Each id is a UUID, as the vault lists it.")],
        ) from error


def _shown_quote(quote: Quote) -> ShippingQuote:
    return ShippingQuote(
        cost=quote.cost_minor,
        country=quote.country,
        zone=quote.zone,
        service=quote.service,
        weight_grams=quote.weight_grams,
        card_count=quote.card_count,
        delivery_days_min=quote.delivery_days_min,
        delivery_days_max=quote.delivery_days_max,
        lines=tuple(ShippingQuoteLine(line.label, line.amount_minor) for line in quote.lines),
    )


async def _shown(
    house: House, connection: ReadConnection, request: ShippingRequest
) -> MyShippingRequest:
    items = await shipping.list_shipping_request_items(
        connection, user_id=request.user_id, request_id=request.id
    )
    events = await shipping.list_shipping_request_events(
        connection, user_id=request.user_id, request_id=request.id
    )
    faces = await house.cards.list_faces(connection, {item.card_id for item in items})
    return MyShippingRequest(
        id=request.id,
        status=request.status,
        address=request.address,
        cost=request.cost,
        quote=_shown_quote(request.quote),
        carrier=request.carrier,
        tracking_number=request.tracking_number,
        cards=tuple(
            ShippedCard(user_card_id=item.user_card_id, card=faces[item.card_id], value=item.value)
            for item in items
        ),
        timeline=tuple(
            TimelineEvent(status=event.status, note=event.note, created_at=event.created_at)
            for event in events
        ),
        may_cancel=shipping.may_cancel(request.status),
        created_at=request.created_at,
        updated_at=request.updated_at,
    )


SHIPPING_HANDLERS = [
    get_shipping_quote,
    create_shipping_request,
    list_shipping_requests,
    get_shipping_request,
    create_cancellation,
]
