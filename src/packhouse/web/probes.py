"""Probes and metrics of a web worker."""

import asyncio
import time
from collections.abc import Callable

from packhouse.foundation.errors import Outage
from packhouse.house import House
from packhouse.plumbing.metrics import DRAW_DRIFT
from packhouse.web.answers import send_answer
from packhouse.web.api.drift import drift_monitor
from packhouse.web.asgi import ASGIApp, Receive, Scope, Send
from packhouse.web.readiness import PROBE_TIMEOUT_SECONDS, answer_probe, metrics_answer

DRIFT_FRESH_SECONDS = 5.0


def probes(house: House, *, is_draining: Callable[[], bool]) -> ASGIApp:
    """Answers ``/health/live`` and ``/health/ready``."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        probed = await answer_probe(
            scope["path"],
            database=house.database,
            valkey=house.valkey,
            is_draining=is_draining(),
        )
        await send_answer(probed, send)

    return answer


def metrics(house: House) -> ASGIApp:
    """Answers ``/metrics`` in Prometheus' text form."""
    drift = DriftGauge(house)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await drift.refresh()
        await send_answer(metrics_answer(), send)

    return answer


class DriftGauge:
    """The p-values of the versions on sale, read from PostgreSQL: each process tells the same.

    Without PostgreSQL there is no value; the other metrics are still answered.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._looked_at = float("-inf")

    async def refresh(self) -> None:
        """Look again, unless that was done some seconds ago."""
        if time.monotonic() - self._looked_at < DRIFT_FRESH_SECONDS:
            return
        self._looked_at = time.monotonic()
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                report = await drift_monitor.report(self._house)
        except (Outage, TimeoutError):
            DRAW_DRIFT.replace({})
            return
        DRAW_DRIFT.replace(
            {
                (version.pack, str(version.version)): (
                    1.0 if version.p_value is None else version.p_value
                )
                for version in report.versions
                if version.is_on_sale
            }
        )
