"""The public feed's pages; its live stream is in ``web/streams.py``."""

import msgspec
from litestar import Response, get
from litestar.params import FromQuery

from packhouse import feed
from packhouse.feed import Pull
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.web.api.pages_of_results import ResultPage, SequencePosition, page_of
from packhouse.web.api.public_answers import UNCHANGED, public_answer
from packhouse.web.api.requests import ApiRequest, Limit
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor


class FeedQuery(msgspec.Struct, frozen=True):
    """A page of the feed: pulls of one tier or of all, with sequences below ``before``."""

    tier: Tier | None
    limit: int
    before: int | None


async def read_feed_page(house: House, query: FeedQuery) -> ResultPage[Pull]:
    """Everybody's pulls, newest first."""
    async with house.database.reading() as connection:
        pulls = await feed.list_newest_pulls(
            connection, tier=query.tier, before=query.before, limit=query.limit + 1
        )
    return page_of(pulls, limit=query.limit, position=lambda pull: SequencePosition(pull.sequence))


async def encode_feed_page(house: House, query: FeedQuery) -> bytes:
    """The same as JSON, for everybody who asks at this moment."""
    return msgspec.json.encode(await read_feed_page(house, query))


@get("/api/v1/feed", tags=["feed"], responses=UNCHANGED)
async def list_feed(
    request: ApiRequest,
    tier: FromQuery[Tier | None] = None,
    limit: Limit = PAGE_LIMIT_DEFAULT,
    cursor: FromQuery[str | None] = None,
) -> Response[ResultPage[Pull]]:
    """Everybody's pulls, newest first, of one tier if you like; the order is the same for all."""
    house = context_of(request.scope).house
    after = read_cursor(cursor, SequencePosition)
    query = FeedQuery(tier=tier, limit=limit, before=None if after is None else after.sequence)
    return public_answer(request, await read_feed_page(house, query))


FEED_HANDLERS = [list_feed]
