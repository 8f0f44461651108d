"""The global feed: every pull in one order for everybody, after it is committed."""

from packhouse.feed.checks import check_feed_is_complete
from packhouse.feed.model import Pull, PulledFrom
from packhouse.feed.store import (
    find_last_sequence,
    insert_pulls,
    list_newest_pulls,
    list_pulls_after,
)

__all__ = [
    "Pull",
    "PulledFrom",
    "check_feed_is_complete",
    "find_last_sequence",
    "insert_pulls",
    "list_newest_pulls",
    "list_pulls_after",
]
