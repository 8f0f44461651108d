"""The relay's line: each user's events in the wallet's order, in the places the user has."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.events import MoneyMoved, WaitingEvent
from packhouse.plumbing.outbox import in_wallet_order

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
