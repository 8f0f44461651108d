"""The sequencer's loop: once a second, a checkpoint on what the relay has logged since."""

import asyncio
from contextlib import suppress

from packhouse.flows.sequence_log import sequence_log
from packhouse.foundation.errors import Outage
from packhouse.foundation.limits import CHECKPOINT_PAUSE_SECONDS, LOG_LEAVES_PER_BATCH
from packhouse.house import House
from packhouse.plumbing.logging import get_log

log = get_log(__name__)


async def run_sequencer(house: House, stop: asyncio.Event) -> None:
    """Sequence until ``stop`` is set; an outage is waited out, a breach ends the worker loudly."""
    while not stop.is_set():
        pause = CHECKPOINT_PAUSE_SECONDS
        try:
            sequenced = await sequence_log(house)
        except Outage as outage:
            log.warning("The sequencer waits for the database", code=outage.code)
        else:
            if sequenced is not None and sequenced.leaves >= LOG_LEAVES_PER_BATCH:
                pause = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
