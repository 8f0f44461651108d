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
from packhouse.web.answers import Answer, send_answer
from packhouse.web.asgi import ASGIApp, Receive, Scope, Send

PROBE_TIMEOUT_SECONDS = 2.0

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


def metrics() -> ASGIApp:
    """Answers ``/metrics`` in Prometheus' text form."""
    registry = CollectorRegistry()
    Gauge("packhouse_build_info", "The running version.", ["version"], registry=registry).labels(
        version=__version__
    ).set(1)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        kind = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        body = generate_latest(registry)
        await send_answer(Answer(status=200, body=body, headers=(kind, _UNCACHED)), send)

    return answer


async def _ask_database(house: House) -> None:
    async with house.database.connection() as connection:
        await connection.fetchval("SELECT 1")


async def _time(question: Awaitable[object]) -> DependencyState:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            await question
    except (Outage, TimeoutError):
        return DependencyState(state="down", latency_ms=_milliseconds_since(started))
    return DependencyState(state="up", latency_ms=_milliseconds_since(started))


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
