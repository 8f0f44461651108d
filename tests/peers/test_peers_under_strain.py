"""The peers of the repository, started for real: they keep the laws where it is hard to.

A peer that broke under two requests at once would be no yardstick, however fast it is.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from packhouse.bench.peers import RunningPeer, list_peers, running_peer
from packhouse.bench.same_work import (
    OPENINGS_PATH,
    THEIRS,
    Answer,
    ask,
    require_every_law,
    require_same_work,
)
from packhouse.bench.stage import Stage
from packhouse.flows.announcements import stock_added, stock_withdrawn
from packhouse.foundation.events import WaitingEvent
from packhouse.plumbing.outbox import insert_events

pytestmark = [
    pytest.mark.peers,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("name", [found.peer.name for found in list_peers()]),
]

ONE_PACK = b'{"quantity":1}'
AT_ONCE = 12
COPIES_LEFT = 2


@asynccontextmanager
async def running(stage: Stage, name: str) -> AsyncIterator[RunningPeer]:
    (found,) = [each for each in list_peers() if each.peer.name == name]
    async with running_peer(found, stage) as peer:
        yield peer


async def open_one(peer: RunningPeer, which: int, key: str, body: bytes = ONE_PACK) -> Answer:
    return await ask(
        peer.port, "POST", OPENINGS_PATH, cookie=peer.cookies[which], key=key, body=body
    )


async def change(stage: Stage, *statements: str) -> None:
    async with stage.house.database.connection() as connection:
        for statement in statements:
            await connection.execute(statement)


async def test_it_does_the_same_work_as_the_shop(stage: Stage, name: str) -> None:
    async with running(stage, name) as peer:
        await require_same_work(stage, peer)


async def test_one_key_sent_many_times_at_once_opens_one_pack(stage: Stage, name: str) -> None:
    async with running(stage, name) as peer:
        key = f"again-{name}"
        answers = await asyncio.gather(*(open_one(peer, 0, key) for _ in range(AT_ONCE)))
        assert {answer.status for answer in answers} == {201}
        assert len({answer.body["openings"][0]["id"] for answer in answers}) == 1
        changed = await open_one(peer, 0, key, b'{"quantity":2}')
        assert (changed.status, changed.body["code"]) == (409, "idempotency_key_reused")
        await require_every_law(stage, name)


async def test_one_wallet_opens_many_packs_at_once(stage: Stage, name: str) -> None:
    async with running(stage, name) as peer:
        keys = [f"{number}-{name}" for number in range(AT_ONCE)]
        answers = await asyncio.gather(*(open_one(peer, 1, key) for key in keys))
        nonces = [answer.body["openings"][0]["proof"]["nonce"] for answer in answers]
        assert sorted(nonces) == list(range(min(nonces), min(nonces) + AT_ONCE))
        await require_every_law(stage, name)


async def test_the_last_copies_go_once_and_what_is_gone_is_paid(stage: Stage, name: str) -> None:
    everybody = range(len(stage.collectors) + THEIRS)
    async with running(stage, name) as peer:
        await move(stage, KEEP_FEW, stock_withdrawn)
        try:
            answers = await asyncio.gather(
                *(open_one(peer, which, f"last-{name}") for which in everybody)
            )
            await require_every_law(stage, name)
        finally:
            await change(stage, "DELETE FROM pack_pauses")
            await move(stage, PUT_BACK, stock_added)
    statuses = Counter(answer.status for answer in answers)
    assert statuses.keys() == {201, 409}
    cards = [
        card
        for answer in answers
        if answer.status == 201
        for card in answer.body["openings"][0]["cards"]
    ]
    assert {card["paid_out"] for card in cards} == {True, False}


async def move(stage: Stage, statement: str, told: Callable[..., list[WaitingEvent]]) -> None:
    """Move copies by hand, and tell the draw log of it as staff's flow does."""
    house = stage.house
    async with house.database.transaction() as connection:
        moved = Counter(row["card_id"] for row in await connection.fetch(statement))
        await insert_events(connection, told(moved, now=house.clock()))


PUT_BACK = "UPDATE stock_items SET place = 'on_sale' WHERE place = 'house' RETURNING card_id"

KEEP_FEW = f"""
UPDATE stock_items SET place = 'house'
WHERE place = 'on_sale' AND lot_id IS NULL AND (card_id, id) NOT IN (
    SELECT card_id, id
    FROM (
        SELECT card_id, id, row_number() OVER (PARTITION BY card_id ORDER BY id) AS number
        FROM stock_items
        WHERE place = 'on_sale' AND lot_id IS NULL
    ) AS free
    WHERE number <= {COPIES_LEFT}
)
RETURNING card_id"""  # noqa: S608 - a number of ours
