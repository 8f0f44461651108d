"""Seeding: fills an empty shop with the demo's accounts, cards, stock and packs, through the flows.

Killed at any instant, it goes on at the next start and doubles nothing: each step looks for its own
effect first and is one transaction, and each pack is published by the last act about it. So there
is no mark of completion that could differ from what is there.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any, Final

import msgspec

from packhouse import accounts, catalog, draws, wallet
from packhouse.demo.art import render_card_art
from packhouse.demo.cards import DemoCard, list_demo_cards
from packhouse.demo.packs import DemoPack, list_demo_packs
from packhouse.demo.wrappers import WRAPPERS, render_pack_wrapper
from packhouse.flows.create_owner import CreateOwner, create_owner
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.flows.publish_pack import PublishPack, SavePackDraft, publish_pack, save_pack_draft
from packhouse.flows.register import Register, register
from packhouse.flows.set_pack_picture import SetPackPicture, set_pack_picture
from packhouse.flows.sign_out import SignOut, sign_out
from packhouse.flows.top_up import BuyCredits, TopUpRequest, top_up
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import UserId
from packhouse.foundation.money import format_minor
from packhouse.foundation.tiers import TIER_RANKS, Tier
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.idempotency import recognise

DEMO_OWNER_EMAIL: Final = "owner@example.com"
DEMO_COLLECTOR_EMAIL: Final = "collector@example.com"
DEMO_PASSWORD: Final = "packhouse-demo"  # noqa: S105 - public by contract, refused in a real shop
DEMO_CREDITS_MINOR: Final = 50_000

# Enough for some eight thousand packs of each kind but the lot, in about 140,000 copies.
_COPIES_ON_SALE: Final[dict[Tier, int]] = {
    "D": 2_000,
    "C": 1_200,
    "B": 700,
    "A": 300,
    "S": 150,
    "SS": 150,
    "SSS": 3,
}
_GRADES: Final = ("Gem 10", "Mint 9.5", "Mint 9")
"""One copy of each card from tier A up has each of these, with a certificate."""

_SEEDER: Final = "demo"
"""Stands in the audit log where other acts have the id of their request."""

Announce = Callable[[str], None]


class DrawnPictures:
    """The pictures of an import, each drawn when it is asked for."""

    def __init__(self, cards: tuple[DemoCard, ...]) -> None:
        self._cards = {_picture_name(card): card for card in cards}

    def find_picture(self, name: str) -> bytes | None:
        """The face of the card that the file is named after."""
        card = self._cards.get(name)
        return None if card is None else render_card_art(card)


async def seed_demo_shop(house: House, announce: Announce, *, with_art: bool = True) -> bool:
    """Do what is missing of the demo shop, with a line for each step; False when nothing was.

    Takes some ten seconds on an empty shop. A shop ``with_art`` off has the same cards and packs
    without pictures. Raises ``Breach`` where accounts with a public password must not be.
    """
    if not house.settings.demo_accounts:
        raise Breach("The demo shop is seeded under `packhouse up` only: its password is public.")
    owner = await _find_user_id(house, DEMO_OWNER_EMAIL)
    if has_no_owner := owner is None:
        announce("Opening the owner's account")
        owner = await _open_owner(house)
    actor = Actor(user_id=owner, username="demo-owner", request_id=_SEEDER)
    collector = await _find_user_id(house, DEMO_COLLECTOR_EMAIL)
    if has_no_collector := collector is None:
        announce("Opening the collector's account")
        collector = await _open_collector(house)
    has_done = [
        has_no_owner,
        has_no_collector,
        await _import_cards(house, announce, actor=actor, with_art=with_art),
        await _publish_packs(house, announce, actor=actor, with_art=with_art),
        await _give_credits(house, announce, user_id=collector),
    ]
    return any(has_done)


def list_import_rows(*, with_art: bool = True) -> list[dict[str, Any]]:
    """The rows of the demo's import file: every card, and its copies with grade and bin."""
    in_the_lot = _count_lot_copies()
    return [
        row
        for card in list_demo_cards()
        for row in _card_rows(card, lot_copies=in_the_lot[_code(card)], with_art=with_art)
    ]


async def _find_user_id(house: House, email: str) -> UserId | None:
    async with house.database.connection() as connection:
        credentials = await accounts.find_credentials(connection, email=email)
    return None if credentials is None else credentials.user_id


async def _open_owner(house: House) -> UserId:
    command = CreateOwner(email=DEMO_OWNER_EMAIL, username="demo-owner", password=DEMO_PASSWORD)
    return (await create_owner(house, command)).id


async def _open_collector(house: House) -> UserId:
    command = Register(
        email=DEMO_COLLECTOR_EMAIL,
        username="demo-collector",
        password=DEMO_PASSWORD,
        birth_date=date(1990, 1, 1),
    )
    signed_in = await register(house, command)
    await sign_out(house, SignOut(accounts.hash_token(signed_in.token)))
    return signed_in.user.id


async def _import_cards(house: House, announce: Announce, *, actor: Actor, with_art: bool) -> bool:
    cards = list_demo_cards()
    async with house.database.connection() as connection:
        if await catalog.list_cards_of_sets(connection, {card.set_code for card in cards}):
            return False
    rows = list_import_rows(with_art=with_art)
    copies = sum(row.get("quantity", 0) for row in rows)
    announce(f"Drawing {len(cards)} cards and putting {copies:,} copies into stock")
    await import_catalog(
        house,
        ImportCatalog(
            content=msgspec.json.encode(rows),
            file_name="demo-cards.json",
            actor=actor,
            pictures=DrawnPictures(cards),
            lines_shown_max=0,
        ),
    )
    return True


async def _publish_packs(house: House, announce: Announce, *, actor: Actor, with_art: bool) -> bool:
    has_published = False
    for position, pack in enumerate(list_demo_packs(), start=1):
        async with house.database.connection() as connection:
            known = await draws.find_pack(connection, pack.slug)
        if known is not None and known.current_version_id is not None:
            continue
        announce(f"Publishing {pack.draft.name}")
        await _publish_pack(house, pack, position=position, actor=actor, with_art=with_art)
        has_published = True
    return has_published


async def _publish_pack(
    house: House, pack: DemoPack, *, position: int, actor: Actor, with_art: bool
) -> None:
    await save_pack_draft(house, SavePackDraft(pack.slug, pack.draft, actor, position))
    if with_art:
        wrapper = await asyncio.to_thread(render_pack_wrapper, WRAPPERS[pack.slug])
        await set_pack_picture(house, SetPackPicture(pack.slug, wrapper, actor))
    await publish_pack(house, PublishPack(pack.slug, actor))


async def _give_credits(house: House, announce: Announce, *, user_id: UserId) -> bool:
    async with house.database.connection() as connection:
        purse = await wallet.find_wallet(connection, user_id)
    if purse is not None and purse.sequence > 0:
        return False
    announce(f"Giving the collector {format_minor(DEMO_CREDITS_MINOR)} credits")
    request = TopUpRequest(amount=DEMO_CREDITS_MINOR)
    repeat = recognise(user_id=user_id, route="seed_demo_shop", key="first", request=request)
    await top_up(house, BuyCredits(user_id=user_id, request=request, repeat=repeat))
    return True


def _card_rows(card: DemoCard, *, lot_copies: int, with_art: bool) -> list[dict[str, Any]]:
    row: dict[str, Any] = {
        "set_code": card.set_code,
        "set_name": card.set_name,
        "number": card.number,
        "name": card.name,
        "tier": card.tier,
        "value_minor": card.value_minor,
        "kind": card.kind,
        "weight_grams": card.weight_grams,
        "flavour": card.flavour,
    }
    if with_art:
        row["picture"] = _picture_name(card)
    if card.kind == "digital":
        return [row]
    rows = []
    if lot_copies:
        # First, because a lot takes the oldest copies: so it leaves those on sale alone.
        rows.append(row | {"quantity": lot_copies, "place": "house", "location": "Lot shelf"})
    graded = _GRADES if TIER_RANKS[card.tier] >= TIER_RANKS["A"] else ()
    rows += [
        row
        | {
            "quantity": 1,
            "place": "on_sale",
            "grade": grade,
            "certificate": f"DEMO-{_code(card)}-{number}",
            "location": f"Safe {card.set_code}",
        }
        for number, grade in enumerate(graded, start=1)
    ]
    raw = _COPIES_ON_SALE[card.tier] - len(graded)
    if raw:
        location = f"Shelf {card.set_code}-{card.tier}, box {card.number}"
        rows.append(row | {"quantity": raw, "place": "on_sale", "location": location})
    return rows


def _count_lot_copies() -> Counter[str]:
    """How many copies of each card the lots take."""
    copies: Counter[str] = Counter()
    for lot in (pack.draft.lot for pack in list_demo_packs()):
        if lot is None:
            continue
        for prize in lot.prizes:
            copies[prize.card] += prize.count
        if lot.last_one is not None:
            copies[lot.last_one] += 1
    return copies


def _code(card: DemoCard) -> str:
    return f"{card.set_code}-{card.number}"


def _picture_name(card: DemoCard) -> str:
    return f"{_code(card)}.webp"
