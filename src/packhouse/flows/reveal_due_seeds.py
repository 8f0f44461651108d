"""The shop reveals seed pairs that have been in use for long, whether their collectors ask or not.

The promise is: no server seed stays secret for more than seven days after its first use. A pair is
due after six already, which costs its collector nothing but another commitment. So the promise also
holds when the sweep, which looks every minute, was down for a day, or finds many pairs at once.

Pairs are ended one by one, each in a transaction of its own under its wallet's lock, as by
``rotate_seed``: an opening waits for one rotation at most, two sweeps at once reveal no pair twice,
and one that is killed has revealed a pair wholly or not at all. A suspended collector's pair is
revealed like any other, because the promise is to everybody who checks.
"""

from datetime import datetime, timedelta

import msgspec

from packhouse import draws, wallet
from packhouse.draws import DueSeedPair
from packhouse.flows.rotate_seed import end_seed_pair
from packhouse.foundation.limits import (
    SEED_PAIR_DAYS_DUE,
    SEED_PAIR_DAYS_MAX,
    SEED_PAIRS_PER_SWEEP,
)
from packhouse.house import House


class RevealedSeeds(msgspec.Struct, frozen=True):
    """How many pairs one batch found due, how many of these it ended, and how many too late."""

    due: int
    revealed: int
    late: int


async def reveal_due_seeds(house: House) -> RevealedSeeds:
    """Reveal one batch of due pairs, the oldest first."""
    now = house.clock()
    async with house.database.connection() as connection:
        due = await draws.list_due_seed_pairs(
            connection,
            used_by=now - timedelta(days=SEED_PAIR_DAYS_DUE),
            limit=SEED_PAIRS_PER_SWEEP,
        )
    ended = [pair for pair in due if await _reveal(house, pair, now=now)]
    too_old = now - timedelta(days=SEED_PAIR_DAYS_MAX)
    return RevealedSeeds(
        due=len(due),
        revealed=len(ended),
        late=sum(pair.first_used_at < too_old for pair in ended),
    )


async def _reveal(house: House, pair: DueSeedPair, *, now: datetime) -> bool:
    async with house.database.transaction() as connection:
        purse = await wallet.lock_wallet(connection, pair.user_id)
        if purse.seed_pair_id != pair.id:
            # Rotated since the look, by the collector or by another sweep.
            return False
        await end_seed_pair(house, connection, purse, now=now)
    return True
