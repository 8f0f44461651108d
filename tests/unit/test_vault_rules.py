"""What may be done with cards in the vault, and until when."""

from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest

from packhouse.foundation.identifiers import CardId, OpeningId, StockItemId, UserCardId, UserId
from packhouse.vault import (
    CardNotInVault,
    SellBackClosed,
    UserCard,
    UserCardState,
    require_all_found,
    sell_back_total,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
STATES: tuple[UserCardState, ...] = get_args(UserCardState)


def a_card(
    number: int = 1,
    *,
    state: UserCardState = "vaulted",
    amount: int = 80,
    until: datetime = NOON + timedelta(days=7),
    is_physical: bool = True,
) -> UserCard:
    return UserCard(
        user_id=UserId(UUID(int=1)),
        id=UserCardId(UUID(int=number)),
        card_id=CardId(UUID(int=500)),
        stock_item_id=StockItemId(UUID(int=900 + number)) if is_physical else None,
        opening_id=OpeningId(UUID(int=700)),
        tier="C",
        value=100,
        state=state,
        sell_back_amount=amount,
        sell_back_until=until,
        created_at=NOON,
    )


def test_cards_that_are_all_in_the_vault_are_found_in_any_order() -> None:
    cards = [a_card(1), a_card(2), a_card(3)]
    require_all_found([cards[2].id, cards[0].id], cards)


def test_nothing_is_done_when_one_card_is_missing() -> None:
    stranger = UserCardId(UUID(int=77))
    with pytest.raises(CardNotInVault, match="1 of 2 cards") as refusal:
        require_all_found([a_card(1).id, stranger], [a_card(1)])
    assert refusal.value.fields == {"user_card_ids": [str(stranger)]}


@pytest.mark.parametrize("state", STATES)
def test_only_a_vaulted_card_counts_as_found(state: UserCardState) -> None:
    card = a_card(state=state)
    if state == "vaulted":
        require_all_found([card.id], [card])
        return
    with pytest.raises(CardNotInVault):
        require_all_found([card.id], [card])


@pytest.mark.parametrize("state", STATES)
def test_only_a_vaulted_card_may_be_sold_back_or_shipped(state: UserCardState) -> None:
    card = a_card(state=state)
    assert card.may_be_sold_back(NOON) is (state == "vaulted")
    assert card.is_shippable is (state == "vaulted")


def test_a_digital_card_cannot_be_shipped_but_sold_back() -> None:
    card = a_card(is_physical=False)
    assert not card.is_shippable
    assert card.may_be_sold_back(NOON)


def test_a_card_is_bought_back_until_the_very_end_of_its_window() -> None:
    card = a_card(until=NOON)
    assert card.may_be_sold_back(NOON - INSTANT)
    assert not card.may_be_sold_back(NOON)


def test_a_sale_pays_the_locked_amounts_together() -> None:
    assert sell_back_total([a_card(1, amount=80), a_card(2, amount=1)], now=NOON) == 81


def test_a_sale_of_worthless_cards_pays_nothing() -> None:
    assert sell_back_total([a_card(amount=0)], now=NOON) == 0


def test_nothing_is_sold_when_one_card_is_late() -> None:
    late = a_card(2, until=NOON)
    with pytest.raises(SellBackClosed, match="1 of 2 cards") as refusal:
        sell_back_total([a_card(1), late], now=NOON)
    assert refusal.value.fields == {"user_card_ids": [str(late.id)]}
