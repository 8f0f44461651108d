"""An operator publishes packs: what is on sale is what was shown, and stays as it was published."""

import asyncio
from fractions import Fraction

import msgspec
import pytest

from packhouse import catalog, draws
from packhouse.catalog import Card
from packhouse.draws import (
    DraftLot,
    DraftPrize,
    PackChanged,
    PackDraft,
    PackNotFound,
    PackVersionRow,
    ReasonRequired,
    StockMissing,
)
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.flows.move_stock import MoveStock, move_stock
from packhouse.flows.open_pack import open_pack
from packhouse.flows.publish_pack import (
    PublishedPack,
    PublishPack,
    SavePackDraft,
    WithdrawPack,
    preview_pack,
    publish_pack,
    save_pack_draft,
    withdraw_pack,
)
from packhouse.flows.settle_openings import OpenedPacks
from packhouse.foundation.errors import InvalidInput
from packhouse.house import House
from packhouse.plumbing.audit import AuditEntry, list_audit_entries
from worlds.ember_counter import (
    PRICE_MINOR,
    VALUE_MINOR,
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
    welcome_all,
)


async def test_a_published_pack_says_exactly_what_it_promises(house: House, olga: Person) -> None:
    await stock_card(house, olga, "001", copies=3, value=100)
    await stock_card(house, olga, "002", copies=1, value=101)
    await stock_card(house, olga, "003", copies=2, value=0)
    published = await publish(house, olga, "three", odds_of("001", "002", "003"))
    assert published.prospect.expected_value == Fraction(201, 3)
    assert published.prospect.expected_sell_back == Fraction(201, 4)
    assert published.prospect.margin == 100 - Fraction(201, 4)
    (version,) = await versions_of(house, "three")
    assert draws.hash_of(version.config.encode()).hex() == published.config_hash
    assert draws.parse_config(version.config).number == published.number == 1


async def test_publishing_is_in_the_audit_log_with_its_figures(house: House, olga: Person) -> None:
    await stock_card(house, olga, "001", copies=1)
    published = await publish(house, olga, "ember", odds_of("001"))
    entry = await last_entry(house)
    assert (entry.action, entry.subject, entry.reason) == (
        "publish_pack",
        "pack:ember",
        "A test.",
    )
    assert (entry.actor_id, entry.actor_name) == (olga.user_id, "olga")
    assert entry.details == {
        "version": 1,
        "config_hash": published.config_hash,
        "expected_value": "80",
        "margin": "40",
    }


@pytest.mark.usefixtures("ember")
async def test_a_version_never_changes_whatever_happens_afterwards(
    house: House, olga: Person
) -> None:
    first = await versions_of(house, "ember")
    await stock_card(house, olga, "001", copies=5, value=9_999)
    await save_pack_draft(house, SavePackDraft("ember", odds_of("001", price=7), olga.actor))
    await publish(house, olga, "ember", odds_of("001", price=12_345))
    await withdraw_pack(house, WithdrawPack("ember", "Out of fashion.", olga.actor))
    after = await versions_of(house, "ember")
    assert [version.number for version in after] == [2, 1]
    assert after[-1:] == first


@pytest.mark.usefixtures("ember")
async def test_a_draft_changes_nothing_that_is_on_sale(
    house: House, olga: Person, ada: Person
) -> None:
    await save_pack_draft(house, SavePackDraft("ember", odds_of("001", price=4_000), olga.actor))
    house.packs.forget()
    await open_one(house, ada, "ember")
    assert await balance_of(house, ada) == 5_000 - PRICE_MINOR


@pytest.mark.usefixtures("ember")
async def test_a_value_is_locked_when_the_version_is_published(
    house: House, olga: Person, ada: Person
) -> None:
    await import_card(house, olga, number="001", value=5_000)
    await open_one(house, ada, "ember")
    (kept,) = await cards_of(house, ada)
    assert (kept.value, kept.sell_back_amount) == (VALUE_MINOR, 60)


@pytest.mark.parametrize(("price", "needs_reason"), [(59, True), (60, True), (61, False)])
async def test_a_pack_that_pays_back_its_price_exactly_needs_a_reason(
    house: House, olga: Person, price: int, *, needs_reason: bool
) -> None:
    # Worth 80, of which 75 % is bought back: 60.
    await stock_card(house, olga, "001", copies=1)
    await save_pack_draft(house, SavePackDraft("even", odds_of("001", price=price), olga.actor))
    if not needs_reason:
        await publish_pack(house, PublishPack("even", olga.actor))
        return
    for reason in (None, "", "   "):
        with pytest.raises(ReasonRequired):
            await publish_pack(house, PublishPack("even", olga.actor, reason))
    assert await versions_of(house, "even") == []
    await publish_pack(house, PublishPack("even", olga.actor, "A gift for the summer."))
    assert (await versions_of(house, "even"))[0].reason == "A gift for the summer."


async def test_thirds_of_a_credit_count_when_a_reason_is_asked_for(
    house: House, olga: Person
) -> None:
    # (1 + 1 + 2) / 3 = 4/3 of a minor unit, all of it bought back: a price of 1 pays back more.
    for number, value in (("001", 1), ("002", 1), ("003", 2)):
        await stock_card(house, olga, number, value=value)
    draft = msgspec.structs.replace(
        odds_of("001", "002", "003", price=1), sell_back_rate_basis_points=10_000
    )
    await save_pack_draft(house, SavePackDraft("thirds", draft, olga.actor))
    with pytest.raises(ReasonRequired, match="4/3"):
        await publish_pack(house, PublishPack("thirds", olga.actor))
    dearer = msgspec.structs.replace(draft, price=2)
    await save_pack_draft(house, SavePackDraft("thirds", dearer, olga.actor))
    await publish_pack(house, PublishPack("thirds", olga.actor))


async def test_a_pack_that_promises_a_card_without_a_copy_on_sale_is_refused(
    house: House, olga: Person
) -> None:
    await stock_card(house, olga, "001", copies=1)
    await stock_card(house, olga, "002", copies=4, place="house")
    await save_pack_draft(house, SavePackDraft("bare", odds_of("001", "002"), olga.actor))
    before = await record_everything(house)
    with pytest.raises(StockMissing) as refusal:
        await publish_pack(house, PublishPack("bare", olga.actor))
    assert refusal.value.fields == {"cards": ["EMB-002"]}
    assert await record_everything(house) == before


async def test_a_lot_that_lacks_one_copy_of_a_prize_is_refused_as_a_whole(
    house: House, olga: Person
) -> None:
    card = await stock_card(house, olga, "001", copies=5)
    await stock_card(house, olga, "002", copies=2, place="house")
    draft = lot_of({"001": 4, "002": 2}, packs=6, last_one="002")
    await save_pack_draft(house, SavePackDraft("crate", draft, olga.actor))
    before = await record_everything(house)
    with pytest.raises(StockMissing) as refusal:
        await publish_pack(house, PublishPack("crate", olga.actor))
    assert refusal.value.fields == {"cards": ["EMB-002 (2 of 3)"]}
    assert await record_everything(house) == before
    assert await places_of(house, card) == {"on_sale": 5}


async def test_a_lot_whose_prizes_do_not_fill_its_packs_cannot_be_written(
    house: House, olga: Person
) -> None:
    await stock_card(house, olga, "001", copies=9)
    for packs in (4, 6):
        draft = lot_of({"001": 5}, packs=packs)
        with pytest.raises(InvalidInput):
            await save_pack_draft(house, SavePackDraft("crate", draft, olga.actor))


async def test_a_lot_takes_its_very_copies_and_no_more(house: House, olga: Person) -> None:
    kept_back = await stock_card(house, olga, "001", copies=3, place="house")
    on_sale = await stock_card(house, olga, "002", copies=3)
    await publish(house, olga, "crate", lot_of({"001": 2}, packs=2, last_one="002"))
    assert await places_of(house, kept_back) == {"house": 1, "on_sale": 2}
    bound = [
        (item.card_id, item.place)
        for item in await items_of(house, kept_back, on_sale)
        if item.lot_id
    ]
    assert sorted(bound) == sorted(
        [(kept_back.id, "on_sale"), (kept_back.id, "on_sale"), (on_sale.id, "on_sale")]
    )


async def test_a_copy_of_a_lot_is_never_given_out_by_an_odds_pack(
    house: House, olga: Person, ada: Person, ben: Person
) -> None:
    card = await stock_card(house, olga, "001", copies=4)
    await publish(house, olga, "ember", odds_of("001"))
    await publish(house, olga, "crate", lot_of({"001": 3}, packs=3))
    opened = await open_one(house, ada, "ember", quantity=3)
    assert [each.cards[0].paid_out for each in opened.openings] == [False, True, True]
    lot_copies = {item.id for item in await items_of(house, card) if item.lot_id is not None}
    assert len(lot_copies) == 3
    await open_one(house, ben, "crate", quantity=3)
    assert {kept.stock_item_id for kept in await cards_of(house, ben)} == lot_copies
    assert not lot_copies & {kept.stock_item_id for kept in await cards_of(house, ada)}


async def test_a_copy_of_a_lot_cannot_be_moved_or_bound_to_another_lot(
    house: House, olga: Person
) -> None:
    card = await stock_card(house, olga, "001", copies=2)
    await publish(house, olga, "crate", lot_of({"001": 2}, packs=2))
    item = (await items_of(house, card))[0]
    with pytest.raises(catalog.StockNotMovable):
        await move_stock(
            house,
            MoveStock(
                card_id=card.id, to_place="house", actor=olga.actor, stock_item_ids=(item.id,)
            ),
        )
    await save_pack_draft(house, SavePackDraft("second", lot_of({"001": 1}, packs=1), olga.actor))
    with pytest.raises(StockMissing):
        await publish_pack(house, PublishPack("second", olga.actor, "A test."))


async def test_two_lots_at_once_never_share_a_copy(house: House, olga: Person) -> None:
    await stock_card(house, olga, "001", copies=5)
    for slug in ("north", "south"):
        await save_pack_draft(house, SavePackDraft(slug, lot_of({"001": 4}, packs=4), olga.actor))
    results = await asyncio.gather(
        *(
            publish_pack(house, PublishPack(slug, olga.actor, "A test."))
            for slug in ("north", "south")
        ),
        return_exceptions=True,
    )
    assert outcomes_of(results, StockMissing) == 1
    assert sum(isinstance(result, PublishedPack) for result in results) == 1


@pytest.mark.usefixtures("ember")
async def test_two_publications_at_once_are_two_versions(house: House, olga: Person) -> None:
    results = await asyncio.gather(
        *(publish_pack(house, PublishPack("ember", olga.actor)) for _ in range(4))
    )
    assert sorted(result.number for result in results) == [2, 3, 4, 5]
    assert [version.number for version in await versions_of(house, "ember")] == [5, 4, 3, 2, 1]
    house.packs.forget()
    pack = await house.packs.get_pack(house.database, "ember")
    assert pack.config.number == 5


@pytest.mark.usefixtures("ember")
async def test_a_version_of_another_config_is_not_sold_to_whoever_was_shown_the_old_one(
    house: House, olga: Person, ada: Person
) -> None:
    old = (await house.packs.get_pack(house.database, "ember")).compiled.config_hash.hex()
    await publish(house, olga, "ember", odds_of("001", price=200))
    before = await record_everything(house)
    with pytest.raises(PackChanged):
        await open_pack(house, opening(ada, "ember", config_hash=old))
    assert await record_everything(house) == before


async def test_openings_across_a_publication_settle_under_the_version_they_were_drawn_from(
    house: House, second_house: House, olga: Person
) -> None:
    # Each version costs something else and holds one card of its own, so a mix-up would show.
    for version in range(1, 6):
        await stock_card(house, olga, f"{version:03d}", value=10 * version)
    draft_of = {version: odds_of(f"{version:03d}", price=100 + version) for version in range(1, 6)}
    hashes = {1: (await publish(house, olga, "moving", draft_of[1])).config_hash}
    people = await welcome_all(house, 6, credits_minor=50_000)

    async def republish() -> None:
        for version in range(2, 6):
            await asyncio.sleep(0.02)
            published = await publish(house, olga, "moving", draft_of[version])
            hashes[version] = published.config_hash

    async def keep_opening(person: Person, at: House) -> list[OpenedPacks]:
        return [await open_one(at, person, "moving", quantity=2) for _ in range(12)]

    results = await asyncio.gather(
        *(
            keep_opening(person, (house, second_house)[index % 2])
            for index, person in enumerate(people)
        ),
        republish(),
    )
    version_of = {config_hash: version for version, config_hash in hashes.items()}
    for person, opened in zip(people, results[:-1], strict=True):
        assert opened is not None
        drawn = [each for answer in opened for each in answer.openings]
        versions = [version_of[each.proof.config_hash] for each in drawn]
        for each, version in zip(drawn, versions, strict=True):
            assert (each.cards[0].card.number, each.cards[0].value) == (
                f"{version:03d}",
                10 * version,
            )
        assert await balance_of(house, person) == 50_000 - sum(100 + each for each in versions)


async def test_openings_that_insist_on_a_version_get_it_or_nothing(
    house: House, olga: Person
) -> None:
    await stock_card(house, olga, "001")
    old = (await publish(house, olga, "moving", odds_of("001", price=100))).config_hash
    people = await welcome_all(house, 8, credits_minor=1_000)

    async def republish() -> PublishedPack:
        await asyncio.sleep(0.01)
        return await publish(house, olga, "moving", odds_of("001", price=300))

    results = await asyncio.gather(
        republish(),
        *(
            open_pack(house, opening(person, "moving", config_hash=old))
            for person in people
            for _ in range(4)
        ),
        return_exceptions=True,
    )
    refused = outcomes_of(results, PackChanged)
    settled = [result for result in results if isinstance(result, OpenedPacks)]
    assert refused + len(settled) == 32
    assert all(result.openings[0].proof.config_hash == old for result in settled)
    spent = 8 * 1_000 - sum([await balance_of(house, person) for person in people])
    assert spent == 100 * len(settled)


@pytest.mark.usefixtures("ember")
async def test_a_withdrawn_pack_is_not_sold_and_needs_a_reason(
    house: House, olga: Person, ada: Person
) -> None:
    with pytest.raises(InvalidInput):
        await withdraw_pack(house, WithdrawPack("ember", "  ", olga.actor))
    await withdraw_pack(house, WithdrawPack("ember", "Misprinted.", olga.actor))
    entry = await last_entry(house)
    assert (entry.action, entry.reason) == ("withdraw_pack", "Misprinted.")
    with pytest.raises(PackNotFound):
        await open_one(house, ada, "ember")
    await publish_pack(house, PublishPack("ember", olga.actor))
    await open_one(house, ada, "ember")


@pytest.mark.usefixtures("ember")
async def test_what_cannot_be_published_is_refused_with_a_word_of_what_to_do(
    house: House, olga: Person
) -> None:
    with pytest.raises(PackNotFound):
        await publish_pack(house, PublishPack("nowhere", olga.actor))
    with pytest.raises(PackNotFound):
        await withdraw_pack(house, WithdrawPack("nowhere", "Gone.", olga.actor))
    for slug in ("", "Ember", "two--hyphens", "-edge", "a" * 61, "a/b"):
        with pytest.raises(InvalidInput):
            await save_pack_draft(house, SavePackDraft(slug, odds_of("001"), olga.actor))
    with pytest.raises(InvalidInput) as refusal:
        await save_pack_draft(house, SavePackDraft("new", odds_of("001", "999"), olga.actor))
    assert [error.field for error in refusal.value.errors] == [
        "layouts[0].slots[0].odds[0].cards[1].card"
    ]


async def test_a_preview_composes_without_touching_stock(house: House, olga: Person) -> None:
    await stock_card(house, olga, "001")
    before = await record_everything(house)
    draft = PackDraft(
        name="Crate",
        kind="lot",
        price=PRICE_MINOR,
        sell_back_rate_basis_points=5_000,
        sell_back_window_days=1,
        lot=DraftLot(packs=3, prizes=(DraftPrize("EMB-001", 3),)),
    )
    config = await preview_pack(house, "crate", draft)
    assert draws.prospect_of(config).expected_value == VALUE_MINOR
    assert await record_everything(house) == before


async def import_card(house: House, owner: Person, *, number: str, value: int) -> None:
    """Change the value of a card without adding copies."""
    row = {
        "set_code": "EMB",
        "set_name": "Ember Hollow",
        "number": number,
        "name": f"Ember {number}",
        "tier": "D",
        "value_minor": value,
    }
    command = ImportCatalog(
        content=msgspec.json.encode([row]), file_name="values.json", actor=owner.actor
    )
    await import_catalog(house, command)


async def versions_of(house: House, slug: str) -> list[PackVersionRow]:
    """Published versions, newest first."""
    async with house.database.connection() as connection:
        pack = await draws.find_pack(connection, slug)
        assert pack is not None
        return await draws.list_pack_versions(connection, pack.id)


async def items_of(house: House, *cards: Card) -> list[catalog.StockItem]:
    """Every copy of these cards."""
    async with house.database.connection() as connection:
        return [
            item
            for card in cards
            for item in await catalog.list_stock_page(
                connection, card_id=card.id, place=None, after=None, limit=100
            )
        ]


async def last_entry(house: House) -> AuditEntry:
    """The newest line of the audit log."""
    async with house.database.connection() as connection:
        return (await list_audit_entries(connection, before=None, limit=1))[0]
