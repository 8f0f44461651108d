"""The catalogue and its stock, for operators: cards, where their copies are, moving them."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from packhouse import catalog
from packhouse.catalog import Card, CardKind, Place, StaffPlace, StockItem
from packhouse.flows.move_stock import MOVED_ITEMS_MAX, MoveStock, StockMoved, move_stock
from packhouse.foundation.errors import NotFound
from packhouse.foundation.identifiers import CardId, LotId, StockItemId
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.web.api.admin.reasons import Reason
from packhouse.web.api.pages_of_results import ResultPage, page_of
from packhouse.web.api.requests import ApiRequest, Limit
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor

Search = Annotated[str | None, QueryParameter(max_length=100)]
"""Looked for anywhere in a name or a number."""

SetCode = Annotated[str | None, QueryParameter(name="set", max_length=16)]

_CursorText = Annotated[str, msgspec.Meta(max_length=60, pattern=r"^[^\x00]*$")]


class _CardPosition(msgspec.Struct, frozen=True, array_like=True):
    """A place in the list's order."""

    set_code: _CursorText
    number: _CursorText


class CatalogCard(msgspec.Struct, frozen=True):
    """One card; ``value`` is what new packs lock in, in minor units."""

    id: CardId
    set: str
    set_name: str
    number: str
    name: str
    tier: Tier
    value: int
    kind: CardKind
    weight_grams: int
    flavour: str
    image_url: str | None


class StockCopy(msgspec.Struct, frozen=True):
    """One physical copy; ``lot_id`` when it is a lot's, ``location`` the bin it lies in."""

    id: StockItemId
    place: Place
    lot_id: LotId | None
    grade: str | None
    certificate: str | None
    location: str | None
    photo_url: str | None


class CardStock(msgspec.Struct, frozen=True):
    """How many copies of a card are in each place; places without a copy are left out."""

    card: CatalogCard
    places: dict[Place, int]


class StockMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where copies shall go: these very ones, or that many of the oldest that can be moved."""

    to_place: StaffPlace
    quantity: Annotated[int, msgspec.Meta(ge=1, le=MOVED_ITEMS_MAX)] | None = None
    stock_item_ids: Annotated[tuple[UUID, ...], msgspec.Meta(max_length=MOVED_ITEMS_MAX)] = ()
    reason: Reason | None = None


@get("/cards")
async def list_catalog_cards(
    request: ApiRequest,
    search: Search = None,
    set_code: SetCode = None,
    tier: FromQuery[Tier | None] = None,
    limit: Limit = PAGE_LIMIT_DEFAULT,
    cursor: FromQuery[str | None] = None,
) -> ResultPage[CatalogCard]:
    """Cards by set code and number."""
    house = context_of(request.scope).house
    cards = await _read_cards(
        house, search=search, set_code=set_code, tier=tier, limit=limit + 1, cursor=cursor
    )
    shown = [_card(house, card) for card in cards]
    return page_of(shown, limit=limit, position=lambda card: (card.set, card.number))


@get("/stock")
async def list_stock(
    request: ApiRequest,
    search: Search = None,
    set_code: SetCode = None,
    tier: FromQuery[Tier | None] = None,
    limit: Limit = PAGE_LIMIT_DEFAULT,
    cursor: FromQuery[str | None] = None,
) -> ResultPage[CardStock]:
    """Cards by set code and number, each with its copies counted by place."""
    house = context_of(request.scope).house
    cards = await _read_cards(
        house, search=search, set_code=set_code, tier=tier, limit=limit + 1, cursor=cursor
    )
    async with house.database.reading() as connection:
        counts = await catalog.count_stock_by_place(connection, [card.id for card in cards])
    shown = [CardStock(_card(house, card), counts[card.id]) for card in cards]
    return page_of(shown, limit=limit, position=lambda each: (each.card.set, each.card.number))


@get("/cards/{card_id:uuid}/stock")
async def list_card_stock(
    request: ApiRequest,
    card_id: FromPath[UUID],
    place: FromQuery[Place | None] = None,
    limit: Limit = PAGE_LIMIT_DEFAULT,
    cursor: FromQuery[str | None] = None,
) -> ResultPage[StockCopy]:
    """The copies of one card, oldest first."""
    house = context_of(request.scope).house
    after = read_cursor(cursor, UUID)
    async with house.database.reading() as connection:
        if not await catalog.list_cards(connection, [CardId(card_id)]):
            raise NotFound("There is no such card.")
        items = await catalog.list_stock_page(
            connection,
            card_id=CardId(card_id),
            place=place,
            after=None if after is None else StockItemId(after),
            limit=limit + 1,
        )
    shown = [stock_copy(house, item) for item in items]
    return page_of(shown, limit=limit, position=lambda copy: copy.id)


@post("/cards/{card_id:uuid}/stock-moves", status_code=201)
async def create_stock_move(
    request: ApiRequest, card_id: FromPath[UUID], data: JSONBody[StockMove]
) -> StockMoved:
    """Move copies between the house, the sale and the withdrawn; a withdrawal needs a reason."""
    context = context_of(request.scope)
    command = MoveStock(
        card_id=CardId(card_id),
        to_place=data.to_place,
        actor=context.actor(),
        stock_item_ids=tuple(StockItemId(each) for each in data.stock_item_ids),
        quantity=data.quantity,
        reason=data.reason,
    )
    return await move_stock(context.house, command)


async def _read_cards(
    house: House,
    *,
    search: str | None,
    set_code: str | None,
    tier: Tier | None,
    limit: int,
    cursor: str | None,
) -> list[Card]:
    position = read_cursor(cursor, _CardPosition)
    after = None if position is None else (position.set_code, position.number)
    async with house.database.reading() as connection:
        return await catalog.list_cards_page(
            connection, search=search, set_code=set_code, tier=tier, after=after, limit=limit
        )


def _card(house: House, card: Card) -> CatalogCard:
    return CatalogCard(
        id=card.id,
        set=card.set_code,
        set_name=card.set_name,
        number=card.number,
        name=card.name,
        tier=card.tier,
        value=card.value,
        kind=card.kind,
        weight_grams=card.weight_grams,
        flavour=card.flavour,
        image_url=None if card.picture is None else house.media.url_of(card.picture),
    )


def stock_copy(house: House, item: StockItem) -> StockCopy:
    """A copy as answers show it."""
    return StockCopy(
        id=item.id,
        place=item.place,
        lot_id=item.lot_id,
        grade=item.grade,
        certificate=item.certificate,
        location=item.location,
        photo_url=None if item.photo is None else house.media.url_of(item.photo),
    )


CARD_HANDLERS = [list_catalog_cards, list_stock, list_card_stock, create_stock_move]
