"""How movements become ledger entries, and that no order of them takes a wallet below zero."""

from datetime import UTC, datetime
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import SeedPairId, UserId
from packhouse.foundation.limits import BALANCE_MAX_MINOR
from packhouse.wallet import (
    HOUSE_ACCOUNTS,
    EntryKind,
    InsufficientCredits,
    Movement,
    Wallet,
    postings_of,
    require_credits,
    settle,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
KINDS: tuple[EntryKind, ...] = get_args(EntryKind)
REFERENCE = UUID(int=9)

movements = st.lists(
    st.builds(
        Movement,
        kind=st.sampled_from(KINDS),
        amount=st.integers(-2_000, 2_000),
        reference=st.uuids(),
    ),
    max_size=12,
)


def a_wallet(balance: int = 1_000, *, sequence: int = 41, nonce: int = 7) -> Wallet:
    return Wallet(
        user_id=UserId(UUID(int=1)),
        balance=balance,
        sequence=sequence,
        seed_pair_id=SeedPairId(UUID(int=2)),
        nonce=nonce,
    )


@given(st.integers(0, 3_000), movements)
def test_a_wallet_never_goes_below_zero_and_refuses_only_what_would_take_it_there(
    balance: int, moved: list[Movement]
) -> None:
    running = balance
    lowest = balance
    for movement in moved:
        running += movement.amount
        lowest = min(lowest, running)
    if lowest < 0:
        with pytest.raises(InsufficientCredits):
            settle(a_wallet(balance), moved, now=NOON)
        return
    change = settle(a_wallet(balance), moved, now=NOON)
    assert change.balance == running
    assert all(entry.balance_after >= 0 for entry in change.entries)


@given(movements)
def test_entries_chain_from_the_wallet_to_its_next_state(moved: list[Movement]) -> None:
    before = a_wallet(100_000)
    change = settle(before, moved, now=NOON)
    balance, sequence = before.balance, before.sequence
    for entry in change.entries:
        balance, sequence = balance + entry.amount, sequence + 1
        assert (entry.balance_after, entry.sequence) == (balance, sequence)
    assert (change.balance, change.sequence) == (balance, sequence)


@given(movements)
def test_each_movement_of_something_leaves_one_entry_that_tells_it(moved: list[Movement]) -> None:
    change = settle(a_wallet(100_000), moved, now=NOON)
    told = [(entry.kind, entry.amount, entry.reference) for entry in change.entries]
    assert told == [(m.kind, m.amount, m.reference) for m in moved if m.amount != 0]
    assert all(entry.counterparty == HOUSE_ACCOUNTS[entry.kind] for entry in change.entries)
    assert all(entry.created_at == NOON for entry in change.entries)


@given(movements)
def test_the_house_and_the_wallet_move_by_the_same_amount_against_each_other(
    moved: list[Movement],
) -> None:
    change = settle(a_wallet(100_000), moved, now=NOON)
    postings = postings_of(moved)
    mirrored = [(posting.account, -posting.amount) for posting in postings]
    assert mirrored == [(entry.counterparty, entry.amount) for entry in change.entries]
    assert change.amount + sum(posting.amount for posting in postings) == 0


def test_movements_of_nothing_leave_no_entry_and_no_posting() -> None:
    nothing = [Movement("shipping", 0, REFERENCE), Movement("sell_back", 0, REFERENCE)]
    change = settle(a_wallet(), nothing, now=NOON)
    assert (change.entries, change.balance, change.sequence) == ((), 1_000, 41)
    assert postings_of(nothing) == ()


def test_the_very_last_credit_can_be_spent() -> None:
    change = settle(a_wallet(500), [Movement("pack_opening", -500, REFERENCE)], now=NOON)
    assert change.balance == 0


def test_one_credit_too_few_is_refused_with_what_is_missing() -> None:
    with pytest.raises(InsufficientCredits, match=r"costs 5\.00 credits .* is 4\.99") as refusal:
        settle(a_wallet(499), [Movement("pack_opening", -500, REFERENCE)], now=NOON)
    assert refusal.value.fields == {"missing": 1}


def test_a_later_credit_does_not_pay_for_an_earlier_debit() -> None:
    moved = [Movement("shipping", -2, REFERENCE), Movement("shipping_refund", 2, REFERENCE)]
    with pytest.raises(InsufficientCredits):
        settle(a_wallet(1), moved, now=NOON)


def test_a_balance_that_would_no_longer_be_exact_is_a_breach() -> None:
    full = a_wallet(BALANCE_MAX_MINOR - 1)
    top_up = Movement("top_up", 1, REFERENCE)
    assert settle(full, [top_up], now=NOON).balance == BALANCE_MAX_MINOR
    with pytest.raises(Breach):
        settle(full, [top_up, top_up], now=NOON)


def test_a_change_keeps_the_wallet_it_starts_from_and_counts_its_nonces() -> None:
    before = a_wallet(nonce=7)
    change = settle(before, [Movement("pack_opening", -5, REFERENCE)], now=NOON, nonces=3)
    assert (change.wallet, change.nonces) == (before, 3)


def test_every_kind_of_entry_has_a_house_account() -> None:
    assert set(HOUSE_ACCOUNTS) == set(KINDS)


def test_a_refund_comes_from_the_account_that_the_cost_went_to() -> None:
    assert HOUSE_ACCOUNTS["shipping_refund"] == HOUSE_ACCOUNTS["shipping"]


def test_a_balance_that_just_covers_the_cost_is_enough() -> None:
    require_credits(balance=500, cost=500)


def test_a_balance_below_the_cost_is_refused_with_what_is_missing() -> None:
    with pytest.raises(InsufficientCredits, match=r"costs 50\.00 credits") as refusal:
        require_credits(balance=4_200, cost=5_000)
    assert refusal.value.fields == {"missing": 800}
