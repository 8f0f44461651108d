"""What the shipping room keeps in PostgreSQL; each function runs the query of its own name."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from packhouse.foundation.identifiers import (
    CardId,
    ShippingRequestId,
    StockItemId,
    UserCardId,
    UserId,
)
from packhouse.plumbing.postgres import Connection, ReadConnection, Record
from packhouse.plumbing.queries import load_queries
from packhouse.shipping.model import SHIPPING_STATUSES, Address, Quote, ShippingStatus
from packhouse.shipping.rules import UNDERWAY

QUERIES = load_queries("packhouse.shipping")


class ShippingRequest(msgspec.Struct, frozen=True):
    """A parcel that somebody asked for. ``cost`` in minor units, as debited."""

    user_id: UserId
    id: ShippingRequestId
    status: ShippingStatus
    address: Address
    cost: int
    quote: Quote
    carrier: str | None
    tracking_number: str | None
    created_at: datetime
    updated_at: datetime


class ParcelNotice(msgspec.Struct, frozen=True):
    """What its collector is told of a parcel in a letter: how many cards, and who carries it."""

    carrier: str | None
    tracking_number: str | None
    cards: int


class ShippingRequestItem(msgspec.Struct, frozen=True):
    """One card of a parcel, and the value it was locked at, in minor units."""

    user_card_id: UserCardId
    card_id: CardId
    stock_item_id: StockItemId
    value: int


class ShippingRequestEvent(msgspec.Struct, frozen=True):
    """One step of a request's timeline."""

    sequence: int
    status: ShippingStatus
    actor_id: UserId
    note: str | None
    created_at: datetime


async def insert_shipping_request(
    connection: Connection, request: ShippingRequest, items: Sequence[ShippingRequestItem]
) -> None:
    """Write a pending request and its cards."""
    await connection.execute(
        QUERIES["insert_shipping_request"],
        request.user_id,
        request.id,
        msgspec.to_builtins(request.address),
        request.cost,
        msgspec.to_builtins(request.quote),
        request.created_at,
    )
    await connection.execute(
        QUERIES["insert_shipping_request_items"],
        request.user_id,
        request.id,
        [item.user_card_id for item in items],
        [item.card_id for item in items],
        [item.stock_item_id for item in items],
        [item.value for item in items],
    )


async def insert_shipping_request_event(
    connection: Connection,
    *,
    user_id: UserId,
    request_id: ShippingRequestId,
    status: ShippingStatus,
    actor_id: UserId,
    note: str | None,
    now: datetime,
) -> None:
    """Add a step to the timeline."""
    await connection.execute(
        QUERIES["insert_shipping_request_event"], user_id, request_id, status, actor_id, note, now
    )


async def lock_shipping_request(
    connection: Connection, *, user_id: UserId, request_id: ShippingRequestId
) -> ShippingRequest | None:
    """The request, held until the transaction ends."""
    row = await connection.fetchrow(QUERIES["lock_shipping_request"], user_id, request_id)
    return None if row is None else _read_request(row)


async def find_shipping_request(
    connection: ReadConnection, *, user_id: UserId, request_id: ShippingRequestId
) -> ShippingRequest | None:
    """One request of this user."""
    row = await connection.fetchrow(QUERIES["find_shipping_request"], user_id, request_id)
    return None if row is None else _read_request(row)


async def update_shipping_request(
    connection: Connection,
    *,
    user_id: UserId,
    request_id: ShippingRequestId,
    status: ShippingStatus,
    carrier: str | None,
    tracking_number: str | None,
    now: datetime,
) -> None:
    """Enter a status; a carrier or number once given stays when none is given now."""
    await connection.execute(
        QUERIES["update_shipping_request"],
        user_id,
        request_id,
        status,
        carrier,
        tracking_number,
        now,
    )


async def list_shipping_requests(
    connection: ReadConnection, *, user_id: UserId, before: UUID | None, limit: int
) -> list[ShippingRequest]:
    """A collector's own, newest first."""
    rows = await connection.fetch(QUERIES["list_shipping_requests"], user_id, before, limit)
    return [_read_request(row) for row in rows]


async def list_shipping_queue(
    connection: ReadConnection, *, status: ShippingStatus, after: UUID | None, limit: int
) -> list[ShippingRequest]:
    """Everybody's in one status, oldest first."""
    rows = await connection.fetch(QUERIES["list_shipping_queue"], status, after, limit)
    return [_read_request(row) for row in rows]


async def list_all_shipping_requests(
    connection: ReadConnection, *, before: UUID | None, limit: int
) -> list[ShippingRequest]:
    """Everybody's in every status, newest first."""
    rows = await connection.fetch(QUERIES["list_all_shipping_requests"], before, limit)
    return [_read_request(row) for row in rows]


async def count_shipping_requests(
    connection: ReadConnection, statuses: Collection[ShippingStatus] = SHIPPING_STATUSES
) -> dict[ShippingStatus, int]:
    """How many are in each of these statuses; what has arrived takes the longer the more it is."""
    rows = await connection.fetch(QUERIES["count_shipping_requests"], list(statuses))
    return {row["status"]: row["requests"] for row in rows}


async def find_parcel_notice(
    connection: ReadConnection, *, user_id: UserId, request_id: ShippingRequestId
) -> ParcelNotice | None:
    """What a letter tells of a collector's own request."""
    row = await connection.fetchrow(QUERIES["find_parcel_notice"], user_id, request_id)
    return None if row is None else ParcelNotice(**row)


async def count_underway_requests(connection: ReadConnection, user_id: UserId) -> int:
    """How many of a collector's requests are neither delivered nor ended otherwise."""
    return int(
        await connection.fetchval(QUERIES["count_underway_requests"], user_id, list(UNDERWAY))
    )


async def erase_addresses(connection: Connection, user_id: UserId) -> None:
    """Take the addresses from a collector's ended requests, but for their countries, and notes."""
    await connection.execute(QUERIES["erase_addresses"], user_id)
    await connection.execute(QUERIES["erase_notes"], user_id)


async def list_shipping_request_items(
    connection: ReadConnection, *, user_id: UserId, request_id: ShippingRequestId
) -> list[ShippingRequestItem]:
    """The cards of one request."""
    rows = await connection.fetch(QUERIES["list_shipping_request_items"], user_id, request_id)
    return [ShippingRequestItem(**row) for row in rows]


async def list_shipping_request_events(
    connection: ReadConnection, *, user_id: UserId, request_id: ShippingRequestId
) -> list[ShippingRequestEvent]:
    """The timeline of one request."""
    rows = await connection.fetch(QUERIES["list_shipping_request_events"], user_id, request_id)
    return [ShippingRequestEvent(**row) for row in rows]


async def insert_directory_entries(
    connection: Connection, entries: Sequence[tuple[UUID, UUID, datetime]]
) -> None:
    """Note whose requests are: (request, user, time)."""
    await connection.execute(
        QUERIES["insert_directory_entries"],
        [request_id for request_id, _, _ in entries],
        [user_id for _, user_id, _ in entries],
        [created_at for _, _, created_at in entries],
    )


async def find_request_owner(
    connection: ReadConnection, request_id: ShippingRequestId
) -> UserId | None:
    """Whose a request is, once the relay has noted it."""
    owner: UserId | None = await connection.fetchval(QUERIES["find_request_owner"], request_id)
    return owner


def _read_request(row: Record) -> ShippingRequest:
    return msgspec.convert(dict(row), ShippingRequest)
