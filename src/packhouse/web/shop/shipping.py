"""Parcels: having cards sent, seeing where they are, and calling a parcel off."""

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath

from packhouse import shipping, vault
from packhouse.accounts import SessionUser
from packhouse.flows.move_shipment import CancelShipping, cancel_shipping
from packhouse.flows.request_shipping import (
    QuoteShipping,
    RequestShipping,
    ShippingOrder,
    quote_shipping,
    request_shipping,
)
from packhouse.foundation.errors import FieldError, InvalidInput, NotFound, Refusal
from packhouse.foundation.identifiers import ShippingRequestId, UserCardId
from packhouse.foundation.limits import CARDS_PER_PARCEL_MAX
from packhouse.house import House
from packhouse.plumbing.idempotency import recognise
from packhouse.shipping import Address, Quote, ShippingRequest
from packhouse.wallet import InsufficientCredits
from packhouse.web.api.pages_of_results import page_of
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor
from packhouse.web.shop.feed import older_link
from packhouse.web.shop.forms import Form, key_of, parse_form, read_form
from packhouse.web.shop.frame import (
    Page,
    PageRequest,
    query_of,
    query_values,
    see_other,
    shop_page,
)
from packhouse.web.shop.pack_views import faces_of
from packhouse.web.shop.parcel_views import (
    STATUS_WORDS,
    held_card,
    parcel_line,
    region_options,
    steps_of,
)

PARCELS_A_PAGE = 20
ADDRESS_FIELDS: Final = msgspec.structs.fields(Address)

SENTENCES = {
    "user_card_ids": f"Choose the cards in your vault first: 1 to {CARDS_PER_PARCEL_MAX} of them.",
    **{field.name: "This is too long." for field in ADDRESS_FIELDS},
}


class ChosenCards(msgspec.Struct, frozen=True):
    """The cards that a form or a link is about."""

    user_card_ids: Annotated[
        tuple[UserCardId, ...], msgspec.Meta(max_length=CARDS_PER_PARCEL_MAX)
    ] = ()


@get("/shipping")
async def show_parcels(request: PageRequest) -> Page:
    """One's own parcels, newest first."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    async with context.house.database.reading() as connection:
        found = await shipping.list_shipping_requests(
            connection,
            user_id=viewer.user_id,
            before=read_cursor(query_of(request).get("cursor"), UUID),
            limit=PARCELS_A_PAGE + 1,
        )
    shown = page_of(found, limit=PARCELS_A_PAGE, position=lambda parcel: parcel.id)
    return await shop_page(
        request,
        "parcels.html",
        {
            "parcels": [parcel_line(each) for each in shown.items],
            "older": older_link("/shipping", shown.next_cursor),
        },
    )


@get("/shipping/new")
async def show_order(request: PageRequest) -> Page:
    """The address form for the chosen cards (``?user_card_ids=``, more than once)."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    form = Form({"user_card_ids": query_values(request, "user_card_ids")})
    async with context.house.database.reading() as connection:
        last = await shipping.list_shipping_requests(
            connection, user_id=viewer.user_id, before=None, limit=1
        )
    if last:
        form = _with_address(form, last[0].address)
    return await _order_page(request, viewer, form)


@post("/shipping/new", status_code=200)
async def change_country(request: PageRequest) -> Page:
    """The same form for another country, with what was typed; posted, so no address is in a log."""
    viewer = context_of(request.scope).require_viewer()
    return await _order_page(request, viewer, await read_form(request))


@post("/shipping")
async def order_parcel(request: PageRequest) -> Page:
    """Pay and reserve, when what was shown is what it costs."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    form = await read_form(request)
    try:
        chosen = parse_form(form, ChosenCards, SENTENCES).user_card_ids
        await _require_shown(context.house, viewer, form, chosen)
        order = ShippingOrder(user_card_ids=chosen, address=parse_form(form, Address, SENTENCES))
        repeat = recognise(
            user_id=viewer.user_id,
            route="POST /shipping",
            key=form.text("idempotency_key"),
            request=order,
        )
        placed = await request_shipping(
            context.house, RequestShipping(user_id=viewer.user_id, request=order, repeat=repeat)
        )
    except Refusal as error:
        return await _order_page(request, viewer, form, error=error)
    return see_other(f"/shipping/{placed.id}", done="parcel-requested")


@get("/shipping/{request_id:uuid}")
async def show_parcel(request: PageRequest, request_id: FromPath[UUID]) -> Page:
    """One parcel's way. Raises ``NotFound``."""
    viewer = context_of(request.scope).require_viewer()
    return await _parcel_page(request, viewer, ShippingRequestId(request_id))


@post("/shipping/{request_id:uuid}/cancellation")
async def call_off(request: PageRequest, request_id: FromPath[UUID]) -> Page:
    """Have cards and credits back, as long as the parcel has not left. Raises ``NotFound``."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    parcel_id = ShippingRequestId(request_id)
    try:
        command = CancelShipping(user_id=viewer.user_id, request_id=parcel_id)
        await cancel_shipping(context.house, command)
    except NotFound:
        raise
    except Refusal as error:
        return await _parcel_page(request, viewer, parcel_id, error=error)
    return see_other(f"/shipping/{parcel_id}", done="parcel-called-off")


async def _require_shown(
    house: House, viewer: SessionUser, form: Form, chosen: tuple[UserCardId, ...]
) -> None:
    """Raise ``InvalidInput`` unless the page showed this country's fields and this very cost."""
    country = form.text("country")
    if form.text("shown_country") != country:
        sentence = "You chose another country. Look at the address and the cost, then confirm."
        raise InvalidInput("The country changed.", [FieldError("country", sentence)])
    quote = await _quote(house, viewer, chosen, country)
    if form.text("shown_cost") != str(quote.cost_minor):
        raise InvalidInput("The cost is another than the one shown. Look at it, then confirm.")


async def _quote(
    house: House, viewer: SessionUser, chosen: tuple[UserCardId, ...], country: str
) -> Quote:
    command = QuoteShipping(user_id=viewer.user_id, user_card_ids=chosen, country=country)
    return await quote_shipping(house, command)


async def _order_page(
    request: PageRequest, viewer: SessionUser, form: Form, *, error: Refusal | None = None
) -> Page:
    house = context_of(request.scope).house
    country, error = _country(form, error)
    quote: Quote | None = None
    chosen: tuple[UserCardId, ...] = ()
    try:
        chosen = parse_form(form, ChosenCards, SENTENCES).user_card_ids
        if chosen or request.method != "GET":
            quote = await _quote(house, viewer, chosen, country)
    except Refusal as refusal:
        # A replayed order's cards are on their way already; what was refused first says more.
        error = error or refusal
    async with house.database.reading() as connection:
        cards = await vault.list_user_cards(
            connection, user_id=viewer.user_id, user_card_ids=chosen
        )
    faces = await faces_of(house, {card.card_id for card in cards})
    return await shop_page(
        request,
        "order.html",
        {
            "cards": [held_card(card, faces) for card in cards],
            "countries": _countries(),
            "address_form": shipping.address_form(country),
            "choices_of": region_options,
            "typed": {field.name: form.text(field.name) for field in ADDRESS_FIELDS},
            "quote": quote,
            "idempotency_key": key_of(form, error),
            "needs_credits": isinstance(error, InsufficientCredits),
        },
        error=error,
    )


def _country(form: Form, error: Refusal | None) -> tuple[str, Refusal | None]:
    """The country of the form, or the home country with what is wrong about the one sent."""
    try:
        home = shipping.DEFAULT_RATE_CARD.home_country
        return shipping.parse_country(form.text("country") or home), error
    except InvalidInput as refusal:
        return home, error or refusal


def _countries() -> list[dict[str, str]]:
    not_served = shipping.DEFAULT_RATE_CARD.countries_not_served
    return [
        {"value": country.code, "label": country.name}
        for country in shipping.list_countries()
        if country.code not in not_served
    ]


def _with_address(form: Form, address: Address) -> Form:
    typed: dict[str, tuple[str, ...]] = {
        field.name: (getattr(address, field.name) or "",) for field in ADDRESS_FIELDS
    }
    return Form({**form.values, **typed})


async def _parcel_page(
    request: PageRequest,
    viewer: SessionUser,
    request_id: ShippingRequestId,
    *,
    error: Refusal | None = None,
) -> Page:
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        parcel = await shipping.find_shipping_request(
            connection, user_id=viewer.user_id, request_id=request_id
        )
        if parcel is None:
            raise NotFound("There is no such parcel among yours.")
        events = await shipping.list_shipping_request_events(
            connection, user_id=viewer.user_id, request_id=request_id
        )
        items = await shipping.list_shipping_request_items(
            connection, user_id=viewer.user_id, request_id=request_id
        )
        cards = await vault.list_user_cards(
            connection,
            user_id=viewer.user_id,
            user_card_ids=[item.user_card_id for item in items],
        )
    faces = await faces_of(house, {card.card_id for card in cards})
    return await shop_page(
        request,
        "parcel.html",
        _parcel_values(parcel)
        | {
            "steps": steps_of(parcel, events),
            "cards": [held_card(card, faces) for card in cards],
        },
        error=error,
    )


def _parcel_values(parcel: ShippingRequest) -> dict[str, Any]:
    return {
        "parcel": parcel,
        "short_id": shipping.short_request_id(parcel.id),
        "status_words": STATUS_WORDS[parcel.status],
        "address_lines": shipping.format_address(parcel.address),
        "may_cancel": shipping.may_cancel(parcel.status),
    }


SHIPPING_HANDLERS = [
    show_parcels,
    show_order,
    change_country,
    order_parcel,
    show_parcel,
    call_off,
]
