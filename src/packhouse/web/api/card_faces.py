"""The faces of cards, for answers that show them."""

from collections.abc import Collection, Mapping

from packhouse import catalog
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import CardId
from packhouse.house import House
from packhouse.plumbing.postgres import Connection


async def list_faces(
    house: House, connection: Connection, card_ids: Collection[CardId]
) -> Mapping[CardId, CardFace]:
    """Each card's face by its id; cards are never deleted, so all of them are there."""
    cards = await house.cards.list_cards(connection, card_ids)
    return {
        card_id: catalog.card_face(card, media_url=house.media.url_of)
        for card_id, card in cards.items()
    }
