"""Probes: whether the process runs, and whether everything it needs answers."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Literal

import msgspec
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from packhouse import __version__
from packhouse.foundation.errors import NotFound, Outage
from packhouse.house import House
from packhouse.plumbing.postgres import DatabaseBusy
from packhouse.web.answers import Answer, send_answer
from packhouse.web.api.drift import drift_monitor
from packhouse.web.asgi import ASGIApp, Receive, Scope, Send

PROBE_TIMEOUT_SECONDS = 2.0
DRIFT_FRESH_SECONDS = 5.0

_JSON = (b"content-type", b"application/json")
_UNCACHED = (b"cache-control", b"no-store")


class DependencyState(msgspec.Struct, frozen=True):
    """How one dependency answers; the latency in milliseconds."""

    state: Literal["up", "down"]
    latency_ms: float


class Readiness(msgspec.Struct, frozen=True):
    """Ready means that the shop sells: PostgreSQL must answer, Valkey may be away."""

    status: Literal["ready", "not_ready"]
    database: DependencyState
    cache: DependencyState


def probes(house: House) -> ASGIApp:
    """Answers ``/health/live`` and ``/health/ready``."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/health/live":
            body = msgspec.json.encode({"status": "live"})
            await send_answer(Answer(status=200, body=body, headers=(_JSON, _UNCACHED)), send)
            return
        if scope["path"] != "/health/ready":
            raise NotFound("There is no such probe.")
        readiness = await check_readiness(house)
        await send_answer(
            Answer(
                status=200 if readiness.status == "ready" else 503,
                body=msgspec.json.encode(readiness),
                headers=(_JSON, _UNCACHED),
            ),
            send,
        )

    return answer


async def check_readiness(house: House) -> Readiness:
    """Ask every dependency at the same time."""
    database, cache = await asyncio.gather(
        _time(_ask_database(house)), _time(house.valkey.ask(house.valkey.client.ping()))
    )
    return Readiness(
        status="ready" if database.state == "up" else "not_ready", database=database, cache=cache
    )


def metrics(house: House) -> ASGIApp:
    """Answers ``/metrics`` in Prometheus' text form."""
    registry = CollectorRegistry()
    Gauge("packhouse_build_info", "The running version.", ["version"], registry=registry).labels(
        version=__version__
    ).set(1)
    drift = DriftGauge(house, registry)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        kind = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        await drift.refresh()
        body = generate_latest(registry)
        await send_answer(Answer(status=200, body=body, headers=(kind, _UNCACHED)), send)

    return answer


class DriftGauge:
    """The p-values of the versions on sale, read from PostgreSQL: each process tells the same.

    Without PostgreSQL there is no value; the other metrics are still answered.
    """

    def __init__(self, house: House, registry: CollectorRegistry) -> None:
        self._house = house
        self._looked_at = float("-inf")
        self._gauge = Gauge(
            "packhouse_draw_drift_p_value",
            "How often honest draws differ from a version's odds at least as much as its cards do.",
            ["pack", "version"],
            registry=registry,
        )

    async def refresh(self) -> None:
        """Look again, unless that was done some seconds ago."""
        if time.monotonic() - self._looked_at < DRIFT_FRESH_SECONDS:
            return
        self._looked_at = time.monotonic()
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                report = await drift_monitor.report(self._house)
        except (Outage, TimeoutError):
            self._gauge.clear()
            return
        self._gauge.clear()
        for version in report.versions:
            if version.is_on_sale:
                value = 1.0 if version.p_value is None else version.p_value
                self._gauge.labels(pack=version.pack, version=version.version).set(value)


async def _ask_database(house: House) -> None:
    async with house.database.connection() as connection:
        await connection.fetchval("SELECT 1")


async def _time(question: Awaitable[object]) -> DependencyState:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            await question
    except DatabaseBusy:
        # It is there, with more to do than it can: sending this process's visitors to the others,
        # who have as much to do, would only spread the trouble.
        return DependencyState(state="up", latency_ms=_milliseconds_since(started))
    except (Outage, TimeoutError):
        return DependencyState(state="down", latency_ms=_milliseconds_since(started))
    return DependencyState(state="up", latency_ms=_milliseconds_since(started))


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
