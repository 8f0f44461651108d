"""The catalogue as pictures, to see at a glance what the shop has."""

from litestar import get

from packhouse import catalog
from packhouse.web.context import context_of
from packhouse.web.operator.forms import PageRequest
from packhouse.web.operator.frame import Page, operator_page
from packhouse.web.operator.listing import card_search, face_of, list_found_cards


@get("/cards")
async def show_cards(request: PageRequest) -> Page:
    """A page of the catalogue."""
    house = context_of(request.scope).house
    async with house.database.reading() as connection:
        found = await list_found_cards(connection, card_search(request), path="/admin/cards")
        free = await catalog.count_stock_by_card(connection, [card.id for card in found.cards])
    tiles = [
        {
            "card": face_of(
                card, None if card.picture is None else house.media.url_of(card.picture)
            ),
            "href": f"/admin/stock/{card.id}",
            "note": "Digital, unlimited"
            if card.kind == "digital"
            else f"{free[card.id]:,} on sale",
        }
        for card in found.cards
    ]
    return await operator_page(request, "cards.html", {"found": found, "tiles": tiles})


CARD_HANDLERS = [show_cards]
