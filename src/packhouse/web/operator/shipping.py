"""Parcels: the queue by status, one parcel with everything needed to pack it, slips on paper."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from packhouse import accounts, shipping
from packhouse.flows.move_shipment import (
    FulfilShipment,
    Transition,
    fulfil_shipment,
    get_request_owner,
)
from packhouse.foundation.errors import NotFound, Refusal
from packhouse.foundation.identifiers import ShippingRequestId, UserId
from packhouse.house import House
from packhouse.plumbing.postgres import ReadConnection
from packhouse.shipping import (
    SHIPPING_STATUSES,
    TRANSITIONS,
    BadTransition,
    Parcel,
    ShippingRequest,
    ShippingStatus,
)
from packhouse.web.context import context_of
from packhouse.web.operator.forms import Form, PageRequest, read_form, read_query_form
from packhouse.web.operator.frame import Page, address, back_to, operator_page, search_of
from packhouse.web.operator.parcel_view import ParcelView, get_parcel_view, slip_card
from packhouse.web.queries import read_cursor, write_cursor

QUEUE_PAGE: Final = 50
SLIPS_MAX: Final = 50
SEARCHED_MAX: Final = 2_000
"""How many of the newest requests the search by a slip's short number looks through."""

CARRIER_LENGTH_MAX: Final = 60
TRACKING_LENGTH_MAX: Final = 80
NOTE_LENGTH_MAX: Final = 500

HAPPY_WAY: Final[tuple[ShippingStatus, ...]] = ("pending", "packing", "shipped", "delivered")
STEP_TITLES: Final = {
    "pending": "Requested and paid",
    "packing": "Being packed",
    "shipped": "On its way",
    "delivered": "Delivered",
    "cancelled": "Cancelled",
    "returned": "Came back",
    "lost": "Lost",
}
DONE: Final = {
    "packing": "Being packed. Tick off the cards, then ship it.",
    "shipped": "Shipped. The collector sees it on the way, with the tracking number.",
    "delivered": "Delivered. Well done.",
    "cancelled": "Cancelled. The cards are back in the collector's vault, the postage refunded.",
    "returned": "Noted as returned. The cards are back in the collector's vault.",
    "lost": "Noted as lost. The collector was paid the cards' locked value.",
    "moved": "{count} parcels are being packed now.",
    "none_moved": "Nothing was changed: no parcel was ticked, or none is pending any more.",
}


class QueueRow(msgspec.Struct, frozen=True):
    """A line of the queue."""

    id: ShippingRequestId
    short_id: str
    status: ShippingStatus
    name: str
    place: str
    country: str
    cards: int
    grams: int
    cost: int
    created_at: datetime


@get("/shipping")
async def show_queue(request: PageRequest) -> Page:
    """The queue in one status, oldest first; or the parcel that a search finds."""
    house = context_of(request.scope).house
    search = search_of(request, "q", "status", "after")
    if search["q"]:
        found = await _find_by_number(house, search["q"])
        if found is not None:
            return back_to(f"/admin/shipping/{found}")
    status = next((each for each in SHIPPING_STATUSES if each == search["status"]), None)
    if not search["status"]:
        status = "pending"
    cursor = read_cursor(search["after"], UUID)
    async with house.database.reading() as connection:
        counts = await shipping.count_shipping_requests(connection)
        if status is None:
            rows = await shipping.list_all_shipping_requests(
                connection, before=cursor, limit=QUEUE_PAGE + 1
            )
        else:
            rows = await shipping.list_shipping_queue(
                connection, status=status, after=cursor, limit=QUEUE_PAGE + 1
            )
    more = rows[QUEUE_PAGE - 1].id if len(rows) > QUEUE_PAGE else None
    values = {
        "status": status,
        "tabs": _tabs(status, counts),
        "rows": [_queue_row(row) for row in rows[:QUEUE_PAGE]],
        "search": search["q"],
        "more_href": None
        if more is None
        else address("/admin/shipping", status=status or "all", after=write_cursor(more)),
    }
    form = Form()
    if search["q"]:
        form.add_problem("q", "No parcel has this number. Type the 8 characters of its slip.")
    return await operator_page(request, "shipping.html", values, form=form, done=DONE)


@post("/shipping/packing")
async def start_packing(request: PageRequest) -> Page:
    """Begin packing several pending parcels at once; those that moved meanwhile are left."""
    context = context_of(request.scope)
    form = await read_form(request)
    ids = form.ids("id", most=SLIPS_MAX)
    moved = 0
    for request_id in ids:
        command = FulfilShipment(
            ShippingRequestId(request_id), Transition(status="packing"), context.actor()
        )
        try:
            await fulfil_shipment(context.house, command)
        except (BadTransition, NotFound):
            continue
        moved += 1
    if moved:
        return back_to("/admin/shipping", status="packing", done="moved", count=moved)
    return back_to("/admin/shipping", done="none_moved")


@get("/shipping/slips")
async def show_slips(request: PageRequest) -> Page:
    """The slips of the ticked parcels, one a page on paper."""
    context = context_of(request.scope)
    form = read_query_form(request)
    async with context.house.database.reading() as connection:
        views = [
            await get_parcel_view(connection, context.house, ShippingRequestId(request_id))
            for request_id in form.ids("id", most=SLIPS_MAX)
        ]
    return await operator_page(request, "shipping_slips.html", {"views": views}, form=form)


@get("/shipping/{request_id:uuid}")
async def show_parcel(request: PageRequest, request_id: FromPath[UUID]) -> Page:
    """One parcel: what to take from where, for whom, and what happens next."""
    return await _parcel_page(request, ShippingRequestId(request_id))


@post("/shipping/{request_id:uuid}")
async def move_parcel(request: PageRequest, request_id: FromPath[UUID]) -> Page:
    """Move a parcel on."""
    context = context_of(request.scope)
    form = await read_form(request)
    transition = Transition(
        status=form.choice("status", SHIPPING_STATUSES),
        carrier=form.text("carrier", length_max=CARRIER_LENGTH_MAX) or None,
        tracking_number=form.text("tracking_number", length_max=TRACKING_LENGTH_MAX) or None,
        note=form.text("note", length_max=NOTE_LENGTH_MAX) or None,
    )
    if form.problems:
        return await _parcel_page(request, ShippingRequestId(request_id), form=form)
    try:
        await fulfil_shipment(
            context.house,
            FulfilShipment(ShippingRequestId(request_id), transition, context.actor()),
        )
    except NotFound:
        raise
    except Refusal as error:
        return await _parcel_page(request, ShippingRequestId(request_id), form=form, error=error)
    return back_to(f"/admin/shipping/{request_id}", done=transition.status)


@get("/shipping/{request_id:uuid}/packing-slip.pdf")
async def download_slip(request: PageRequest, request_id: FromPath[UUID]) -> Response[bytes]:
    """The packing slip as a PDF."""
    context = context_of(request.scope)
    async with context.house.database.reading() as connection:
        view = await get_parcel_view(connection, context.house, ShippingRequestId(request_id))
    slip = shipping.packing_slip(
        shop_name=context.house.settings.shop_name,
        request_id=view.request.id,
        address=view.request.address,
        cards=[slip_card(card) for card in view.cards],
        parcel=Parcel(
            weight_grams=view.request.quote.weight_grams,
            card_count=len(view.cards),
            insured_value_minor=view.value,
        ),
        printed_at=context.house.clock(),
    )
    name = f"packing-slip-{view.short_id}.pdf"
    return Response(
        content=slip,
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


async def _parcel_page(
    request: PageRequest,
    request_id: ShippingRequestId,
    *,
    form: Form | None = None,
    error: Refusal | None = None,
) -> Page:
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        view = await get_parcel_view(connection, house, request_id)
        names = await _actor_names(connection, view)
        following = await shipping.list_shipping_queue(
            connection, status="pending", after=None, limit=2
        )
    status = view.request.status
    ways = TRANSITIONS[status]
    values = {
        "view": view,
        "steps": _steps(view, names),
        "next_step": next((way for way in HAPPY_WAY if way in ways), None),
        "other_steps": [way for way in SHIPPING_STATUSES if way in ways and way not in HAPPY_WAY],
        "following": next((each.id for each in following if each.id != request_id), None),
        "country_name": _country_names().get(view.request.address.country, ""),
    }
    return await operator_page(
        request, "shipping_parcel.html", values, form=form, error=error, done=DONE
    )


async def _actor_names(connection: ReadConnection, view: ParcelView) -> dict[UserId, str]:
    names = {view.owner.id: view.owner.username}
    for event in view.events:
        if event.actor_id not in names:
            user = await accounts.find_user(connection, event.actor_id)
            names[event.actor_id] = "the shop" if user is None else user.username
    return names


def _steps(view: ParcelView, names: dict[UserId, str]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [
        {
            "title": STEP_TITLES[event.status],
            "at": event.created_at,
            "note": f"{names[event.actor_id]}: {event.note}"
            if event.note
            else f"by {names[event.actor_id]}",
        }
        for event in view.events
    ]
    status = view.request.status
    if status in HAPPY_WAY:
        ahead = HAPPY_WAY[HAPPY_WAY.index(status) + 1 :]
        steps += [{"title": STEP_TITLES[each], "at": None} for each in ahead]
    return steps


async def _find_by_number(house: House, text: str) -> ShippingRequestId | None:
    """A request by its id, or by the end of it that the slip shows, among the newest ones."""
    wanted = text.replace("-", "").replace(" ", "").lower()
    async with house.database.reading() as connection:
        if len(wanted) == 32:
            try:
                request_id = ShippingRequestId(UUID(wanted))
                await get_request_owner(connection, request_id)
            except (ValueError, NotFound):
                return None
            return request_id
        before: UUID | None = None
        for _ in range(SEARCHED_MAX // 500):
            rows = await shipping.list_all_shipping_requests(connection, before=before, limit=500)
            for row in rows:
                if shipping.short_request_id(row.id).lower() == wanted:
                    return row.id
            if len(rows) < 500:
                return None
            before = rows[-1].id
    return None


def _tabs(
    current: ShippingStatus | None, counts: dict[ShippingStatus, int]
) -> list[dict[str, Any]]:
    tabs: list[dict[str, Any]] = [
        {
            "label": status.capitalize(),
            "href": address("/admin/shipping", status=status),
            "is_current": status == current,
            "count": counts.get(status, 0),
        }
        for status in SHIPPING_STATUSES
    ]
    everything = {
        "label": "All",
        "href": address("/admin/shipping", status="all"),
        "is_current": current is None,
        "count": sum(counts.values()),
    }
    return [*tabs, everything]


def _queue_row(request: ShippingRequest) -> QueueRow:
    return QueueRow(
        id=request.id,
        short_id=shipping.short_request_id(request.id),
        status=request.status,
        name=request.address.name,
        place=request.address.city or request.address.postal_code,
        country=_country_names().get(request.address.country, request.address.country),
        cards=request.quote.card_count,
        grams=request.quote.weight_grams,
        cost=request.cost,
        created_at=request.created_at,
    )


def _country_names() -> dict[str, str]:
    return {country.code: country.name for country in shipping.list_countries()}


SHIPPING_HANDLERS = [
    show_queue,
    start_packing,
    show_slips,
    show_parcel,
    move_parcel,
    download_slip,
]
