"""Probes: whether everything that a role needs answers, how fast, and what it has counted."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final, Literal

import msgspec

from packhouse.foundation.errors import NotFound, Outage
from packhouse.plumbing.meter_text import CONTENT_TYPE
from packhouse.plumbing.metrics import METERS
from packhouse.plumbing.postgres import Database, DatabaseBusy, ReplicaStanding
from packhouse.plumbing.valkey import Valkey
from packhouse.web.answers import Answer

PROBE_TIMEOUT_SECONDS: Final = 2.0

METRICS_PATH: Final = "/metrics"

_UNCACHED: Final = (b"cache-control", b"no-store")
_HEADERS: Final = ((b"content-type", b"application/json"), _UNCACHED)
_METRICS_HEADERS: Final = ((b"content-type", CONTENT_TYPE.encode()), _UNCACHED)


class DependencyState(msgspec.Struct, frozen=True):
    """How one dependency answers; the latency in milliseconds."""

    state: Literal["up", "down"]
    latency_ms: float


class Readiness(msgspec.Struct, frozen=True):
    """Ready means that the role works: PostgreSQL must answer, Valkey and replicas may be away.

    Draining means that it works and is about to stop: who is new should go elsewhere.
    """

    status: Literal["ready", "not_ready", "draining"]
    database: DependencyState
    cache: DependencyState
    replicas: list[ReplicaStanding]


async def answer_probe(
    path: str, *, database: Database, valkey: Valkey, is_draining: bool
) -> Answer:
    """The answer of ``/health/live`` or ``/health/ready``. Raises ``NotFound``."""
    if path == "/health/live":
        body = msgspec.json.encode({"status": "live"})
        return Answer(status=200, body=body, headers=_HEADERS)
    if path != "/health/ready":
        raise NotFound("There is no such probe.")
    readiness = await check_readiness(database, valkey)
    if is_draining:
        readiness = msgspec.structs.replace(readiness, status="draining")
    return Answer(
        status=200 if readiness.status == "ready" else 503,
        body=msgspec.json.encode(readiness),
        headers=_HEADERS,
    )


def metrics_answer() -> Answer:
    """What this process and those beside it have counted, in Prometheus' text form."""
    return Answer(status=200, body=METERS.text().encode(), headers=_METRICS_HEADERS)


async def check_readiness(database: Database, valkey: Valkey) -> Readiness:
    """Ask every dependency at the same time."""
    database_state, cache_state = await asyncio.gather(
        _time(_ask_database(database)), _time(valkey.ask(valkey.client.ping()))
    )
    return Readiness(
        status="ready" if database_state.state == "up" else "not_ready",
        database=database_state,
        cache=cache_state,
        replicas=database.list_replicas(),
    )


async def _ask_database(database: Database) -> None:
    async with database.connection() as connection:
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
