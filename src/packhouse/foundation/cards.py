"""A card's face: what everybody sees of a card, wherever it is shown."""

from uuid import UUID

import msgspec


class CardFace(msgspec.Struct, frozen=True):
    """``set`` and ``number`` name a card for collectors; no ``image_url`` without a picture."""

    id: UUID
    name: str
    set: str
    number: str
    image_url: str | None
