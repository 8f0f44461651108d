"""The web workers' HTTP server on the wire: order, bounds, and how connections end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packhouse.foundation.limits import HEAD_BYTES_MAX, HEADERS_MAX
from packhouse.web.asgi import Receive, Scope, Send
from packhouse.web.server import connections
from packhouse.web.server import serving as serving_module
from packhouse.web.server.wire import open_head
from worlds.http_server import (
    PATIENCE_SECONDS,
    Echo,
    Served,
    TinyApp,
    answer,
    read_body,
    read_head,
    serving,
)

GET = b"GET %b HTTP/1.1\r\nHost: shop\r\n\r\n"
LAST_GET = b"GET %b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
POST = b"POST %b HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n%b"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(TinyApp()) as started:
        yield started


def status_of(raw: bytes) -> int:
    return read_head(raw.split(b"\r\n\r\n", 1)[0])[0]


def echo_of(body: bytes) -> Echo:
    return msgspec.json.decode(body, type=Echo)


async def test_a_request_reaches_the_application_as_it_was_sent(served: Served) -> None:
    async with served.connect() as wire:
        await wire.send(POST % (b"/a%20b?x=%20", 4, b"body"))
        status, headers, body = await wire.read_answer()
    assert (status, echo_of(body)) == (200, Echo("POST", "/a b", "x=%20", "body"))
    assert "date" in headers
    assert "connection" not in headers


async def test_one_connection_serves_one_request_after_another(served: Served) -> None:
    async with served.connect() as wire:
        for path in (b"/one", b"/ready", b"/two", b"/ready", b"/ready"):
            await wire.send(GET % path)
            assert (await wire.read_answer())[0] == 200


async def test_requests_sent_at_once_are_answered_in_their_order(served: Served) -> None:
    async def slowly(_scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05)
        await answer(send, await read_body(receive))

    served.app.on["/slow"] = slowly
    async with served.connect() as wire:
        await wire.send(
            POST % (b"/slow", 1, b"1") + GET % b"/ready" + POST % (b"/slow", 1, b"2") + GET % b"/x"
        )
        bodies = [(await wire.read_answer())[2] for _ in range(4)]
    assert bodies[:3] == [b"1", b"ready", b"2"]
    assert echo_of(bodies[3]).path == "/x"


async def test_the_same_bytes_again_are_not_read_again(served: Served) -> None:
    async with served.connect() as wire:
        for _ in range(5):
            await wire.send(GET % b"/ready")
            assert (await wire.read_answer())[2] == b"ready"
        assert served.app.read == 1
        served.app.is_ready = False
        await wire.send(GET % b"/ready")
        assert echo_of((await wire.read_answer())[2]).path == "/ready"


async def test_other_bytes_are_another_request(served: Served) -> None:
    async with served.connect() as wire:
        for path in (b"/ready", b"/other", b"/ready?x", b"/ready"):
            await wire.send(GET % path)
            status, _, body = await wire.read_answer()
            assert (status, body == b"ready") == (200, path != b"/other")


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_who_asks_for_it_is_closed_after_the_answer(served: Served, version: bytes) -> None:
    ask = b"GET /x HTTP/%b\r\nHost: shop\r\n%b\r\n"
    raw = await served.exchange(
        ask % (version, b"" if version == b"1.0" else b"Connection: close\r\n")
    )
    head, body = raw.split(b"\r\n\r\n", 1)
    assert read_head(head)[1]["connection"] == "close"
    assert echo_of(body).path == "/x"


async def test_a_body_of_unknown_length_is_sent_in_chunks(served: Served) -> None:
    async def in_parts(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in (b"one", b"", b"two"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    served.app.on["/parts"] = in_parts
    raw = await served.exchange(LAST_GET % b"/parts")
    assert raw.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    older = await served.exchange(b"GET /parts HTTP/1.0\r\n\r\n")
    assert older.endswith(b"\r\n\r\nonetwo")


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_that_has_no_body_says_no_length(served: Served, status: int) -> None:
    async def bare(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, b"", status=status, headers=((b"content-length", b"0"),))

    served.app.on["/bare"] = bare
    raw = await served.exchange(LAST_GET % b"/bare")
    assert status_of(raw) == status
    assert b"content-length" not in raw


async def test_a_head_is_answered_without_its_body(served: Served) -> None:
    async def long(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, b"", headers=((b"content-length", b"12345"),))

    served.app.on["/long"] = long
    async with served.connect() as wire:
        await wire.send(b"HEAD /long HTTP/1.1\r\nHost: shop\r\n\r\n" + GET % b"/ready")
        _, headers = read_head(await wire.reader.readuntil(b"\r\n\r\n"))
        assert headers["content-length"] == "12345"
        assert (await wire.read_answer())[2] == b"ready"


async def test_an_answer_shorter_than_it_said_is_not_followed_by_another(served: Served) -> None:
    async def short(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, b"abc", headers=((b"content-length", b"5"),))

    served.app.on["/short"] = short
    raw = await served.exchange(GET % b"/short" + GET % b"/ready")
    assert raw.endswith(b"abc")


async def test_a_body_that_waits_to_be_asked_for_is_asked_for(served: Served) -> None:
    head = b"POST /x HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    async with served.connect() as wire:
        await wire.send(head)
        assert await wire.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await wire.send(b"body")
        assert echo_of((await wire.read_answer())[2]).body == "body"


async def test_no_more_of_a_body_is_read_than_the_application_takes(served: Served) -> None:
    go_on = asyncio.Event()

    async def later(_scope: Scope, receive: Receive, send: Send) -> None:
        await go_on.wait()
        await answer(send, b"%d" % len(await read_body(receive)))

    served.app.on["/later"] = later
    size = 32 * 1024 * 1024
    async with served.connect() as wire:
        sending = asyncio.create_task(wire.send(POST % (b"/later", size, b"x" * size)))
        await asyncio.sleep(0.3)
        assert not sending.done()
        go_on.set()
        await sending
        assert (await wire.read_answer())[2] == b"%d" % size


async def test_who_is_refused_before_the_body_has_come_can_read_why(served: Served) -> None:
    async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, b"no", status=413)

    served.app.on["/refuse"] = refuse
    raw = await served.exchange(POST % (b"/refuse", 10_000_000, b"x" * 200_000))
    assert status_of(raw) == 413
    assert b"connection: close" in raw


async def test_who_reads_nothing_is_sent_no_more_than_fits(served: Served) -> None:
    served.app.ready_body = b"x" * 100_000
    async with served.connect() as wire:
        wire.writer.write(GET % b"/ready" * 2_000)
        await asyncio.sleep(0.5)
        (connection,) = served.server._connections
        assert connection._transport is not None
        assert connection._transport.get_write_buffer_size() < 1_000_000
        for _ in range(2_000):
            assert len((await wire.read_answer())[2]) == 100_000


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" + CHUNKED, 400),
        (b"GET /" + b"x" * HEAD_BYTES_MAX + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * HEADERS_MAX + b"\r\n", 431),
    ],
)
async def test_what_is_no_request_is_refused_and_closed(
    served: Served, request_bytes: bytes, status: int
) -> None:
    raw = await served.exchange(request_bytes)
    assert status_of(raw) == status
    assert b"connection: close" in raw


async def test_a_head_that_never_ends_is_refused(served: Served) -> None:
    async with served.connect() as wire:
        await wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        for _ in range(20):
            await wire.send(b"x" * 1_000)
            await asyncio.sleep(0)
        assert status_of(await wire.read_all()) == 431


async def test_a_header_that_would_break_out_of_its_line_is_not_sent(served: Served) -> None:
    async def split(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, b"", headers=((b"x", b"a\r\nset-cookie: b"),))

    served.app.on["/split"] = split
    assert await served.exchange(GET % b"/split") == b""
    with pytest.raises(ValueError, match="line break"):
        open_head(200, [(b"x", b"a\nb")])


async def test_an_application_that_fails_ends_the_connection(served: Served) -> None:
    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("broken")

    served.app.on["/fail"] = fail
    assert await served.exchange(GET % b"/fail") == b""


async def test_the_application_learns_that_its_client_has_left(served: Served) -> None:
    left = asyncio.Event()

    async def wait(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    served.app.on["/wait"] = wait
    async with served.connect() as wire:
        await wire.send(GET % b"/wait")
        await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        await left.wait()


async def test_an_offered_upgrade_is_passed_over(served: Served) -> None:
    ask = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    raw = await served.exchange(ask)
    assert status_of(raw) == 200


@pytest.mark.parametrize(
    ("begun", "name"),
    [
        (b"", "KEEP_ALIVE_SECONDS"),
        (b"GET / HT", "HEAD_SECONDS"),
        (GET % b"/x", "KEEP_ALIVE_SECONDS"),
    ],
)
async def test_who_says_nothing_more_is_closed(
    served: Served, monkeypatch: pytest.MonkeyPatch, begun: bytes, name: str
) -> None:
    monkeypatch.setattr(connections, name, 0.1)
    monkeypatch.setattr(serving_module, "TICK_SECONDS", 0.05)
    async with served.connect() as wire:
        await wire.send(begun)
        await wire.read_all()


async def test_work_that_follows_a_body_in_pieces_may_take_its_time(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(_scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        # The server has looked for who is out of time by then.
        await asyncio.sleep(1.5)
        await answer(send, body)

    monkeypatch.setattr(connections, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(serving_module, "TICK_SECONDS", 0.05)
    served.app.on["/work"] = work
    async with served.connect() as wire:
        await wire.send(POST % (b"/work", 6, b"abc"))
        await asyncio.sleep(0.05)
        await wire.send(b"def")
        assert (await wire.read_answer())[2] == b"abcdef"


async def test_who_begins_a_body_and_never_ends_it_is_cut_off(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.1)
    monkeypatch.setattr(serving_module, "TICK_SECONDS", 0.05)
    assert await served.exchange(POST % (b"/x", 6, b"abc")) == b""


async def test_idle_connections_make_room_for_newcomers() -> None:
    async with serving(TinyApp(), connections_max=2) as served, AsyncExitStack() as wires:
        for _ in range(5):
            wire = await wires.enter_async_context(served.connect())
            await wire.send(GET % b"/x")
            assert (await wire.read_answer())[0] == 200


async def test_a_stop_waits_for_what_is_in_hand_and_closes_the_rest(served: Served) -> None:
    go_on = asyncio.Event()

    async def later(_scope: Scope, _receive: Receive, send: Send) -> None:
        await go_on.wait()
        await answer(send, b"done")

    served.app.on["/later"] = later
    async with served.connect() as busy, served.connect() as idle:
        await busy.send(GET % b"/later")
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(served.server.stop(seconds=5))
        assert await idle.read_all() == b""
        assert not stopping.done()
        go_on.set()
        raw = await busy.read_all()
        assert raw.endswith(b"done")
        assert b"connection: close" in raw
        await stopping


async def test_a_stop_does_not_wait_for_ever(served: Served) -> None:
    async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    served.app.on["/never"] = never
    async with served.connect() as wire:
        await wire.send(GET % b"/never")
        await asyncio.sleep(0.05)
        await served.server.stop(seconds=0.1)
        assert await wire.read_all() == b""


REQUESTS = [
    GET % b"/ready",
    GET % b"/echo?a=b",
    POST % (b"/echo", 5, b"hello"),
    b"POST /echo HTTP/1.1\r\nHost: a\r\n" + CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    which=st.lists(st.integers(0, len(REQUESTS) - 1), min_size=1, max_size=8),
    cuts=st.lists(st.integers(1, 400), max_size=12),
)
async def test_however_requests_are_cut_their_answers_are_the_same(
    served: Served, which: list[int], cuts: list[int]
) -> None:
    sent = b"".join(REQUESTS[number] for number in which)
    async with served.connect() as wire:
        for cut in sorted({min(cut, len(sent)) for cut in cuts} | {len(sent)}):
            piece, sent = sent[:cut], sent[cut:]
            await wire.send(piece)
            await asyncio.sleep(0)
        await wire.send(sent)
        bodies = [(await wire.read_answer())[2] for _ in which]
    for number, body in zip(which, bodies, strict=True):
        if number == 0:
            assert body == b"ready"
        else:
            assert echo_of(body).body == ("" if number == 1 else "hello")


async def test_a_server_that_is_leaving_lets_everybody_in_and_says_that_each_answer_is_the_last(
    served: Served,
) -> None:
    async with served.connect() as before:
        await before.send(GET % b"/ready")
        assert "connection" not in (await before.read_answer())[1]
        served.server.leave()
        await asyncio.sleep(0.05)
        for path in (b"/ready", b"/x"):
            raw = await served.exchange(GET % path)
            assert read_head(raw.split(b"\r\n\r\n", 1)[0])[1]["connection"] == "close"
        await before.send(GET % b"/ready")
        assert (await before.read_answer())[1]["connection"] == "close"


@pytest.mark.parametrize("sent", [b"", b"GET /x HTTP/1.1\r\nHo"])
async def test_a_stop_hears_a_request_that_is_just_coming(served: Served, sent: bytes) -> None:
    async with served.connect() as wire:
        await wire.send(sent)
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(served.server.stop(seconds=PATIENCE_SECONDS))
        await asyncio.sleep(0.05)
        await wire.send((GET % b"/x").removeprefix(sent))
        raw = await wire.read_all()
        await stopping
    assert echo_of(raw.split(b"\r\n\r\n", 1)[1]).path == "/x"


async def test_a_stop_does_not_wait_for_who_never_asks(served: Served) -> None:
    async with served.connect() as wire:
        await asyncio.sleep(0.05)
        await served.server.stop(seconds=PATIENCE_SECONDS)
        assert await wire.read_all() == b""


async def test_who_sends_far_too_much_can_read_why_it_is_refused(served: Served) -> None:
    async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, b"too large", status=413)

    served.app.on["/upload"] = refuse
    head = b"POST /upload HTTP/1.1\r\nHost: shop\r\nContent-Length: 50000000\r\n\r\n"
    async with served.connect() as wire:
        wire.writer.write(head + b" " * 5_000_000)
        await asyncio.sleep(0.3)
        status, headers, body = await wire.read_answer()
        assert (status, headers["connection"], body) == (413, "close", b"too large")
