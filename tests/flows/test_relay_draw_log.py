"""What the relay logs: every fact once, in an order that a stranger can check, about nobody."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from packhouse import draws
from packhouse.catalog import Card
from packhouse.draws import (
    KeptReceipt,
    Proof,
    Receipt,
    ReceiptCard,
    ReceiptLot,
    ReceiptPack,
    Ticket,
)
from packhouse.flows.publish_pack import WithdrawPack, withdraw_pack
from packhouse.flows.read_receipt import read_receipt
from packhouse.flows.relay_events import PublicOpening, in_draw_order
from packhouse.flows.rotate_seed import rotate_seed
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import LotId, OpeningId, SeedPairId, UserCardId, UserId
from packhouse.house import House
from worlds.ember_counter import (
    PRICE_MINOR,
    Person,
    lot_of,
    odds_of,
    open_one,
    publish,
    pulls_of,
    relay_all,
    stock_card,
    welcome,
    welcome_all,
)
from worlds.kept_log import kinds_of, list_leaves, list_log

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def test_what_openings_rest_on_stands_before_them_and_what_ends_behind(
    house: House, olga: Person, ada: Person
) -> None:
    await stock_card(house, olga, "041", copies=3)
    await publish(house, olga, "box", lot_of({"041": 2}, packs=2))
    await publish(house, olga, "glow", odds_of("041"))
    await open_one(house, ada, "glow")
    await open_one(house, ada, "box", quantity=2)
    await rotate_seed(house, ada.user_id)
    await withdraw_pack(house, WithdrawPack(slug="glow", reason="A test.", actor=olga.actor))
    await relay_all(house)
    kinds = await kinds_of(house)
    assert kinds == [
        *["seed.committed"] * 3,
        *["pack.published"] * 2,
        "lot.listed",
        "stock.added",
        "stock.withdrawn",
        "pack.opened",
        *["lot.opened"] * 2,
        "seed.revealed",
        "lot.closed",
        "pack.withdrawn",
    ]


async def test_an_openings_leaf_has_the_numbers_of_its_draws_and_binds_its_receipt(
    house: House, ada: Person, ember: Card
) -> None:
    opened = (await open_one(house, ada, "ember")).openings[0]
    await relay_all(house)
    receipt = await read_receipt(house, opened.id, viewer=None)
    leaf = (await list_log(house))[-1]
    told = json.loads(as_served(receipt))
    (card,) = told["cards"]
    assert leaf == {
        "at": told["created_at"],
        "kind": "pack.opened",
        "opening": told["id"],
        "receipt_hash": hashlib.sha256(rfc8785.dumps(told)).hexdigest(),
        "config_hash": told["pack"]["config_hash"],
        "commitment": told["proof"]["commitment"],
        "user_key": told["proof"]["user_key"],
        "nonce": 0,
        "client_seed_hash": hashlib.sha256(told["proof"]["client_seed"].encode()).hexdigest(),
        "tickets": [
            told["proof"]["layout_ticket"]["number"],
            card["tier_ticket"]["number"],
            card["card_ticket"]["number"],
        ],
        "cards": [card["card"]["id"]],
        "paid_out": [],
    }


async def test_a_receipt_keeps_its_hash_when_its_seed_is_revealed(
    house: House, ada: Person, ember: Card
) -> None:
    opened = (await open_one(house, ada, "ember")).openings[0]
    await relay_all(house)
    await rotate_seed(house, ada.user_id)
    receipt = await read_receipt(house, opened.id, viewer=None)
    told = json.loads(as_served(receipt))
    assert told["server_seed"] is not None
    canonical = rfc8785.dumps(told | {"server_seed": None})
    assert (await list_log(house))[-1]["receipt_hash"] == hashlib.sha256(canonical).hexdigest()


async def test_the_last_one_prize_stands_last_and_has_no_ticket(
    house: House, olga: Person, ada: Person
) -> None:
    await stock_card(house, olga, "043", copies=4)
    await stock_card(house, olga, "044", copies=1, value=900)
    await publish(
        house, olga, "crate", lot_of({"043": 4}, packs=2, cards_per_pack=2, last_one="044")
    )
    await open_one(house, ada, "crate", quantity=2)
    await relay_all(house)
    first, second = (leaf for leaf in await list_log(house) if leaf["kind"] == "lot.opened")
    assert (first["draw"], second["draw"]) == (0, 2)
    assert (len(first["tickets"]), len(first["cards"])) == (2, 2)
    assert (len(second["tickets"]), len(second["cards"])) == (2, 3)


async def test_a_card_wanted_in_vain_is_told_once_behind_its_opening(
    house: House, olga: Person, ada: Person
) -> None:
    card = await stock_card(house, olga, "045", copies=1)
    await publish(house, olga, "trio", odds_of("045", count=3))
    opened = (await open_one(house, ada, "trio")).openings[0]
    await relay_all(house)
    opening, exhausted = (await list_log(house))[-2:]
    assert opening["opening"] == str(opened.id)
    assert len(opening["paid_out"]) == 2
    assert exhausted == {"kind": "stock.exhausted", "at": opening["at"], "card": str(card.id)}


async def test_every_opening_is_found_at_its_position(
    house: House, ada: Person, ben: Person, ember: Card, spark: Card
) -> None:
    for person in (ada, ben, ada):
        await open_one(house, person, "ember", quantity=2)
        await open_one(house, person, "spark")
        await relay_all(house)
    leaves = await list_log(house)
    openings = [
        (leaf["opening"], position) for position, leaf in enumerate(leaves) if "opening" in leaf
    ]
    assert len(openings) == 9
    async with house.database.connection() as connection:
        for opening, position in openings:
            found = await draws.find_log_position(connection, OpeningId(opening))
            assert found == position


async def test_the_log_has_the_openings_in_the_order_of_the_feed(
    house: House, second_house: House, olga: Person, ember: Card
) -> None:
    await stock_card(house, olga, "046", copies=40)
    await publish(house, olga, "heap", lot_of({"046": 40}, packs=40))
    crowd = await welcome_all(house, 5, credits_minor=12 * PRICE_MINOR)
    buying = asyncio.gather(
        *(
            open_one((house, second_house)[n % 2], person, "heap" if n % 3 else "ember")
            for person in crowd
            for n in range(8)
        )
    )
    while not buying.done():
        await relay_all(second_house)
    await buying
    await relay_all(house)
    openings = [leaf for leaf in await list_log(house) if "opening" in leaf]
    assert [leaf["draw"] for leaf in openings if "draw" in leaf] == list(range(25))
    nonces: dict[str, list[int]] = {}
    for leaf in openings:
        if "nonce" in leaf:
            nonces.setdefault(leaf["user_key"], []).append(leaf["nonce"])
    assert all(line == list(range(len(line))) for line in nonces.values())
    assert [leaf["opening"] for leaf in openings] == [
        str(pull.opening_id) for pull in await pulls_of(house)
    ]


async def test_the_log_tells_nothing_about_anybody(
    house: House, olga: Person, ember: Card, spark: Card
) -> None:
    await stock_card(house, olga, "047", copies=6)
    await publish(house, olga, "crate", lot_of({"047": 6}, packs=6))
    people = [olga, await welcome(house, "Zephyrine.Q", credits_minor=9 * PRICE_MINOR)]
    people += await welcome_all(house, 3, credits_minor=9 * PRICE_MINOR)
    for person in people[1:]:
        for slug in ("ember", "spark", "crate"):
            await open_one(house, person, slug)
        await rotate_seed(house, person.user_id)
    await relay_all(house)
    text = b"\n".join(await list_leaves(house)).decode().lower()
    assert len(text.splitlines()) > 20
    for person in people:
        for trace in (person.username, f"{person.username}@example.com", str(person.user_id)):
            assert trace.lower() not in text
        assert person.user_id.hex not in text
    assert "@" not in text


@given(st.permutations(range(9)))
def test_draws_of_a_lot_stand_in_their_order_whatever_the_clocks_say(order: list[int]) -> None:
    line = [opening_of(lot=place % 3, draw=place) for place in order]
    ordered = in_draw_order(line)
    assert [lot_number(opening) for opening in ordered] == [lot_number(each) for each in line]
    for lot in (1, 2):
        drawn = [opening.receipt.cards[0].draw for opening in ordered if lot_number(opening) == lot]
        assert drawn == sorted(drawn, key=lambda draw: draw or 0)
    of_odds = [opening for opening in ordered if lot_number(opening) == 0]
    assert of_odds == [opening for opening in line if lot_number(opening) == 0]


def as_served(receipt: Receipt) -> bytes:
    """The receipt's file, as the web gives it."""
    return msgspec.json.encode(receipt)


def opening_of(*, lot: int, draw: int) -> PublicOpening:
    """An opening of a lot with one draw; of an odds pack for lot 0."""
    number = OpeningId(UUID(int=100 + draw))
    face = CardFace(id=UUID(int=1), name="Ember", set="Hollow", number="1", image_url=None)
    receipt = Receipt(
        format="packhouse.receipt/1",
        id=number,
        kind="lot" if lot else "odds",
        pack=ReceiptPack(slug="crate", name="Crate", version=1, config_hash="aa"),
        price=PRICE_MINOR,
        cards=(ReceiptCard(UserCardId(UUID(int=2)), face, "D", 5, draw=draw, ticket=Ticket(0, 9)),),
        proof=Proof(
            config_hash="aa",
            commitment="bb",
            user_key="cc",
            nonce=None,
            client_seed="seed",
            client_seed_origin="request",
            layout=None,
            layout_ticket=None,
            lot=ReceiptLot(LotId(UUID(int=lot)), "dd", "bb") if lot else None,
        ),
        created_at=NOON,
    )
    kept = KeptReceipt(number, UserId(UUID(int=3)), SeedPairId(UUID(int=4)), "")
    return PublicOpening(kept=kept, receipt=receipt, username="ada", created_at=NOON)


def lot_number(opening: PublicOpening) -> int:
    lot = opening.receipt.proof.lot
    return 0 if lot is None else lot.id.int
