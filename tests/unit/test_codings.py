"""Which content coding a client is sent, by what it says that it takes."""

import gzip

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from packhouse.web.codings import (
    FASTEST_FIRST,
    SMALLEST_FIRST,
    Coding,
    choose_coding,
    compress_at_once,
    is_compressible,
)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("identity", "identity"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, zstd", "zstd"),
        ("BR", "br"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.5, gzip;q=0.9", "gzip"),
        ("br; q=0.5 , gzip;q=0.5", "br"),
        ("*", "br"),
        ("*;q=0.1, br;q=0", "zstd"),
        ("*;q=0", "identity"),
        ("gzip;q=nonsense", "identity"),
        ("deflate", "identity"),
        (",;,", "identity"),
    ],
)
def test_the_client_weighs_and_we_choose_among_equals(accepted: str | None, coding: str) -> None:
    assert choose_coding(accepted, SMALLEST_FIRST) == coding


def test_what_one_waits_for_is_compressed_the_quickest_way() -> None:
    assert choose_coding("gzip, deflate, br, zstd", FASTEST_FIRST) == "zstd"


@given(header=st.text(max_size=60))
def test_no_header_breaks_the_choice(header: str) -> None:
    assert choose_coding(header, SMALLEST_FIRST) in {"identity", *SMALLEST_FIRST}


@given(body=st.binary(max_size=2_000))
def test_what_was_compressed_is_the_same_again(body: bytes) -> None:
    unpack = {
        "br": brotli.decompress,
        "zstd": zstandard.ZstdDecompressor().decompress,
        "gzip": gzip.decompress,
    }
    codings: tuple[Coding, ...] = ("br", "zstd", "gzip")
    for coding in codings:
        assert unpack[coding](compress_at_once(body, coding)) == body


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        (b"text/html; charset=utf-8", True),
        (b"application/json", True),
        (b"application/problem+json", True),
        (b"text/event-stream; charset=utf-8", False),
        (b"image/webp", False),
        (b"application/pdf", False),
        (b"application/octet-stream", False),
    ],
)
def test_pictures_and_streams_go_as_they_are(content_type: bytes, *, is_text: bool) -> None:
    assert is_compressible(content_type) is is_text
