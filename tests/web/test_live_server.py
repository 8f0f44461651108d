"""The live role's server as HTTP clients of every kind meet it, on a real socket."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from packhouse.house import House
from packhouse.plumbing.setting_values import RateLimit, WebOrigin
from packhouse.plumbing.settings import Settings
from packhouse.plumbing.valkey import Valkey
from packhouse.web.live import connections
from worlds.event_streams import PATH, listen_over_socket, serve_live
from worlds.made_up_pulls import append_pulls

PARTNER = "https://partner.example"


class Exchange(msgspec.Struct, frozen=True):
    """An answer as it came over the wire, to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        assert self.headers["content-type"] == "application/problem+json"
        problem = msgspec.json.decode(self.body)
        assert problem["status"] == self.status
        assert problem["request_id"] == self.headers["x-request-id"]
        return str(problem["code"])


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    changed = {"cors_origins": (WebOrigin(PARTNER),), **getattr(request, "param", {})}
    return msgspec.structs.replace(settings, **changed)


@pytest.fixture
async def port(house: House) -> AsyncIterator[int]:
    async with serve_live(house) as (port, _):
        yield port


async def send(port: int, *pieces: bytes) -> Exchange:
    """Send the pieces one by one and read the answer to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        text = await reader.read()
    writer.close()
    head, _, body = text.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return Exchange(int(lines[0].split()[1]), headers, body)


def request(method: str = "GET", path: str = PATH, **headers: str) -> bytes:
    named = {"host": "shop", **{name.replace("_", "-"): text for name, text in headers.items()}}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in named.items())]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (request(path="/"), 404, "not_served_here"),
        (request(path="/api/v1/packs"), 404, "not_served_here"),
        (request(path=f"{PATH}/more"), 404, "not_served_here"),
        (request(path="/health/else"), 404, "not_found"),
        (request("POST", content_length="0"), 405, "method_not_allowed"),
        (request("DELETE"), 405, "method_not_allowed"),
        (request(path=f"{PATH}?tier=Z"), 422, "invalid_input"),
        (request("POST", content_length="2000000"), 413, "too_large"),
        (b"no request at all\r\n\r\n", 400, "malformed_request"),
        (request(cookie="x" * 20_000), 431, "head_too_large"),
    ],
)
async def test_what_is_not_answered_is_a_problem(
    port: int, sent: bytes, status: int, code: str
) -> None:
    answer = await send(port, sent)
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["cache-control"] == "private, no-store"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    if status == 405:
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_probes_are_answered_and_count_for_nothing(port: int, path: str) -> None:
    answer = await send(port, request(path=path))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert "ratelimit-limit" not in answer.headers


async def test_what_has_been_counted_is_told(port: int) -> None:
    answer = await send(port, request(path="/metrics"))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert b"packhouse_build_info" in answer.body
    assert "ratelimit-limit" not in answer.headers


async def test_head_is_answered_without_a_stream(port: int) -> None:
    answer = await send(port, request("HEAD"))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.body == b""


async def test_a_page_of_a_named_site_may_ask_and_listen(port: int) -> None:
    asked = await send(
        port, request("OPTIONS", origin=PARTNER, access_control_request_method="GET")
    )
    assert asked.status == 204
    assert "content-length" not in asked.headers
    assert asked.headers["access-control-allow-origin"] == PARTNER
    assert "Last-Event-ID" in asked.headers["access-control-allow-headers"]
    async with listen_over_socket(port, headers={"origin": PARTNER}) as stream:
        assert stream.headers["access-control-allow-origin"] == PARTNER.lower()
    async with listen_over_socket(port, headers={"origin": "https://else.example"}) as stream:
        assert "access-control-allow-origin" not in stream.headers


async def test_a_request_may_come_byte_by_byte(port: int) -> None:
    sent = request(path="/health/live")
    answer = await send(port, *(sent[place : place + 1] for place in range(len(sent))))
    assert answer.status == 200


async def test_of_requests_sent_at_once_the_first_is_answered(port: int, house: House) -> None:
    answer = await send(port, request(path="/health/live") * 3)
    assert answer.body == b'{"status":"live"}'
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request() * 2 + b"\x00garbage")
    await reader.readuntil(b": welcome")
    await append_pulls(house, ["D"])
    async with asyncio.timeout(10):
        await reader.readuntil(b"data: ")
    writer.close()


async def test_an_http_1_0_client_gets_a_stream_without_chunks(port: int, house: House) -> None:
    async with listen_over_socket(port, version="1.0") as stream:
        assert "transfer-encoding" not in stream.headers
        await append_pulls(house, ["D", "S"])
        pulls = await stream.wait_for(2)
    assert [sequence for sequence, _ in pulls] == [1, 2]
    assert "\r" not in stream.text


async def test_who_sends_half_a_request_is_closed_after_a_while(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LIVE_HEAD_SECONDS_MAX", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/v1/feed/live HTTP/1.1\r\nHost: ")
    async with asyncio.timeout(10):
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    writer.close()


async def test_who_ends_his_side_after_asking_is_answered(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(path="/health/live"))
    writer.write_eof()
    async with asyncio.timeout(10):
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
    writer.close()


async def test_who_sends_on_after_the_refusal_can_still_read_it(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
    async with asyncio.timeout(10):
        assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
    writer.close()


@pytest.mark.parametrize(
    "settings", [{"rate_limit_pages": RateLimit(1, 60)}], indirect=True, ids=["one a minute"]
)
async def test_forwarded_addresses_are_believed_from_named_proxies_only(port: int) -> None:
    async with listen_over_socket(port, headers={"x-forwarded-for": "203.0.113.1"}) as stream:
        assert stream.status == 200
    async with listen_over_socket(port, headers={"x-forwarded-for": "203.0.113.2"}) as stream:
        assert stream.status == 429


async def test_without_valkey_addresses_are_counted_here(house: House) -> None:
    settings = msgspec.structs.replace(house.settings, rate_limit_pages=RateLimit(2, 60))
    alone = Valkey("valkey://127.0.0.1:1", timeout_ms=50)
    lonely = msgspec.structs.replace(house, settings=settings, valkey=alone)
    async with serve_live(lonely) as (port, _):
        statuses = []
        for _ in range(3):
            async with listen_over_socket(port) as stream:
                statuses.append(stream.status)
    assert statuses == [200, 200, 429]
    await alone.close()


async def test_who_hangs_up_is_forgotten(house: House) -> None:
    async with serve_live(house) as (port, hub):
        async with listen_over_socket(port), listen_over_socket(port, "tier=S"):
            assert len(hub) == 2
        async with asyncio.timeout(10):
            while len(hub):  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)
