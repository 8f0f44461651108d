"""Seals: what is closed opens with the same key in the same place, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.errors import Breach
from packhouse.plumbing.sealing import Seal, SealBroken

KEY = bytes(range(32))
SECRET = b"thirty-two bytes of server seed."


@given(st.binary(max_size=64), st.binary(max_size=16))
def test_what_is_sealed_opens_again(plain: bytes, context: bytes) -> None:
    seal = Seal(KEY)
    assert seal.open(seal.close(plain, context=context), context=context) == plain


def test_the_secret_is_not_in_its_sealed_form() -> None:
    assert SECRET not in Seal(KEY).close(SECRET, context=b"pair")


def test_sealing_twice_gives_different_bytes() -> None:
    seal = Seal(KEY)
    assert seal.close(SECRET, context=b"pair") != seal.close(SECRET, context=b"pair")


def test_another_key_does_not_open_it() -> None:
    sealed = Seal(KEY).close(SECRET, context=b"pair")
    with pytest.raises(SealBroken, match="PACKHOUSE_SEED_KEY"):
        Seal(bytes(32)).open(sealed, context=b"pair")


def test_a_seal_moved_to_another_row_does_not_open() -> None:
    seal = Seal(KEY)
    with pytest.raises(SealBroken):
        seal.open(seal.close(SECRET, context=b"pair one"), context=b"pair two")


@given(st.data())
def test_a_changed_byte_breaks_the_seal(data: st.DataObject) -> None:
    seal = Seal(KEY)
    sealed = bytearray(seal.close(SECRET, context=b"pair"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        seal.open(bytes(sealed), context=b"pair")


def test_a_seal_cut_short_anywhere_is_broken() -> None:
    seal = Seal(KEY)
    sealed = seal.close(SECRET, context=b"pair")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            seal.open(sealed[:length], context=b"pair")


def test_a_broken_seal_is_a_breach_and_tells_nothing_of_the_secret() -> None:
    with pytest.raises(Breach) as breach:
        Seal(bytes(32)).open(Seal(KEY).close(SECRET, context=b"p"), context=b"p")
    assert SECRET.decode() not in str(breach.value)


def test_a_fresh_nonce_is_taken_for_each_seal() -> None:
    asked: list[int] = []

    def entropy(count: int) -> bytes:
        asked.append(count)
        return bytes([len(asked)]) * count

    seal = Seal(KEY, entropy=entropy)
    nonces = [seal.close(SECRET, context=b"pair")[:12] for _ in range(2)]
    assert asked == [12, 12]
    assert nonces == [b"\x01" * 12, b"\x02" * 12]
