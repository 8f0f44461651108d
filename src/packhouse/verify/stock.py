"""Counting the copies of physical cards that odds packs can hold, leaf by leaf.

Leaves stand in the order in which they were published, which within a minute need not be that of
the facts. What does not add up is therefore a doubt at first, and a mismatch when no leaf about
that minute clears it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from packhouse.verify.findings import Mismatch
from packhouse.verify.leaves import (
    CardCopies,
    PackOpened,
    StockAdded,
    StockExhausted,
    StockWithdrawn,
    leaf_name,
)

CROSSING: Final = timedelta(minutes=1)


class _Doubt:
    """Something wrong at a position, by so many copies, unless facts until then clear it."""

    __slots__ = ("copies", "mismatch", "position", "until")

    def __init__(self, position: int, mismatch: Mismatch, *, copies: int, until: datetime) -> None:
        self.position, self.mismatch = position, mismatch
        self.copies, self.until = copies, until

    def clear(self, copies: int, at: datetime) -> int:
        """Let ``copies`` speak for it; how many of them are not used up."""
        if at > self.until:
            return copies
        used = min(self.copies, copies)
        self.copies -= used
        return copies - used


class StockCount:
    """How many copies of each card are on sale for odds packs."""

    def __init__(self) -> None:
        self._left: Counter[str] = Counter()
        self._arrivals: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
        self._missing: defaultdict[str, list[_Doubt]] = defaultdict(list)
        self._held_back: defaultdict[str, list[_Doubt]] = defaultdict(list)
        self._paid_out: set[str] = set()

    def walk(
        self, position: int, leaf: StockAdded | StockWithdrawn | StockExhausted
    ) -> Iterator[Mismatch]:
        """What the shop says about its stock; what does not add up is only listed at the end."""
        match leaf:
            case StockAdded():
                self._add(leaf.cards, at=leaf.at)
            case StockWithdrawn():
                self._withdraw(position, leaf.cards, at=leaf.at)
            case StockExhausted() if leaf.card not in self._paid_out:
                wanted = "a card whose value was paid out before"
                return iter([Mismatch(f"{leaf_name(position)}.card", wanted, leaf.card)])
        return iter(())

    def open(self, position: int, leaf: PackOpened, physical: frozenset[str]) -> None:
        """Copies left with an opened pack, and of others the value was paid."""
        self._paid_out.update(
            leaf.cards[place] for place in leaf.paid_out if place < len(leaf.cards)
        )
        for place, card in enumerate(leaf.cards):
            if card not in physical:
                continue
            if place in leaf.paid_out:
                self._pay(position, f"{leaf_name(position)}.paid_out", card, at=leaf.at)
            else:
                field = f"{leaf_name(position)}.cards[{place}]"
                self._take(position, field, card, copies=1, at=leaf.at)

    def list_mismatches(self) -> Iterator[tuple[int, Mismatch]]:
        """The doubts that nothing cleared."""
        for kept in (self._missing, self._held_back):
            for doubts in kept.values():
                for doubt in doubts:
                    if doubt.copies:
                        yield doubt.position, doubt.mismatch

    def _add(self, cards: Sequence[CardCopies], *, at: datetime) -> None:
        for entry in cards:
            self._left[entry.card] += entry.copies
            self._arrivals[entry.card] = [
                (then, copies)
                for then, copies in self._arrivals[entry.card]
                if then > at - CROSSING
            ] + [(at, entry.copies)]
            unused = entry.copies
            for doubt in self._missing[entry.card]:
                unused = doubt.clear(unused, at)

    def _withdraw(self, position: int, cards: Sequence[CardCopies], *, at: datetime) -> None:
        for place, entry in enumerate(cards):
            field = f"{leaf_name(position)}.cards[{place}].copies"
            self._take(position, field, entry.card, copies=entry.copies, at=at)

    def _take(self, position: int, field: str, card: str, *, copies: int, at: datetime) -> None:
        left = self._left[card]
        self._left[card] = left - copies
        if self._held_back:
            unused = copies
            for doubt in self._held_back.get(card, ()):
                unused = doubt.clear(unused, at)
        if copies <= left:
            return
        mismatch = Mismatch(
            field, f"of {card} at most the {max(left, 0)} that are left", f"{copies}"
        )
        short = copies - max(left, 0)
        self._missing[card].append(_Doubt(position, mismatch, copies=short, until=at + CROSSING))

    def _pay(self, position: int, field: str, card: str, *, at: datetime) -> None:
        arrived = [copies for then, copies in self._arrivals[card] if then > at - CROSSING]
        left = self._left[card] - sum(arrived)
        if left <= 0:
            return
        mismatch = Mismatch(
            field, f"{card} from the {left} copies that are left", "its value paid out"
        )
        self._held_back[card].append(_Doubt(position, mismatch, copies=left, until=at + CROSSING))
