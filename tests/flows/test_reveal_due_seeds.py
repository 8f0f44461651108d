"""No server seed stays secret for more than a week after its first use, rotated or not."""

import asyncio
from datetime import timedelta

import pytest

from packhouse import accounts, draws
from packhouse.accounts import NewSession
from packhouse.catalog import Card
from packhouse.draws import SeedPair
from packhouse.flows import reveal_due_seeds as flow
from packhouse.flows.open_pack import open_pack
from packhouse.flows.read_receipt import read_receipt
from packhouse.flows.reveal_due_seeds import reveal_due_seeds
from packhouse.flows.rotate_seed import find_current_seed, rotate_seed
from packhouse.foundation.events import SeedCommitted, SeedRevealed
from packhouse.foundation.jobs import DeleteSessions, RevealSeeds
from packhouse.foundation.limits import SEED_PAIR_DAYS_DUE, SEED_PAIR_DAYS_MAX
from packhouse.house import House
from packhouse.worker.sweep import delete_sessions, reveal_seeds
from worlds.announced import list_facts
from worlds.ember_counter import (
    Person,
    ShopClock,
    kill_at,
    lot_of,
    open_one,
    opening,
    publish,
    record_everything,
    stock_card,
    suspend,
    welcome_all,
)


async def past_pairs(house: House, person: Person) -> list[SeedPair]:
    async with house.database.connection() as connection:
        return await draws.list_revealed_seed_pairs(connection, user_id=person.user_id, limit=100)


async def test_a_due_seed_is_revealed_and_is_the_one_that_was_committed_to(
    house: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    before = (await find_current_seed(house, ada.user_id)).pair
    opened = (await open_one(house, ada, "ember", quantity=3)).openings[0]
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    swept = await reveal_due_seeds(house)
    assert (swept.due, swept.revealed, swept.late) == (1, 1, 0)
    (past,) = await past_pairs(house, ada)
    assert (past.id, past.openings, past.revealed_at) == (before.id, 3, house.clock())
    assert past.server_seed is not None
    assert draws.commitment_to(past.server_seed) == before.commitment
    receipt = await read_receipt(house, opened.id, viewer=None)
    assert receipt.server_seed == past.server_seed.hex()


async def test_a_due_seed_is_revealed_in_the_log(
    house: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    before = (await find_current_seed(house, ada.user_id)).pair
    await open_one(house, ada, "ember", quantity=3)
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    await reveal_due_seeds(house)
    (revealed,) = await list_facts(house, SeedRevealed, by=ada.user_id)
    assert (revealed.commitment, revealed.openings) == (before.commitment.hex(), 3)
    after = (await find_current_seed(house, ada.user_id)).pair
    committed = await list_facts(house, SeedCommitted, by=ada.user_id)
    assert [each.user_key for each in committed] == [before.user_key.hex(), after.user_key.hex()]


async def test_a_sweep_that_was_down_for_a_day_still_keeps_the_promise(
    house: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(house, ada, "ember")
    clock.forward(days=SEED_PAIR_DAYS_DUE + 1)
    await reveal_due_seeds(house)
    (past,) = await past_pairs(house, ada)
    assert past.revealed_at is not None
    assert past.first_used_at is not None
    assert past.revealed_at - past.first_used_at <= timedelta(days=SEED_PAIR_DAYS_MAX)


async def test_what_is_revealed_later_than_promised_is_counted(
    house: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(house, ada, "ember")
    clock.forward(days=SEED_PAIR_DAYS_MAX, seconds=1)
    assert (await reveal_due_seeds(house)).late == 1


async def test_a_pair_that_is_not_due_or_was_never_used_is_left_alone(
    house: House, ada: Person, ben: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(house, ada, "ember")
    clock.forward(days=SEED_PAIR_DAYS_DUE, microseconds=-1)
    before = await record_everything(house)
    assert (await reveal_due_seeds(house)).due == 0
    assert await record_everything(house) == before


async def test_a_pair_that_was_shown_by_a_lots_draw_alone_is_due_too(
    house: House, olga: Person, ada: Person, clock: ShopClock
) -> None:
    await stock_card(house, olga, "021", copies=2)
    await publish(house, olga, "crate", lot_of({"021": 2}, packs=2))
    await open_one(house, ada, "crate")
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    assert (await reveal_due_seeds(house)).revealed == 1


async def test_a_suspended_collectors_seed_is_revealed_too(
    house: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(house, ada, "ember")
    await suspend(house, ada)
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    assert (await reveal_due_seeds(house)).revealed == 1


async def test_openings_go_on_under_the_fresh_pair(
    house: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    old = (await open_one(house, ada, "ember")).openings[0].proof
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    await reveal_due_seeds(house)
    fresh = (await open_one(house, ada, "ember")).openings[0].proof
    assert (fresh.nonce, fresh.client_seed) == (0, old.client_seed)
    assert fresh.commitment != old.commitment
    assert fresh.user_key != old.user_key
    assert (await reveal_due_seeds(house)).due == 0


async def test_an_opening_at_the_moment_of_the_reveal_is_under_one_pair_wholly(
    house: House, second_house: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(house, ada, "ember")
    old = (await find_current_seed(house, ada.user_id)).pair
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    sweep = asyncio.create_task(reveal_due_seeds(second_house))
    results = await asyncio.gather(*(open_one(house, ada, "ember") for _ in range(4)))
    await sweep
    (past,) = await past_pairs(house, ada)
    proofs = [each.openings[0].proof for each in results]
    under_old = [proof.nonce for proof in proofs if proof.commitment == old.commitment.hex()]
    under_new = [proof.nonce for proof in proofs if proof.commitment != old.commitment.hex()]
    assert past.openings == 1 + len(under_old)
    assert sorted(n for n in under_old if n is not None) == list(range(1, 1 + len(under_old)))
    assert sorted(n for n in under_new if n is not None) == list(range(len(under_new)))


async def test_two_sweeps_at_once_reveal_each_pair_once(
    house: House, second_house: House, olga: Person, ember: Card, clock: ShopClock
) -> None:
    people = await welcome_all(house, 6, credits_minor=500)
    for person in people:
        await open_one(house, person, "ember")
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    swept = await asyncio.gather(reveal_due_seeds(house), reveal_due_seeds(second_house))
    assert sum(each.revealed for each in swept) == 6
    assert [len(await past_pairs(house, person)) for person in people] == [1] * 6


async def test_a_pair_that_its_collector_rotates_meanwhile_is_revealed_once(
    house: House, second_house: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(house, ada, "ember")
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    await asyncio.gather(reveal_due_seeds(house), rotate_seed(second_house, ada.user_id))
    past = [pair.openings for pair in await past_pairs(house, ada)]
    # The collector came first; or after the sweep, and then ended the fresh, unused pair.
    assert past in ([1], [0, 1])


@pytest.mark.parametrize("table", ["seed_pairs", "wallets"])
async def test_a_killed_sweep_has_revealed_nothing_by_halves(
    house: House, ada: Person, ember: Card, clock: ShopClock, table: str
) -> None:
    await open_one(house, ada, "ember")
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    before = await record_everything(house)
    await kill_at(house, table, reveal_due_seeds(house))
    assert await record_everything(house) == before
    assert (await reveal_due_seeds(house)).revealed == 1


async def test_one_batch_is_bounded_and_takes_the_oldest_first(
    house: House,
    ada: Person,
    ben: Person,
    ember: Card,
    clock: ShopClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flow, "SEED_PAIRS_PER_SWEEP", 1)
    await open_one(house, ben, "ember")
    clock.forward(hours=1)
    await open_one(house, ada, "ember")
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    assert (await reveal_due_seeds(house)).revealed == 1
    assert (len(await past_pairs(house, ben)), len(await past_pairs(house, ada))) == (1, 0)


async def test_a_repeated_request_is_answered_alike_after_the_reveal(
    house: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    command = opening(ada, "ember", key="once")
    answer = await open_pack(house, command)
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    await reveal_due_seeds(house)
    assert await open_pack(house, command) == answer


async def test_the_sweep_reveals_due_seeds_and_deletes_expired_sessions(
    house: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    session = NewSession(
        token="a token",
        token_hash=b"s" * 32,
        user_id=ada.user_id,
        created_at=house.clock(),
        expires_at=house.clock() + timedelta(days=1),
    )
    async with house.database.transaction() as connection:
        await accounts.insert_session(connection, session)
    await open_one(house, ada, "ember")
    clock.forward(days=SEED_PAIR_DAYS_DUE)
    await reveal_seeds(house, RevealSeeds())
    await delete_sessions(house, DeleteSessions())
    async with house.database.connection() as connection:
        assert not await connection.fetchval("SELECT count(*) FROM sessions")
    assert len(await past_pairs(house, ada)) == 1
