"""Content codings: which one an answer is sent in, and how hard it is worth compressing.

What everybody is sent is compressed once, as well as it goes; what one visitor is sent is
compressed while they wait, so speed counts there. A page of one visitor may hold what only they may
know and, beside it, what a stranger made them ask for, and its length would tell of both (BREACH);
ours hold no secret worth guessing so: sessions are in cookies, which no body repeats, and no form
has a token, because the browser itself says where a write comes from.
"""

import gzip
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal

import brotli
import zstandard

Coding = Literal["br", "zstd", "gzip", "identity"]

COMPRESSED_FROM_BYTES: Final = 1_024
"""Below, the packet is as full either way."""

SMALLEST_FIRST: Final[Sequence[Coding]] = ("br", "zstd", "gzip")
"""For what is compressed once and sent to many."""
FASTEST_FIRST: Final[Sequence[Coding]] = ("zstd", "br", "gzip")
"""For what is compressed for one."""

_COMPRESSIBLE: Final = (
    b"text/html",
    b"text/css",
    b"text/javascript",
    b"text/plain",
    b"application/json",
    b"application/problem+json",
    b"image/svg+xml",
)

_ZSTD: Final = zstandard.ZstdCompressor(level=1)
"""Compressing is done on the event loop's thread alone, so one does for all."""
_FASTEST: Final[Mapping[Coding, Callable[[bytes], bytes]]] = {
    "br": lambda body: brotli.compress(body, quality=3),
    "zstd": lambda body: _ZSTD.compress(body),
    "gzip": lambda body: gzip.compress(body, 3, mtime=0),
}


@lru_cache(512)
def choose_coding(accept_encoding: str | None, preferred: Sequence[Coding]) -> Coding:
    """The best of ``preferred`` that a client takes (RFC 9110, section 12.5.3), else none.

    Of those that it weighs alike ours decides; what it weighs with zero it is never sent.
    """
    if not accept_encoding:
        return "identity"
    weights = _weights_of(accept_encoding)
    default = weights.get("*", 0.0)
    best: Coding = "identity"
    best_weight = 0.0
    for coding in preferred:
        weight = weights.get(coding, default)
        if weight > best_weight:
            best, best_weight = coding, weight
    return best


def is_compressible(content_type: bytes) -> bool:
    """Whether such answers get smaller by it: text, not pictures."""
    return content_type.startswith(_COMPRESSIBLE)


def compress_at_once(body: bytes, coding: Coding) -> bytes:
    """Compress what somebody waits for."""
    return _FASTEST[coding](body)


def _weights_of(accept_encoding: str) -> dict[str, float]:
    weights = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameter = part.strip().partition(";")
        text = parameter.replace(" ", "").removeprefix("q=")
        try:
            weight = float(text) if parameter else 1.0
        except ValueError:
            weight = 0.0
        weights[name.strip()] = weight
    return weights
