"""``packhouse serve web`` as clients meet it on the wire: its workers, their server, the edge."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import httpx
import pytest

from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.web.session import cookie_name
from worlds.served_roles import PATIENCE_SECONDS, Role, free_port, start, until_ready
from worlds.veil_shop import make_collector, open_veil_shop

WEB = {"seed_key": "00" * 32, "http_workers": "1", "rate_limit_anonymous": "1000000/1m"}


@pytest.fixture
async def shop(house: House) -> Actor:
    return await open_veil_shop(house)


@pytest.fixture
async def web(house: House, shop: Actor) -> AsyncIterator[Role]:
    port = free_port()
    async with start(house, port, "web", http_port=str(port), **WEB) as started:
        await until_ready(started)
        yield started


@pytest.fixture
async def client(web: Role) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}") as visitor:
        yield visitor


async def send_raw(web: Role, request: bytes) -> bytes:
    """Send bytes as they are and give what comes back until the server closes."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer


async def test_what_everybody_asks_for_is_the_same_the_first_time_and_from_memory(
    client: httpx.AsyncClient,
) -> None:
    answers = [await client.get("/api/v1/packs") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["x-request-id"] for answer in answers}) == 20
    left = [int(answer.headers["ratelimit-remaining"]) for answer in answers]
    assert left == list(range(left[0], left[0] - 20, -1))
    assert all("content-security-policy" in answer.headers for answer in answers)
    known = await client.get("/api/v1/packs", headers={"if-none-match": answers[0].headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


async def test_a_pack_is_opened_over_the_wire(
    house: House, shop: Actor, client: httpx.AsyncClient
) -> None:
    signed_in = await make_collector(house, "ada", credits_minor=50_000)
    client.cookies.set(cookie_name(house.settings), signed_in.token)
    sent = {"json": {"quantity": 2}, "headers": {"Idempotency-Key": "once"}}
    first, again = [
        await client.post("/api/v1/packs/veil-eight/openings", **sent)  # type: ignore[arg-type]  # keywords
        for _ in range(2)
    ]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len((await client.get("/api/v1/vault")).json()["items"]) == 16
    assert "ada" in (await client.get("/account")).text


async def test_a_body_in_many_pieces_is_read_whole(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"email": "nobody@', b'example.com", "pass', b'word": "wrong password"}'):
            yield piece
            await asyncio.sleep(0.01)

    answer = await client.post(
        "/api/v1/session", content=pieces(), headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")


async def test_a_body_that_is_too_large_is_refused_before_it_has_all_come(
    client: httpx.AsyncClient,
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(2_000):
            sent += 1
            yield b" " * 100_000

    try:
        answer = await client.post("/api/v1/session", content=endless())
    except httpx.TransportError:
        # The server may have closed the connection while the client was still sending.
        pass
    else:
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert sent < 2_000


async def test_a_head_has_the_headers_of_a_get_and_no_body(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/v1/packs", "/api/v1/feed/live"):
        head = await client.head(path)
        assert (head.status_code, head.content) == (200, b"")


STRANGE_REQUESTS = [
    (b"GET /api/v1/feed?limit=%00 HTTP/1.1", b"", b"400"),
    (b"GET /api/v1/feed?tier=\xff HTTP/1.1", b"", b"400"),
    (b"GET /%ff%fe HTTP/1.1", b"", b"404"),
    (b"GET /api/v1/feed HTTP/1.1", b"X-Anything: caf\xe9\r\n", b"200"),
    (b"GET /api/v1/feed HTTP/1.1", b"Cookie: packhouse_session=\xff\xfe\r\n", b"200"),
    (b"GET /api/v1/feed HTTP/1.0", b"", b"200"),
    (b"BREW /api/v1/feed HTTP/1.1", b"", b"400"),
    (b"GET /api/v1/feed", b"", b"400"),
]


async def test_strange_requests_get_an_answer(web: Role) -> None:
    for request_line, header, status in STRANGE_REQUESTS:
        request = request_line + b"\r\nHost: shop\r\nConnection: close\r\n" + header + b"\r\n"
        answer = await send_raw(web, request)
        assert answer.split(b" ", 2)[1] == status, (request_line, header, answer[:200])
    assert "Traceback" not in web.said()


async def test_a_killed_worker_is_started_again(web: Role, client: httpx.AsyncClient) -> None:
    (worker,) = web.workers()
    os.kill(worker, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while web.workers() in ([], [worker]):  # noqa: ASYNC110 - a process tells nobody
            await asyncio.sleep(0.05)
    assert (await client.get("/api/v1/packs")).status_code == 200
    assert "started again" in web.said()


async def test_a_stop_lets_an_opening_be_answered(
    house: House, web: Role, client: httpx.AsyncClient
) -> None:
    signed_in = await make_collector(house, "ada", credits_minor=50_000)
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
        await asyncio.sleep(0.3)
        assert not opening.done()
    answer = await opening
    assert (answer.status_code, answer.headers["connection"]) == (201, "close")
    assert await web.wait() == 0


async def test_a_worker_that_finds_no_database_says_so_in_one_line(house: House) -> None:
    port = free_port()
    changed = {**WEB, "database_url": "postgresql://nobody@127.0.0.1:1/none"}
    async with start(house, port, "web", http_port=str(port), **changed) as web:
        assert await web.wait() == 1
        assert "Traceback" not in web.said()
        assert "PACKHOUSE_DATABASE_URL" in web.said()
