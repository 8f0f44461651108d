"""Tickets against a second implementation, written here from the description alone."""

import hashlib
import hmac
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from packhouse.draws import client_seed_hash, commitment_to, mac_under, ticket_below
from packhouse.draws.tickets import lot_message, odds_message

HASH = st.binary(min_size=32, max_size=32)
KEY = st.binary(min_size=16, max_size=16)
NONCE = st.integers(0, 2**63 - 1)
ODDS_INPUTS = st.tuples(HASH, KEY, NONCE, st.integers(0, 40), HASH)
LOT_INPUTS = st.tuples(HASH, NONCE, KEY, HASH)

HALF_REJECTED = 2**63 + 1
"""Only one multiple of this fits below 2^64, so nearly half of all words are rejected."""


def words(seed: bytes, message: bytes) -> Iterator[int]:
    """Big-endian 64-bit words of HMAC-SHA-256 over the message and a 32-bit counter."""
    for counter in itertools.count():
        block = hmac.new(seed, message + counter.to_bytes(4, "big"), hashlib.sha256).digest()
        for start in range(0, 32, 8):
            yield int.from_bytes(block[start : start + 8], "big")


def expected_ticket(n: int, seed: bytes, message: bytes) -> int:
    limit = 2**64 // n * n
    return next(word % n for word in words(seed, message) if word < limit)


def made_odds_message(inputs: tuple[bytes, bytes, int, int, bytes]) -> bytes:
    config_hash, user_key, nonce, draw_index, seed_hash = inputs
    return odds_message(
        config_hash=config_hash,
        user_key=user_key,
        nonce=nonce,
        draw_index=draw_index,
        client_seed_hash=seed_hash,
    )


def made_lot_message(inputs: tuple[bytes, int, bytes, bytes]) -> bytes:
    root, draw, user_key, seed_hash = inputs
    return lot_message(manifest_root=root, draw=draw, user_key=user_key, client_seed_hash=seed_hash)


@given(ODDS_INPUTS)
def test_an_odds_message_is_its_fields_side_by_side_in_108_bytes(
    inputs: tuple[bytes, bytes, int, int, bytes],
) -> None:
    config_hash, user_key, nonce, draw_index, seed_hash = inputs
    numbers = nonce.to_bytes(8, "big") + draw_index.to_bytes(4, "big")
    message = made_odds_message(inputs)
    assert message == b"packhouse/draw/1" + config_hash + user_key + numbers + seed_hash
    assert len(message) == 108


@given(LOT_INPUTS)
def test_a_lot_message_is_its_fields_side_by_side_in_104_bytes(
    inputs: tuple[bytes, int, bytes, bytes],
) -> None:
    root, draw, user_key, seed_hash = inputs
    message = made_lot_message(inputs)
    assert message == b"packhouse/lot/01" + root + draw.to_bytes(8, "big") + user_key + seed_hash
    assert len(message) == 104


@given(ODDS_INPUTS, ODDS_INPUTS)
def test_different_openings_have_different_messages(
    one: tuple[bytes, bytes, int, int, bytes], other: tuple[bytes, bytes, int, int, bytes]
) -> None:
    assume(one != other)
    assert made_odds_message(one) != made_odds_message(other)


@given(LOT_INPUTS, LOT_INPUTS)
def test_different_lot_draws_have_different_messages(
    one: tuple[bytes, int, bytes, bytes], other: tuple[bytes, int, bytes, bytes]
) -> None:
    assume(one != other)
    assert made_lot_message(one) != made_lot_message(other)


def test_each_field_alone_changes_an_odds_message() -> None:
    one, other = b"\x01" * 32, b"\x02" * 32
    messages = {
        made_odds_message((one, one[:16], 1, 1, one)),
        made_odds_message((other, one[:16], 1, 1, one)),
        made_odds_message((one, other[:16], 1, 1, one)),
        made_odds_message((one, one[:16], 2, 1, one)),
        made_odds_message((one, one[:16], 1, 2, one)),
        made_odds_message((one, one[:16], 1, 1, other)),
    }
    assert len(messages) == 6


@given(HASH, st.binary(max_size=150), st.integers(1, 2**64))
def test_a_ticket_is_what_the_description_says(seed: bytes, message: bytes, n: int) -> None:
    assert ticket_below(n, mac=mac_under(seed), message=message) == expected_ticket(
        n, seed, message
    )


@given(HASH, st.binary(max_size=150), st.integers(1, 2**64))
def test_every_ticket_is_below_n(seed: bytes, message: bytes, n: int) -> None:
    assert 0 <= ticket_below(n, mac=mac_under(seed), message=message) < n


def test_tickets_have_these_golden_values() -> None:
    seed = bytes(range(32))
    message = made_odds_message((b"\x01" * 32, b"\x02" * 16, 3, 4, client_seed_hash("veil")))
    assert [
        ticket_below(n, mac=mac_under(seed), message=message) for n in (2, 100, 100_000, 2**63)
    ] == [
        1,
        11,
        4_211,
        4_985_935_925_192_728_403,
    ]


def test_words_above_the_largest_multiple_of_n_are_rejected() -> None:
    seed = b"rejection" * 3
    messages = [number.to_bytes(4, "big") for number in range(200)]
    rejected_first = 0
    beyond_first_block = 0
    for message in messages:
        block = list(itertools.islice(words(seed, message), 4))
        rejected_first += block[0] >= HALF_REJECTED
        beyond_first_block += min(block) >= HALF_REJECTED
        accepted = next(word for word in words(seed, message) if word < HALF_REJECTED)
        assert ticket_below(HALF_REJECTED, mac=mac_under(seed), message=message) == accepted
    # The test shows something only if both ways were taken: about 1 in 2, and 1 in 16.
    assert 70 < rejected_first < 130
    assert beyond_first_block > 0


def test_the_first_rejected_word_is_the_multiple_itself() -> None:
    seed = b"edge"
    message = next(
        message
        for message in (number.to_bytes(4, "big") for number in itertools.count())
        if next(words(seed, message)) > 2**63
    )
    # Above 2^63 the largest multiple of n below 2^64 is n, so n can be set at the word's very edge.
    word, *later = itertools.islice(words(seed, message), 12)
    assert ticket_below(word + 1, mac=mac_under(seed), message=message) == word
    assert ticket_below(word, mac=mac_under(seed), message=message) == next(
        w for w in later if w < word
    )


@given(HASH, st.integers(0, 64))
def test_a_power_of_two_rejects_nothing(seed: bytes, exponent: int) -> None:
    first_word = next(words(seed, b"powers"))
    ticket = ticket_below(2**exponent, mac=mac_under(seed), message=b"powers")
    assert ticket == first_word % 2**exponent


def test_where_there_is_one_choice_its_ticket_is_zero() -> None:
    assert ticket_below(1, mac=mac_under(b"s"), message=b"m") == 0


@pytest.mark.parametrize("n", [-1, 0, 2**64 + 1])
def test_a_ticket_out_of_a_number_that_no_word_can_serve_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="2\\^64"):
        ticket_below(n, mac=mac_under(b"s"), message=b"m")


@given(st.binary(max_size=64))
def test_a_commitment_is_the_sha256_of_the_seed(seed: bytes) -> None:
    assert commitment_to(seed) == hashlib.sha256(seed).digest()


@given(st.text())
def test_a_client_seed_is_hashed_as_utf8(text: str) -> None:
    assert client_seed_hash(text) == hashlib.sha256(text.encode("utf-8")).digest()
