"""The demo shop is whole, is seeded once however often it is begun, and a newcomer can use it."""

import io
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

import msgspec
import pytest
from PIL import Image

from packhouse import accounts, catalog, draws, vault, wallet
from packhouse.demo import (
    DEMO_COLLECTOR_EMAIL,
    DEMO_CREDITS_MINOR,
    DEMO_OWNER_EMAIL,
    DEMO_PASSWORD,
    list_demo_cards,
    list_demo_packs,
    seed_demo_shop,
)
from packhouse.demo.seed import DrawnPictures, list_import_rows
from packhouse.draws import PackConfig, ShelvedPack
from packhouse.flows.check_laws import list_broken_laws
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.flows.open_pack import OpenPack, OpenPacks, open_pack
from packhouse.flows.publish_pack import SavePackDraft, save_pack_draft
from packhouse.flows.register import Register, register
from packhouse.flows.relay_events import relay_events
from packhouse.flows.request_shipping import QuoteShipping, quote_shipping
from packhouse.flows.sign_in import SignIn, sign_in
from packhouse.flows.top_up import BuyCredits, TopUpRequest, top_up
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.foundation.tiers import TIER_RANKS
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.idempotency import recognise
from packhouse.vault import UserCard, VaultFilter

KINDS = ("first-light", "harbour-eight", "hollow-sky", "last-lantern")
MODEST_TOP_UP_MINOR = 10_000


class PowerCut(Exception):
    """The program was killed."""


@pytest.fixture
async def shop(house: House) -> House:
    """A house with the demo shop in it, but for its pictures."""
    assert await seed_demo_shop(house, lambda _: None, with_art=False)
    return house


async def test_the_four_kinds_are_on_sale_with_positive_margins(shop: House) -> None:
    packs = await shop.packs.list_packs(shop.database)
    assert tuple(pack.slug for pack in packs) == (*KINDS, "glass-echo")
    assert not any(pack.is_sold_out for pack in packs)
    for pack in packs:
        prospect = draws.prospect_of(pack.config)
        assert prospect.margin > 0, pack.slug
        assert prospect.expected_value < pack.config.price, pack.slug
    assert sum(pack.config.price for pack in packs) < MODEST_TOP_UP_MINOR
    assert_single_odds(packs[0].config)
    assert_guaranteed_hit(packs[1].config)
    assert_rare_layout(packs[2].config)
    assert_finite_lot(packs[3])


def assert_single_odds(config: PackConfig) -> None:
    weights = {"D": 65, "C": 20, "B": 10, "A": 3, "S": 1, "SS": 1}
    expected = {tier: Fraction(weight, 100) for tier, weight in weights.items()}
    assert draws.expected_count_by_tier(config) == expected
    assert all(chance.physical for chance in draws.list_card_chances(config))


def assert_guaranteed_hit(config: PackConfig) -> None:
    commons, hit = config.layouts[0].slots
    assert (commons.count, {tier.tier for tier in commons.odds}) == (7, {"D", "C"})
    assert hit.count == 1
    assert all(TIER_RANKS[tier.tier] >= TIER_RANKS["B"] for tier in hit.odds)


def assert_rare_layout(config: PackConfig) -> None:
    assert [layout.weight for layout in config.layouts] == [9_995, 5]
    for layout in config.layouts:
        tables = [tuple((tier.tier, tier.weight) for tier in slot.odds) for slot in layout.slots]
        assert len(set(tables)) == len(tables) == 5
        assert {sum(weight for _, weight in table) for table in tables} == {100_000}


def assert_finite_lot(pack: ShelvedPack) -> None:
    lot = pack.config.lot
    assert lot is not None
    assert pack.packs_left == lot.packs == 200
    assert lot.last_one is not None
    assert all(prize.physical for prize in (*lot.prizes, lot.last_one))


async def test_both_demo_accounts_can_sign_in(shop: House) -> None:
    collector = await sign_in(shop, SignIn(DEMO_COLLECTOR_EMAIL, DEMO_PASSWORD))
    owner = await sign_in(shop, SignIn(DEMO_OWNER_EMAIL, DEMO_PASSWORD))
    assert (collector.user.role, owner.user.role) == ("collector", "owner")
    async with shop.database.connection() as connection:
        purse = await wallet.find_wallet(connection, collector.user.id)
    assert purse is not None
    assert purse.balance == DEMO_CREDITS_MINOR


async def test_a_second_start_changes_nothing(shop: House) -> None:
    before = await count_rows(shop)
    lines: list[str] = []
    assert not await seed_demo_shop(shop, lines.append)
    assert lines == []
    assert await count_rows(shop) == before


async def test_a_shop_killed_at_every_step_is_seeded_once(house: House) -> None:
    steps = len(list_demo_packs()) + 4
    starts = [await is_seeded_before_the_power_cut(house) for _ in range(steps)]
    assert starts == [False] * (steps - 1) + [True]
    counts = await count_rows(house)
    assert counts["stock_items"] == sum(row.get("quantity", 0) for row in list_import_rows())
    assert counts["cards"] == len(list_demo_cards())
    assert counts["packs"] == counts["pack_versions"] == len(list_demo_packs())
    assert (counts["users"], counts["ledger_entries"], counts["lots"]) == (2, 1, 1)
    assert counts["sessions"] == 0


async def is_seeded_before_the_power_cut(house: House) -> bool:
    """One start that is killed when its second step begins; True when there was no such step."""
    lines: list[str] = []

    def announce(line: str) -> None:
        lines.append(line)
        if len(lines) > 1:
            raise PowerCut

    try:
        await seed_demo_shop(house, announce, with_art=False)
    except PowerCut:
        return False
    return True


async def test_a_pack_that_was_only_drafted_is_published_at_the_next_start(house: House) -> None:
    def announce(line: str) -> None:
        if line.startswith("Publishing"):
            raise PowerCut

    with pytest.raises(PowerCut):
        await seed_demo_shop(house, announce, with_art=False)
    first = list_demo_packs()[0]
    actor = Actor(user_id=new_id(), username="demo-owner", request_id="demo")
    await save_pack_draft(house, SavePackDraft(first.slug, first.draft, actor, 1))
    assert await seed_demo_shop(house, lambda _: None, with_art=False)
    packs = await house.packs.list_packs(house.database)
    assert [pack.config.number for pack in packs] == [1] * len(list_demo_packs())


async def test_a_newcomer_who_opens_one_of_each_has_cards_to_sell_and_to_ship(shop: House) -> None:
    newcomers = [await join(shop, number) for number in range(3)]
    for newcomer in newcomers:
        cards = await open_one_of_each(shop, newcomer)
        assert sum(card.may_be_sold_back(shop.clock()) for card in cards) >= 2
        shippable = [card.id for card in cards if card.is_shippable]
        assert shippable
        parcel = QuoteShipping(newcomer, tuple(shippable), "US")
        assert (await quote_shipping(shop, parcel)).card_count == len(shippable)
    await relay_all(shop)
    assert await list_broken_laws(shop) == []


async def join(shop: House, number: int) -> UserId:
    """A new collector with a modest sum of credits."""
    command = Register(
        email=f"newcomer{number}@example.com",
        username=f"newcomer{number}",
        password="salt road at dawn",
        birth_date=date(1988, 4, 9),
    )
    user_id = (await register(shop, command)).user.id
    request = TopUpRequest(amount=MODEST_TOP_UP_MINOR)
    repeat = recognise(user_id=user_id, route="top_up", key="first", request=request)
    await top_up(shop, BuyCredits(user_id, request, repeat))
    return user_id


async def open_one_of_each(shop: House, user_id: UserId) -> Sequence[UserCard]:
    request = OpenPacks()
    for slug in KINDS:
        repeat = recognise(user_id=user_id, route=slug, key="first", request=request)
        await open_pack(shop, OpenPack(user_id, slug, request, repeat))
    async with shop.database.connection() as connection:
        return await vault.list_vault_page(
            connection, user_id=user_id, wanted=VaultFilter(state="vaulted"), after=None, limit=99
        )


async def relay_all(shop: House) -> None:
    while True:
        relayed = await relay_events(shop)
        assert relayed is not None
        if relayed.events == 0:
            return


async def test_the_demo_is_refused_where_accounts_must_not_be_public(house: House) -> None:
    settings = msgspec.structs.replace(house.settings, demo_accounts=False)
    with pytest.raises(Breach):
        await seed_demo_shop(msgspec.structs.replace(house, settings=settings), lambda _: None)
    async with house.database.connection() as connection:
        assert await accounts.count_users(connection) == 0


def test_each_tier_outnumbers_the_next_in_stock() -> None:
    copies = {card.tier: 0 for card in list_demo_cards()}
    for row in list_import_rows():
        copies[row["tier"]] += row.get("quantity", 0)
    assert all(copies[lower] > copies[higher] for lower, higher in pairwise(copies))
    assert sum(copies.values()) < 150_000


def test_graded_copies_have_a_certificate_and_every_copy_has_a_bin() -> None:
    stock = [row for row in list_import_rows() if "quantity" in row]
    assert all(row["location"] for row in stock)
    graded = [row for row in stock if "grade" in row]
    assert len({row["certificate"] for row in graded}) == len(graded) > 30


async def test_cards_come_with_the_pictures_drawn_for_them(house: House) -> None:
    faces = list_demo_cards()[-2:]
    wanted = {card.number for card in faces}
    rows = [row for row in list_import_rows() if row["set_code"] == "ORY"]
    file = msgspec.json.encode([row for row in rows if row["number"] in wanted])
    actor = Actor(user_id=new_id(), username="demo-owner", request_id="demo")
    report = await import_catalog(
        house,
        ImportCatalog(
            content=file, file_name="demo.json", actor=actor, pictures=DrawnPictures(faces)
        ),
    )
    assert report.pictures == 2
    async with house.database.connection() as connection:
        cards = await catalog.list_cards_of_sets(connection, ["ORY"])
    for card in cards:
        assert card.picture is not None
        with Image.open(io.BytesIO(house.media.read(card.picture))) as picture:
            assert (picture.format, picture.width) == ("WEBP", 480)


async def count_rows(house: House) -> dict[str, int]:
    """How many rows the tables have that seeding writes to."""
    tables = (
        *("users", "sessions", "cards", "stock_items", "packs", "pack_versions", "lots"),
        *("ledger_entries", "top_ups", "audit_log", "catalog_imports"),
    )
    async with house.database.connection() as connection:
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
            for table in tables
        }
