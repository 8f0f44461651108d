"""Stock is told to the draw log in events that each fit into a leaf."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.flows.announcements import stock_added, stock_withdrawn
from packhouse.foundation.events import StockAdded, StockWithdrawn, WaitingEvent
from packhouse.foundation.identifiers import HOUSE, CardId
from packhouse.foundation.limits import STOCK_CARDS_PER_EVENT_MAX

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def sizes_of(events: list[WaitingEvent]) -> list[int]:
    return [
        len(waiting.event.cards)
        for waiting in events
        if isinstance(waiting.event, StockAdded | StockWithdrawn)
    ]


@pytest.mark.parametrize("announce", [stock_added, stock_withdrawn])
def test_more_cards_than_fit_are_told_in_parts(
    announce: Callable[..., list[WaitingEvent]],
) -> None:
    copies = {CardId(UUID(int=number)): 1 for number in range(2 * STOCK_CARDS_PER_EVENT_MAX + 1)}
    events = announce(copies, now=NOON)
    assert sizes_of(events) == [STOCK_CARDS_PER_EVENT_MAX, STOCK_CARDS_PER_EVENT_MAX, 1]
    assert [event.id for event in events] == sorted(event.id for event in events)


@given(st.dictionaries(st.uuids().map(CardId), st.integers(0, 9), max_size=20))
def test_every_copy_is_told_once_and_no_card_without_one(copies: dict[CardId, int]) -> None:
    events = stock_added(copies, now=NOON)
    told = {
        card.card: card.copies
        for waiting in events
        if isinstance(waiting.event, StockAdded)
        for card in waiting.event.cards
    }
    assert told == {card_id: count for card_id, count in copies.items() if count}
    assert {(waiting.user_id, waiting.sequence) for waiting in events} <= {(HOUSE, 0)}
