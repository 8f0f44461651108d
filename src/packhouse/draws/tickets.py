"""Tickets: uniform integers that follow from a seed and a message, and from nothing else.

The message has a fixed width, so no two different inputs make the same bytes, and holds nothing
that the server could choose after its commitment. HMAC-SHA-256 (RFC 2104) under the secret seed
gives four 64-bit big-endian words a counter; a word is rejected when it is not below the largest
multiple of n, so that every number below n is exactly as likely (no modulo bias, no floats).
"""

import hashlib
import struct
from collections.abc import Callable
from typing import Final, TypeAlias

Mac: TypeAlias = Callable[[bytes], bytes]

ODDS_TAG = b"packhouse/draw/1"
LOT_TAG = b"packhouse/lot/01"

_ODDS_MESSAGE = struct.Struct(">16s32s16sQI32s")
_LOT_MESSAGE = struct.Struct(">16s32sQ16s32s")
_COUNTER = struct.Struct(">I")
_WORDS = struct.Struct(">4Q")
_WORD_SPAN = 2**64
_BLOCK_BYTES: Final = 64
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))


def commitment_to(server_seed: bytes) -> bytes:
    """SHA-256 of the seed: shown before anything is drawn under it."""
    return hashlib.sha256(server_seed).digest()


def client_seed_hash(client_seed: str) -> bytes:
    """SHA-256 of the client seed's UTF-8 text: 32 bytes whatever its length."""
    return hashlib.sha256(client_seed.encode()).digest()


def odds_message(
    *, config_hash: bytes, user_key: bytes, nonce: int, draw_index: int, client_seed_hash: bytes
) -> bytes:
    """The 108 bytes that one draw of an odds pack is made from, without the counter."""
    return _ODDS_MESSAGE.pack(ODDS_TAG, config_hash, user_key, nonce, draw_index, client_seed_hash)


def lot_message(
    *, manifest_root: bytes, draw: int, user_key: bytes, client_seed_hash: bytes
) -> bytes:
    """The 104 bytes that draw number ``draw`` of a lot is made from, without the counter."""
    return _LOT_MESSAGE.pack(LOT_TAG, manifest_root, draw, user_key, client_seed_hash)


def mac_under(seed: bytes) -> Mac:
    """HMAC-SHA-256 under one seed. What follows from the seed alone is hashed once for all draws.

    A pack takes a ticket or two for each card: four times as fast as ``hmac.digest`` for each.
    """
    key = hashlib.sha256(seed).digest() if len(seed) > _BLOCK_BYTES else seed
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    inner = hashlib.sha256(padded.translate(_INNER_PAD))
    outer = hashlib.sha256(padded.translate(_OUTER_PAD))

    def mac(message: bytes) -> bytes:
        within, around = inner.copy(), outer.copy()
        within.update(message)
        around.update(within.digest())
        return around.digest()

    return mac


def ticket_below(n: int, *, mac: Mac, message: bytes) -> int:
    """A uniform integer in 0 … n - 1. Raises ``ValueError`` unless ``n`` is 1 … 2^64."""
    if n == 1:
        return 0
    if not 1 < n <= _WORD_SPAN:
        # Above it every word would be rejected, for ever.
        raise ValueError(f"There is no ticket below {n}: n is 1 to 2^64.")
    accepted_below = _WORD_SPAN - _WORD_SPAN % n
    counter = 0
    while True:
        for word in _WORDS.unpack(mac(message + _COUNTER.pack(counter))):
            if word < accepted_below:
                return int(word % n)
        counter += 1
