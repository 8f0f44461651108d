"""``packhouse serve live`` as a program of its own, with what it needs killed under it."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import asyncpg
import pytest

from packhouse.house import House
from worlds.event_streams import PATH, listen_over_socket
from worlds.made_up_pulls import append_pulls
from worlds.served_roles import PATIENCE_SECONDS, Role, free_port, start, until_ready

DEAD_CACHE = "valkey://127.0.0.1:1/0"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def role(house: House, port: int) -> AsyncIterator[Role]:
    async with start(house, port) as started:
        await until_ready(started)
        yield started


async def test_it_needs_no_key_and_says_what_it_does_need(house: House, port: int) -> None:
    async with start(house, port, database_url="", cache_url="") as refused:
        assert await refused.wait() == 2
        assert "PACKHOUSE_DATABASE_URL: is needed" in refused.said()
        assert "PACKHOUSE_CACHE_URL: is needed" in refused.said()
        assert "KEY" not in refused.said()


async def test_a_taken_port_is_told_in_one_line(house: House, role: Role) -> None:
    async with start(house, role.port) as second:
        assert await second.wait() == 1
        assert "PACKHOUSE_LIVE_PORT" in second.said()
        assert "Traceback" not in second.said()


async def test_more_streams_than_files_are_promised_to_nobody(house: House, port: int) -> None:
    async with start(house, port, live_streams_max="1000000") as refused:
        assert await refused.wait() == 1
        assert "PACKHOUSE_LIVE_STREAMS_MAX" in refused.said()


async def test_a_restart_loses_nothing_and_repeats_nothing(house: House, port: int) -> None:
    async with start(house, port) as role:
        await until_ready(role)
        async with listen_over_socket(port) as stream:
            await append_pulls(house, ["D"] * 30)
            seen = [sequence for sequence, _ in await stream.wait_for(30)]
            role.child.kill()
            await role.wait()
    await append_pulls(house, ["S"] * 30)
    async with start(house, port) as role:
        await until_ready(role)
        async with listen_over_socket(port, headers={"last-event-id": str(seen[-1])}) as stream:
            await append_pulls(house, ["A"] * 5)
            seen += [sequence for sequence, _ in await stream.wait_for(35)]
    assert seen == list(range(1, 66))


async def test_every_stream_is_ended_properly_when_it_stops(house: House, role: Role) -> None:
    async with AsyncExitStack() as streams:
        opened = [
            await streams.enter_async_context(listen_over_socket(role.port, query))
            for query in ["", "tier=S", ""] * 20
        ]
        slow = socket.create_connection(("127.0.0.1", role.port))
        streams.callback(slow.close)
        role.child.send_signal(signal.SIGTERM)
        for stream in opened:
            await stream.wait_for_the_end()
            assert not stream.is_broken
        assert await role.wait() == 0
    assert "Traceback" not in role.said()


async def test_a_web_server_carries_and_ends_streams_alike(house: House, port: int) -> None:
    changed = {"http_port": str(port), "seed_key": "00" * 32, "http_workers": "2"}
    async with start(house, port, "web", **changed) as web:
        await until_ready(web)
        async with AsyncExitStack() as streams:
            opened = [await streams.enter_async_context(listen_over_socket(port)) for _ in range(6)]
            await append_pulls(house, ["D", "S"])
            for stream in opened:
                assert [sequence for sequence, _ in await stream.wait_for(2)] == [1, 2]
            web.child.send_signal(signal.SIGTERM)
            for stream in opened:
                await stream.wait_for_the_end()
                assert not stream.is_broken
            assert await web.wait() == 0


async def test_with_a_dead_valkey_pulls_still_come(house: House, port: int) -> None:
    async with start(house, port, cache_url=DEAD_CACHE) as role:
        await until_ready(role)
        async with listen_over_socket(port) as stream:
            await append_pulls(house, ["D", "S"])
            pulls = await stream.wait_for(2)
        assert [sequence for sequence, _ in pulls] == [1, 2]


async def test_streams_outlive_killed_connections_to_postgresql(
    house: House, port: int, database_url: str
) -> None:
    ours = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    watching = await asyncpg.connect(database_url)
    before = {row["pid"] for row in await watching.fetch(ours)}
    async with start(house, port) as role:
        await until_ready(role)
        async with listen_over_socket(port) as stream, listen_over_socket(port, "tier=S") as tier:
            await append_pulls(house, ["D"])
            await stream.wait_for(1)
            theirs = {row["pid"] for row in await watching.fetch(ours)} - before
            assert theirs
            for pid in theirs:
                await watching.execute("SELECT pg_terminate_backend($1)", pid)
            await append_pulls(house, ["D", "S"])
            assert [sequence for sequence, _ in await stream.wait_for(3)] == [1, 2, 3]
            assert [sequence for sequence, _ in await tier.wait_for(1)] == [3]
    await watching.close()


async def test_it_ends_loudly_and_its_streams_with_it_when_its_work_fails(
    role: Role, database_url: str
) -> None:
    async with listen_over_socket(role.port) as stream:
        connection = await asyncpg.connect(database_url)
        await connection.execute("ALTER TABLE global_feed RENAME TO feed_of_another_version")
        await connection.close()
        await stream.wait_for_the_end()
        assert await role.wait() == 1
    assert "The live feed ended by itself" in role.said()


async def test_who_reads_nothing_is_dropped_while_others_go_on_and_can_come_back(
    house: House, role: Role
) -> None:
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", role.port))
    slow.sendall(f"GET {PATH} HTTP/1.0\r\n\r\n".encode())
    async with listen_over_socket(role.port) as quick:
        for _ in range(10):
            await append_pulls(house, ["D"] * 100)
        pulls = await quick.wait_for(1_000)
        assert [sequence for sequence, _ in pulls] == list(range(1, 1_001))
        # With its own and the system's buffers full, it has some seconds to read on.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "did not keep up" not in role.said():  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.05)
        text = await asyncio.to_thread(read_to_the_end, slow)
        await append_pulls(house, ["D"])
        await quick.wait_for(1_001)
    whole = text.decode().rpartition("\n\n")[0]
    seen = [int(line[4:]) for line in whole.split("\n") if line.startswith("id: ")][1:]
    assert seen == list(range(1, len(seen) + 1))
    assert 0 < len(seen) < 1_001
    async with listen_over_socket(role.port, headers={"last-event-id": str(seen[-1])}) as back:
        seen += [sequence for sequence, _ in await back.wait_for(1_001 - len(seen))]
    assert seen == list(range(1, 1_002))


def read_to_the_end(slow: socket.socket) -> bytes:
    slow.settimeout(PATIENCE_SECONDS)
    text = b""
    with slow, suppress(ConnectionResetError):
        while piece := slow.recv(65_536):
            text += piece
    return text
