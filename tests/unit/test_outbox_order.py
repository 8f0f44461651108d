"""The relay's line: each user's events in the wallet's order, in the places the user has."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.events import MoneyMoved, SeedCommitted, SeedRevealed, WaitingEvent
from packhouse.foundation.identifiers import HOUSE
from packhouse.plumbing.outbox import first_in_line, in_wallet_order

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def waiting(user: int, sequence: int, *, number: int = 0) -> WaitingEvent:
    return WaitingEvent(
        user_id=UUID(int=user),
        id=UUID(int=1_000 + number),
        subject_id=UUID(int=5),
        sequence=sequence,
        event=MoneyMoved(postings=()),
        created_at=NOON,
    )


lines = st.lists(
    st.builds(waiting, st.integers(1, 4), st.integers(1, 9), number=st.integers(0, 9)), max_size=30
)


def test_a_users_late_event_takes_that_users_earlier_place() -> None:
    line = [waiting(1, 2), waiting(2, 8), waiting(1, 1), waiting(2, 9)]
    assert in_wallet_order(line) == [waiting(1, 1), waiting(2, 8), waiting(1, 2), waiting(2, 9)]


def test_a_reveal_comes_after_the_opening_whose_wallet_step_it_shares() -> None:
    opened = waiting(1, 3, number=9)
    revealed = msgspec.structs.replace(
        waiting(1, 3, number=1),
        event=SeedRevealed(commitment="c0", user_key="k0", server_seed="s0", openings=1),
    )
    committed = msgspec.structs.replace(
        waiting(1, 3, number=2), event=SeedCommitted(commitment="c1", user_key="k1")
    )
    opened_next = waiting(1, 4, number=3)
    line = [revealed, committed, opened_next, opened]
    assert in_wallet_order(line) == [opened, revealed, committed, opened_next]


@given(st.sets(st.integers(0, 99)))
def test_what_the_house_did_stays_in_the_order_of_its_ids(numbers: set[int]) -> None:
    line = [
        msgspec.structs.replace(waiting(1, 0, number=number), user_id=HOUSE)
        for number in sorted(numbers)
    ]
    assert in_wallet_order(line) == line


def test_a_busy_users_later_events_do_not_overtake_those_of_others() -> None:
    line = [
        waiting(1, 1),
        waiting(2, 1, number=1),
        waiting(3, 1, number=2),
        waiting(1, 2, number=3),
    ]
    assert first_in_line(line, limit=2) == line[:2]


def test_an_earlier_step_is_not_left_behind() -> None:
    line = [
        waiting(2, 1),
        waiting(1, 2, number=1),
        waiting(3, 1, number=2),
        waiting(1, 1, number=3),
    ]
    assert first_in_line(line, limit=2) == line[:1]
    assert first_in_line(line[1:], limit=1) == [line[3], line[2], line[1]]


@given(lines, st.integers(1, 9))
def test_the_line_goes_on_where_a_batch_ended(line: list[WaitingEvent], limit: int) -> None:
    # Each event once, in the order of the ids, as the outbox gives them.
    left = [msgspec.structs.replace(event, id=UUID(int=place)) for place, event in enumerate(line)]
    moved: list[WaitingEvent] = []
    whole = in_wallet_order(left)
    while left:
        batch = first_in_line(left, limit=limit)
        assert batch
        moved += batch
        left = [event for event in left if event not in batch]
    assert moved == whole


def test_events_of_one_wallet_step_stand_by_their_ids() -> None:
    line = [waiting(1, 3, number=2), waiting(1, 3, number=1)]
    assert in_wallet_order(line) == line[::-1]


@given(lines)
def test_each_users_events_come_out_in_the_wallets_order(line: list[WaitingEvent]) -> None:
    ordered = in_wallet_order(line)
    for user in {event.user_id for event in line}:
        steps = [(event.sequence, event.id) for event in ordered if event.user_id == user]
        assert steps == sorted(steps)


@given(lines)
def test_nothing_is_lost_or_doubled_and_users_keep_their_places(line: list[WaitingEvent]) -> None:
    ordered = in_wallet_order(line)
    assert [event.user_id for event in ordered] == [event.user_id for event in line]
    assert sorted(map(repr, ordered)) == sorted(map(repr, line))


@given(lines)
def test_an_ordered_line_stays_as_it_is(line: list[WaitingEvent]) -> None:
    ordered = in_wallet_order(line)
    assert in_wallet_order(ordered) == ordered
