"""Seed pairs: committed to before use, sealed at rest, each with a public key of its own."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.draws import NewSeedPair, new_seed_pair, require_client_seed
from packhouse.foundation.errors import InvalidInput
from packhouse.foundation.identifiers import UserId
from packhouse.plumbing.entropy import Entropy, system_entropy
from packhouse.plumbing.sealing import Seal, SealBroken

MIRA = UserId(UUID(int=1))
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SEAL = Seal(b"k" * 32)


def a_pair(*, entropy: Entropy = system_entropy, client_seed: str | None = None) -> NewSeedPair:
    return new_seed_pair(MIRA, entropy, SEAL, NOON, client_seed=client_seed)


def test_a_pair_commits_to_the_very_seed_it_seals() -> None:
    pair = a_pair()
    server_seed = SEAL.open(pair.sealed_server_seed, context=pair.id.bytes)
    assert len(server_seed) == 32
    assert pair.commitment == hashlib.sha256(server_seed).digest()


def test_a_pairs_secret_does_not_open_as_another_pairs() -> None:
    with pytest.raises(SealBroken):
        SEAL.open(a_pair().sealed_server_seed, context=a_pair().id.bytes)


def test_every_pair_has_its_own_secret_key_and_client_seed() -> None:
    pairs = [a_pair() for _ in range(20)]
    for field in ("id", "commitment", "user_key", "client_seed"):
        assert len({getattr(pair, field) for pair in pairs}) == 20


def test_a_pair_is_made_of_the_chance_it_is_given() -> None:
    pair = a_pair(entropy=lambda count: b"\x07" * count)
    assert pair.commitment == hashlib.sha256(b"\x07" * 32).digest()
    assert pair.user_key == b"\x07" * 16
    assert pair.client_seed == "07" * 16


def test_a_collectors_own_client_seed_is_kept() -> None:
    pair = a_pair(client_seed="seven quiet herons")
    assert (pair.client_seed, pair.user_id, pair.created_at) == ("seven quiet herons", MIRA, NOON)


@pytest.mark.parametrize("text", ["x", "seven quiet herons", "ハンス", "🂡", "x" * 128])
def test_any_visible_text_is_a_client_seed(text: str) -> None:
    assert require_client_seed(text) == text


@pytest.mark.parametrize("text", ["", "x" * 129, "a\nb", "a\x00", "\u200b", "\ud800"])
def test_text_that_cannot_be_seen_or_is_too_long_is_no_client_seed(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        require_client_seed(text)
    assert [error.field for error in refusal.value.errors] == ["client_seed"]


@given(st.text(max_size=140))
def test_every_client_seed_that_is_taken_can_be_hashed(text: str) -> None:
    try:
        require_client_seed(text).encode()
    except InvalidInput:
        assert not text.isprintable() or not 1 <= len(text) <= 128
