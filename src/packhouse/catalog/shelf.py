"""The card shelf: cards kept in this process, so that hot paths read them without a query."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from packhouse.catalog.model import Card
from packhouse.catalog.store import list_cards
from packhouse.foundation.identifiers import CardId
from packhouse.plumbing.postgres import Connection

SHELF_CARDS_MAX: Final = 20_000
"""About 15 MiB of cards."""

SHELF_TTL_SECONDS: Final = 5.0
"""How long another process's change of a card may stay unseen here."""


class CardShelf:
    """A bounded cache of cards by id; only what is read often enough is worth its place."""

    def __init__(
        self,
        *,
        cards_max: int = SHELF_CARDS_MAX,
        ttl_seconds: float = SHELF_TTL_SECONDS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cards_max = cards_max
        self._ttl_seconds = ttl_seconds
        self._seconds = seconds
        self._cards: dict[CardId, tuple[float, Card]] = {}
        self._forgotten = 0

    async def list_cards(self, connection: Connection, ids: Iterable[CardId]) -> dict[CardId, Card]:
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

    def forget(self) -> None:
        """Clear the shelf, after a change of cards in this process."""
        self._cards.clear()
        self._forgotten += 1

    def _keep(self, cards: Iterable[Card], *, until: float) -> None:
        for card in cards:
            # Taken out first so that the dictionary's order is by age: the first is the oldest.
            self._cards.pop(card.id, None)
            self._cards[card.id] = (until, card)
        while len(self._cards) > self._cards_max:
            del self._cards[next(iter(self._cards))]
