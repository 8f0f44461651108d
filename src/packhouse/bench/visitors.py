"""Collectors of the stage as visitors of a crowd: their sessions, and cards that they may send."""

from collections import defaultdict
from typing import Final
from uuid import UUID

from packhouse.bench.activities import SINGLE
from packhouse.bench.crowd import Visitor
from packhouse.bench.stage import PACK, Stage
from packhouse.bench.stock import restock

_FREE_CARDS: Final = """
SELECT c.user_id, c.id
FROM unnest($1::uuid[]) AS u (id),
     LATERAL (
         SELECT user_id, id FROM user_cards
         WHERE user_id = u.id AND state = 'vaulted' AND stock_item_id IS NOT NULL
         ORDER BY created_at DESC, id DESC
         LIMIT $2
     ) AS c
"""


async def list_visitors(stage: Stage, count: int, *, cards_each: int) -> list[Visitor]:
    """The first ``count`` collectors, with up to so many physical cards from their vaults."""
    people = stage.collectors[:count]
    cards: dict[UUID, list[str]] = defaultdict(list)
    async with stage.house.database.connection() as connection:
        for row in await connection.fetch(
            _FREE_CARDS, [person.user_id for person in people], cards_each
        ):
            cards[row["user_id"]].append(str(row["id"]))
    return [Visitor(person.token, tuple(cards[person.user_id])) for person in people]


async def stock_both_packs(stage: Stage, *, openings_each: int) -> None:
    """Enough copies on sale for so many openings of each pack that a crowd opens."""
    for slug in (PACK, SINGLE):
        await restock(stage.house, slug=slug, openings=openings_each)


def cards_needed(*, seconds: float, think_seconds: float, share: float) -> int:
    """How many cards a visitor should have at hand, when this share of requests takes one."""
    return 2 + int(3 * share * seconds / think_seconds)
