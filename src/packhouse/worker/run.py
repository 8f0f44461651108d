"""The worker program: opens the house and runs its loops until it is told to stop."""

import asyncio
import gc
import os
import signal
from typing import Final

import uvloop

from packhouse.foundation.limits import WORKER_CONNECTIONS
from packhouse.house import open_house
from packhouse.plumbing.logging import configure_logging, get_log
from packhouse.plumbing.meter_memory import handed_meter_memory
from packhouse.plumbing.metrics import METERS
from packhouse.plumbing.settings import Settings, require_setting
from packhouse.worker.jobs import run_jobs
from packhouse.worker.probes import probes_open
from packhouse.worker.relay import run_relay
from packhouse.worker.sequencer import run_sequencer
from packhouse.worker.watch import run_watch

LOOPS = (run_relay, run_sequencer, run_jobs, run_watch)
"""Each takes the house and an event that ends it."""

GC_THRESHOLD: Final = 50_000
"""Objects made and not yet freed, before the youngest are looked through for cycles: more than one
batch of the relay makes, whose receipts have none."""

log = get_log(__name__)


def run_worker(settings: Settings, *, address: str | None = None) -> None:
    """Run every loop until SIGTERM or SIGINT; each first finishes what it is doing.

    Probes are answered at ``address``, where there is one.

    Raises ``InvalidSettings`` without ``log_key``, and ``DatabaseUnavailable`` when there is no
    database to begin with. A breach in one loop ends all of them, loudly.
    """
    require_setting(settings.log_key, name="log_key")
    configure_logging(
        log_format=settings.log_format,
        log_level=settings.log_level,
        environment=settings.environment,
    )
    METERS.begin(role="worker", memory=handed_meter_memory(os.environ))
    uvloop.run(_run_loops(settings, address))


async def _run_loops(settings: Settings, address: str | None) -> None:
    stop = asyncio.Event()
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop_signal, stop.set)
    opening = open_house(settings, connections=WORKER_CONNECTIONS)
    async with (
        opening as house,
        probes_open(house, address=address, port=settings.worker_port),
        asyncio.TaskGroup() as loops,
    ):
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        for run_loop in LOOPS:
            loops.create_task(run_loop(house, stop))
        log.info("The worker runs")
    log.info("The worker has stopped")
