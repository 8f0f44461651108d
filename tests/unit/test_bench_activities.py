"""The mix of ``users``: its shares are the plan's, and its requests are whole HTTP."""

import random
from collections import Counter

import pytest

from packhouse.bench.activities import (
    CARD_SLOT,
    GROUPS,
    PARCEL_SLOT,
    TOKEN_SLOT,
    Activity,
    Mix,
    bytes_of,
    list_activities,
)

SHARES = {"feed and pages": 600, "vault": 250, "openings": 100, "shipping": 50}
KEY = b"k" * 36
THING = b"0198f000-0000-7000-8000-000000000001"


def test_the_groups_have_the_shares_of_the_plan_and_hold_every_activity_once() -> None:
    shares = {each.name: each.per_mille for each in list_activities()}
    assert {group: sum(shares[name] for name in names) for group, names in GROUPS.items()} == SHARES
    named = [name for names in GROUPS.values() for name in names]
    assert sorted(named) == sorted(shares)


def test_chance_keeps_to_the_shares_and_the_same_seed_chooses_the_same() -> None:
    mix = Mix(list_activities(), random.Random(1))  # noqa: S311 - no secret
    chosen = [mix.choose().name for _ in range(20_000)]
    for name, count in Counter(chosen).items():
        wanted = next(each.per_mille for each in list_activities() if each.name == name) * 20
        assert abs(count - wanted) < 6 * wanted**0.5
    again = Mix(list_activities(), random.Random(1))  # noqa: S311 - no secret
    assert [again.choose().name for _ in range(100)] == chosen[:100]


@pytest.mark.parametrize("activity", list_activities(), ids=lambda each: each.name)
def test_every_request_is_whole_when_its_slots_are_filled(activity: Activity) -> None:
    request = bytes_of(activity, key=KEY, token=b"secret", thing=THING)
    head, _, body = request.partition(b"\r\n\r\n")
    for slot in (TOKEN_SLOT, CARD_SLOT, PARCEL_SLOT):
        assert slot not in request
    assert b"packhouse_session=secret\r\n" in head + b"\r\n"
    assert (THING in request) == bool(activity.takes)
    if head.startswith(b"POST"):
        assert b"Idempotency-Key: " + KEY in head
        assert int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]) == len(body)
    else:
        assert body == b""


def test_what_stands_for_an_id_is_as_long_as_one() -> None:
    assert len(CARD_SLOT) == len(PARCEL_SLOT) == len(THING)
