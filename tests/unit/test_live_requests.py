"""Heads of requests, as they come over the wire: in any pieces, whole or refused."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.limits import HEAD_BYTES_MAX, HEADERS_MAX
from packhouse.web.errors import HeadTooLarge, Malformed
from packhouse.web.live.requests import HeadParser, RequestHead

PLAIN = b"GET /api/v1/feed/live?tier=S HTTP/1.1\r\nHost: shop\r\nLast-Event-ID: 7\r\n\r\n"


def parse(*pieces: bytes) -> RequestHead | None:
    parser = HeadParser()
    head = None
    for piece in pieces:
        head = parser.feed(piece)
    return head


def test_a_head_is_read_as_it_was_sent() -> None:
    head = parse(PLAIN)
    assert head is not None
    assert head.version == "1.1"
    assert head.scope["method"] == "GET"
    assert head.scope["path"] == "/api/v1/feed/live"
    assert head.scope["query_string"] == b"tier=S"
    assert head.scope["headers"] == [(b"host", b"shop"), (b"last-event-id", b"7")]


@given(st.lists(st.integers(1, len(PLAIN) - 1), unique=True, max_size=8).map(sorted))
def test_it_makes_no_difference_how_a_head_is_cut(cuts: list[int]) -> None:
    edges = [0, *cuts, len(PLAIN)]
    pieces = [PLAIN[begin:end] for begin, end in pairwise(edges)]
    assert parse(*pieces[:-1]) is None
    assert parse(*pieces) == parse(PLAIN)


@pytest.mark.parametrize(
    "after",
    [b"GET /other HTTP/1.1\r\nHost: shop\r\n\r\n", b"\x00\xff garbage", b"{}" * 40_000],
    ids=["pipelined", "garbage", "long"],
)
def test_what_follows_the_head_is_not_looked_at(after: bytes) -> None:
    assert parse(PLAIN + after) == parse(PLAIN)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(sent: bytes) -> None:
    with pytest.raises(Malformed):
        parse(sent)


@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_read_waited_for_or_refused(sent: bytes) -> None:
    with suppress(Malformed, HeadTooLarge):
        parse(sent)


def test_a_head_may_not_be_longer_than_its_limit() -> None:
    parser = HeadParser()
    assert parser.feed(b"GET / HTTP/1.1\r\nHost: a\r\nX: ") is None
    with pytest.raises(HeadTooLarge):
        parser.feed(b"x" * HEAD_BYTES_MAX)


def test_a_target_may_not_be_longer_than_the_limit_either() -> None:
    with pytest.raises(HeadTooLarge):
        parse(b"GET /" + b"x" * HEAD_BYTES_MAX + b" HTTP/1.1\r\nHost: a\r\n\r\n")


def test_a_head_may_not_have_more_headers_than_the_limit() -> None:
    few = b"".join(b"X-%d: 1\r\n" % number for number in range(HEADERS_MAX - 1))
    assert parse(b"GET / HTTP/1.1\r\nHost: a\r\n" + few + b"\r\n") is not None
    with pytest.raises(HeadTooLarge):
        parse(b"GET / HTTP/1.1\r\nHost: a\r\n" + few + b"Y: 1\r\n\r\n")


def test_an_offered_upgrade_is_passed_over() -> None:
    head = parse(b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert head is not None
    assert head.scope["path"] == "/a"


def test_http_1_0_needs_no_host() -> None:
    head = parse(b"GET /a HTTP/1.0\r\n\r\n")
    assert head is not None
    assert head.version == "1.0"
