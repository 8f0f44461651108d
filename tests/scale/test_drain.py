"""A server that is told to stop serves on while its readiness says no, and hangs up politely."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from packhouse.house import House
from packhouse.web.session import cookie_name
from worlds.event_streams import listen_over_socket
from worlds.made_up_pulls import append_pulls
from worlds.served_roles import (
    PATIENCE_SECONDS,
    Role,
    free_port,
    start,
    until_ready,
    until_refused,
)
from worlds.veil_shop import make_collector, open_veil_shop

pytestmark = pytest.mark.scale

DRAIN = {"drain_seconds": "3"}


@asynccontextmanager
async def start_web(house: House, **changed: str) -> AsyncIterator[Role]:
    port = free_port()
    web = {"http_port": str(port), "seed_key": "00" * 32, "http_workers": "1"}
    async with start(house, port, "web", **(web | changed)) as role:
        await until_ready(role)
        yield role


@pytest.fixture
async def draining(house: House) -> AsyncIterator[Role]:
    async with start_web(house, **DRAIN) as role:
        role.child.send_signal(signal.SIGTERM)
        await until_draining(role)
        yield role


async def until_draining(role: Role) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient() as client:
        while True:
            answer = await client.get(f"http://127.0.0.1:{role.port}/health/ready")
            if answer.status_code == 503:
                assert answer.json()["status"] == "draining"
                return
            await asyncio.sleep(0.02)


async def test_while_it_drains_everything_is_answered_and_says_goodbye(draining: Role) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{draining.port}") as client:
        for path in ("/api/v1/packs", "/", "/api/v1/packs", "/health/live"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    assert await draining.wait() == 0


async def test_a_connection_that_was_open_before_is_told_so_by_its_next_answer(
    house: House,
) -> None:
    async with start_web(house, **DRAIN) as web:
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        ask = b"GET /api/v1/packs HTTP/1.1\r\nHost: shop\r\n\r\n"
        writer.write(ask)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"connection: close" not in head
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        web.child.send_signal(signal.SIGTERM)
        await until_draining(web)
        writer.write(ask)
        assert b"connection: close" in await reader.readuntil(b"\r\n\r\n")
        await reader.read()
        writer.close()


async def test_streams_are_open_until_the_drain_is_over(house: House) -> None:
    async with start_web(house, **DRAIN) as web, listen_over_socket(web.port) as stream:
        web.child.send_signal(signal.SIGTERM)
        await until_draining(web)
        await append_pulls(house, ["D"])
        assert [sequence for sequence, _ in await stream.wait_for(1)] == [1]
        await stream.wait_for_the_end()
        assert not stream.is_broken


async def test_the_live_role_drains_alike(house: House) -> None:
    port = free_port()
    async with start(house, port, **DRAIN) as live:
        await until_ready(live)
        async with listen_over_socket(port) as stream:
            live.child.send_signal(signal.SIGTERM)
            await until_draining(live)
            async with listen_over_socket(port) as late:
                await append_pulls(house, ["D"])
                for each in (stream, late):
                    assert [sequence for sequence, _ in await each.wait_for(1)] == [1]
                    await each.wait_for_the_end()
                    assert not each.is_broken
        assert await live.wait() == 0


async def test_a_port_is_closed_while_what_is_in_hand_is_finished(house: House) -> None:
    await open_veil_shop(house)
    signed_in = await make_collector(house, "ada", credits_minor=50_000)
    async with (
        start_web(house, http_workers="2") as web,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}") as client,
    ):
        client.cookies.set(cookie_name(house.settings), signed_in.token)
        async with house.database.connection() as connection, connection.transaction():
            await connection.execute("SELECT 1 FROM wallets FOR UPDATE")
            opening = asyncio.create_task(
                client.post(
                    "/api/v1/packs/veil-eight/openings",
                    json={"quantity": 1},
                    headers={"Idempotency-Key": "held up"},
                )
            )
            await asyncio.sleep(0.3)
            web.child.send_signal(signal.SIGTERM)
            await until_refused(web.port)
            assert not opening.done()
        assert (await opening).status_code == 201
        assert await web.wait() == 0


async def test_who_stands_in_the_door_is_still_served(house: House) -> None:
    """A worker that accepts nobody for a moment has them waiting when it is told to stop."""
    async with start_web(house) as web:
        (worker,) = web.workers()
        os.kill(worker, signal.SIGSTOP)
        waiting = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(20)]
        for _, writer in waiting:
            writer.write(b"GET /api/v1/packs HTTP/1.1\r\nHost: shop\r\n\r\n")
        web.child.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        os.kill(worker, signal.SIGCONT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            for reader, writer in waiting:
                assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
                writer.close()
        assert await web.wait() == 0
