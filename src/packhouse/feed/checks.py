"""The feed's law: nothing committed is missing, and the sequence has no gaps."""

from packhouse.feed.store import QUERIES
from packhouse.foundation.checks import Finding
from packhouse.plumbing.postgres import Connection


async def check_feed_is_complete(connection: Connection) -> Finding:
    """Each drawn card is in the feed once or waits in the outbox; sequences run from 1."""
    row = (await connection.fetch(QUERIES["check_feed"]))[0]
    holds = row["cards"] == row["pulls"] + row["waiting"] and row["last"] == row["pulls"]
    return Finding(
        law="feed_is_complete",
        holds=holds,
        evidence=(
            f"{row['cards']} drawn cards, {row['pulls']} pulls in the feed up to sequence"
            f" {row['last']}, {row['waiting']} waiting"
        ),
    )
