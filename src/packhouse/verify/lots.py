"""One lot along the log: its draws are dense, and each takes what the lot's seed says."""

from collections.abc import Iterator
from datetime import datetime

from packhouse.verify.configs import Lot
from packhouse.verify.drawing import lot_message, ticket_below
from packhouse.verify.findings import Mismatch
from packhouse.verify.leaves import LotClosed, LotListed, LotOpened, leaf_name
from packhouse.verify.manifests import list_prizes


class ListedLot:
    """A lot that was listed; ``seed`` is None while it is secret.

    Without it the draws are replayed by the numbers that the log states.
    """

    def __init__(self, listed_in: int, leaf: LotListed, terms: Lot, *, seed: bytes | None) -> None:
        self.listed_in, self.leaf, self.terms, self.seed = listed_in, leaf, terms, seed
        self.draws = 0
        self.packs = 0
        self.last_in = listed_in
        self.ended_at: datetime | None = None
        self.closed_in: int | None = None
        self._prizes = list_prizes(terms)
        self._remaining = list(range(len(self._prizes)))
        self.taken: list[int] = []
        """The positions in the manifest that went, in the order of the draws."""

    @property
    def remaining(self) -> list[int]:
        """The positions in the manifest that are left, without the last-one prize."""
        return list(self._remaining)

    def check_listing(self) -> Iterator[Mismatch]:
        """The leaf that listed it says what its configuration says."""
        terms, leaf, name = self.terms, self.leaf, leaf_name(self.listed_in)
        for field, wanted, found in (
            ("manifest_root", terms.manifest_root, leaf.manifest_root),
            ("commitment", terms.commitment, leaf.commitment),
            ("size", str(terms.size), str(leaf.size)),
        ):
            if wanted != found:
                yield Mismatch(f"{name}.{field}", wanted, found)

    def open(self, position: int, leaf: LotOpened) -> Iterator[Mismatch]:
        """A pack of it was opened."""
        name, terms = leaf_name(position), self.terms
        if leaf.manifest_root != terms.manifest_root:
            yield Mismatch(f"{name}.manifest_root", terms.manifest_root, leaf.manifest_root)
        if self.closed_in is not None:
            wanted, found = "a lot that is not closed yet", f"closed by {leaf_name(self.closed_in)}"
            yield Mismatch(f"{name}.config_hash", wanted, found)
        if leaf.draw != self.draws:
            yield Mismatch(f"{name}.draw", str(self.draws), str(leaf.draw))
        if leaf.draw + terms.cards_per_pack > terms.size:
            wanted = f"at most {terms.size - terms.cards_per_pack} in a lot of {terms.size} draws"
            yield Mismatch(f"{name}.draw", wanted, str(leaf.draw))
            return
        self.packs += 1
        self.draws, self.last_in = leaf.draw + terms.cards_per_pack, position
        if self.draws == terms.size:
            self.ended_at = leaf.at
        yield from self._check_cards(leaf, name=name)

    def close(self, position: int, leaf: LotClosed) -> Iterator[Mismatch]:
        """It ended."""
        name = leaf_name(position)
        if leaf.manifest_root != self.terms.manifest_root:
            yield Mismatch(f"{name}.manifest_root", self.terms.manifest_root, leaf.manifest_root)
        if self.closed_in is not None:
            wanted, found = "a lot that is not closed yet", f"closed by {leaf_name(self.closed_in)}"
            yield Mismatch(f"{name}.commitment", wanted, found)
        if leaf.draws != self.draws:
            yield Mismatch(f"{name}.draws", str(self.draws), str(leaf.draws))
        self.closed_in = position

    def _check_cards(self, leaf: LotOpened, *, name: str) -> Iterator[Mismatch]:
        wanted = self.terms.cards_per_pack
        if len(leaf.tickets) != wanted:
            yield Mismatch(f"{name}.tickets", f"{wanted} of them", str(len(leaf.tickets)))
            return
        is_last_pack = leaf.draw + wanted == self.terms.size
        last_one = self.terms.last_one if is_last_pack else None
        cards = []
        for place, stated in enumerate(leaf.tickets):
            if not self._remaining:
                # An earlier pack was left out and another counted twice.
                return
            number = self._number(leaf, place, stated)
            if number != stated:
                yield Mismatch(f"{name}.tickets[{place}]", str(number), str(stated))
            if number >= len(self._remaining):
                below = f"below {len(self._remaining)}"
                yield Mismatch(f"{name}.tickets[{place}]", below, str(number))
                return
            self.taken.append(self._remaining.pop(number))
            cards.append(self._prizes[self.taken[-1]].card)
        cards += [] if last_one is None else [last_one.card]
        if len(cards) != len(leaf.cards):
            yield Mismatch(f"{name}.cards", f"{len(cards)} of them", str(len(leaf.cards)))
            return
        for place, (card, stated_card) in enumerate(zip(cards, leaf.cards, strict=True)):
            if card != stated_card:
                yield Mismatch(f"{name}.cards[{place}]", card, stated_card)

    def _number(self, leaf: LotOpened, place: int, stated: int) -> int:
        if self.seed is None:
            return stated
        message = lot_message(
            manifest_root=bytes.fromhex(self.terms.manifest_root),
            draw=leaf.draw + place,
            user_key=bytes.fromhex(leaf.user_key),
            client_seed_hash=bytes.fromhex(leaf.client_seed_hash),
        )
        return ticket_below(len(self._remaining), seed=self.seed, message=message)
