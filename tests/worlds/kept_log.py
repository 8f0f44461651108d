"""The draw log as the database keeps it, for tests that compare it with what the shop did."""

import base64
from typing import Any

import msgspec

from packhouse import drawlog
from packhouse.drawlog import Checkpoint
from packhouse.flows.sequence_log import sequence_log
from packhouse.foundation.merkle import merkle_root
from packhouse.house import House


async def list_log(house: House) -> list[dict[str, Any]]:
    """Every leaf as JSON tells it, in the log's order."""
    return [msgspec.json.decode(leaf) for leaf in await list_leaves(house)]


async def list_leaves(house: House) -> list[bytes]:
    """Every leaf's bytes."""
    async with house.database.connection() as connection:
        return await drawlog.list_leaves(connection, first=0, limit=1_000_000)


async def kinds_of(house: House) -> list[str]:
    """What the log tells, kind after kind."""
    return [leaf["kind"] for leaf in await list_log(house)]


async def openings_in(house: House) -> list[str]:
    """The ids of all openings in the log, in its order."""
    return [leaf["opening"] for leaf in await list_log(house) if "opening" in leaf]


async def list_checkpoints(house: House) -> list[Checkpoint]:
    """Every checkpoint that was ever published, the smallest first."""
    async with house.database.connection() as connection:
        rows = await connection.fetch("SELECT * FROM log_checkpoints ORDER BY size")
    return [Checkpoint(**row) for row in rows]


async def sequence_all(house: House) -> int:
    """Take whatever is new into the tree; gives its size."""
    while True:
        sequenced = await sequence_log(house)
        if sequenced is not None and sequenced.leaves == 0:
            return sequenced.size


async def require_every_checkpoint_to_be_a_beginning(house: House) -> list[int]:
    """Each signed tree is that of the log's first leaves; gives their sizes."""
    leaves = await list_leaves(house)
    checkpoints = await list_checkpoints(house)
    for checkpoint in checkpoints:
        text = drawlog.open_note(checkpoint.note, checkpoint.verifier_key)
        root = base64.b64encode(merkle_root(leaves[: checkpoint.size])).decode()
        assert text.splitlines()[1:] == [str(checkpoint.size), root]
    return [checkpoint.size for checkpoint in checkpoints]
