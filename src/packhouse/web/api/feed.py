"""The public feed's pages; its live stream is in ``web/streams.py``."""

from litestar import Response, get
from litestar.params import FromQuery

from packhouse import feed
from packhouse.feed import Pull
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT
from packhouse.foundation.tiers import Tier
from packhouse.web.api.pages_of_results import ResultPage, SequencePosition, page_of
from packhouse.web.api.public_answers import UNCHANGED, public_answer
from packhouse.web.api.requests import ApiRequest, Limit
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor


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
    async with house.database.connection() as connection:
        pulls = await feed.list_newest_pulls(
            connection,
            tier=tier,
            before=None if after is None else after.sequence,
            limit=limit + 1,
        )
    return public_answer(
        request, page_of(pulls, limit=limit, position=lambda pull: SequencePosition(pull.sequence))
    )


FEED_HANDLERS = [list_feed]
