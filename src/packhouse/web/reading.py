"""What many ask in the same moment, each about themselves: one query for all of them.

One goes at once; while it is on its way the others gather. Nothing is remembered: whoever asks when
a query has begun is in the next one.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import Final, TypeVar

from packhouse.foundation.identifiers import UserId
from packhouse.house import House
from packhouse.plumbing.lanes import LanesFull, Line, WaitedTooLong
from packhouse.plumbing.postgres import DatabaseBusy

Answer = TypeVar("Answer")

READERS_PER_QUERY: Final = 32
LANES: Final = 1
"""In one process, of one question; with more of them each query would be for fewer."""
LANES_SHARDED: Final = 4


async def read_together(
    house: House,
    user_id: UserId,
    *,
    question: Hashable,
    read: Callable[[House, Sequence[UserId]], Awaitable[Sequence[Answer]]],
) -> Answer:
    """What ``read`` finds for this user, among others who ask the same. Raises ``DatabaseBusy``."""
    # Where users are spread over several servers, a query about one goes to one of them.
    is_sharded = house.database.is_sharded
    line = Line(
        question,
        lanes=LANES_SHARDED if is_sharded else LANES,
        set_size=1 if is_sharded else READERS_PER_QUERY,
    )
    try:
        return await house.reads.join(user_id, owner=user_id, line=line, work=partial(read, house))
    except (LanesFull, WaitedTooLong) as error:
        raise DatabaseBusy(
            "More is going on than the shop can serve at once. Try again in a moment."
        ) from error
