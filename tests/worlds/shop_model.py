"""What the shop should be, in plain Python: purses, cards, copies and parcels, one thing at a time.

The simulation steps this model beside the real shop. It knows nothing of SQL, locks or seeds; which
card a draw gives is taken from the shop's answer, and everything that must follow is worked out.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from packhouse.foundation.identifiers import CardId, ShippingRequestId, UserCardId
from packhouse.shipping import ShippingStatus

SELL_BACK_WINDOW: Final = timedelta(days=7)


@dataclass
class OwnedCard:
    """A drawn card; ``has_copy`` when there is something to ship."""

    id: UserCardId
    card_id: CardId
    value: int
    has_copy: bool
    state: str
    rate_basis_points: int
    sell_back_until: datetime

    @property
    def sell_back_amount(self) -> int:
        """The pack's rate, rounded down."""
        return self.value * self.rate_basis_points // 10_000


@dataclass
class Collector:
    """A purse and everything that was ever drawn into a vault."""

    balance: int = 0
    nonce: int = 0
    is_closed: bool = False
    cards: list[OwnedCard] = field(default_factory=list)


@dataclass
class Parcel:
    """A shipping request."""

    id: ShippingRequestId
    owner: Collector
    cost: int
    cards: list[OwnedCard]
    status: ShippingStatus = "pending"


@dataclass
class ShopModel:
    """The whole shop; copies are counted by card and place. A lot's cards are in no other pack."""

    collectors: list[Collector] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    stock: dict[CardId, Counter[str]] = field(default_factory=dict)
    pauses: set[tuple[str, CardId]] = field(default_factory=set)
    packs_left: int = 0
    pulls: int = 0

    @property
    def drawn(self) -> int:
        """How many cards were ever drawn."""
        return sum(len(collector.cards) for collector in self.collectors)

    def is_paused(self, slug: str) -> bool:
        """Whether a pack waits for a card."""
        return any(paused == slug for paused, _ in self.pauses)

    def has_copy_on_sale(self, card_id: CardId) -> bool:
        """Whether a draw of this card can be handed out."""
        return self.stock[card_id]["on_sale"] > 0

    def places(self, card_id: CardId) -> dict[str, int]:
        """How many copies are where."""
        return {place: count for place, count in self.stock[card_id].items() if count}

    def draw(self, owner: Collector, slug: str, card: OwnedCard, *, paid_out: bool) -> None:
        """A card was drawn: its copy moves, or its value is credited and the pack rests."""
        owner.cards.append(card)
        if paid_out:
            owner.balance += card.value
            self.pauses.add((slug, card.card_id))
        elif card.has_copy:
            self._move(card.card_id, "on_sale", "vaulted")

    def sell(self, owner: Collector, cards: list[OwnedCard]) -> int:
        """Cards go back to the shop; gives what was credited."""
        for card in cards:
            card.state = "sold"
            if card.has_copy:
                self._move(card.card_id, "vaulted", "house")
        credited = sum(card.sell_back_amount for card in cards)
        owner.balance += credited
        return credited

    def close(self, owner: Collector) -> None:
        """An account is closed: what was left in vault and purse is the shop's."""
        for card in owner.cards:
            if card.state == "vaulted":
                card.state = "forfeited"
                if card.has_copy:
                    self._move(card.card_id, "vaulted", "house")
        owner.balance = 0
        owner.is_closed = True

    def is_waiting_for_parcels(self, owner: Collector) -> bool:
        """Whether something of a collector is being packed or on its way."""
        return any(
            parcel.owner is owner and parcel.status in ("pending", "packing", "shipped")
            for parcel in self.parcels
        )

    def place_parcel(self, parcel: Parcel) -> None:
        """Cards are reserved, and the parcel is paid."""
        parcel.owner.balance -= parcel.cost
        self.parcels.append(parcel)
        self._move_cards(parcel, "reserved")

    def move_parcel(self, parcel: Parcel, status: ShippingStatus) -> None:
        """A parcel enters a status that may follow."""
        parcel.status = status
        match status:
            case "shipped":
                self._move_cards(parcel, "shipped")
            case "cancelled":
                self._move_cards(parcel, "vaulted")
                parcel.owner.balance += parcel.cost
            case "returned":
                self._move_cards(parcel, "vaulted")
            case "lost":
                self._move_cards(parcel, "lost")
                parcel.owner.balance += sum(card.value for card in parcel.cards)

    def restock(self, card_id: CardId, count: int) -> int:
        """Copies of the house go on sale, and packs that waited for them too; gives how many."""
        moved = min(count, self.stock[card_id]["house"])
        self._move(card_id, "house", "on_sale", moved)
        if moved:
            self.end_pauses(card_id)
        return moved

    def take_back(self, card_id: CardId, count: int) -> int:
        """Copies on sale go to the house; gives how many."""
        moved = min(count, self.stock[card_id]["on_sale"])
        self._move(card_id, "on_sale", "house", moved)
        return moved

    def end_pauses(self, card_id: CardId) -> None:
        """There are copies of this card again."""
        self.pauses = {(slug, waited) for slug, waited in self.pauses if waited != card_id}

    def _move_cards(self, parcel: Parcel, state: str) -> None:
        for card in parcel.cards:
            self._move(card.card_id, card.state, state)
            card.state = state

    def _move(self, card_id: CardId, before: str, after: str, count: int = 1) -> None:
        stock = self.stock[card_id]
        assert stock[before] >= count, f"{count} copies to move, {stock[before]} in {before}"
        stock[before] -= count
        stock[after] += count
