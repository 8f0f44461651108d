"""Streams that come, break, lag and come back at random, beside a feed that grows at random.

What a listener had when it first came and everything it was sent since are the feed as it is now:
each pull once, in order, whatever was interleaved with what. The ring is kept so small that many
come back from PostgreSQL.
"""

import asyncio
import random
from typing import get_args

import pytest

from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.web.live import history, hub
from worlds.event_streams import EventStream, listen_over_socket, serve_live
from worlds.made_up_pulls import append_pulls

STEPS = 60
LISTENERS = 8


class Follower:
    """Somebody who comes back again and again with the last id that was seen."""

    def __init__(self, tier: Tier | None) -> None:
        self.tier = tier
        self.first: int | None = None
        self.last: int | None = None
        self.seen: list[int] = []

    def take(self, stream: EventStream) -> None:
        """Note what a stream brought before it broke."""
        self.seen += [sequence for sequence, _ in stream.pulls()]
        if self.first is None:
            welcome = stream.text.split("\n\n")[0]
            self.first = int(welcome.rpartition("id: ")[2])
        self.last = stream.last_id()

    async def live(self, port: int, chance: random.Random, done: asyncio.Event) -> None:
        """Listen for a while, break off, come back; until ``done``."""
        while not done.is_set():
            await self.listen_once(port, pause=chance.random() * 0.1)
            await asyncio.sleep(chance.random() * 0.05)

    async def listen_once(self, port: int, *, pause: float = 0.0, until: int = 0) -> None:
        headers = {} if self.last is None else {"last-event-id": str(self.last)}
        query = "" if self.tier is None else f"tier={self.tier}"
        async with listen_over_socket(port, query, headers) as stream:
            assert stream.status == 200
            await stream.wait_until(lambda: "\n\n" in stream.text)
            await asyncio.sleep(pause)
            if until:
                await stream.wait_until(lambda: stream.last_id() >= until)
            self.take(stream)


@pytest.mark.parametrize("seed", range(4))
async def test_initial_state_and_replay_are_the_new_state(
    house: House, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a simulation, repeatable by its seed
    monkeypatch.setattr(hub, "LIVE_RING_PULLS", chance.choice([5, 40, 10_000]))
    monkeypatch.setattr(hub, "ALONE_SECONDS", chance.choice([0.0, 0.02, 5.0]))
    monkeypatch.setattr(hub, "LIVE_BATCH_PULLS_MAX", chance.choice([1, 7, 100]))
    monkeypatch.setattr(history, "LIVE_PAGE_PULLS", chance.choice([3, 100]))
    tiers: list[Tier] = list(get_args(Tier))
    await append_pulls(house, chance.choices(tiers, k=chance.randint(0, 30)))
    followers = [Follower(chance.choice([None, None, *tiers])) for _ in range(LISTENERS)]
    feed_of: dict[int, Tier] = {}
    async with serve_live(house) as (port, _), asyncio.TaskGroup() as group:
        done = asyncio.Event()
        for number, follower in enumerate(followers):
            group.create_task(follower.live(port, random.Random(f"{seed}-{number}"), done))  # noqa: S311
        for _ in range(STEPS):
            added = chance.choices(tiers, k=chance.randint(1, 12))
            last = await append_pulls(house, added, is_called=chance.random() < 0.8)
            feed_of |= {last - len(added) + 1 + place: tier for place, tier in enumerate(added)}
            await asyncio.sleep(chance.random() * 0.03)
        done.set()
    async with serve_live(house) as (port, _):
        # The last pull is of every follower's tier, so that its coming says that all has come.
        last = await append_pulls(house, tiers)
        feed_of |= {last - len(tiers) + 1 + place: tier for place, tier in enumerate(tiers)}
        for follower in followers:
            newest = max(n for n, tier in feed_of.items() if follower.tier in (None, tier))
            await follower.listen_once(port, until=newest)
    for follower in followers:
        assert follower.first is not None
        expected = [
            sequence
            for sequence, tier in sorted(feed_of.items())
            if sequence > follower.first and follower.tier in (None, tier)
        ]
        assert follower.seen == expected, f"seed {seed}, tier {follower.tier}"
