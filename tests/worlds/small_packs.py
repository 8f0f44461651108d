"""Packs of a few cards, so small that every way in which they can come out is tried one by one."""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from packhouse.draws import CardOdds, Layout, PackConfig, SellBack, Slot, TierOdds
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.tiers import TIERS
from worlds.four_packs import TIER_ODDS_PACK, config_of

CARD_IDS = [CardId(UUID(int=number)) for number in range(1, 7)]
SMALL_WEIGHTS = st.integers(1, 6)


@st.composite
def small_configs(draw: st.DrawFn) -> PackConfig:
    """Packs of few cards; a card always has the same tier and value, as in a catalogue."""
    values = [draw(st.integers(0, 1_000)) for _ in CARD_IDS]

    def tier_odds(tier_index: int) -> TierOdds:
        own = CARD_IDS[tier_index * 2 : tier_index * 2 + 2]
        cards = own if draw(st.booleans()) else own[:1]
        return TierOdds(
            TIERS[tier_index],
            draw(SMALL_WEIGHTS),
            tuple(
                CardOdds(card, draw(SMALL_WEIGHTS), values[CARD_IDS.index(card)], physical=True)
                for card in cards
            ),
        )

    def any_slot(number: int) -> Slot:
        tiers = sorted(draw(st.sets(st.integers(0, 2), min_size=1)))
        count = draw(st.integers(1, 2))
        return Slot(f"slot {number}", count, tuple(tier_odds(tier) for tier in tiers))

    layouts = tuple(
        Layout(
            f"layout {number}",
            draw(SMALL_WEIGHTS),
            tuple(any_slot(i) for i in range(draw(st.integers(1, 2)))),
        )
        for number in range(draw(st.integers(1, 2)))
    )
    return msgspec.structs.replace(
        config_of(TIER_ODDS_PACK),
        layouts=layouts,
        price=draw(st.integers(1, 4_000)),
        sell_back=SellBack(draw(st.integers(0, 10_000)), window_seconds=60),
    )


def every_outcome(config: PackConfig) -> Iterator[tuple[Fraction, tuple[CardOdds, ...]]]:
    """Each way the pack can come out, with its probability."""
    layout_total = sum(layout.weight for layout in config.layouts)
    for layout in config.layouts:
        draws = [
            [
                (
                    Fraction(tier.weight, sum(other.weight for other in table.odds))
                    * Fraction(card.weight, sum(other.weight for other in tier.cards)),
                    card,
                )
                for tier in table.odds
                for card in tier.cards
            ]
            for table in layout.slots
            for _ in range(table.count)
        ]
        for way in itertools.product(*draws):
            chance = Fraction(layout.weight, layout_total) * math.prod(p for p, _ in way)
            yield chance, tuple(card for _, card in way)
