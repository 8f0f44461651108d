"""A configuration's odds as exact fractions."""

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from packhouse.verify.configs import LotTerms, PublishedConfig


class Chance(msgspec.Struct, frozen=True):
    """One line of the odds; ``depth`` 0 is a layout or prize, 1 a slot, 2 a tier, 3 a card."""

    depth: int
    name: str
    chance: Fraction | None


def list_chances(config: PublishedConfig) -> Iterator[Chance]:
    """Layouts, slots, tiers and cards with their chances; a card's is that within its slot.

    Of a lot: the prizes with their share of a new lot.
    """
    terms = config.terms
    if isinstance(terms, LotTerms):
        for prize in terms.lot.prizes:
            name = f"{prize.count} of card {prize.card} (tier {prize.tier}, value {prize.value})"
            yield Chance(0, name, Fraction(prize.count, terms.lot.size))
        return
    total = sum(layout.weight for layout in terms.layouts)
    for layout in terms.layouts:
        yield Chance(0, f"layout {layout.name!r}", Fraction(layout.weight, total))
        for slot in layout.slots:
            yield Chance(1, f"slot {slot.name!r}, {slot.count} of", None)
            tiers = sum(tier.weight for tier in slot.odds)
            for tier in slot.odds:
                share = Fraction(tier.weight, tiers)
                yield Chance(2, f"tier {tier.tier}", share)
                cards = sum(card.weight for card in tier.cards)
                for card in tier.cards:
                    name = f"card {card.card} (value {card.value})"
                    yield Chance(3, name, share * Fraction(card.weight, cards))
