"""An account is closed while other things happen to it: one of them is first, and the laws hold."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import asyncpg
import pytest

from packhouse import accounts, draws
from packhouse.accounts import AccountClosed, BadCredentials, LastOwner, NotSignedIn
from packhouse.catalog import Card
from packhouse.flows.adjust_balance import AdjustBalance, Adjustment, adjust_balance
from packhouse.flows.change_role import ChangeRole, change_role
from packhouse.flows.close_account import ClosedAccount, Forfeit, close_account
from packhouse.flows.open_pack import open_pack
from packhouse.flows.relay_events import relay_events
from packhouse.flows.rotate_seed import rotate_seed
from packhouse.flows.sign_in import SignIn, sign_in
from packhouse.flows.top_up import top_up
from packhouse.house import House
from packhouse.vault import CardsLeft
from packhouse.wallet import CreditsLeft
from worlds.ember_counter import (
    Person,
    balance_of,
    buying,
    cards_of,
    lot_of,
    open_one,
    opening,
    publish,
    pulls_of,
    relay_all,
    repeat_of,
    stock_card,
    wait_for_a_lock,
)
from worlds.leaving import EMAIL, PASSWORD, TRACES, closing, find_traces, register_quill

CREDITS_MINOR = 5_000
ALL_CREDITS = Forfeit(credits=CREDITS_MINOR)


@pytest.fixture
async def quill(house: House) -> Person:
    """Quill collects, has a password and 50.00 credits."""
    return await register_quill(house, credits_minor=CREDITS_MINOR)


async def held_up(house: House, table: str, flow: Coroutine[Any, Any, object], then: object) -> Any:  # noqa: ANN401
    """What a flow comes to that waited at ``table`` while ``then`` was done."""
    assert house.settings.database_url is not None
    rival = await asyncpg.connect(house.settings.database_url.reveal())
    try:
        async with rival.transaction():
            await rival.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            task = asyncio.create_task(flow)
            await wait_for_a_lock(house)
            await then  # type: ignore[misc] # any awaitable
    finally:
        await rival.close()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    return result


async def test_an_opening_that_was_decided_before_finds_nobody(
    house: House, quill: Person, ember: Card
) -> None:
    late = await held_up(
        house,
        "stock_items",
        open_pack(house, opening(quill, "ember")),
        close_account(house, closing(quill, forfeit=ALL_CREDITS)),
    )
    assert isinstance(late, NotSignedIn)
    assert await cards_of(house, quill) == []


async def test_an_opening_of_a_lot_that_was_under_way_finds_nobody(
    house: House, olga: Person, quill: Person
) -> None:
    await stock_card(house, olga, "021", copies=2)
    await publish(house, olga, "crate", lot_of({"021": 2}, packs=2))
    late = await held_up(
        house,
        "lots",
        open_pack(house, opening(quill, "crate")),
        close_account(house, closing(quill, forfeit=ALL_CREDITS)),
    )
    assert isinstance(late, NotSignedIn)
    assert await cards_of(house, quill) == []


async def test_an_opening_that_is_first_is_in_the_way(
    house: House, quill: Person, ember: Card
) -> None:
    assert house.settings.database_url is not None
    rival = await asyncpg.connect(house.settings.database_url.reveal())
    async with rival.transaction():
        # The opening holds the wallet and waits here.
        await rival.execute("LOCK TABLE user_cards IN SHARE MODE")
        first = asyncio.create_task(open_one(house, quill, "ember"))
        await wait_for_a_lock(house)
        second = asyncio.create_task(close_account(house, closing(quill, forfeit=ALL_CREDITS)))
        await wait_for_a_lock(house, waiting=2)
        assert not second.done()
    await rival.close()
    await first
    with pytest.raises(CardsLeft):
        await second


@pytest.mark.parametrize("turn", range(6))
async def test_openings_all_around_a_closing_are_done_wholly_or_not_at_all(
    house: House, second_house: House, quill: Person, ember: Card, turn: int
) -> None:
    current = await find_commitment(house, quill)
    results = await asyncio.gather(
        *(open_one(house, quill, "ember") for _ in range(turn)),
        close_account(second_house, closing(quill, forfeit=ALL_CREDITS)),
        *(open_one(house, quill, "ember") for _ in range(3)),
        return_exceptions=True,
    )
    await relay_all(house)
    opened = len(await pulls_of(house))
    closed = [result for result in results if isinstance(result, ClosedAccount)]
    assert (opened == 0) == bool(closed)
    assert await balance_of(house, quill) == (0 if closed else CREDITS_MINOR - 100 * opened)
    if closed:
        assert closed[0].commitment == current
        assert closed[0].openings == 0
        assert await find_traces(house, *TRACES) == {}


async def find_commitment(house: House, person: Person) -> str:
    async with house.database.connection() as connection:
        pairs = await draws.list_seed_pairs(
            connection, user_id=person.user_id, before=None, limit=1
        )
    return pairs[0].commitment.hex()


async def test_two_closings_at_once_with_one_key_are_one(
    house: House, second_house: House, quill: Person
) -> None:
    command = closing(quill, forfeit=ALL_CREDITS, key="one")
    first, second = await asyncio.gather(
        close_account(house, command), close_account(second_house, command)
    )
    assert first == second


async def test_of_two_closings_at_once_the_second_finds_nobody(
    house: House, second_house: House, quill: Person
) -> None:
    results = await asyncio.gather(
        close_account(house, closing(quill, forfeit=ALL_CREDITS)),
        close_account(second_house, closing(quill, forfeit=ALL_CREDITS)),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {ClosedAccount, NotSignedIn}


@pytest.mark.parametrize("turn", range(6))
async def test_a_top_up_beside_a_closing_is_in_the_wallet_or_refused(
    house: House, second_house: House, quill: Person, turn: int
) -> None:
    flows: list[Coroutine[Any, Any, object]] = [
        top_up(house, buying(quill, 700)),
        close_account(second_house, closing(quill, forfeit=ALL_CREDITS)),
    ]
    if turn % 2:
        flows.reverse()
    results = await asyncio.gather(*flows, return_exceptions=True)
    if any(isinstance(result, ClosedAccount) for result in results):
        assert any(isinstance(result, NotSignedIn) for result in results)
        assert await balance_of(house, quill) == 0
    else:
        assert any(isinstance(result, CreditsLeft) for result in results)
        assert await balance_of(house, quill) == CREDITS_MINOR + 700


async def test_a_top_up_that_was_paid_for_while_the_account_was_closed_credits_nobody(
    house: House, quill: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.payments is not None
    start = house.payments.start_checkout

    async def start_late(**order: Any) -> Any:  # noqa: ANN401 - as the provider takes it
        checkout = await start(**order)
        await close_account(house, closing(quill, forfeit=ALL_CREDITS))
        return checkout

    monkeypatch.setattr(house.payments, "start_checkout", start_late)
    with pytest.raises(NotSignedIn):
        await top_up(house, buying(quill, 700))
    assert await balance_of(house, quill) == 0


async def test_an_adjustment_that_waited_for_the_closing_is_refused(
    house: House, olga: Person, quill: Person
) -> None:
    request = Adjustment(amount=5, reason="A test.")
    adjustment = AdjustBalance(quill.user_id, request, olga.actor, repeat_of(olga, request))
    assert house.settings.database_url is not None
    rival = await asyncpg.connect(house.settings.database_url.reveal())
    async with rival.transaction():
        await rival.execute("LOCK TABLE seed_pairs IN SHARE MODE")
        first = asyncio.create_task(close_account(house, closing(quill, forfeit=ALL_CREDITS)))
        await wait_for_a_lock(house)
        second = asyncio.create_task(adjust_balance(house, adjustment))
        await wait_for_a_lock(house, waiting=2)
        assert not second.done()
    await rival.close()
    await first
    with pytest.raises(AccountClosed):
        await second


async def test_a_sign_in_beside_a_closing_leaves_no_session(
    house: House, second_house: House, quill: Person
) -> None:
    closed = asyncio.create_task(close_account(house, closing(quill, forfeit=ALL_CREDITS)))
    results = await asyncio.gather(
        *(sign_in(second_house, SignIn(EMAIL, PASSWORD)) for _ in range(4)),
        return_exceptions=True,
    )
    assert await closed
    for result in results:
        if isinstance(result, BaseException):
            assert isinstance(result, BadCredentials)
            continue
        token_hash = accounts.hash_token(result.token)
        found = await house.sessions.find(house.database, token_hash, now=house.clock(), fresh=True)
        assert found is None


async def test_a_rotation_beside_a_closing_reveals_each_pair_once(
    house: House, second_house: House, quill: Person, ember: Card
) -> None:
    await asyncio.gather(
        close_account(house, closing(quill, forfeit=ALL_CREDITS)),
        *(rotate_seed(second_house, quill.user_id) for _ in range(3)),
        return_exceptions=True,
    )
    async with house.database.connection() as connection:
        pairs = await draws.list_seed_pairs(connection, user_id=quill.user_id, before=None, limit=9)
    assert [pair.server_seed is None for pair in pairs] == [True] + [False] * (len(pairs) - 1)


async def test_a_relay_at_work_leaves_no_name_behind(
    house: House, second_house: House, quill: Person, ember: Card
) -> None:
    await open_one(house, quill, "ember", quantity=5)
    assert house.settings.database_url is not None
    rival = await asyncpg.connect(house.settings.database_url.reveal())
    async with rival.transaction():
        # The relay has read the events with the name, and waits to write the pulls.
        await rival.execute("LOCK TABLE global_feed IN SHARE MODE")
        relay = asyncio.create_task(relay_events(second_house))
        await wait_for_a_lock(house)
        forfeit = Forfeit(credits=CREDITS_MINOR - 500, cards=5)
        closed = asyncio.create_task(close_account(house, closing(quill, forfeit=forfeit)))
        await wait_for_a_lock(house, waiting=2)
        assert not closed.done()
    await rival.close()
    await asyncio.gather(relay, closed)
    assert [pull.username for pull in await pulls_of(house)] == ["Anonymous"] * 5
    await relay_all(house)
    assert await find_traces(house, *TRACES) == {}


async def test_somebody_who_waits_for_the_address_gets_it(house: House, quill: Person) -> None:
    results = await asyncio.gather(
        close_account(house, closing(quill, forfeit=ALL_CREDITS)),
        register_quill(house),
        return_exceptions=True,
    )
    assert isinstance(results[0], ClosedAccount)
    if isinstance(results[1], accounts.EmailTaken):
        assert await register_quill(house)


async def test_two_owners_who_leave_at_once_leave_one(
    house: House, second_house: House, olga: Person
) -> None:
    owners = [
        await register_quill(house, username=f"owner-{n}", email=f"owner-{n}@letterbox.example")
        for n in range(2)
    ]
    for owner in owners:
        await change_role(house, ChangeRole(olga.actor, owner.user_id, "owner", "A test."))
    await change_role(house, ChangeRole(owners[0].actor, olga.user_id, "staff", "A test."))
    results = await asyncio.gather(
        close_account(house, closing(owners[0])),
        close_account(second_house, closing(owners[1])),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {ClosedAccount, LastOwner}
