"""Openings that are made true together: who cannot go on is left out, and nobody else notices."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from packhouse import draws, wallet
from packhouse.accounts import NotSignedIn
from packhouse.catalog import Card
from packhouse.draws import LotItem, SoldOut
from packhouse.flows.open_pack import AskedOpening, OpeningBusy, OpenPack, open_pack, open_set
from packhouse.flows.rotate_seed import end_seed_pair
from packhouse.flows.settle_openings import ClaimShort, OpenedPacks, PurchaseRaced
from packhouse.foundation.events import LotClosed
from packhouse.foundation.identifiers import HOUSE
from packhouse.house import House
from packhouse.plumbing.lanes import Lanes
from packhouse.plumbing.outbox import list_waiting_events
from packhouse.plumbing.postgres import Record
from packhouse.plumbing.sealing import SealBroken
from worlds.ember_counter import (
    PRICE_MINOR,
    Person,
    balance_of,
    cards_of,
    lot_of,
    odds_of,
    open_one,
    opening,
    outcomes_of,
    places_of,
    publish,
    record_everything,
    stock_card,
    wait_for_a_lock,
    welcome,
    welcome_all,
)


async def ask(house: House, *commands: OpenPack) -> list[AskedOpening]:
    """The commands with the packs they find on sale."""
    return [
        AskedOpening(command, await house.packs.find_pack(house.database, command.slug))
        for command in commands
    ]


async def test_whose_wallet_moves_meanwhile_is_left_out_and_the_neighbours_open(
    house: House, second_house: House, ada: Person, ben: Person, ember: Card
) -> None:
    asked = await ask(house, opening(ada, "ember"), opening(ben, "ember"))
    async with second_house.database.transaction() as connection:
        purse = await wallet.lock_wallet(connection, ada.user_id)
        task = asyncio.create_task(open_set(house, asked))
        await wait_for_a_lock(house)
        await end_seed_pair(second_house, connection, purse, now=second_house.clock())
    outcomes = await task
    assert [type(outcome) for outcome in outcomes] == [PurchaseRaced, OpenedPacks]
    assert (await balance_of(house, ada), await cards_of(house, ada)) == (5_000, [])
    assert await balance_of(house, ben) == 5_000 - PRICE_MINOR
    assert await places_of(house, ember) == {"on_sale": 39, "vaulted": 1}


async def test_who_lost_a_race_in_a_set_opens_alone_afterwards(
    house: House, second_house: House, ada: Person, ben: Person, ember: Card
) -> None:
    async with second_house.database.transaction() as connection:
        purse = await wallet.lock_wallet(connection, ada.user_id)
        tasks = [asyncio.create_task(open_one(house, each, "ember")) for each in (ada, ben)]
        await wait_for_a_lock(house)
        rotated = await end_seed_pair(second_house, connection, purse, now=second_house.clock())
    adas, bens = await asyncio.gather(*tasks)
    assert adas.openings[0].proof.commitment == rotated.current.commitment.hex()
    assert adas.balance == bens.balance == 5_000 - PRICE_MINOR


async def test_who_is_owed_more_copies_than_are_free_is_left_out_and_the_rest_get_theirs(
    house: House, olga: Person, ada: Person, ben: Person
) -> None:
    card = await stock_card(house, olga, "031", copies=2)
    await publish(house, olga, "scarce", odds_of("031"))
    commands = (opening(ada, "scarce", quantity=3), opening(ben, "scarce"))
    outcomes = await open_set(house, await ask(house, *commands))
    assert [type(outcome) for outcome in outcomes] == [ClaimShort, OpenedPacks]
    assert await places_of(house, card) == {"on_sale": 1, "vaulted": 1}
    (alone,) = await open_set(house, await ask(house, commands[0]), waiting=True)
    assert isinstance(alone, OpenedPacks)
    assert [each.cards[0].paid_out for each in alone.openings] == [False, True, True]


async def test_whose_session_has_ended_is_refused_and_the_neighbours_open(
    house: House, ada: Person, ben: Person, ember: Card
) -> None:
    async with house.database.transaction() as connection:
        for token_hash, person, hours in ((b"live", ben, 1), (b"over", ada, 0)):
            await connection.execute(
                "INSERT INTO sessions VALUES ($1, $2, $3, $4)",
                token_hash,
                person.user_id,
                house.clock(),
                house.clock() + timedelta(hours=hours),
            )
    for adas_token in (b"over", b"unknown", b"live"):
        commands = [
            msgspec.structs.replace(opening(person, "ember"), token_hash=token_hash)
            for person, token_hash in ((ada, adas_token), (ben, b"live"))
        ]
        outcomes = await open_set(house, await ask(house, *commands))
        assert [type(outcome) for outcome in outcomes] == [NotSignedIn, OpenedPacks]


async def test_what_is_broken_for_one_collector_fails_no_neighbour(
    house: House, ada: Person, ben: Person, ember: Card
) -> None:
    async with house.database.transaction() as connection:
        await connection.execute(
            "UPDATE seed_pairs SET sealed_server_seed = 'torn' WHERE user_id = $1", ada.user_id
        )
    results = await asyncio.gather(
        open_one(house, ada, "ember"), open_one(house, ben, "ember"), return_exceptions=True
    )
    assert [type(result) for result in results] == [SealBroken, OpenedPacks]


async def test_a_collector_who_leaves_takes_no_neighbour_along(
    house: House, second_house: House, ada: Person, ben: Person, ember: Card
) -> None:
    async with second_house.database.transaction() as connection:
        await wallet.lock_wallet(connection, ben.user_id)
        leaving, staying = (
            asyncio.create_task(open_one(house, each, "ember")) for each in (ada, ben)
        )
        await wait_for_a_lock(house)
        leaving.cancel()
    assert (await staying).balance == 5_000 - PRICE_MINOR
    await house.lanes.finish()
    assert await balance_of(house, ada) == 5_000 - PRICE_MINOR * len(await cards_of(house, ada))


async def test_more_openings_than_may_wait_are_turned_away_and_cost_nothing(
    house: House, ada: Person, ember: Card
) -> None:
    full = msgspec.structs.replace(house, lanes=Lanes(waiting_max=0, wait_seconds_max=1))
    before = await record_everything(house)
    with pytest.raises(OpeningBusy) as outage:
        await open_pack(full, opening(ada, "ember", key="once"))
    assert outage.value.retry_after_seconds > 0
    assert await record_everything(house) == before
    assert (await open_pack(house, opening(ada, "ember", key="once"))).balance == 4_900


async def test_an_answer_that_was_once_kept_whole_is_still_given(
    house: House, ada: Person, ember: Card
) -> None:
    opened = await open_pack(house, opening(ada, "ember", key="once"))
    async with house.database.transaction() as connection:
        await connection.execute(
            "UPDATE idempotency_keys SET answer = $2 WHERE user_id = $1 AND key = 'once'",
            ada.user_id,
            msgspec.json.encode(opened).decode(),
        )
    assert await open_pack(house, opening(ada, "ember", key="once")) == opened


async def test_a_lot_gives_a_set_what_it_has_in_the_order_of_the_set(
    house: House, olga: Person, ada: Person, ben: Person
) -> None:
    await stock_card(house, olga, "021", copies=4)
    await publish(house, olga, "crate", lot_of({"021": 4}, packs=4))
    cleo = await welcome(house, "cleo", credits_minor=5_000)
    commands = (
        opening(ada, "crate", quantity=2),
        opening(cleo, "crate", quantity=3),
        opening(ben, "crate", quantity=2),
    )
    adas, cleos, bens = await open_set(house, await ask(house, *commands))
    assert isinstance(adas, OpenedPacks)
    assert isinstance(bens, OpenedPacks)
    assert isinstance(cleos, SoldOut)
    assert cleos.fields == {"packs_left": 0}
    async with house.database.connection() as connection:
        drawn = await connection.fetch("SELECT draw FROM lot_items ORDER BY draw")
    assert [row["draw"] for row in drawn] == [0, 1, 2, 3]


async def test_the_end_of_a_lot_is_told_to_the_log_after_the_openings_it_ended_with(
    house: House, olga: Person, ada: Person, ben: Person
) -> None:
    await stock_card(house, olga, "021", copies=2)
    await publish(house, olga, "crate", lot_of({"021": 2}, packs=2))
    await open_set(house, await ask(house, opening(ada, "crate"), opening(ben, "crate")))
    async with house.database.connection() as connection:
        events = await list_waiting_events(connection, limit=1_000)
    lot = await read_lot(house)
    assert [waiting.event.kind for waiting in events[-3:]] == [
        "pack.opened",
        "pack.opened",
        "lot.closed",
    ]
    closed = events[-1]
    assert (closed.user_id, closed.sequence, closed.subject_id) == (HOUSE, 0, lot["id"])
    assert closed.event == LotClosed(
        manifest_root=lot["manifest_root"].hex(),
        commitment=lot["commitment"].hex(),
        server_seed=lot["server_seed"].hex(),
        draws=2,
    )


async def test_a_lot_that_is_gone_refuses_without_its_lock_and_still_answers_its_buyers(
    house: House, second_house: House, olga: Person, ada: Person, ben: Person
) -> None:
    await stock_card(house, olga, "021", copies=1)
    await publish(house, olga, "crate", lot_of({"021": 1}, packs=1))
    opened = await open_pack(house, opening(ada, "crate", key="once"))
    async with second_house.database.transaction() as connection:
        await connection.execute("SELECT 1 FROM lots FOR UPDATE")
        with pytest.raises(SoldOut):
            await open_one(house, ben, "crate")
        assert await open_pack(house, opening(ada, "crate", key="once")) == opened


async def test_draws_of_two_houses_in_turn_follow_from_one_manifest(
    house: House, second_house: House, olga: Person
) -> None:
    await stock_card(house, olga, "021", copies=20)
    await stock_card(house, olga, "022", copies=20)
    await publish(house, olga, "crate", lot_of({"021": 15, "022": 9}, packs=12, cards_per_pack=2))
    crowd = await welcome_all(house, 6, credits_minor=10 * PRICE_MINOR)
    opened = []
    for turn, quantity in enumerate((1, 2, 1, 3, 2, 3)):
        chosen = (house, second_house, second_house)[turn % 3]
        opened.append(await open_one(chosen, crowd[turn], "crate", quantity=quantity))
    await replay(house, opened)


async def test_a_crowd_at_a_lot_draws_each_item_once_from_what_the_draw_before_left(
    house: House, second_house: House, olga: Person
) -> None:
    await stock_card(house, olga, "021", copies=40)
    await publish(house, olga, "crate", lot_of({"021": 40}, packs=40))
    crowd = await welcome_all(house, 50, credits_minor=PRICE_MINOR)
    results = await asyncio.gather(
        *(
            open_one((house, second_house)[n % 2], person, "crate")
            for n, person in enumerate(crowd)
        ),
        return_exceptions=True,
    )
    opened = [result for result in results if isinstance(result, OpenedPacks)]
    assert (len(opened), outcomes_of(results, SoldOut)) == (40, 10)
    await replay(house, opened)


async def read_lot(house: House) -> Record:
    """The only lot's row."""
    async with house.database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM lots")
    assert row is not None
    return row


async def replay(house: House, opened: Sequence[OpenedPacks]) -> None:
    """Draw a whole lot again from its revealed seed and compare with every receipt."""
    lot = await read_lot(house)
    async with house.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT position, card_id AS card, stock_item_id, tier, value, is_last_one, photo"
            " FROM lot_items ORDER BY position"
        )
        receipts = [
            msgspec.json.decode(row["receipt"], type=draws.Receipt)
            for row in await connection.fetch("SELECT receipt FROM openings")
        ]
    assert {receipt.id for receipt in receipts} == {
        each.id for result in opened for each in result.openings
    }
    left = [LotItem(**row) for row in rows]
    drawn = sorted(
        ((card, receipt.proof) for receipt in receipts for card in receipt.cards),
        key=lambda pair: pair[0].draw or 0,
    )
    assert [card.draw for card, _ in drawn] == list(range(lot["size"]))
    for card, proof in drawn:
        ((_, ticket, item),) = draws.draw_from(
            left,
            lot_seed=lot["server_seed"],
            manifest_root=lot["manifest_root"],
            first_draw=card.draw or 0,
            draws=1,
            user_key=bytes.fromhex(proof.user_key),
            client_seed=proof.client_seed,
        )
        assert (ticket, item.card) == (card.ticket, card.card.id)
