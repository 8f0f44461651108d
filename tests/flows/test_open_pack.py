"""A collector opens packs: the story, each refusal, and the same request again."""

import pytest

from packhouse import draws
from packhouse.accounts import AccountSuspended, StaffCannotOpenPacks
from packhouse.catalog import Card
from packhouse.draws import PackChanged, PackNotFound, SoldOut
from packhouse.flows.open_pack import open_pack
from packhouse.flows.publish_pack import WithdrawPack, withdraw_pack
from packhouse.flows.read_receipt import read_receipt
from packhouse.flows.rotate_seed import rotate_seed, store_client_seed
from packhouse.flows.top_up import top_up
from packhouse.foundation.errors import InvalidInput
from packhouse.house import House
from packhouse.plumbing.idempotency import IdempotencyKeyReused
from packhouse.wallet import InsufficientCredits
from worlds.ember_counter import (
    PRICE_MINOR,
    VALUE_MINOR,
    Person,
    balance_of,
    buying,
    cards_of,
    entries_of,
    is_paused,
    lot_of,
    odds_of,
    open_one,
    opening,
    places_of,
    publish,
    pulls_of,
    record_everything,
    relay_all,
    restock,
    stock_card,
    suspend,
    welcome,
)


async def test_a_pack_is_paid_drawn_recorded_and_shown(
    house: House, ada: Person, ember: Card
) -> None:
    opened = await open_one(house, ada, "ember")
    assert opened.balance == await balance_of(house, ada) == 4_900
    (drawn,) = opened.openings[0].cards
    (kept,) = await cards_of(house, ada)
    assert (kept.id, kept.card_id, kept.state) == (drawn.user_card_id, ember.id, "vaulted")
    assert (kept.value, kept.sell_back_amount) == (VALUE_MINOR, 60)
    assert await places_of(house, ember) == {"on_sale": 39, "vaulted": 1}
    entry = (await entries_of(house, ada))[-1]
    assert (entry.kind, entry.amount, entry.reference) == (
        "pack_opening",
        -PRICE_MINOR,
        opened.openings[0].id,
    )
    assert await pulls_of(house) == []
    await relay_all(house)
    (pull,) = await pulls_of(house)
    assert (pull.username, pull.card, pull.opening_id) == ("ada", drawn.card, entry.reference)


async def test_ten_packs_are_ten_openings_with_nonces_in_a_row(
    house: House, ada: Person, ember: Card
) -> None:
    await open_one(house, ada, "ember")
    opened = await open_one(house, ada, "ember", quantity=10)
    assert [each.proof.nonce for each in opened.openings] == list(range(1, 11))
    assert opened.balance == 5_000 - 11 * PRICE_MINOR
    assert await places_of(house, ember) == {"on_sale": 29, "vaulted": 11}


async def test_a_digital_card_needs_no_copy_and_is_never_out_of_stock(
    house: House, ada: Person, spark: Card
) -> None:
    opened = await open_one(house, ada, "spark", quantity=10)
    assert not any(card.paid_out for each in opened.openings for card in each.cards)
    assert {card.stock_item_id for card in await cards_of(house, ada)} == {None}
    assert await places_of(house, spark) == {}


async def test_a_request_may_bring_its_client_seed_and_else_the_stored_one_is_used(
    house: House, ada: Person, spark: Card
) -> None:
    await store_client_seed(house, ada.user_id, "rain on the roof")
    stored = await open_one(house, ada, "spark")
    brought = await open_pack(house, opening(ada, "spark", client_seed="a coin in the well"))
    proofs = [each.openings[0].proof for each in (stored, brought)]
    assert [(p.client_seed, p.client_seed_origin) for p in proofs] == [
        ("rain on the roof", "stored"),
        ("a coin in the well", "request"),
    ]


async def test_every_draw_follows_from_what_is_revealed_afterwards(
    house: House, olga: Person, ada: Person
) -> None:
    for number in ("011", "012", "013", "014"):
        await stock_card(house, olga, number, tier="B", copies=12)
    await publish(house, olga, "four", odds_of("011", "012", "013", "014", tier="B", count=3))
    opened = await open_one(house, ada, "four", quantity=4)
    await relay_all(house)
    await rotate_seed(house, ada.user_id)
    pack = await house.packs.get_pack(house.database, "four")
    for each in opened.openings:
        receipt = await read_receipt(house, each.id, viewer=None)
        assert receipt.server_seed is not None
        assert receipt.proof.nonce is not None
        server_seed = bytes.fromhex(receipt.server_seed)
        assert draws.commitment_to(server_seed).hex() == receipt.proof.commitment
        outcome = draws.decide(
            pack.compiled,
            server_seed=server_seed,
            user_key=bytes.fromhex(receipt.proof.user_key),
            nonce=receipt.proof.nonce,
            client_seed=receipt.proof.client_seed,
        )
        assert [(card.card, card.card_ticket) for card in outcome.cards] == [
            (card.card.id, card.card_ticket) for card in receipt.cards
        ]
        assert outcome.layout_ticket == receipt.proof.layout_ticket


async def test_a_lot_is_drawn_without_replacement_and_its_last_pack_has_the_last_one_prize(
    house: House, olga: Person, ada: Person
) -> None:
    common = await stock_card(house, olga, "021", copies=8)
    rare = await stock_card(house, olga, "022", tier="A", value=900, copies=2)
    await publish(house, olga, "crate", lot_of({"021": 6, "022": 1}, packs=7, last_one="022"))
    first = await open_one(house, ada, "crate", quantity=6)
    assert not any(len(each.cards) > 1 for each in first.openings)
    last = (await open_one(house, ada, "crate")).openings[0]
    assert [card.card.id for card in last.cards][-1] == rare.id
    assert len(last.cards) == 2
    drawn = [card.card_id for card in await cards_of(house, ada)]
    assert (drawn.count(common.id), drawn.count(rare.id)) == (6, 2)
    with pytest.raises(SoldOut):
        await open_one(house, ada, "crate")
    assert await places_of(house, common) == {"on_sale": 2, "vaulted": 6}
    await relay_all(house)
    assert len(await pulls_of(house)) == 8


async def test_more_packs_than_a_lot_has_left_are_refused(
    house: House, olga: Person, ada: Person
) -> None:
    await stock_card(house, olga, "021", copies=3)
    await publish(house, olga, "crate", lot_of({"021": 3}, packs=3))
    before = await record_everything(house)
    with pytest.raises(SoldOut) as refusal:
        await open_one(house, ada, "crate", quantity=4)
    assert refusal.value.fields == {"packs_left": 3}
    assert await record_everything(house) == before


async def test_a_card_without_a_copy_left_is_paid_at_its_full_value_and_the_pack_rests(
    house: House, olga: Person, ada: Person, ben: Person
) -> None:
    card = await stock_card(house, olga, "031", copies=3, place="house")
    await restock(house, olga, card, 1)
    await publish(house, olga, "scarce", odds_of("031"))
    opened = await open_one(house, ada, "scarce", quantity=2)
    assert [each.cards[0].paid_out for each in opened.openings] == [False, True]
    assert opened.balance == 5_000 - 2 * PRICE_MINOR + VALUE_MINOR
    assert [entry.kind for entry in await entries_of(house, ada)][-3:] == [
        "pack_opening",
        "pack_opening",
        "stock_shortfall",
    ]
    assert sorted(kept.state for kept in await cards_of(house, ada)) == ["sold", "vaulted"]
    before = await record_everything(house)
    with pytest.raises(SoldOut):
        await open_one(house, ben, "scarce")
    assert await record_everything(house) == before
    await restock(house, olga, card, 2)
    assert not await is_paused(house, "scarce")
    assert not (await open_one(house, ben, "scarce")).openings[0].cards[0].paid_out
    await relay_all(house)


async def test_the_same_request_again_gives_the_same_answer_once_paid(
    house: House, ada: Person, ember: Card
) -> None:
    first = await open_pack(house, opening(ada, "ember", key="once"))
    before = await record_everything(house)
    assert await open_pack(house, opening(ada, "ember", key="once")) == first
    assert await record_everything(house) == before


async def test_a_key_with_another_request_is_refused(
    house: House, ada: Person, ember: Card
) -> None:
    await open_pack(house, opening(ada, "ember", key="once"))
    before = await record_everything(house)
    with pytest.raises(IdempotencyKeyReused):
        await open_pack(house, opening(ada, "ember", key="once", quantity=2))
    assert await record_everything(house) == before


async def test_a_refused_request_may_be_tried_again_with_its_key(house: House, ember: Card) -> None:
    cleo = await welcome(house, "cleo")
    with pytest.raises(InsufficientCredits):
        await open_pack(house, opening(cleo, "ember", key="once"))
    await top_up(house, buying(cleo, PRICE_MINOR))
    assert (await open_pack(house, opening(cleo, "ember", key="once"))).balance == 0


async def test_credits_that_do_not_cover_the_price_change_nothing(
    house: House, ember: Card
) -> None:
    cleo = await welcome(house, "cleo", credits_minor=3 * PRICE_MINOR - 1)
    before = await record_everything(house)
    with pytest.raises(InsufficientCredits) as refusal:
        await open_one(house, cleo, "ember", quantity=3)
    assert refusal.value.fields == {"missing": 1}
    assert await record_everything(house) == before


async def test_a_payout_does_not_pay_for_the_packs_it_comes_from(
    house: House, olga: Person
) -> None:
    card = await stock_card(house, olga, "032", value=10_000, copies=1)
    await publish(house, olga, "rich", odds_of("032"))
    cleo = await welcome(house, "cleo", credits_minor=2 * PRICE_MINOR - 1)
    with pytest.raises(InsufficientCredits):
        await open_one(house, cleo, "rich", quantity=2)
    assert await places_of(house, card) == {"on_sale": 1}


async def test_who_may_not_open_packs_changes_nothing(
    house: House, olga: Person, ada: Person, ember: Card
) -> None:
    await suspend(house, ada)
    before = await record_everything(house)
    with pytest.raises(StaffCannotOpenPacks):
        await open_one(house, olga, "ember")
    with pytest.raises(AccountSuspended):
        await open_one(house, ada, "ember")
    assert await record_everything(house) == before


async def test_a_pack_that_was_published_anew_is_not_opened_unseen(
    house: House, second_house: House, olga: Person, ada: Person, ember: Card
) -> None:
    shown = await house.packs.get_pack(house.database, "ember")
    assert shown.compiled.config_hash.hex()
    await publish(second_house, olga, "ember", odds_of("001", price=200))
    before = await record_everything(house)
    with pytest.raises(PackChanged):
        await open_pack(house, opening(ada, "ember", config_hash=shown.compiled.config_hash.hex()))
    assert await record_everything(house) == before
    assert (await open_one(house, ada, "ember")).balance == 4_800


async def test_a_pack_that_is_not_on_sale_is_not_found(
    house: House, second_house: House, olga: Person, ada: Person, ember: Card
) -> None:
    with pytest.raises(PackNotFound):
        await open_one(house, ada, "amber")
    assert (await house.packs.get_pack(house.database, "ember")).slug == "ember"
    await withdraw_pack(second_house, WithdrawPack("ember", "Misprinted.", olga.actor))
    with pytest.raises(PackNotFound):
        await open_one(house, ada, "ember")


async def test_an_opened_pack_is_answered_again_after_it_went_off_sale(
    house: House, olga: Person, ada: Person, ember: Card
) -> None:
    opened = await open_pack(house, opening(ada, "ember", key="once"))
    await withdraw_pack(house, WithdrawPack("ember", "Misprinted.", olga.actor))
    assert await open_pack(house, opening(ada, "ember", key="once")) == opened


async def test_a_client_seed_that_cannot_be_seen_is_refused(
    house: House, ada: Person, ember: Card
) -> None:
    with pytest.raises(InvalidInput):
        await open_pack(house, opening(ada, "ember", client_seed="a\x00b"))
