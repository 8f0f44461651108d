"""Stock: how many copies of each card lie where, and moving them by number or one by one."""

from typing import Final, get_args
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath

from packhouse import catalog
from packhouse.catalog import PLACES, Place, StaffPlace
from packhouse.flows.move_stock import (
    MOVED_ITEMS_MAX,
    REASON_LENGTH_MAX,
    MoveStock,
    move_stock,
)
from packhouse.foundation.errors import NotFound, Refusal
from packhouse.foundation.identifiers import CardId, StockItemId
from packhouse.web.context import context_of
from packhouse.web.operator.forms import Form, PageRequest, read_form
from packhouse.web.operator.frame import Page, address, back_to, operator_page, search_of
from packhouse.web.operator.listing import card_search, face_of, list_found_cards
from packhouse.web.queries import read_cursor, write_cursor

COPIES_PAGE: Final = 50
TICKED_MAX: Final = 500

PLACE_NAMES: Final[dict[Place, str]] = {
    "house": "In the house",
    "on_sale": "On sale",
    "vaulted": "Vaulted",
    "reserved": "Reserved",
    "shipped": "Shipped",
    "withdrawn": "Withdrawn",
    "lost": "Lost",
}
DONE: Final = {
    "on_sale": "{count} put on sale. Packs that waited for this card are open again.",
    "house": "{count} taken back to the house.",
    "withdrawn": "{count} withdrawn.",
}


@get("/stock")
async def show_stock(request: PageRequest) -> Page:
    """Cards with their copies by place."""
    return await _stock_page(request)


@post("/stock")
async def move_copies_from_list(request: PageRequest) -> Page:
    """Put copies of one card of the list on sale, or take them back."""
    form = await read_form(request)
    card_id = next(iter(form.ids("card_id", most=1)), None)
    if card_id is None:
        form.add_problem("", "This card is not there any more. Reload the page.")
        return await _stock_page(request, form=form)
    command = _command_by_number(request, form, CardId(card_id), prefix=f"{card_id}-")
    if not form.problems:
        try:
            moved = await move_stock(context_of(request.scope).house, command)
        except Refusal as error:
            return await _stock_page(request, form=form, error=error)
        query = {name: form.shown(name) for name in ("q", "set", "tier", "after")}
        return back_to(
            "/admin/stock", **query, done=command.to_place, count=len(moved.stock_item_ids)
        )
    return await _stock_page(request, form=form)


@get("/stock/{card_id:uuid}")
async def show_copies(request: PageRequest, card_id: FromPath[UUID]) -> Page:
    """Every copy of one card."""
    return await _copies_page(request, CardId(card_id))


@post("/stock/{card_id:uuid}")
async def move_copies(request: PageRequest, card_id: FromPath[UUID]) -> Page:
    """Move the ticked copies, or that many of the oldest."""
    form = await read_form(request)
    ids = form.ids("stock_item_ids", most=TICKED_MAX)
    if ids:
        command = MoveStock(
            card_id=CardId(card_id),
            to_place=_to_place(form),
            actor=context_of(request.scope).actor(),
            stock_item_ids=tuple(StockItemId(each) for each in ids),
            reason=form.text("reason", length_max=REASON_LENGTH_MAX) or None,
        )
    else:
        command = _command_by_number(request, form, CardId(card_id), prefix="")
    if form.problems:
        return await _copies_page(request, CardId(card_id), form=form)
    try:
        moved = await move_stock(context_of(request.scope).house, command)
    except Refusal as error:
        return await _copies_page(request, CardId(card_id), form=form, error=error)
    return back_to(
        f"/admin/stock/{card_id}",
        place=form.shown("place"),
        done=command.to_place,
        count=len(moved.stock_item_ids),
    )


def _after(text: str) -> StockItemId | None:
    cursor = read_cursor(text, UUID)
    return None if cursor is None else StockItemId(cursor)


def _command_by_number(
    request: PageRequest, form: Form, card_id: CardId, *, prefix: str
) -> MoveStock:
    return MoveStock(
        card_id=card_id,
        to_place=_to_place(form),
        actor=context_of(request.scope).actor(),
        quantity=form.whole(f"{prefix}quantity", minimum=1, maximum=MOVED_ITEMS_MAX),
        reason=form.text("reason", length_max=REASON_LENGTH_MAX) or None,
    )


def _to_place(form: Form) -> StaffPlace:
    places: tuple[StaffPlace, ...] = get_args(StaffPlace)
    return form.choice("to", places)


async def _stock_page(
    request: PageRequest, *, form: Form | None = None, error: Refusal | None = None
) -> Page:
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        found = await list_found_cards(connection, card_search(request), path="/admin/stock")
        counts = await catalog.count_stock_by_place(connection, [card.id for card in found.cards])
    values = {
        "found": found,
        "counts": counts,
        "places": PLACE_NAMES,
        "after": search_of(request, "after")["after"],
    }
    return await operator_page(request, "stock.html", values, form=form, error=error, done=DONE)


async def _copies_page(
    request: PageRequest,
    card_id: CardId,
    *,
    form: Form | None = None,
    error: Refusal | None = None,
) -> Page:
    house = context_of(request.scope).house
    search = search_of(request, "place", "after")
    place = next((each for each in PLACES if each == search["place"]), None)
    async with house.database.reading() as connection:
        card = next(iter(await catalog.list_cards(connection, [card_id])), None)
        if card is None:
            raise NotFound("There is no such card in the catalogue.")
        counts = (await catalog.count_stock_by_place(connection, [card_id]))[card_id]
        free = (await catalog.count_stock_by_card(connection, [card_id]))[card_id]
        copies = await catalog.list_stock_page(
            connection,
            card_id=card_id,
            place=place,
            after=_after(search["after"]),
            limit=COPIES_PAGE + 1,
        )
    path = f"/admin/stock/{card_id}"
    more = copies[COPIES_PAGE - 1].id if len(copies) > COPIES_PAGE else None
    tabs = [
        {"label": "All", "href": path, "is_current": place is None, "count": sum(counts.values())},
        *(
            {
                "label": PLACE_NAMES[each],
                "href": address(path, place=each),
                "is_current": each == place,
                "count": counts.get(each, 0),
            }
            for each in PLACES
            if counts.get(each) or each == place
        ),
    ]
    values = {
        "card": card,
        "face": face_of(card, None if card.picture is None else house.media.url_of(card.picture)),
        "counts": counts,
        "in_lots": counts.get("on_sale", 0) - free,
        "copies": copies[:COPIES_PAGE],
        "photo_url": house.media.url_of,
        "place": place,
        "place_names": PLACE_NAMES,
        "tabs": tabs,
        "more_href": None if more is None else address(path, place=place, after=write_cursor(more)),
    }
    return await operator_page(
        request, "stock_card.html", values, form=form, error=error, done=DONE
    )


STOCK_HANDLERS = [show_stock, move_copies_from_list, show_copies, move_copies]
