"""The relay's loop: batch after batch while there is work, a short pause when there is none."""

import asyncio
from contextlib import suppress

from packhouse.flows.relay_events import relay_events
from packhouse.foundation.errors import Outage
from packhouse.foundation.limits import RELAY_BATCH_EVENTS, RELAY_PAUSE_SECONDS
from packhouse.house import House
from packhouse.plumbing.logging import get_log
from packhouse.plumbing.valkey import FEED_CHANNEL, CacheUnavailable

OUTAGE_PAUSE_SECONDS = 1.0

log = get_log(__name__)


async def run_relay(house: House, stop: asyncio.Event) -> None:
    """Relay until ``stop`` is set; an outage is waited out, a breach ends the worker loudly."""
    while not stop.is_set():
        pause = RELAY_PAUSE_SECONDS
        try:
            relayed = await relay_events(house)
        except Outage as outage:
            log.warning("The relay waits for the database", code=outage.code)
            pause = OUTAGE_PAUSE_SECONDS
        else:
            if relayed is not None and relayed.last_sequence is not None:
                await _announce(house, relayed.last_sequence)
            if relayed is not None and relayed.events >= RELAY_BATCH_EVENTS:
                pause = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()


async def _announce(house: House, last_sequence: int) -> None:
    # Streams look at the feed by themselves once a second; the call only makes them look sooner.
    with suppress(CacheUnavailable):
        await house.valkey.ask(house.valkey.client.publish(FEED_CHANNEL, last_sequence))
