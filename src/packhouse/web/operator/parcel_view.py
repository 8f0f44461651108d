"""A parcel as whoever packs it needs it: cards in the order of their bins, address, timeline."""

import re

import msgspec

from packhouse import accounts, catalog, shipping
from packhouse.accounts import User
from packhouse.catalog import Card, StockItem
from packhouse.flows.move_shipment import get_request_owner
from packhouse.foundation.errors import NotFound
from packhouse.foundation.identifiers import ShippingRequestId
from packhouse.house import House
from packhouse.plumbing.postgres import ReadConnection
from packhouse.shipping import ShippingRequest, ShippingRequestEvent, ShippingRequestItem, SlipCard
from packhouse.web.operator.listing import TieredFace, face_of


class PackedCard(msgspec.Struct, frozen=True):
    """One card of a parcel, with the copy to take and where it lies."""

    item: ShippingRequestItem
    card: Card
    image_url: str | None
    stock: StockItem

    @property
    def face(self) -> TieredFace:
        """The card as page parts take it."""
        return face_of(self.card, self.image_url)


class ParcelView(msgspec.Struct, frozen=True):
    """A request with all that packing it needs; cards in the order of their bins."""

    request: ShippingRequest
    short_id: str
    owner: User
    lines: tuple[str, ...]
    cards: tuple[PackedCard, ...]
    events: tuple[ShippingRequestEvent, ...]

    @property
    def value(self) -> int:
        """The locked values together, in minor units."""
        return sum(card.item.value for card in self.cards)


async def get_parcel_view(
    connection: ReadConnection, house: House, request_id: ShippingRequestId
) -> ParcelView:
    """The parcel with its cards, copies and timeline. Raises ``NotFound``."""
    owner_id = await get_request_owner(connection, request_id)
    request = await shipping.find_shipping_request(
        connection, user_id=owner_id, request_id=request_id
    )
    owner = await accounts.find_user(connection, owner_id)
    if request is None or owner is None:
        raise NotFound("There is no such parcel.")
    items = await shipping.list_shipping_request_items(
        connection, user_id=owner_id, request_id=request_id
    )
    events = await shipping.list_shipping_request_events(
        connection, user_id=owner_id, request_id=request_id
    )
    cards = await house.cards.list_cards(connection, {item.card_id for item in items})
    stock = await catalog.list_stock_items(
        connection, [(item.card_id, item.stock_item_id) for item in items]
    )
    packed = [
        PackedCard(
            item=item,
            card=(card := cards[item.card_id]),
            image_url=None if card.picture is None else house.media.url_of(card.picture),
            stock=stock[item.stock_item_id],
        )
        for item in items
    ]
    return ParcelView(
        request=request,
        short_id=shipping.short_request_id(request_id),
        owner=owner,
        lines=tuple(shipping.format_address(request.address)),
        cards=tuple(sorted(packed, key=_bin_order)),
        events=tuple(events),
    )


def slip_card(packed: PackedCard) -> SlipCard:
    """The card's line on the slip."""
    return SlipCard(
        stock_item_id=packed.stock.id,
        set_name=packed.card.set_name,
        number=packed.card.number,
        name=packed.card.name,
        grade=packed.stock.grade,
        certificate=packed.stock.certificate,
        location=packed.stock.location,
    )


def _bin_order(packed: PackedCard) -> tuple[bool, list[tuple[int, str]], str, str]:
    """Bins as one walks past them, as on the slip: ``A-2`` before ``A-10``, no bin last."""
    where = packed.stock.location
    parts = re.findall(r"[0-9]+|[^0-9]+", where or "")
    walk = [(int(part), "") if part.isascii() and part.isdigit() else (0, part) for part in parts]
    return (where is None, walk, packed.card.set_code, packed.card.number)
