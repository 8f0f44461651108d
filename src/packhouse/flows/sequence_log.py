"""The sequencer makes the draw log's tree: tiles from new leaves, and a signed checkpoint on them.

It runs beside the relay, so that hashing and signing never hold up an opening or the feed.

**It never signs two different trees of one size.** A tree of n leaves follows from leaves 0 … n - 1
alone. The relay appends them one after the other and nobody ever changes one, so whoever signs n
leaves, now, later, or again after having been killed before the commit, signs the same tree. What
is signed becomes public only with the commit that also writes its tiles; the key of
``log_checkpoints`` allows one for each size; an advisory lock lets one sequencer work at a time.
Should the tiles have been damaged nonetheless, what they make is compared with the last signed root
first, and nothing is signed.

Lock order: the advisory lock · tiles · checkpoints.
"""

import msgspec

from packhouse import drawlog
from packhouse.drawlog import Checkpoint, GrowingTree
from packhouse.foundation.errors import Breach
from packhouse.foundation.limits import LOG_LEAVES_PER_BATCH
from packhouse.foundation.merkle import leaf_hash
from packhouse.house import House
from packhouse.plumbing.settings import require_setting


class Sequenced(msgspec.Struct, frozen=True):
    """How many leaves were new to the tree, and its size now."""

    leaves: int
    size: int


async def sequence_log(house: House) -> Sequenced | None:
    """Take one batch of leaves into the tree; None when another sequencer is at work.

    The first time it signs what there is, be it the empty tree, so that the log has a checkpoint
    from its first second. Raises ``InvalidSettings`` without ``log_key``.
    """
    signer = require_setting(house.log_signer, name="log_key")
    now = house.clock()
    async with house.database.transaction() as connection:
        if not await drawlog.claim_sequencer(connection):
            return None
        last = await drawlog.find_checkpoint(connection)
        size = 0 if last is None else last.size
        leaves = await drawlog.list_leaves(connection, first=size, limit=LOG_LEAVES_PER_BATCH)
        if last is not None and not leaves:
            return Sequenced(leaves=0, size=size)
        edge = await drawlog.list_tiles(connection, drawlog.edge_tiles(size))
        tree = GrowingTree(size, edge)
        if last is not None:
            _require_same_tree(tree, last)
        tree.append(leaf_hash(leaf) for leaf in leaves)
        await drawlog.upsert_tiles(connection, tree.changed)
        checkpoint = Checkpoint(
            size=tree.size,
            note=signer.sign_tree(size=tree.size, root=tree.root()),
            verifier_key=signer.verifier_key,
            created_at=now,
        )
        await drawlog.insert_checkpoint(connection, checkpoint)
    return Sequenced(leaves=len(leaves), size=tree.size)


def _require_same_tree(tree: GrowingTree, last: Checkpoint) -> None:
    signed = drawlog.read_tree(last.note)
    if (signed.size, signed.root) != (tree.size, tree.root()):
        raise Breach(
            f"The tiles of the draw log do not give the root that was signed for {last.size}"
            " leaves. Nothing more is signed: restore the tiles from a mirror of the log."
        )
