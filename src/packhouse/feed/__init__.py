"""The global feed: every pull in one order for everybody, after it is committed."""

from packhouse.feed.checks import check_feed_is_complete
from packhouse.feed.model import FeedErasure, Pull, PulledFrom
from packhouse.feed.store import (
    claim_feed_erasure,
    delete_feed_erasure,
    erase_feed_names,
    find_last_sequence,
    insert_feed_erasure,
    insert_pulls,
    list_newest_pulls,
    list_pulls_after,
    update_feed_erasure,
)

__all__ = [
    "FeedErasure",
    "Pull",
    "PulledFrom",
    "check_feed_is_complete",
    "claim_feed_erasure",
    "delete_feed_erasure",
    "erase_feed_names",
    "find_last_sequence",
    "insert_feed_erasure",
    "insert_pulls",
    "list_newest_pulls",
    "list_pulls_after",
    "update_feed_erasure",
]
