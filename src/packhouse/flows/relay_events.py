"""The relay moves committed events on: to the feed, to public receipts, to the house's accounts.

It is one at a time everywhere (a transaction-level advisory lock), so the feed's sequence has no
gaps that a reader could see and the same order for everybody. Events are moved by deletion in the
same transaction: killed at any instant, an event is either still waiting or wholly moved on.

Lock order: the advisory lock · outbox rows · house accounts by name.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from packhouse import draws, feed, shipping, wallet
from packhouse.draws import KeptReceipt, Receipt
from packhouse.feed import Pull, PulledFrom
from packhouse.foundation.errors import Breach
from packhouse.foundation.events import PackOpened, ShippingRequested, WaitingEvent
from packhouse.foundation.identifiers import OpeningId, new_id
from packhouse.foundation.limits import RELAY_BATCH_EVENTS
from packhouse.house import House
from packhouse.plumbing.outbox import claim_relay, delete_events, list_waiting_events
from packhouse.plumbing.postgres import Connection
from packhouse.wallet import HousePosting


class Relayed(msgspec.Struct, frozen=True):
    """What one batch moved on; ``last_sequence`` is the feed's end, None if it did not grow."""

    events: int
    pulls: int
    last_sequence: int | None


async def relay_events(house: House) -> Relayed | None:
    """Move one batch on; None when another relay is at work."""
    now = house.clock()
    async with house.database.transaction() as connection:
        if not await claim_relay(connection):
            return None
        events = await list_waiting_events(connection, limit=RELAY_BATCH_EVENTS)
        if not events:
            return Relayed(events=0, pulls=0, last_sequence=None)
        pulls = await _publish_openings(connection, events)
        requests = [
            (event.subject_id, event.user_id, event.created_at)
            for event in events
            if isinstance(event.event, ShippingRequested)
        ]
        if requests:
            await shipping.insert_directory_entries(connection, requests)
        await _post_house_entries(connection, events, now=now)
        await delete_events(connection, events)
    last = pulls[-1].sequence if pulls else None
    return Relayed(events=len(events), pulls=len(pulls), last_sequence=last)


async def _publish_openings(connection: Connection, events: Sequence[WaitingEvent]) -> list[Pull]:
    opened = [(event, event.event) for event in events if isinstance(event.event, PackOpened)]
    if not opened:
        return []
    kept = await draws.list_opening_receipts(
        connection, [(event.user_id, event.subject_id) for event, _ in opened]
    )
    await draws.insert_receipts(connection, kept)
    receipts: dict[OpeningId, KeptReceipt] = {receipt.id: receipt for receipt, _ in kept}
    sequence = await feed.find_last_sequence(connection)
    pulls: list[Pull] = []
    for event, fact in opened:
        found = receipts.get(OpeningId(event.subject_id))
        if found is None:
            raise Breach(f"The opening {event.subject_id} has an event but no record.")
        receipt = msgspec.json.decode(found.receipt, type=Receipt)
        for card in receipt.cards:
            sequence += 1
            pulls.append(
                Pull(
                    sequence=sequence,
                    username=fact.username,
                    card=card.card,
                    tier=card.tier,
                    value=card.value,
                    pack=PulledFrom(slug=receipt.pack.slug, name=receipt.pack.name),
                    opening_id=receipt.id,
                    created_at=event.created_at,
                )
            )
    await feed.insert_pulls(connection, pulls)
    return pulls


async def _post_house_entries(
    connection: Connection, events: Sequence[WaitingEvent], *, now: datetime
) -> None:
    amounts: dict[str, int] = defaultdict(int)
    counts: dict[str, int] = defaultdict(int)
    for event in events:
        for posting in event.event.postings:
            amounts[posting.account] += posting.amount
            counts[posting.account] += 1
    postings = [
        HousePosting(account=account, amount=amounts[account], events=counts[account])
        for account in sorted(amounts)
    ]
    if postings:
        await wallet.post_house_entries(connection, postings, batch_id=new_id(), now=now)
