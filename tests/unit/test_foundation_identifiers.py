"""Identifiers are UUIDv7, so that new rows land at the right edge of every index."""

from packhouse.foundation.identifiers import new_id


def test_an_identifier_is_a_uuid_of_version_7() -> None:
    assert new_id().version == 7


def test_identifiers_of_one_process_rise() -> None:
    made = [new_id() for _ in range(2_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
