"""A small honest log of VEIL: two odds packs, a lot sold out, a lot closed early, a lot on sale."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from packhouse.draws import (
    LotItem,
    LotTerms,
    PackConfig,
    PackDraft,
    commitment_to,
    compose_lot,
    compose_lot_prizes,
    manifest_leaf,
    merkle_root,
)
from packhouse.foundation.identifiers import StockItemId
from worlds.four_packs import FINITE_LOT, VEIL, manifest_of
from worlds.log_story import ListedLot, LogStory, Pair
from worlds.veil_draws import CONFIGS

ONE: Final = msgspec.structs.replace(CONFIGS["one card by tier odds"], slug="lantern")
ONE_AGAIN: Final = msgspec.structs.replace(ONE, number=2, price=450)
EIGHT: Final = CONFIGS["seven commons and a hit"]
PHYSICAL: Final = tuple(card.id.int for card in VEIL if card.physical)
PEOPLE: Final = 20
OPENINGS_OF_A_PAIR: Final = 100
SEEDS: Final = tuple(commitment_to(b"lot %d" % number) for number in range(3))


def lot_of(draft: PackDraft, *, number: int) -> tuple[PackConfig, list[LotItem], bytes]:
    """A lot with its own copies and its own seed."""
    seed = SEEDS[number]
    items = [
        msgspec.structs.replace(item, stock_item_id=_copy(item, number=number))
        for item in manifest_of(draft)
    ]
    prizes, last_one = compose_lot_prizes(draft, facts=VEIL)
    assert draft.lot is not None
    terms = LotTerms(
        packs=draft.lot.packs,
        cards_per_pack=draft.lot.cards_per_pack,
        prizes=prizes,
        last_one=last_one,
        manifest_root=merkle_root([manifest_leaf(item) for item in items]).hex(),
        commitment=commitment_to(seed).hex(),
    )
    return compose_lot(draft, slug=f"crate-{number}", number=1, terms=terms), items, seed


def _copy(item: LotItem, *, number: int) -> StockItemId | None:
    if item.stock_item_id is None:
        return None
    return StockItemId(UUID(int=item.stock_item_id.int + 1_000 * number))


class SmallLog:
    """The story, and who and what it is about."""

    def __init__(self) -> None:
        self.story = LogStory()
        self.lots: list[ListedLot] = []
        self.pairs: list[Pair] = []
        self._tell()

    @property
    def judged_at(self) -> datetime:
        """When the log is to be looked at: an hour after its last leaf."""
        return self.story.at + timedelta(hours=1)

    def _tell(self) -> None:
        story = self.story
        one, eight = story.publish(ONE), story.publish(EIGHT)
        story.add_stock(**{f"c{number}": 90 for number in PHYSICAL})
        story.wait(minutes=5)
        story.withdraw_stock(c12=84, c13=88, c14=80)
        self.pairs = [story.commit(number) for number in range(4)]
        story.wait(minutes=5)
        self.lots = [story.list_lot(*lot_of(FINITE_LOT, number=number)) for number in range(3)]
        sold_out, closed, on_sale = self.lots
        for turn in range(72):
            story.wait(hours=3, seconds=turn, microseconds=250_000 * (turn % 2))
            for number, pair in enumerate(self.pairs[:3]):
                story.open_pack(pair, eight if turn % 3 == number else one, f"turn {turn}")
            if turn < 20:
                story.open_lot(sold_out, self.pairs[turn % 4], f"crate {turn}")
            if turn in {20, 40}:
                story.close_lot(sold_out if turn == 20 else closed)
            if turn % 24 == 10:
                story.open_lot(closed if turn < 40 else on_sale, self.pairs[3], "quiet heron")
            if turn % 16 == 15:
                self._rotate(turn // 16)
            if turn == 60:
                story.withdraw(ONE)
                one = story.publish(ONE_AGAIN)
                story.add_stock(c12=5)

    def _rotate(self, count: int) -> None:
        """Everybody with odds packs reveals the pair in use and makes another."""
        for number in range(3):
            self.story.reveal(self.pairs[number])
            self.pairs[number] = self.story.commit(10 + 10 * count + number)


def busy_story(openings: int) -> LogStory:
    """So many packs of eight cards, opened by twenty people, and a lot that is sold out.

    Nearly all seeds are revealed: everybody's pair ends with its hundredth opening.
    """
    story = LogStory(keeps_receipts=False)
    eight = story.publish(EIGHT)
    story.add_stock(**{f"c{number}": openings for number in PHYSICAL})
    pairs = [story.commit(number) for number in range(PEOPLE)]
    lot = story.list_lot(*lot_of(FINITE_LOT, number=0))
    for turn in range(openings):
        story.wait(seconds=1)
        person = turn % PEOPLE
        story.open_pack(pairs[person], eight, f"turn {turn}")
        if lot.remaining:
            story.open_lot(lot, pairs[person], f"crate {turn}")
            if not lot.remaining:
                story.close_lot(lot)
        if pairs[person].openings == OPENINGS_OF_A_PAIR:
            story.reveal(pairs[person])
            pairs[person] = story.commit(PEOPLE + turn)
    return story
