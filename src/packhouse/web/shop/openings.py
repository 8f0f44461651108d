"""What came out of packs: the reveal, the receipt that anyone may read, and one's own history."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import FromPath

from packhouse import draws
from packhouse.draws import Receipt, ReceiptCard
from packhouse.flows.read_receipt import read_receipt
from packhouse.foundation.errors import NotFound
from packhouse.foundation.identifiers import OpeningId
from packhouse.foundation.limits import PACKS_PER_OPENING_MAX, SEED_PAIR_DAYS_MAX
from packhouse.foundation.tiers import TIER_RANKS
from packhouse.web.api.pages_of_results import page_of
from packhouse.web.context import RequestContext, context_of
from packhouse.web.queries import read_cursor
from packhouse.web.shop.feed import older_link
from packhouse.web.shop.frame import Page, PageRequest, query_of, shop_page

OPENINGS_A_PAGE = 20


class OpeningLine(msgspec.Struct, frozen=True):
    """One opening in a list: its receipt, its best card, and what its cards are worth together."""

    receipt: Receipt
    best: ReceiptCard
    worth: int


@get("/openings")
async def show_openings(request: PageRequest) -> Page:
    """One's own openings, newest first."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    cursor = query_of(request).get("cursor")
    async with context.house.database.reading() as connection:
        found = await draws.list_openings(
            connection,
            user_id=viewer.user_id,
            before=read_cursor(cursor, UUID),
            limit=OPENINGS_A_PAGE + 1,
        )
    shown = page_of(found, limit=OPENINGS_A_PAGE, position=lambda receipt: receipt.id)
    return await shop_page(
        request,
        "openings.html",
        {
            "lines": [opening_line(receipt) for receipt in shown.items],
            "older": older_link("/openings", shown.next_cursor),
        },
    )


@get("/openings/{opening_id:uuid}")
async def show_opening(request: PageRequest, opening_id: FromPath[UUID]) -> Page:
    """One opening, and those that were made with it (``?with=``). Raises ``NotFound``.

    ``?reveal=1`` lays the cards face down first, as for whoever has just opened the pack.
    """
    context = context_of(request.scope)
    query = query_of(request)
    receipts = [
        await read_receipt(context.house, OpeningId(each), viewer=context.viewer)
        for each in [opening_id, *_others(query.get("with", ""))]
    ]
    cards = [card for receipt in receipts for card in receipt.cards]
    return await shop_page(
        request,
        "opening.html",
        {
            "receipts": receipts,
            "log_positions": await _log_positions(context, receipts),
            "cards": best_last(cards),
            "worth": sum(card.value for card in cards),
            "paid_out": [card for card in cards if card.paid_out],
            "days_max": SEED_PAIR_DAYS_MAX,
            "is_own": await _is_own(context, opening_id),
            "has_reveal": "reveal" in query,
            "again": f"/openings/{opening_id}?reveal=1"
            + (f"&with={query['with']}" if "with" in query else ""),
        },
    )


def opening_line(receipt: Receipt) -> OpeningLine:
    """A receipt with what stands out of it."""
    return OpeningLine(
        receipt=receipt,
        best=best_last(receipt.cards)[-1],
        worth=sum(card.value for card in receipt.cards),
    )


def best_last(cards: Sequence[ReceiptCard]) -> list[ReceiptCard]:
    """Weakest first, so that the best card is turned last."""
    return sorted(cards, key=lambda card: (TIER_RANKS[card.tier], card.value))


def _others(text: str) -> list[UUID]:
    """The ids in ``?with=``, each once. Raises ``NotFound`` for what is no id."""
    parts = list(dict.fromkeys(part for part in text.split(",") if part))
    try:
        return [UUID(part) for part in parts[: PACKS_PER_OPENING_MAX - 1]]
    except ValueError as error:
        raise NotFound("There is no opening with this id.") from error


async def _log_positions(
    context: RequestContext, receipts: Sequence[Receipt]
) -> dict[OpeningId, int | None]:
    async with context.house.database.reading() as connection:
        return {
            receipt.id: await draws.find_log_position(connection, receipt.id)
            for receipt in receipts
        }


async def _is_own(context: RequestContext, opening_id: UUID) -> bool:
    if context.viewer is None:
        return False
    async with context.house.database.reading() as connection:
        wanted = [(context.viewer.user_id, opening_id)]
        return bool(await draws.list_opening_receipts(connection, wanted))


OPENING_HANDLERS = [show_openings, show_opening]
