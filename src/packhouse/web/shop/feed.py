"""The feed's page: every pull, live; older ones page by page."""

from typing import Final

from litestar import get
from markupsafe import Markup

from packhouse import feed
from packhouse.foundation.tiers import TIERS, Tier
from packhouse.house import House
from packhouse.web.api.pages_of_results import SequencePosition, page_of
from packhouse.web.context import context_of
from packhouse.web.kept import Kept
from packhouse.web.pages import render_part
from packhouse.web.queries import read_cursor
from packhouse.web.shop.frame import Page, PageRequest, query_of, shop_page

PULLS_A_PAGE = 24


_first_pages: Final[Kept[Markup]] = Kept(most=len(TIERS) + 1)


@get("/feed")
async def show_feed(request: PageRequest) -> Page:
    """The newest pulls, of one tier or of all."""
    return await show_feed_page(request)


async def show_feed_page(request: PageRequest) -> Page:
    """The same, for whoever asks without the framework."""
    house = context_of(request.scope).house
    query = query_of(request)
    tier = tier_of(query.get("tier"))
    position = read_cursor(query.get("cursor"), SequencePosition)
    if position is None:
        pulls = await _first_pages.get((house, tier), lambda _: _pulls_part(house, tier, None))
    else:
        pulls = await _pulls_part(house, tier, position.sequence)
    return await shop_page(request, "feed.html", {"pulls": pulls, "is_live": position is None})


async def _pulls_part(house: House, tier: Tier | None, before: int | None) -> Markup:
    async with house.database.reading() as connection:
        # Looked at first: what comes while the page is made is on the page or on its stream.
        last = await feed.find_last_sequence(connection)
        found = await feed.list_newest_pulls(
            connection, tier=tier, before=before, limit=PULLS_A_PAGE + 1
        )
    shown = page_of(
        found, limit=PULLS_A_PAGE, position=lambda pull: SequencePosition(pull.sequence)
    )
    return render_part(
        "shop/feed_pulls.html",
        {
            "tier": tier,
            "pulls": shown.items,
            "is_live": before is None,
            "stream": stream_after(last, tier=tier),
            "older": older_link("/feed", shown.next_cursor, tier=tier),
        },
    )


def stream_after(sequence: int, *, tier: Tier | None = None) -> str:
    """The address of the stream of what comes after a pull."""
    of_tier = "" if tier is None else f"&tier={tier}"
    return f"/api/v1/feed/live?after={sequence}{of_tier}"


def tier_of(text: str | None) -> Tier | None:
    """The tier that a link names; None for all of them."""
    return next((tier for tier in TIERS if tier == text), None)


def older_link(path: str, cursor: str | None, **filters: str | None) -> str | None:
    """Where the next page of a list is; None at its end."""
    if cursor is None:
        return None
    kept = [f"{name}={value}" for name, value in filters.items() if value]
    return f"{path}?{'&'.join([*kept, f'cursor={cursor}'])}"


FEED_HANDLERS = [show_feed]
