"""Cards and stock as PostgreSQL keeps them."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest

from packhouse import catalog
from packhouse.catalog import Card, CardShelf
from packhouse.foundation.identifiers import CardId, LotId, PackId, StockItemId, new_id
from packhouse.plumbing.postgres import Connection, Database

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def card(number: str, *, name: str = "Moth at the Bellows", set_code: str = "EMB") -> Card:
    return Card(
        id=CardId(new_id()),
        set_code=set_code,
        set_name="Ember Hollow",
        number=number,
        name=name,
        tier="D",
        value=50,
        kind="physical",
        weight_grams=2,
        flavour="",
        picture=None,
    )


async def insert(database: Database, *cards: Card) -> None:
    async with database.transaction() as connection:
        await catalog.insert_cards(connection, cards, now=NOW, progress=lambda *_: None)


async def stock(
    connection: Connection,
    card_id: CardId,
    copies: int,
    *,
    place: str = "on_sale",
    lot_id: LotId | None = None,
) -> list[StockItemId]:
    ids = [StockItemId(new_id()) for _ in range(copies)]
    await connection.executemany(
        "INSERT INTO stock_items (card_id, id, place, lot_id, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $5)",
        [(card_id, stock_item_id, place, lot_id, NOW) for stock_item_id in ids],
    )
    return ids


async def a_card_with(database: Database, copies: int) -> tuple[CardId, list[StockItemId]]:
    one = card("001")
    await insert(database, one)
    async with database.transaction() as connection:
        return one.id, await stock(connection, one.id, copies)


async def test_cards_are_found_as_written(database: Database) -> None:
    first, second = card("001"), card("002")
    await insert(database, first, second)
    async with database.connection() as connection:
        assert await catalog.list_cards(connection, [second.id, CardId(new_id())]) == [second]


async def test_a_set_has_each_number_once(database: Database) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await insert(database, card("001"), card("001"))


async def test_the_list_of_cards_goes_on_where_a_page_ended(database: Database) -> None:
    cards = [card(f"{number:03}") for number in range(7)] + [card("001", set_code="ZED")]
    await insert(database, *reversed(cards))
    seen: list[Card] = []
    async with database.connection() as connection:
        while True:
            after = (seen[-1].set_code, seen[-1].number) if seen else None
            page = await catalog.list_cards_page(
                connection, search=None, set_code=None, tier=None, after=after, limit=3
            )
            if not page:
                break
            seen += page
    assert seen == cards


async def test_a_search_takes_wildcards_as_letters(database: Database) -> None:
    await insert(database, card("001", name="Half a Moth"), card("002", name="50% MOTH_dust"))
    async with database.connection() as connection:

        async def search(words: str) -> list[str]:
            page = await catalog.list_cards_page(
                connection, search=words, set_code="EMB", tier="D", after=None, limit=9
            )
            return [found.number for found in page]

        assert await search("moth") == ["001", "002"]
        assert await search("0%") == ["002"]
        assert await search("h_d") == ["002"]
        assert await search("%") == ["002"]
        assert await search("\\") == []


async def test_sets_are_counted(database: Database) -> None:
    await insert(database, card("001"), card("002"), card("001", set_code="ZED"))
    async with database.connection() as connection:
        sets = await catalog.list_sets(connection)
    assert sets == [("EMB", "Ember Hollow", 2), ("ZED", "Ember Hollow", 1)]


async def test_the_oldest_free_copies_are_claimed_first(database: Database) -> None:
    card_id, ids = await a_card_with(database, 3)
    async with database.transaction() as connection:
        for waiting in (False, True):
            claimed = await take(connection, card_id, waiting=waiting)
            assert claimed == [ids[int(waiting)]]
        assert await catalog.count_stock_by_place(connection, [card_id]) == {
            card_id: {"on_sale": 1, "vaulted": 2}
        }


async def test_a_claim_takes_each_card_by_its_own_number(database: Database) -> None:
    cards = [card(f"{number:03}") for number in range(3)]
    await insert(database, *cards)
    async with database.transaction() as connection:
        for each in cards:
            await stock(connection, each.id, 2)
        wanted = {cards[2].id: 1, cards[0].id: 2, cards[1].id: 5, CardId(new_id()): 1}
        claimed = await catalog.claim_stock_items(connection, wanted, waiting=False)
    assert {card_id: len(ids) for card_id, ids in claimed.items()} == {
        cards[0].id: 2,
        cards[1].id: 2,
        cards[2].id: 1,
    }


async def test_a_copy_that_comes_back_is_claimed_when_younger_ones_are_gone(
    database: Database,
) -> None:
    card_id, ids = await a_card_with(database, 4)
    async with database.transaction() as connection:
        taken = [(await take(connection, card_id, waiting=False))[0] for _ in range(3)]
        await catalog.move_stock_items(
            connection,
            [(card_id, ids[0])],
            from_places=["vaulted"],
            to_place="on_sale",
            now=NOW,
        )
        taken += await take(connection, card_id, waiting=False)
        claimed = await catalog.claim_stock_items(connection, {card_id: 2}, waiting=False)
    assert (taken, claimed) == (ids, {card_id: [ids[0]]})


async def test_a_claim_that_was_not_handed_out_is_found_again(database: Database) -> None:
    card_id, ids = await a_card_with(database, 3)
    async with database.connection() as connection:
        for copies in (2, 3, 1):
            async with connection.transaction():
                claimed = await catalog.claim_stock_items(
                    connection, {card_id: copies}, waiting=False
                )
            assert claimed == {card_id: ids[:copies]}


async def test_copies_in_the_house_or_in_a_lot_are_never_claimed(database: Database) -> None:
    one = card("001")
    await insert(database, one)
    async with database.transaction() as connection:
        await stock(connection, one.id, 1, place="house")
        await stock(connection, one.id, 1, lot_id=LotId(new_id()))
        assert await catalog.count_stock_by_card(connection, [one.id]) == {one.id: 0}
        for waiting in (False, True):
            claimed = await catalog.claim_stock_items(connection, {one.id: 1}, waiting=waiting)
            assert claimed == {}


@pytest.mark.parametrize("waiting", [False, True])
async def test_sixty_four_claims_of_ten_copies_get_each_copy_once(
    database: Database, *, waiting: bool
) -> None:
    card_id, ids = await a_card_with(database, 10)

    async def claim() -> list[StockItemId]:
        async with database.transaction() as connection:
            return await take(connection, card_id, waiting=waiting)

    results = await asyncio.gather(*(claim() for _ in range(64)))
    taken = [stock_item_id for result in results for stock_item_id in result]
    assert Counter(taken) <= Counter(ids)
    assert Counter(map(len, results))[0] == 64 - len(taken)
    if waiting:
        assert sorted(taken) == ids
    async with database.connection() as connection:
        assert await catalog.count_stock_by_card(connection, [card_id]) == {
            card_id: 10 - len(taken)
        }


async def test_a_copy_that_another_holds_is_skipped_and_waited_for_on_demand(
    database: Database,
) -> None:
    card_id, ids = await a_card_with(database, 1)
    async with database.connection() as other, database.transaction() as connection:
        holding = other.transaction()
        await holding.start()
        assert await catalog.claim_stock_items(other, {card_id: 1}, waiting=False)
        assert not await catalog.claim_stock_items(connection, {card_id: 1}, waiting=False)
        waiter = asyncio.create_task(
            catalog.claim_stock_items(connection, {card_id: 1}, waiting=True)
        )
        await _until_somebody_waits(database)
        await holding.rollback()
        assert await waiter == {card_id: ids}


async def test_waiting_finds_a_copy_that_its_claimer_did_not_hand_out(database: Database) -> None:
    card_id, ids = await a_card_with(database, 1)
    async with database.connection() as other, database.transaction() as connection:
        async with other.transaction():
            await catalog.claim_stock_items(other, {card_id: 1}, waiting=False)
            waiter = asyncio.create_task(
                catalog.claim_stock_items(connection, {card_id: 1}, waiting=True)
            )
            await _until_somebody_waits(database)
        assert await waiter == {card_id: ids}


async def test_waiting_goes_on_to_the_next_copy_when_the_held_one_is_gone(
    database: Database,
) -> None:
    card_id, ids = await a_card_with(database, 2)
    async with database.connection() as other, database.transaction() as connection:
        async with other.transaction():
            await take(other, card_id, waiting=False)
            waiter = asyncio.create_task(
                catalog.claim_stock_items(connection, {card_id: 1}, waiting=True)
            )
            await _until_somebody_waits(database)
        assert await waiter == {card_id: [ids[1]]}


async def test_the_index_of_free_stock_serves_a_claim(database: Database) -> None:
    card_id, _ = await a_card_with(database, 1)
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO stock_items (card_id, id, place, created_at, updated_at)"
            " SELECT $1, uuidv7(), 'vaulted', $2, $2 FROM generate_series(1, 5000)",
            card_id,
            NOW,
        )
        await connection.execute("ANALYZE stock_items")
        asked = {"claim_stock_items": [[catalog.FIRST_COPY]], "claim_stock_items_waiting": []}
        for name, front in asked.items():
            rows = await connection.fetch(
                f"EXPLAIN {catalog.store.QUERIES[name]}", [card_id], [1], *front
            )
            assert any("using stock_items_card_id_idx" in row[0] for row in rows)


async def test_copies_are_handed_out_by_their_key_however_many_there_are(
    database: Database,
) -> None:
    card_id, _ = await a_card_with(database, 1)
    async with database.transaction() as connection:
        await stock(connection, card_id, 20_000)
        await connection.execute("ANALYZE stock_items")
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        rows = await connection.fetch(
            f"EXPLAIN {catalog.store.QUERIES['hand_out_stock_items']}", [card_id], [card_id], NOW
        )
        assert not any("Seq Scan on stock_items" in row[0] for row in rows)


async def take(connection: Connection, card_id: CardId, *, waiting: bool) -> list[StockItemId]:
    """Claim a copy and hand it out."""
    claimed = await catalog.claim_stock_items(connection, {card_id: 1}, waiting=waiting)
    ids = claimed.get(card_id, [])
    await catalog.hand_out_stock_items(connection, [(card_id, each) for each in ids], now=NOW)
    return ids


async def test_a_move_takes_only_what_is_where_it_should_be(database: Database) -> None:
    card_id, ids = await a_card_with(database, 2)
    async with database.transaction() as connection:
        vaulted = await stock(connection, card_id, 1, place="vaulted", lot_id=LotId(new_id()))
        moved = await catalog.move_stock_items(
            connection,
            [(card_id, each) for each in (*ids, *vaulted, StockItemId(new_id()))],
            from_places=["vaulted", "reserved"],
            to_place="house",
            now=NOW,
        )
        assert moved == set(vaulted)
        page = await catalog.list_stock_page(
            connection, card_id=card_id, place="house", after=None, limit=9
        )
        assert [(item.id, item.lot_id) for item in page] == [(vaulted[0], None)]


async def test_moves_of_the_same_items_in_any_order_never_deadlock(database: Database) -> None:
    card_id, ids = await a_card_with(database, 40)
    items = [(card_id, each) for each in ids]

    async def move(*, backwards: bool) -> int:
        async with database.transaction() as connection:
            moved = await catalog.move_stock_items(
                connection,
                items[::-1] if backwards else items,
                from_places=["on_sale"],
                to_place="house",
                now=NOW,
            )
            return len(moved)

    counts = await asyncio.gather(*(move(backwards=bool(turn % 2)) for turn in range(16)))
    assert sorted(counts) == [0] * 15 + [40]


async def test_stock_pages_and_named_copies(database: Database) -> None:
    card_id, ids = await a_card_with(database, 5)
    async with database.connection() as connection:
        page = await catalog.list_stock_page(
            connection, card_id=card_id, place=None, after=ids[1], limit=2
        )
        assert [item.id for item in page] == ids[2:4]
        named = await catalog.list_stock_items(connection, [(card_id, ids[4])])
        assert named[ids[4]].place == "on_sale"


async def test_a_card_has_each_certificate_once(database: Database) -> None:
    card_id, ids = await a_card_with(database, 2)
    async with database.connection() as connection:
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("UPDATE stock_items SET certificate = 'EH-1'")
        await connection.execute(
            "UPDATE stock_items SET certificate = 'EH-1' WHERE card_id = $1 AND id = $2",
            card_id,
            ids[0],
        )


async def test_a_pause_is_for_want_of_a_card_and_ends_with_it(database: Database) -> None:
    pack_id, first, second = PackId(new_id()), CardId(new_id()), CardId(new_id())
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO packs (id, slug, created_at) VALUES ($1, 'ember', $2)", pack_id, NOW
        )
        for _ in range(2):
            await catalog.insert_pack_pauses(
                connection, [(pack_id, second), (pack_id, first)], now=NOW
            )
        pauses = await catalog.list_pack_pauses(connection)
        assert {pause.card_id for pause in pauses[pack_id]} == {first, second}
        assert await catalog.delete_pack_pauses_for_cards(connection, [first]) == {pack_id}
        assert len((await catalog.list_pack_pauses(connection))[pack_id]) == 1
        assert await catalog.delete_pack_pauses_for_cards(connection, [first]) == set()


async def test_a_copy_of_a_digital_card_breaks_the_law(database: Database) -> None:
    card_id, _ = await a_card_with(database, 1)
    async with database.connection() as connection:
        assert (await catalog.check_digital_cards_have_no_copies(connection)).holds
        await connection.execute("UPDATE cards SET kind = 'digital' WHERE id = $1", card_id)
        assert not (await catalog.check_digital_cards_have_no_copies(connection)).holds


async def test_the_shelf_reads_a_card_once_until_it_is_old_or_forgotten(
    database: Database,
) -> None:
    one = card("001")
    await insert(database, one)
    seconds = 0.0
    shelf = CardShelf(media_url=str, ttl_seconds=5, seconds=lambda: seconds)
    async with database.connection() as connection:

        async def name() -> str:
            found = (await shelf.list_cards(connection, [one.id]))[one.id].name
            encoded = (await shelf.encode_faces(connection, [one.id.bytes]))[one.id.bytes]
            assert msgspec.json.decode(encoded)["name"] == found
            return found

        async def rename(new_name: str) -> None:
            await connection.execute("UPDATE cards SET name = $1", new_name)

        assert await name() == "Moth at the Bellows"
        await rename("Cinder")
        assert await name() == "Moth at the Bellows"
        shelf.forget()
        assert await name() == "Cinder"
        await rename("The Last Coal")
        seconds = 5.0
        assert await name() == "The Last Coal"


async def test_the_shelf_is_bounded_and_leaves_out_what_does_not_exist(
    database: Database,
) -> None:
    cards = [card(f"{number:03}") for number in range(5)]
    await insert(database, *cards)
    shelf = CardShelf(media_url=str, cards_max=2)
    async with database.connection() as connection:
        for _ in range(2):
            wanted = [*(each.id for each in cards), CardId(new_id())]
            found = await shelf.list_cards(connection, wanted)
            assert found == {each.id: each for each in cards}
            faces = await shelf.encode_faces(connection, [each.bytes for each in wanted])
            assert faces.keys() == {each.id.bytes for each in cards}
    assert len(shelf._cards) == len(shelf._encoded) == 2


async def _until_somebody_waits(database: Database) -> None:
    """Give way until a statement in this database waits for a lock."""
    async with database.connection() as connection:
        while not await connection.fetchval(  # noqa: ASYNC110 - PostgreSQL sets no event of ours
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)
