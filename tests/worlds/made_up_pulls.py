"""Pulls written straight into the feed, as the relay would, for tests that want many of them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from packhouse import feed
from packhouse.feed import Pull, PulledFrom
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import OpeningId, new_id
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.plumbing.valkey import FEED_CHANNEL


def made_up_pull(sequence: int, tier: Tier = "D") -> Pull:
    return Pull(
        sequence=sequence,
        username="ada",
        card=CardFace(id=new_id(), name="Veil", set="First", number="1", image_url=None),
        tier=tier,
        value=10,
        pack=PulledFrom(slug="veil", name="Veil"),
        opening_id=OpeningId(new_id()),
        created_at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    )


async def append_pulls(house: House, tiers: Sequence[Tier], *, is_called: bool = True) -> int:
    """Append a pull for each tier in one transaction; gives the feed's last sequence."""
    async with house.database.transaction() as connection:
        last = await feed.find_last_sequence(connection)
        pulls = [made_up_pull(last + place, tier) for place, tier in enumerate(tiers, start=1)]
        await feed.insert_pulls(connection, pulls)
    if is_called:
        await house.valkey.ask(house.valkey.client.publish(FEED_CHANNEL, last + len(tiers)))
    return last + len(tiers)
