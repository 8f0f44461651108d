"""Stock for the pack under test: so many copies that none of its cards runs out during a turn.

A pack that runs out pays the value instead of handing out the card, which is another (and cheaper)
thing than an opening.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from packhouse import catalog
from packhouse.bench.portions import portions
from packhouse.draws import PackConfig
from packhouse.flows.announcements import stock_added
from packhouse.foundation.identifiers import CardId, new_id
from packhouse.house import House
from packhouse.plumbing.outbox import insert_events

ROWS_PER_COPY: Final = 50_000
RESERVE: Final = 100
"""Copies beyond what is expected: chance does not keep to its mean."""


def expected_copies(config: PackConfig) -> dict[CardId, Fraction]:
    """How many physical copies of each card one opening takes on average."""
    expected: dict[CardId, Fraction] = defaultdict(Fraction)
    layouts = sum(layout.weight for layout in config.layouts)
    for layout in config.layouts:
        for slot in layout.slots:
            share = Fraction(layout.weight * slot.count, layouts)
            tiers = sum(tier.weight for tier in slot.odds)
            for tier in slot.odds:
                cards = sum(card.weight for card in tier.cards)
                for card in tier.cards:
                    if card.physical:
                        expected[card.card] += share * Fraction(
                            tier.weight * card.weight, tiers * cards
                        )
    return dict(expected)


async def restock(
    house: House,
    *,
    slug: str,
    openings: int,
    expected: Mapping[CardId, Fraction] | None = None,
) -> int:
    """Put copies on sale until ``openings`` more can be served; gives how many were added.

    ``expected`` copies of each card go with an opening; by the pack's own odds if not given.
    """
    if expected is None:
        pack = await house.packs.get_pack(house.database, slug)
        expected = expected_copies(pack.config)
    async with house.database.connection() as connection:
        free = await catalog.count_stock_by_card(connection, sorted(expected))
    missing = Counter(
        {
            card_id: max(0, int(each * openings * Fraction(5, 4)) + RESERVE - free[card_id])
            for card_id, each in expected.items()
        }
    )
    await put_on_sale(house, missing)
    return missing.total()


async def put_on_sale(house: House, copies: Counter[CardId]) -> None:
    """Add so many copies of each card, and tell the draw log of them as every flow does."""
    now = house.clock()

    def rows() -> Iterator[tuple[object, ...]]:
        for card_id, count in sorted(copies.items()):
            for _ in range(count):
                yield (card_id, new_id(), "on_sale", now, now)

    for some in portions(rows(), ROWS_PER_COPY):
        async with house.database.connection() as connection:
            await connection.copy_records_to_table(
                "stock_items",
                records=some,
                columns=("card_id", "id", "place", "created_at", "updated_at"),
            )
    async with house.database.connection() as connection:
        await insert_events(connection, stock_added(copies, now=now))
