"""The card shelf: cards kept in this process, so that hot paths read them without a query."""

import time
from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

import msgspec

from packhouse.catalog.model import Card
from packhouse.catalog.rules import card_face
from packhouse.catalog.store import list_cards
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import CardId
from packhouse.plumbing.postgres import ReadConnection

SHELF_CARDS_MAX: Final = 20_000
"""About 15 MiB of cards."""

SHELF_TTL_SECONDS: Final = 5.0
"""How long another process's change of a card may stay unseen here."""


class CardShelf:
    """A bounded cache of cards by id; only what is read often enough is worth its place.

    ``media_url`` turns a picture's media key into its address.
    """

    def __init__(
        self,
        *,
        media_url: Callable[[str], str],
        cards_max: int = SHELF_CARDS_MAX,
        ttl_seconds: float = SHELF_TTL_SECONDS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._media_url = media_url
        self._cards_max = cards_max
        self._ttl_seconds = ttl_seconds
        self._seconds = seconds
        self._cards: dict[CardId, tuple[float, Card]] = {}
        self._faces: dict[CardId, tuple[Card, CardFace]] = {}
        self._encoded: dict[bytes, tuple[float, bytes]] = {}
        self._forgotten = 0

    async def list_cards(
        self, connection: ReadConnection, ids: Iterable[CardId]
    ) -> dict[CardId, Card]:
        """The cards of these ids that exist; what is not on the shelf is read in one query."""
        now = self._seconds()
        found: dict[CardId, Card] = {}
        missing: list[CardId] = []
        for card_id in ids:
            kept = self._cards.get(card_id)
            if kept is not None and kept[0] > now:
                found[card_id] = kept[1]
            else:
                missing.append(card_id)
        if missing:
            forgotten = self._forgotten
            read = await list_cards(connection, missing)
            found.update((card.id, card) for card in read)
            # What was read before somebody cleared the shelf may be old already.
            if forgotten == self._forgotten:
                self._keep(read, until=now + self._ttl_seconds)
        return found

    async def list_faces(
        self, connection: ReadConnection, ids: Iterable[CardId]
    ) -> dict[CardId, CardFace]:
        """How these cards look to clients; none is ever deleted, so all of them are there."""
        cards = await self.list_cards(connection, ids)
        return {card_id: self._face_of(card) for card_id, card in cards.items()}

    async def encode_faces(
        self, connection: ReadConnection, ids: Iterable[bytes]
    ) -> dict[bytes, bytes]:
        """How these cards look to clients, as JSON, by the bytes of their ids."""
        now = self._seconds()
        found: dict[bytes, bytes] = {}
        missing: list[CardId] = []
        for packed_id in ids:
            kept = self._encoded.get(packed_id)
            if kept is not None and kept[0] > now:
                found[packed_id] = kept[1]
            else:
                missing.append(CardId(UUID(bytes=packed_id)))
        if missing:
            for card in (await self.list_cards(connection, missing)).values():
                found[card.id.bytes] = self._encode_face_of(card)
        return found

    def _encode_face_of(self, card: Card) -> bytes:
        encoded = msgspec.json.encode(self._face_of(card))
        until, kept = self._cards.get(card.id, (0.0, None))
        if kept is card:
            self._encoded[card.id.bytes] = (until, encoded)
        return encoded

    def _face_of(self, card: Card) -> CardFace:
        kept = self._faces.get(card.id)
        # While it is the very card that was shown, it looks as it did.
        if kept is not None and kept[0] is card:
            return kept[1]
        face = card_face(card, media_url=self._media_url)
        if card.id in self._cards:
            self._faces[card.id] = (card, face)
        return face

    def forget(self) -> None:
        """Clear the shelf, after a change of cards in this process."""
        self._cards.clear()
        self._faces.clear()
        self._encoded.clear()
        self._forgotten += 1

    def _keep(self, cards: Iterable[Card], *, until: float) -> None:
        for card in cards:
            # Taken out first so that the dictionary's order is by age: the first is the oldest.
            self._cards.pop(card.id, None)
            self._cards[card.id] = (until, card)
        while len(self._cards) > self._cards_max:
            oldest = next(iter(self._cards))
            del self._cards[oldest]
            self._faces.pop(oldest, None)
            self._encoded.pop(oldest.bytes, None)
