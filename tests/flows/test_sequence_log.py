"""The sequencer: one signed tree for each size, grown from whatever the relay has logged."""

import asyncio

import msgspec
import pytest

from packhouse import drawlog
from packhouse.catalog import Card
from packhouse.flows import sequence_log as flow
from packhouse.flows.sequence_log import Sequenced, sequence_log
from packhouse.foundation.errors import Breach
from packhouse.foundation.merkle import merkle_root
from packhouse.house import House, open_house
from packhouse.plumbing.setting_values import LogKey, WebOrigin
from packhouse.plumbing.settings import InvalidSettings, Settings
from packhouse.worker.sequencer import run_sequencer
from worlds.ember_counter import Person, kill_at, open_one, record_everything, relay_all
from worlds.kept_log import (
    list_checkpoints,
    list_leaves,
    require_every_checkpoint_to_be_a_beginning,
    sequence_all,
)

CHECKPOINT_SECONDS_MAX = 10
"""What ``docs/fairness.md`` promises: a new one within 10 s of every leaf."""


async def test_at_first_the_empty_tree_is_signed(house: House) -> None:
    assert await sequence_log(house) == Sequenced(leaves=0, size=0)
    (checkpoint,) = await list_checkpoints(house)
    assert drawlog.read_tree(checkpoint.note).root == merkle_root([])
    assert checkpoint.note.startswith("127.0.0.1/log\n0\n")


async def test_nothing_new_is_not_signed_again(house: House, ada: Person) -> None:
    await relay_all(house)
    await sequence_all(house)
    before = await record_everything(house)
    assert await sequence_log(house) == Sequenced(leaves=0, size=1)
    assert await record_everything(house) == before


async def test_each_checkpoint_covers_what_was_logged_until_then(
    house: House, ada: Person, ember: Card
) -> None:
    sizes = []
    for _ in range(3):
        await relay_all(house)
        sizes.append(await sequence_all(house))
        await open_one(house, ada, "ember", quantity=2)
    assert sizes == [sizes[0], sizes[0] + 2, sizes[0] + 4]
    assert await require_every_checkpoint_to_be_a_beginning(house) == sizes


async def test_a_batch_is_bounded_and_the_next_goes_on_behind_it(
    house: House, ada: Person, ember: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_one(house, ada, "ember", quantity=10)
    await relay_all(house)
    leaves = await list_leaves(house)
    monkeypatch.setattr(flow, "LOG_LEAVES_PER_BATCH", 4)
    assert await sequence_log(house) == Sequenced(leaves=4, size=4)
    assert await sequence_log(house) == Sequenced(leaves=4, size=8)
    assert await sequence_all(house) == len(leaves)
    await require_every_checkpoint_to_be_a_beginning(house)


async def test_of_sequencers_at_once_one_works_and_the_others_leave_it(
    house: House, second_house: House, ada: Person
) -> None:
    await relay_all(house)
    async with house.database.transaction() as connection:
        assert await drawlog.claim_sequencer(connection)
        assert await sequence_log(second_house) is None
    results = await asyncio.gather(*(sequence_log((house, second_house)[n % 2]) for n in range(8)))
    assert sum(result.leaves for result in results if result is not None) == 1
    assert await require_every_checkpoint_to_be_a_beginning(house) == [1]


@pytest.mark.parametrize("table", ["log_tiles", "log_checkpoints"])
async def test_a_killed_sequencer_published_nothing_and_the_next_signs_the_same_tree(
    house: House, second_house: House, ada: Person, ember: Card, table: str
) -> None:
    await relay_all(house)
    await sequence_all(house)
    await open_one(house, ada, "ember", quantity=3)
    await relay_all(house)
    before = await record_everything(house)
    await kill_at(house, table, sequence_log(house))
    assert await record_everything(house) == before
    size = await sequence_all(second_house)
    assert size == len(await list_leaves(house))
    await require_every_checkpoint_to_be_a_beginning(house)


async def test_a_damaged_tile_stops_the_signing(house: House, ada: Person, ember: Card) -> None:
    await relay_all(house)
    await sequence_all(house)
    await spoil(house, "UPDATE log_tiles SET hashes = decode(repeat('00', 32 * 3), 'hex')")
    await open_one(house, ada, "ember")
    await relay_all(house)
    with pytest.raises(Breach):
        await sequence_log(house)
    async with house.database.connection() as connection:
        finding = await drawlog.check_log_tree_is_of_its_leaves(connection)
    assert not finding.holds
    await forget_the_tree(house)


async def test_another_root_than_the_signed_one_stops_the_signing(
    house: House, ada: Person
) -> None:
    await relay_all(house)
    await sequence_all(house)
    await spoil(house, "UPDATE log_tiles SET hashes = decode(repeat('00', 32), 'hex')")
    await spoil(house, "INSERT INTO log_leaves VALUES (1, '{}', now())")
    with pytest.raises(Breach, match="do not give the root that was signed"):
        await sequence_log(house)
    await forget_the_tree(house)


async def test_a_missing_leaf_stops_the_signing_and_is_found(house: House, ada: Person) -> None:
    await relay_all(house)
    await spoil(house, "UPDATE log_leaves SET position = 5")
    with pytest.raises(Breach, match="Leaf 0 of the draw log is gone"):
        await sequence_log(house)
    async with house.database.connection() as connection:
        finding = await drawlog.check_log_has_no_gaps(connection)
    assert not finding.holds
    await spoil(house, "UPDATE log_leaves SET position = 0")


async def test_a_changed_leaf_that_was_signed_is_found(house: House, ada: Person) -> None:
    await relay_all(house)
    await sequence_all(house)
    await spoil(house, "UPDATE log_leaves SET leaf = leaf || ' '")
    async with house.database.connection() as connection:
        finding = await drawlog.check_log_tree_is_of_its_leaves(connection)
    assert not finding.holds
    await spoil(house, "UPDATE log_leaves SET leaf = rtrim(leaf)")


async def test_whoever_has_no_key_signs_nothing(house: House, settings: Settings) -> None:
    without = msgspec.structs.replace(settings, log_key=None)
    async with open_house(without, clock=house.clock) as keyless:
        assert keyless.log_signer is None
        with pytest.raises(InvalidSettings, match="PACKHOUSE_LOG_KEY"):
            await sequence_log(keyless)
    assert await list_checkpoints(house) == []


async def test_the_log_is_named_after_the_shops_host_without_its_port(settings: Settings) -> None:
    elsewhere = msgspec.structs.replace(
        settings, public_url=WebOrigin("https://shop.example:8443"), log_key=LogKey(bytes(32))
    )
    async with open_house(elsewhere) as house:
        assert house.log_signer is not None
        assert house.log_signer.origin == "shop.example/log"
        assert house.log_signer.verifier_key.startswith("shop.example/log+")


async def test_the_loop_signs_what_comes_within_ten_seconds_and_ends_when_it_is_told_to(
    house: House, ada: Person, ember: Card
) -> None:
    stop = asyncio.Event()
    loop = asyncio.create_task(run_sequencer(house, stop))
    for _ in range(2):
        await open_one(house, ada, "ember")
        await relay_all(house)
        async with asyncio.timeout(CHECKPOINT_SECONDS_MAX):
            await wait_until_signed(house, leaves=len(await list_leaves(house)))
    stop.set()
    await loop


async def wait_until_signed(house: House, *, leaves: int) -> None:
    """Until there is a checkpoint of so many leaves."""
    while leaves not in {signed.size for signed in await list_checkpoints(house)}:  # noqa: ASYNC110 - the loop tells nobody
        await asyncio.sleep(0.002)


async def spoil(house: House, statement: str) -> None:
    async with house.database.transaction() as connection:
        await connection.execute(statement)


async def forget_the_tree(house: House) -> None:
    """Leave the leaves, of which no law complains."""
    await spoil(house, "TRUNCATE log_tiles, log_checkpoints")
