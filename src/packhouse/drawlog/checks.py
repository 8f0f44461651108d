"""The draw log's laws: no leaf is missing, what was signed is the tree of the leaves, and what is
told of stock is so."""

from packhouse.drawlog.notes import open_note, read_tree
from packhouse.drawlog.store import QUERIES, find_checkpoint, list_leaves
from packhouse.drawlog.tree import GrowingTree, TileId
from packhouse.foundation.checks import Finding
from packhouse.foundation.errors import Breach
from packhouse.foundation.limits import LOG_LEAVES_PER_BATCH
from packhouse.foundation.merkle import leaf_hash
from packhouse.plumbing.postgres import Connection


async def check_log_has_no_gaps(connection: Connection) -> Finding:
    """Leaves stand at 0, 1, 2 … without a gap."""
    row = (await connection.fetch(QUERIES["check_leaves"]))[0]
    return Finding(
        law="log_has_no_gaps",
        holds=row["first"] == 0 and row["leaves"] == row["log_end"],
        evidence=f"{row['leaves']} leaves from {row['first']} up to {row['log_end']}",
    )


async def check_stock_is_logged(connection: Connection) -> Finding:
    """Of each physical card as many copies are on sale as follow from the log.

    Those added, without those withdrawn and those drawn from odds packs. What the relay has not
    moved on yet is counted with the log.
    """
    rows = await connection.fetch(QUERIES["check_stock"])
    wrong = [row for row in rows if row["told"] != row["counted"]]
    copies = sum(row["counted"] for row in rows)
    evidence = f"{copies} copies of {len(rows)} cards on sale"
    if wrong:
        told = ", ".join(
            f"{row['card_id']}: {row['counted']} on sale, {row['told']} by the log"
            for row in wrong[:5]
        )
        evidence += f"; {len(wrong)} cards differ: {told}"
    return Finding(law="stock_is_logged", holds=not wrong, evidence=evidence)


async def check_log_tree_is_of_its_leaves(connection: Connection) -> Finding:
    """Every tile, and the root in the newest checkpoint, follow from the leaves.

    Hashes the whole log: a few seconds for each million leaves.
    """
    law = "log_tree_is_of_its_leaves"
    newest = await find_checkpoint(connection)
    rows = await connection.fetch(QUERIES["check_tiles"])
    tiles = {TileId(row["level"], row["number"]): row["hashes"] for row in rows}
    if newest is None:
        return Finding(law=law, holds=not tiles, evidence=f"nothing signed, {len(tiles)} tiles")
    try:
        open_note(newest.note, newest.verifier_key)
        signed = read_tree(newest.note)
        tree = await _grow(connection, newest.size)
    except Breach as breach:
        return Finding(law=law, holds=False, evidence=breach.message)
    wrong = sorted(
        tile for tile in tree.changed | tiles if tree.changed.get(tile) != tiles.get(tile)
    )
    return Finding(
        law=law,
        holds=not wrong and (signed.size, signed.root) == (tree.size, tree.root()),
        evidence=(
            f"{newest.size} leaves signed with the root {signed.root.hex()}, theirs is"
            f" {tree.root().hex()}; {len(tiles)} tiles, wrong ones: {wrong[:5] or 'none'}"
        ),
    )


async def _grow(connection: Connection, size: int) -> GrowingTree:
    tree = GrowingTree(0, {})
    while tree.size < size:
        limit = min(LOG_LEAVES_PER_BATCH, size - tree.size)
        leaves = await list_leaves(connection, first=tree.size, limit=limit)
        if not leaves:
            raise Breach(f"{size} leaves are signed, but there are only {tree.size}.")
        tree.append(leaf_hash(leaf) for leaf in leaves)
    return tree
