"""The pgbench script of one opening: recorded from the flow ``open_pack`` on this very stage."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final
from uuid import UUID

from packhouse import draws, wallet
from packhouse.bench.pgbench_script import Recorded, Script, write_script
from packhouse.bench.recording import RecordingDatabase, SentStatement, recording_house
from packhouse.bench.stage import Stage
from packhouse.bench.stock import expected_copies
from packhouse.flows.open_pack import OpenPack, OpenPacks, open_pack
from packhouse.foundation.errors import Outage
from packhouse.foundation.identifiers import CardId, UserId, new_id
from packhouse.house import House
from packhouse.plumbing.idempotency import recognise
from packhouse.plumbing.queries import load_queries

ATTEMPTS_MAX: Final = 100
RECORDINGS: Final = 3
COMMON_SHARE: Final = Fraction(1, 20)
"""A card that is drawn so often per opening is a common one, and pgbench draws among those."""


LIST_CARDS: Final = """
SELECT user_id, id, card_id, stock_item_id, opening_id, tier, value, state, sell_back_amount, sell_back_until, created_at
FROM user_cards
WHERE user_id = $1 AND opening_id = (SELECT id FROM openings WHERE user_id = $1 ORDER BY id DESC LIMIT 1)
ORDER BY card_id, stock_item_id
"""  # noqa: E501 - SQL

INSERT_CARDS: Final = """
INSERT INTO user_cards (user_id, id, card_id, stock_item_id, opening_id, tier, value, state,
                        sell_back_amount, sell_back_until, created_at)
SELECT *
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[],
            $8::text[], $9::bigint[], $10::timestamptz[], $11::timestamptz[])
"""
"""The drawn cards: the flow sends them by COPY, which pgbench has no way to repeat."""


class NotRecorded(Outage):
    """No opening could be recorded that pgbench can repeat."""

    code = "bench_not_recorded"


class OpeningScript:
    """The script, and how many copies of each card one transaction takes on average."""

    def __init__(self, script: Script, expected: dict[CardId, Fraction]) -> None:
        self.script = script
        self.expected = expected


async def record_opening(stage: Stage, *, slug: str) -> OpeningScript:
    """Open packs until all cards of a few are different, and write the shortest as a script.

    Raises ``NotRecorded``.
    """
    async with recording_house(stage.house) as (house, recording):
        pack = await house.packs.get_pack(house.database, slug)
        common = sorted(
            card for card, copies in expected_copies(pack.config).items() if copies >= COMMON_SHARE
        )
        # The first opening also reads what is kept in memory from then on.
        await _open(house, recording, stage.filled.recorded.user_id, slug)
        found: list[tuple[Recorded, list[SentStatement]]] = []
        for _ in range(ATTEMPTS_MAX):
            recorded, sent = await _record(house, recording, stage, slug, common)
            if len({card for card, _ in recorded.cards}) == draws.cards_in_a_pack(pack.config):
                found.append((recorded, sent))
            if len(found) == RECORDINGS:
                break
    if not found:
        raise NotRecorded(
            f"{slug} never gave an opening without doubles in {ATTEMPTS_MAX} attempts."
        )
    # Now and then an opening also renews what its process remembers; most of them do not.
    recorded, sent = min(found, key=lambda each: len(each[1]))
    return OpeningScript(write_script(sent, recorded), _expected(recorded.pools))


async def _record(
    house: House, recording: RecordingDatabase, stage: Stage, slug: str, common: Sequence[CardId]
) -> tuple[Recorded, list[SentStatement]]:
    user_id = stage.filled.recorded.user_id
    async with stage.house.database.connection() as connection:
        purse = await wallet.find_wallet(connection, user_id)
    if purse is None:
        raise NotRecorded("The collector to be recorded has no wallet.")
    begun_at = house.clock() - timedelta(milliseconds=1)
    key, sent = await _open(house, recording, user_id, slug)
    async with stage.house.database.connection() as connection:
        rows = await connection.fetch(LIST_CARDS, user_id)
    inserted = SentStatement(
        INSERT_CARDS.strip(), tuple(map(list, zip(*(tuple(row) for row in rows), strict=True)))
    )
    cards = [(row["card_id"], row["stock_item_id"]) for row in rows]
    return (
        Recorded(
            user_id=user_id,
            seed_pair_id=purse.seed_pair_id,
            balance=purse.balance,
            sequence=purse.sequence,
            nonce=purse.nonce,
            key=key,
            begun_at=begun_at,
            cards=cards,
            pools=pools_of(common, len(cards)),
            standing=load_queries("packhouse.draws")["list_opening_standings"],
            claim=load_queries("packhouse.catalog")["claim_stock_items"],
        ),
        _with_cards(sent, inserted),
    )


def _with_cards(sent: Sequence[SentStatement], inserted: SentStatement) -> list[SentStatement]:
    """The cards' insertion in its place: after that of their opening."""
    texts = [each.text.startswith("INSERT INTO openings") for each in sent]
    if True not in texts:
        raise NotRecorded("An opening was recorded that inserts no opening.")
    after = texts.index(True) + 1
    return [*sent[:after], inserted, *sent[after:]]


async def _open(
    house: House, recording: RecordingDatabase, user_id: UserId, slug: str
) -> tuple[str, list[SentStatement]]:
    request = OpenPacks(quantity=1)
    key = f"bench-{new_id()}"
    repeat = recognise(
        user_id=user_id, route=f"POST /api/v1/packs/{slug}/openings", key=key, request=request
    )
    recording.sent.clear()
    await open_pack(house, OpenPack(user_id=user_id, slug=slug, request=request, repeat=repeat))
    return key, list(recording.sent)


def pools_of(cards: Sequence[UUID], count: int) -> list[Sequence[UUID]]:
    """``cards``, in order, cut into ``count`` runs of about the same length."""
    bounds = [len(cards) * index // count for index in range(count + 1)]
    return [cards[low:high] for low, high in pairwise(bounds)]


def _expected(pools: Sequence[Sequence[UUID]]) -> dict[CardId, Fraction]:
    return {CardId(card): Fraction(1, len(pool)) for pool in pools for card in pool}
