"""The page on which a collector closes the account: what is in the way, what goes, what stays."""

from litestar import get, post

from packhouse import shipping, vault, wallet
from packhouse.flows.close_account import Forfeit
from packhouse.foundation.errors import Refusal
from packhouse.foundation.limits import OPENINGS_PER_FEED_ERASURE
from packhouse.web.closures import close_visitor_account
from packhouse.web.context import context_of
from packhouse.web.shop.forms import Form, key_of, parse_form, read_form
from packhouse.web.shop.frame import Page, PageRequest, see_other, shop_page

CHOICE = "Look at what is left once more, and tick this if you give it up."
SENTENCES = {"credits": CHOICE, "cards": CHOICE}


@get("/account/closure")
async def show_closure(request: PageRequest) -> Page:
    """What closing means for this very account, and the form."""
    return await _closure_page(request, Form())


@post("/account/closure")
async def close(request: PageRequest) -> Page:
    """Close the account, giving up just what was shown and ticked."""
    context = context_of(request.scope)
    form = await read_form(request)
    try:
        await close_visitor_account(
            context,
            password=form.text("password"),
            forfeit=parse_form(form, Forfeit, SENTENCES),
            route="POST /account/closure",
            key=form.text("idempotency_key"),
        )
    except Refusal as error:
        return await _closure_page(request, form, error=error)
    return see_other("/", done="account-closed")


async def _closure_page(request: PageRequest, form: Form, *, error: Refusal | None = None) -> Page:
    context = context_of(request.scope)
    viewer = context.require_viewer()
    async with context.house.database.reading() as connection:
        purse = await wallet.find_wallet(connection, viewer.user_id)
        counts = await vault.count_user_cards(connection, viewer.user_id)
        underway = await shipping.count_underway_requests(connection, viewer.user_id)
    return await shop_page(
        request,
        "closure.html",
        {
            "credits_left": 0 if purse is None else purse.balance,
            "cards_left": sum(count for (_, state), count in counts.items() if state == "vaulted"),
            "underway": underway,
            "openings_at_once": OPENINGS_PER_FEED_ERASURE,
            "idempotency_key": key_of(form, error),
        },
        error=error,
    )


CLOSURE_HANDLERS = [show_closure, close]
