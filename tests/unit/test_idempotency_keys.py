"""Recognising a repeated request by its user, route, key and body."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.plumbing.idempotency import IdempotencyKeyRequired, Repeat, recognise

MIRA = UUID(int=1)


class Purchase(msgspec.Struct, frozen=True):
    quantity: int
    client_seed: str | None = None
    notes: dict[str, int] = {}


def recognised(
    key: str | None = "one", *, user_id: UUID = MIRA, route: str = "POST /a", quantity: int = 1
) -> Repeat:
    return recognise(user_id=user_id, route=route, key=key, request=Purchase(quantity))


def test_the_same_request_is_recognised() -> None:
    assert recognised() == recognised()


def test_another_body_under_the_same_key_has_another_hash() -> None:
    one, other = recognised(quantity=1), recognised(quantity=2)
    assert one.key == other.key
    assert one.request_hash != other.request_hash


def test_user_route_and_key_are_kept_apart() -> None:
    repeats = [
        recognised(),
        recognised("two"),
        recognised(user_id=UUID(int=2)),
        recognised(route="POST /b"),
    ]
    assert len({(repeat.user_id, repeat.route, repeat.key) for repeat in repeats}) == 4


def test_the_order_of_keys_in_the_body_does_not_matter() -> None:
    one, other = (
        recognise(user_id=MIRA, route="r", key="k", request=Purchase(1, notes=notes))
        for notes in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    )
    assert one == other


def test_a_default_that_is_written_out_is_the_same_request() -> None:
    written = msgspec.json.decode(b'{"client_seed":null,"quantity":1}', type=Purchase)
    assert recognise(user_id=MIRA, route="POST /a", key="one", request=written) == recognised()


@pytest.mark.parametrize("key", [None, "", " ", "\t\n"])
def test_a_request_without_a_key_is_refused(key: str | None) -> None:
    with pytest.raises(IdempotencyKeyRequired, match="needs an Idempotency-Key"):
        recognised(key)


@pytest.mark.parametrize("key", ["x" * 256, "a\nb", "a\x00", "\u200b"])
def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(IdempotencyKeyRequired, match="at most 255 printable"):
        recognised(key)


@pytest.mark.parametrize("key", ["x", "x" * 255, "3f0c8e7a-once", "schlüssel 1"])
def test_any_printable_key_is_taken_as_it_is(key: str) -> None:
    assert recognised(key).key == key


@given(st.integers(), st.integers())
def test_hashes_are_equal_exactly_when_the_bodies_are(one: int, other: int) -> None:
    hashes = [recognised(quantity=quantity).request_hash for quantity in (one, other)]
    assert (hashes[0] == hashes[1]) is (one == other)
    assert len(hashes[0]) == 32
