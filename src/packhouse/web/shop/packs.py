"""The shelf, and each pack with all that is true about it and the form that opens it."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import get, post
from litestar.params import FromPath
from markupsafe import Markup

from packhouse import draws, feed
from packhouse.accounts import NotSignedIn, SessionUser
from packhouse.draws import PackNotFound, ShelvedPack
from packhouse.flows.open_pack import OpenPack, OpenPacks, open_pack
from packhouse.foundation.errors import Refusal
from packhouse.foundation.identifiers import UserId
from packhouse.foundation.limits import CLIENT_SEED_LENGTH_MAX
from packhouse.house import House
from packhouse.plumbing.idempotency import recognise
from packhouse.wallet import InsufficientCredits
from packhouse.web.context import context_of
from packhouse.web.kept import Kept
from packhouse.web.pages import render_part
from packhouse.web.reading import read_together
from packhouse.web.shop.feed import stream_after
from packhouse.web.shop.forms import Form, key_of, parse_form, read_form
from packhouse.web.shop.frame import Page, PageRequest, see_other, shop_page
from packhouse.web.shop.pack_odds import odds_part_of
from packhouse.web.shop.pack_views import (
    count_of_cards,
    most_packs_at_once,
    pack_face,
    shelf_tile,
    terms_of,
)

PULLS_ON_THE_SHELF = 8
FRESH_SEED_HEX_LENGTH = 64

SENTENCES = {
    "quantity": "Open 1 to 10 packs at once.",
    "client_seed": f"1 to {CLIENT_SEED_LENGTH_MAX} visible characters, anything you like.",
    "config_hash": "This page is out of date. Look at the odds below and press again.",
}


_shelves: Final[Kept[Markup | None]] = Kept(most=4)


@get("/")
async def show_shelf(request: PageRequest) -> Page:
    """Everything on sale, and the newest pulls beside it."""
    return await show_shelf_page(request)


async def show_shelf_page(request: PageRequest) -> Page:
    """The same, for whoever asks without the framework."""
    house = context_of(request.scope).house
    shelf = await _shelves.get((house, house.packs.changes), lambda _: _shelf_part(house))
    return await shop_page(request, "shelf.html", {"shelf": shelf})


async def _shelf_part(house: House) -> Markup | None:
    packs = await house.packs.list_packs(house.database)
    if not packs:
        return None
    async with house.database.reading() as connection:
        last = await feed.find_last_sequence(connection)
        pulls = await feed.list_newest_pulls(
            connection, tier=None, before=None, limit=PULLS_ON_THE_SHELF
        )
    return render_part(
        "shop/shelf_packs.html",
        {
            "tiles": [shelf_tile(pack, media_url=house.media.url_of) for pack in packs],
            "pulls": pulls,
            "pulls_kept": PULLS_ON_THE_SHELF,
            "stream": stream_after(last),
        },
    )


@get("/packs/{slug:str}")
async def show_pack(request: PageRequest, slug: FromPath[str]) -> Page:
    """One pack: odds, terms, commitment, and the form. Raises ``PackNotFound``."""
    return await show_pack_page(request, slug)


@post("/packs/{slug:str}/openings")
async def open_packs(request: PageRequest, slug: FromPath[str]) -> Page:
    """Open packs, then go on to what came out."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    form = await read_form(request)
    try:
        wanted = parse_form(form, OpenPacks, SENTENCES)
        repeat = recognise(
            user_id=viewer.user_id,
            route=f"POST /packs/{slug}/openings",
            key=form.text("idempotency_key"),
            request=wanted,
        )
        command = OpenPack(
            user_id=viewer.user_id,
            slug=slug,
            request=wanted,
            repeat=repeat,
            token_hash=context.token_hash,
        )
        opened = await open_pack(context.house, command)
    except (NotSignedIn, PackNotFound):
        raise
    except Refusal as error:
        return await show_pack_page(request, slug, form=form, error=error)
    first, *others = (str(opening.id) for opening in opened.openings)
    beside = f"&with={','.join(others)}" if others else ""
    return see_other(f"/openings/{first}?reveal=1{beside}")


async def show_pack_page(
    request: PageRequest, slug: str, *, form: Form | None = None, error: Refusal | None = None
) -> Page:
    """The same, for whoever asks without the framework; ``form`` is what was sent and refused."""
    context = context_of(request.scope)
    house = context.house
    pack = await house.packs.get_pack(house.database, slug)
    part = await odds_part_of(house, pack)
    return await shop_page(
        request,
        "pack.html",
        {
            "pack": pack,
            "face": pack_face(pack, media_url=house.media.url_of),
            "note": count_of_cards(pack.config),
            "terms": terms_of(pack),
            "lot": pack.config.lot,
            "lot_seed": part.lot_seed,
            "summary": part.summary,
            "odds": part.tables,
            "commitment": await _commitment(house, pack, context.viewer),
            "form": _form_values(pack, form, error),
            "needs_credits": isinstance(error, InsufficientCredits),
        },
        error=error,
    )


def _form_values(pack: ShelvedPack, form: Form | None, error: Refusal | None) -> dict[str, Any]:
    """What was typed, and a key that makes a second press the same purchase."""
    typed = Form() if form is None else form
    seed = typed.text("client_seed")
    quantity = typed.text("quantity")
    most = most_packs_at_once(pack)
    return {
        "idempotency_key": key_of(typed, error),
        "quantity": int(quantity) if quantity.isdecimal() and len(quantity) < 4 else 1,
        # A seed that the browser made up is no longer fresh once it was sent.
        "client_seed": "" if len(seed) == FRESH_SEED_HEX_LENGTH else seed,
        "most": most,
    }


async def _commitment(house: House, pack: ShelvedPack, viewer: SessionUser | None) -> str | None:
    """What the server is bound to before anyone presses the button; a lot's stands in its terms."""
    if pack.config.lot is not None:
        return pack.config.lot.commitment
    if viewer is None or viewer.role != "collector":
        return None
    commitment = await read_together(
        house, viewer.user_id, question="commitments", read=_list_commitments
    )
    return None if commitment is None else commitment.hex()


async def _list_commitments(house: House, user_ids: Sequence[UserId]) -> list[bytes | None]:
    async with house.database.reading() as connection:
        commitments = await draws.list_commitments(connection, user_ids)
    return [commitments.get(user_id) for user_id in user_ids]


PACK_HANDLERS = [show_shelf, show_pack, open_packs]
