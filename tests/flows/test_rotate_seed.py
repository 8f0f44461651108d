"""A collector looks at, seeds and rotates the seed pair; what is revealed is what was promised."""

import asyncio

import pytest

from packhouse import draws
from packhouse.accounts import AccountSuspended
from packhouse.catalog import Card
from packhouse.flows.rotate_seed import find_current_seed, rotate_seed, store_client_seed
from packhouse.foundation.errors import InvalidInput
from packhouse.foundation.events import SeedCommitted, SeedRevealed
from packhouse.house import House
from worlds.announced import list_announced, list_facts
from worlds.ember_counter import (
    Person,
    ShopClock,
    kill_at,
    lot_of,
    open_one,
    publish,
    record_everything,
    stock_card,
    suspend,
)


async def test_a_commitment_is_there_before_the_first_opening(house: House, ada: Person) -> None:
    current = await find_current_seed(house, ada.user_id)
    assert len(current.pair.commitment) == 32
    assert (current.nonce, current.pair.server_seed, current.pair.first_used_at) == (0, None, None)


async def test_rotating_reveals_the_seed_behind_the_commitment_and_starts_anew(
    house: House, ada: Person, ember: Card
) -> None:
    before = await find_current_seed(house, ada.user_id)
    await open_one(house, ada, "ember", quantity=3)
    rotated = await rotate_seed(house, ada.user_id)
    assert rotated.revealed.server_seed is not None
    assert draws.commitment_to(rotated.revealed.server_seed) == before.pair.commitment
    assert (rotated.revealed.id, rotated.revealed.openings) == (before.pair.id, 3)
    now = await find_current_seed(house, ada.user_id)
    assert (now.pair, now.nonce) == (rotated.current, 0)
    assert now.pair.commitment != before.pair.commitment
    assert now.pair.user_key != before.pair.user_key
    assert now.pair.client_seed == before.pair.client_seed
    async with house.database.connection() as connection:
        (past,) = await draws.list_revealed_seed_pairs(connection, user_id=ada.user_id, limit=9)
    assert past == rotated.revealed


async def test_a_rotation_reveals_and_commits_in_the_log(
    house: House, ada: Person, ember: Card
) -> None:
    await open_one(house, ada, "ember", quantity=3)
    rotated = await rotate_seed(house, ada.user_id)
    assert rotated.revealed.server_seed is not None
    assert await list_facts(house, SeedRevealed, by=ada.user_id) == [
        SeedRevealed(
            commitment=rotated.revealed.commitment.hex(),
            user_key=rotated.revealed.user_key.hex(),
            server_seed=rotated.revealed.server_seed.hex(),
            openings=3,
        )
    ]
    assert (await list_facts(house, SeedCommitted, by=ada.user_id))[-1] == SeedCommitted(
        commitment=rotated.current.commitment.hex(), user_key=rotated.current.user_key.hex()
    )


async def test_in_the_log_a_reveal_stands_between_the_openings_of_two_pairs(
    house: House, ada: Person, ember: Card
) -> None:
    await open_one(house, ada, "ember", quantity=2)
    await rotate_seed(house, ada.user_id)
    await rotate_seed(house, ada.user_id)
    await open_one(house, ada, "ember")
    kinds = [waiting.event.kind for waiting in await list_announced(house, by=ada.user_id)]
    assert kinds == [
        *("seed.committed", "money.moved", "pack.opened", "pack.opened"),
        *("seed.revealed", "seed.committed", "seed.revealed", "seed.committed", "pack.opened"),
    ]


async def test_openings_of_a_lot_do_not_count_in_the_reveal(
    house: House, olga: Person, ada: Person
) -> None:
    await stock_card(house, olga, "021", copies=2)
    await publish(house, olga, "crate", lot_of({"021": 2}, packs=2))
    await open_one(house, ada, "crate")
    await rotate_seed(house, ada.user_id)
    (revealed,) = await list_facts(house, SeedRevealed, by=ada.user_id)
    assert revealed.openings == 0


async def test_a_pairs_days_are_counted_from_its_first_use_alone(
    house: House, olga: Person, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await stock_card(house, olga, "021", copies=2)
    await publish(house, olga, "crate", lot_of({"021": 2}, packs=2))
    first = house.clock()
    await open_one(house, ada, "crate")
    for slug in ("ember", "crate", "ember"):
        clock.forward(hours=1)
        await open_one(house, ada, slug)
    assert (await find_current_seed(house, ada.user_id)).pair.first_used_at == first


async def test_a_client_seed_is_kept_until_it_is_changed(house: House, ada: Person) -> None:
    kept = await store_client_seed(house, ada.user_id, "rain on the roof")
    assert kept.pair.client_seed == "rain on the roof"
    assert (await rotate_seed(house, ada.user_id)).current.client_seed == "rain on the roof"


@pytest.mark.parametrize("seed", ["", "x" * 129, "two\nlines"])
async def test_a_client_seed_out_of_form_is_refused(house: House, ada: Person, seed: str) -> None:
    before = await record_everything(house)
    with pytest.raises(InvalidInput):
        await store_client_seed(house, ada.user_id, seed)
    assert await record_everything(house) == before


async def test_a_suspended_collector_changes_no_seed(house: House, ada: Person) -> None:
    await suspend(house, ada)
    before = await record_everything(house)
    with pytest.raises(AccountSuspended):
        await rotate_seed(house, ada.user_id)
    with pytest.raises(AccountSuspended):
        await store_client_seed(house, ada.user_id, "rain")
    assert await record_everything(house) == before


async def test_rotations_at_once_each_end_the_pair_of_the_one_before(
    house: House, second_house: House, ada: Person
) -> None:
    rotated = await asyncio.gather(
        *(rotate_seed((house, second_house)[n % 2], ada.user_id) for n in range(8))
    )
    assert len({each.revealed.id for each in rotated}) == 8
    last = (await find_current_seed(house, ada.user_id)).pair.id
    begun = {each.current.id for each in rotated}
    assert begun - {each.revealed.id for each in rotated} == {last}


@pytest.mark.parametrize("table", ["seed_pairs", "wallets", "outbox"])
async def test_a_killed_rotation_reveals_nothing(house: House, ada: Person, table: str) -> None:
    before = await record_everything(house)
    await kill_at(house, table, rotate_seed(house, ada.user_id))
    assert await record_everything(house) == before
