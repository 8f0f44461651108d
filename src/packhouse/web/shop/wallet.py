"""The wallet: the balance, every entry that made it, and buying credits."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec
from litestar import get, post

from packhouse import wallet
from packhouse.accounts import SessionUser
from packhouse.flows.top_up import BuyCredits, TopUpRequest, top_up
from packhouse.foundation.errors import FieldError, InvalidInput, Refusal
from packhouse.foundation.limits import TOP_UP_MAX_MINOR, TOP_UP_MIN_MINOR
from packhouse.foundation.money import format_minor
from packhouse.plumbing.idempotency import recognise
from packhouse.wallet import EntryKind, LedgerEntry
from packhouse.web.api.pages_of_results import SequencePosition, page_of
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor
from packhouse.web.shop.feed import older_link
from packhouse.web.shop.forms import Form, key_of, parse_amount, read_form
from packhouse.web.shop.frame import Page, PageRequest, local_path, query_of, see_other, shop_page

ENTRIES_A_PAGE = 20
USUAL_AMOUNT = "20.00"

KIND_WORDS: Final[Mapping[EntryKind, str]] = {
    "top_up": "Credits added",
    "pack_opening": "Pack opened",
    "stock_shortfall": "Card paid out, no copy was left",
    "sell_back": "Card sold back",
    "shipping": "Parcel",
    "shipping_refund": "Parcel called off",
    "loss_compensation": "Card lost on its way, paid out",
    "adjustment": "Adjustment by the shop",
    "forfeiture": "Given up with the account",
}


class EntryLine(msgspec.Struct, frozen=True):
    """A ledger entry in words, and the page that tells more of it."""

    entry: LedgerEntry
    words: str
    href: str | None


@get("/wallet")
async def show_wallet(request: PageRequest) -> Page:
    """The balance and its entries, newest first."""
    viewer = context_of(request.scope).require_viewer()
    return await _wallet_page(request, viewer)


@post("/wallet/top-ups")
async def add_credits(request: PageRequest) -> Page:
    """Buy credits, then go back to where they were wanted."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    form = await read_form(request)
    try:
        wanted = TopUpRequest(amount=_amount(form))
        repeat = recognise(
            user_id=viewer.user_id,
            route="POST /wallet/top-ups",
            key=form.text("idempotency_key"),
            request=wanted,
        )
        topped_up = await top_up(
            context.house, BuyCredits(user_id=viewer.user_id, request=wanted, repeat=repeat)
        )
    except Refusal as error:
        return await _wallet_page(request, viewer, form=form, error=error)
    if topped_up.checkout_url is not None:
        return see_other(topped_up.checkout_url)
    return see_other(local_path(form.text("next")) or "/wallet", done="credits-added")


async def _wallet_page(
    request: PageRequest,
    viewer: SessionUser,
    *,
    form: Form | None = None,
    error: Refusal | None = None,
) -> Page:
    house = context_of(request.scope).house
    query = query_of(request)
    position = read_cursor(query.get("cursor"), SequencePosition)
    async with house.database.reading() as connection:
        found = await wallet.list_ledger_entries(
            connection,
            user_id=viewer.user_id,
            before=None if position is None else position.sequence,
            limit=ENTRIES_A_PAGE + 1,
        )
    shown = page_of(
        found, limit=ENTRIES_A_PAGE, position=lambda entry: SequencePosition(entry.sequence)
    )
    typed = Form() if form is None else form
    return await shop_page(
        request,
        "wallet.html",
        {
            "lines": [_line(entry) for entry in shown.items],
            "older": older_link("/wallet", shown.next_cursor),
            "is_first": position is None,
            "takes_payments": house.payments is not None,
            "is_demo": house.settings.payment_provider == "demo",
            "amount": typed.text("amount") if form is not None else USUAL_AMOUNT,
            "idempotency_key": key_of(typed, error),
            "next": local_path(typed.text("next") or query.get("next")),
            "least": TOP_UP_MIN_MINOR,
            "most": TOP_UP_MAX_MINOR,
        },
        error=error,
    )


def _amount(form: Form) -> int:
    amount = parse_amount(form.text("amount"))
    if amount is not None and TOP_UP_MIN_MINOR <= amount <= TOP_UP_MAX_MINOR:
        return amount
    sentence = (
        f"Give an amount from {format_minor(TOP_UP_MIN_MINOR)} to {format_minor(TOP_UP_MAX_MINOR)},"
        " such as 12.50."
    )
    raise InvalidInput("The amount cannot be taken as it is.", [FieldError("amount", sentence)])


def _line(entry: LedgerEntry) -> EntryLine:
    return EntryLine(
        entry=entry, words=KIND_WORDS[entry.kind], href=_href(entry.kind, entry.reference)
    )


def _href(kind: EntryKind, reference: UUID) -> str | None:
    if kind == "pack_opening":
        return f"/openings/{reference}"
    if kind in ("shipping", "shipping_refund"):
        return f"/shipping/{reference}"
    return None


WALLET_HANDLERS = [show_wallet, add_credits]
