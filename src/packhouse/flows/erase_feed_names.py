"""The shop takes the names of closed accounts out of the feed, a bounded step at a time.

Closing an account takes the first step in its own transaction, which is all there is to do for most
collectors. What is left is noted and swept up: each step finds the pulls by their openings, the
newest first, so that one that is killed is taken again, and two sweeps never take the same. By
then the relay has no event with the name any more.

Lock order: the erasure's row, which nobody waits for · pulls.
"""

from packhouse import draws, feed
from packhouse.feed import FeedErasure
from packhouse.flows.settle_openings import ANONYMOUS
from packhouse.foundation.identifiers import OpeningId, UserId
from packhouse.foundation.limits import OPENINGS_PER_FEED_ERASURE
from packhouse.house import House
from packhouse.plumbing.postgres import Connection


async def erase_feed_names(house: House) -> bool:
    """Take one step of one closed account; False when there was none to take."""
    async with house.database.transaction() as connection:
        erasure = await feed.claim_feed_erasure(connection)
        if erasure is None:
            return False
        last = await erase_newest_names(
            connection, erasure.user_id, before=erasure.before_opening_id
        )
        if last is None:
            await feed.delete_feed_erasure(connection, erasure.user_id)
        else:
            await feed.update_feed_erasure(connection, FeedErasure(erasure.user_id, last))
    return True


async def erase_newest_names(
    connection: Connection, user_id: UserId, *, before: OpeningId | None
) -> OpeningId | None:
    """Take the name from the newest of a user's pulls, of openings older than ``before``.

    Gives the last opening of the step, or None when no older one is left.
    """
    openings = await draws.list_opening_times(
        connection, user_id=user_id, before=before, limit=OPENINGS_PER_FEED_ERASURE
    )
    if openings:
        await feed.erase_feed_names(connection, openings, username=ANONYMOUS)
    return openings[-1][0] if len(openings) == OPENINGS_PER_FEED_ERASURE else None
