"""The first page of the day: what needs doing now, how the money stands, who did what."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

import msgspec
from litestar import get

from packhouse import catalog, draws, shipping, wallet
from packhouse.catalog import Card, PackPause
from packhouse.draws import ShelvedPack
from packhouse.foundation.identifiers import CardId, PackId
from packhouse.plumbing.postgres import ReadConnection
from packhouse.plumbing.shop_settings import find_shop_settings
from packhouse.web.context import context_of
from packhouse.web.operator.audit import audit_row, list_acts
from packhouse.web.operator.forms import PageRequest
from packhouse.web.operator.frame import Page, operator_page

ACTS_SHOWN: Final = 8
LOW_SHOWN: Final = 10
LOW_PACKS: Final = 100
"""A card runs low when its copies last for fewer packs than this, on average."""


class LowCard(msgspec.Struct, frozen=True):
    """A card that a pack on sale will want soon: ``packs`` more on average."""

    card: Card
    pack_name: str
    pack_slug: str
    copies: int
    packs: int


@get("/")
async def show_overview(request: PageRequest) -> Page:
    """What needs doing now."""
    house = context_of(request.scope).house
    shelf = await house.packs.list_packs(house.database)
    async with house.database.reading() as connection:
        counts = await shipping.count_shipping_requests(connection)
        pauses = await catalog.list_pack_pauses(connection)
        values: dict[str, Any] = {
            "counts": counts,
            "oldest_at": await _oldest_at(connection),
            "paused": await _paused_packs(connection, shelf_names(shelf), pauses),
            "low": await _low_cards(connection, shelf),
            "low_packs": LOW_PACKS,
            "money_rows": money_rows(await wallet.list_house_accounts(connection)),
            "packs_on_sale": len(shelf),
            "acts": [
                audit_row(entry)
                for entry in (await list_acts(connection, before=None, limit=ACTS_SHOWN)).entries
            ],
            "settings": await find_shop_settings(connection),
        }
    return await operator_page(request, "overview.html", values)


def shelf_names(shelf: Sequence[ShelvedPack]) -> Mapping[PackId, tuple[str, str]]:
    """Slug and name of each pack on sale."""
    return {pack.pack_id: (pack.slug, pack.config.name) for pack in shelf}


def money_rows(accounts: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """The house's accounts as an owner reads them: label, amount in minor units, explanation.

    An account is negative where the house gave credits; all of them together are what collectors
    hold, with the sign turned.
    """
    said = [
        ("Credits bought", -accounts.get("payments", 0), "paid in by collectors"),
        ("Pack sales", accounts.get("pack_sales", 0), "credits spent on packs"),
        ("Sold back", -accounts.get("sell_backs", 0), "paid for cards given back"),
        ("Paid for missing copies", -accounts.get("stock_shortfalls", 0), "drawn, none left"),
        ("Postage", accounts.get("shipping", 0), "taken, refunds taken off"),
        ("Paid for lost parcels", -accounts.get("losses", 0), "at the locked value"),
        ("Adjustments", -accounts.get("adjustments", 0), "given by hand"),
        ("Given up", accounts.get("forfeitures", 0), "left behind by closed accounts"),
        ("Credits held", -sum(accounts.values()), "what the shop owes its collectors"),
    ]
    return [row for row in said if row[1] or row[0] in {"Credits bought", "Pack sales"}]


async def _oldest_at(connection: ReadConnection) -> datetime | None:
    rows = await shipping.list_shipping_queue(connection, status="pending", after=None, limit=1)
    return rows[0].created_at if rows else None


async def _paused_packs(
    connection: ReadConnection,
    names: Mapping[PackId, tuple[str, str]],
    pauses: Mapping[PackId, list[PackPause]],
) -> list[dict[str, Any]]:
    wanted = {pause.card_id for each in pauses.values() for pause in each}
    cards = {card.id: card for card in await catalog.list_cards(connection, wanted)}
    return [
        {
            "slug": names[pack_id][0],
            "name": names[pack_id][1],
            "since": min(pause.created_at for pause in each),
            "cards": [cards[pause.card_id] for pause in each if pause.card_id in cards],
        }
        for pack_id, each in pauses.items()
        if pack_id in names
    ]


async def _low_cards(connection: ReadConnection, shelf: Sequence[ShelvedPack]) -> list[LowCard]:
    expected: dict[tuple[CardId, int], Fraction] = {}
    packs = [pack for pack in shelf if pack.config.kind == "odds"]
    for number, pack in enumerate(packs):
        for chance in draws.list_card_chances(pack.config):
            if chance.physical:
                expected[chance.card, number] = chance.expected_count
    copies = await catalog.count_stock_by_card(connection, {card for card, _ in expected})
    lasting = [
        (copies[card] // count, card, number)
        for (card, number), count in expected.items()
        if copies[card] < count * LOW_PACKS
    ]
    soonest = sorted(lasting, key=lambda each: each[0])[:LOW_SHOWN]
    cards = {
        card.id: card
        for card in await catalog.list_cards(connection, {card for _, card, _ in soonest})
    }
    return [
        LowCard(
            card=cards[card],
            pack_name=packs[number].config.name,
            pack_slug=packs[number].slug,
            copies=copies[card],
            packs=packs_left,
        )
        for packs_left, card, number in soonest
        if card in cards
    ]


OVERVIEW_HANDLERS = [show_overview]
