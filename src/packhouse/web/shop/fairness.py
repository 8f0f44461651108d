"""Fairness: the seed pair in force, past ones with their secrets, and what all this proves."""

from litestar import get, post

from packhouse import draws
from packhouse.accounts import SessionUser
from packhouse.flows.rotate_seed import find_current_seed, rotate_seed, store_client_seed
from packhouse.foundation.errors import Refusal
from packhouse.foundation.limits import CLIENT_SEED_LENGTH_MAX, SEED_PAIR_DAYS_MAX
from packhouse.web.context import context_of
from packhouse.web.shop.forms import Form, read_form
from packhouse.web.shop.frame import Page, PageRequest, see_other, shop_page

REVEALED_SHOWN = 20


@get("/fairness")
async def show_fairness(request: PageRequest) -> Page:
    """What is proven and what is not, for everybody; one's own seeds for who is signed in."""
    return await _fairness_page(request, context_of(request.scope).viewer)


@post("/fairness/client-seed")
async def keep_client_seed(request: PageRequest) -> Page:
    """Store the client seed for openings that bring none."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    form = await read_form(request)
    try:
        await store_client_seed(context.house, viewer.user_id, form.text("client_seed"))
    except Refusal as error:
        return await _fairness_page(request, viewer, form=form, error=error)
    return see_other("/fairness", done="client-seed-kept")


@post("/fairness/rotation")
async def rotate(request: PageRequest) -> Page:
    """Reveal the server seed in force and commit to a new one."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    try:
        await rotate_seed(context.house, viewer.user_id)
    except Refusal as error:
        return await _fairness_page(request, viewer, error=error)
    return see_other("/fairness", done="seed-rotated")


async def _fairness_page(
    request: PageRequest,
    viewer: SessionUser | None,
    *,
    form: Form | None = None,
    error: Refusal | None = None,
) -> Page:
    house = context_of(request.scope).house
    current, revealed = None, []
    if viewer is not None:
        current = await find_current_seed(house, viewer.user_id)
        async with house.database.reading() as connection:
            revealed = await draws.list_revealed_seed_pairs(
                connection, user_id=viewer.user_id, limit=REVEALED_SHOWN
            )
    kept = "" if current is None else current.pair.client_seed
    return await shop_page(
        request,
        "fairness.html",
        {
            "in_force": current,
            "revealed": revealed,
            "client_seed": kept if form is None else form.text("client_seed"),
            "seed_length_max": CLIENT_SEED_LENGTH_MAX,
            "days_max": SEED_PAIR_DAYS_MAX,
        },
        error=error,
    )


FAIRNESS_HANDLERS = [show_fairness, keep_client_seed, rotate]
