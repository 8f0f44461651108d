"""The sweep's loop: once a minute it does what falls due by the passing of time alone."""

import asyncio
from contextlib import suppress

from packhouse import accounts
from packhouse.flows.erase_feed_names import erase_feed_names
from packhouse.flows.reveal_due_seeds import reveal_due_seeds
from packhouse.foundation.errors import Outage
from packhouse.foundation.limits import (
    SEED_PAIRS_PER_SWEEP,
    SESSIONS_PER_SWEEP,
    SWEEP_PAUSE_SECONDS,
)
from packhouse.house import House
from packhouse.plumbing.logging import get_log

log = get_log(__name__)


async def run_sweep(house: House, stop: asyncio.Event) -> None:
    """Sweep until ``stop`` is set; an outage is waited out, a breach ends the worker loudly."""
    while not stop.is_set():
        try:
            await _reveal_seeds(house, stop)
            await _erase_names(house, stop)
            await _delete_sessions(house, stop)
        except Outage as outage:
            log.warning("The sweep waits for the database", code=outage.code)
        with suppress(TimeoutError):
            async with asyncio.timeout(SWEEP_PAUSE_SECONDS):
                await stop.wait()


async def _reveal_seeds(house: House, stop: asyncio.Event) -> None:
    while not stop.is_set():
        batch = await reveal_due_seeds(house)
        if batch.revealed:
            log.info("Seeds in use for long were revealed", pairs=batch.revealed)
        if batch.late:
            log.error("Seeds were revealed later than promised", pairs=batch.late)
        # A full batch of which nothing was left to do is another sweep's; it goes on with the rest.
        if batch.due < SEED_PAIRS_PER_SWEEP or not batch.revealed:
            return


async def _erase_names(house: House, stop: asyncio.Event) -> None:
    while not stop.is_set():
        if not await erase_feed_names(house):
            return


async def _delete_sessions(house: House, stop: asyncio.Event) -> None:
    while not stop.is_set():
        async with house.database.connection() as connection:
            deleted = await accounts.delete_expired_sessions(
                connection, now=house.clock(), limit=SESSIONS_PER_SWEEP
            )
        if deleted < SESSIONS_PER_SWEEP:
            return
