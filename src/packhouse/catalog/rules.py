"""The catalogue's rules, pure: what a card looks like to clients and where stock may go."""

from collections.abc import Callable, Sequence
from typing import Final

from packhouse.catalog.errors import StockNotMovable
from packhouse.catalog.model import Card, Place, StaffPlace, StockItem
from packhouse.foundation.cards import CardFace

STAFF_MOVES: Final[dict[StaffPlace, tuple[Place, ...]]] = {
    "on_sale": ("house",),
    "house": ("on_sale", "withdrawn"),
    "withdrawn": ("house", "on_sale"),
}
"""From which places staff may move stock to each place."""


def card_face(card: Card, *, media_url: Callable[[str], str]) -> CardFace:
    """The card as clients see it; ``media_url`` turns a media key into an address."""
    return CardFace(
        id=card.id,
        name=card.name,
        set=card.set_name,
        number=card.number,
        image_url=None if card.picture is None else media_url(card.picture),
    )


def require_movable(items: Sequence[StockItem], *, to_place: StaffPlace) -> None:
    """Raise ``StockNotMovable`` unless staff may move every item there just now."""
    for item in items:
        if item.lot_id is not None:
            raise StockNotMovable(
                f"Stock item {item.id} belongs to a lot that is sold as published, so it cannot be"
                " moved by hand.",
                stock_item_id=str(item.id),
            )
        if item.place not in STAFF_MOVES[to_place]:
            allowed = " or ".join(STAFF_MOVES[to_place])
            raise StockNotMovable(
                f"Stock item {item.id} is {item.place}; only what is in {allowed} can be moved to"
                f" {to_place}. Reload the page to see where it is now.",
                stock_item_id=str(item.id),
            )
